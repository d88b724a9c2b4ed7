"""Orders: put together, priced, and completed once: subscriptions, coupons and the invoice in one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

from tallygate.billing.books import Books, read_books
from tallygate.billing.closing import issue
from tallygate.billing.coupons import redeem, redeemable
from tallygate.billing.desk import SubscriptionDesk
from tallygate.billing.invoices import get_invoice
from tallygate.billing.order_invoices import order_documents
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.orders import Order, OrderState, Sold
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.currency import major_units
from tallygate.domain.errors import BillingNotStartedError, ConflictError, InvalidFieldError, TallygateError
from tallygate.domain.money import exact_text
from tallygate.domain.order_errors import OrderChangedError, OrderClosedError, OrderNotFoundError
from tallygate.records.fields import check_id
from tallygate.records.lookup import known_account, plan_on_sale
from tallygate.records.orders import OrderQuery
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork, NewId

_LONGEST_VERSION = 64
_ALL = OrderQuery(limit=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """An order, and its documents: of an open one those that it would have, or what keeps it from being completed."""

    order: Order
    documents: tuple[Invoice, ...] = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Which terms were accepted, told by whose key, and the total that was (minor units, currency; None: any)."""

    terms_version: str
    actor_id: str = ""
    total: tuple[int, str] | None = None


async def create_order(work: BillingWork, wanted: Order, desk: SubscriptionDesk, *, now: int) -> Quoted:
    """Keep an order as it is asked for, and price it; the same one again answers what there is.

    Raises:
        InvalidFieldError: a field is wrong.
        ConflictError: another order has this id.
        TallygateError: it could not be completed now.
    """
    check_id("order_id", wanted.order_id)
    known = await work.orders.get(wanted.order_id)
    catalog = await work.catalog.load()
    items = []
    for index, item in enumerate(wanted.items):
        with _within(f"items[{index}].subscription"):
            plan = plan_on_sale(catalog, item.subscription.plan_key, item.subscription.plan_version)
        version = known.items[index].subscription.plan_version if known and index < len(known.items) else plan.version
        asked = item.subscription.plan_version or version
        items.append(replace(item, subscription=replace(item.subscription, plan_version=asked)))
    order = replace(wanted, items=tuple(items), create_time=now)
    if known is not None:
        if not known.asks_for(order):
            raise ConflictError(order_id=order.order_id)
        return await shown(work, known, desk, now=now)
    documents = await quoted(work, order, desk, now=now)
    await work.orders.put(order)
    return Quoted(order=order, documents=documents)


async def complete_order(
    work: BillingWork, order_id: str, accepted: Acceptance, desk: SubscriptionDesk, *, now: int, new_id: NewId
) -> Quoted:
    """Sell what an order holds and issue its invoice; one that was completed answers what came of it.

    Raises:
        OrderNotFoundError: there is no such order.
        OrderClosedError: it was not paid in time.
        OrderChangedError: it costs something else than was accepted.
        InvalidFieldError: no terms are named.
        TallygateError: it cannot be sold any more.
    """
    _check_terms(accepted.terms_version)
    order = await _known(work, order_id)
    if order.state is OrderState.EXPIRED:
        raise OrderClosedError(order_id=order_id, state=order.state.value)
    if order.state is not OrderState.OPEN:
        return await shown(work, order, desk, now=now)
    order = await _sold(work, order, desk, now=now, new_id=new_id)
    books = await _books(work, order.account_id, now=now)
    made = await order_documents(work, books, order.sold, now)
    _check_total(order, made, accepted.total)
    issued = await issue(work, books, made, until=now, sold=order.sold, now=now)
    order = replace(
        order,
        state=OrderState.COMPLETED,
        complete_time=now,
        terms_version=accepted.terms_version,
        actor_id=accepted.actor_id,
        invoice_ids=tuple(each.invoice_id for each in issued),
    )
    await work.orders.put(order)
    return Quoted(order=order, documents=tuple(issued))


async def get_order(work: BillingWork, order_id: str, desk: SubscriptionDesk, *, now: int) -> Quoted:
    """One order with its documents; of an open one as things stand.

    Raises:
        OrderNotFoundError: there is none.
    """
    return await shown(work, await _known(work, order_id), desk, now=now)


async def list_orders(work: BillingWork, wanted: OrderQuery = _ALL, page: PageRequest = FIRST_PAGE) -> Page[Order]:
    """Orders, newest first.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    if wanted.account_id:
        await known_account(work, wanted.account_id)
    return await newest_of(
        page,
        lambda before, limit: work.orders.list(replace(wanted, limit=limit, before=before)),
        lambda order: (order.create_time, order.order_id),
    )


async def shown(work: BillingWork, order: Order, desk: SubscriptionDesk, *, now: int) -> Quoted:
    """An order with its documents."""
    if order.state is not OrderState.OPEN:
        issued = [await get_invoice(work, invoice_id) for invoice_id in order.invoice_ids]
        return Quoted(order=order, documents=tuple(issued))
    try:
        return Quoted(order=order, documents=await quoted(work, order, desk, now=now))
    except TallygateError as error:
        return Quoted(order=order, obstacle=str(error))


async def quoted(work: BillingWork, order: Order, desk: SubscriptionDesk, *, now: int) -> tuple[Invoice, ...]:
    """The documents that an order would have if it were completed now: by the same rules, of the same books.

    Raises:
        TallygateError: it could not be completed.
    """
    books = await _books(work, order.account_id, now=now)
    known = books.timelines[0] if books.timelines else None
    timelines = list(books.timelines)
    for index, item in enumerate(order.items):
        with _within(f"items[{index}].subscription"):
            subscription, own = await desk.proposed(work, order.account_id, item.subscription, now=now)
        timelines.append(
            Timeline(
                subscription=subscription,
                catalog=books.catalog,
                quantities=known.quantities if known is not None else tuple(await work.quantities.of(order.account_id)),
                overrides=(*(await work.price_overrides.of(order.account_id)), *own),
            )
        )
    added = [timeline.subscription for timeline in timelines[len(books.timelines) :]]
    coupons = await redeemable(
        work,
        order.codes,
        account_id=order.account_id,
        subscription_id=added[0].subscription_id,
        plan_key=order.items[0].subscription.plan_key,
        now=now,
    )
    books = replace(books.changed(timelines), redemptions=(*books.redemptions, *coupons))
    sold = Sold(order_id=order.order_id, subscription_ids=frozenset(one.subscription_id for one in added))
    return tuple(await order_documents(work, books, sold, now))


async def _sold(work: BillingWork, order: Order, desk: SubscriptionDesk, *, now: int, new_id: NewId) -> Order:
    """Begin the subscriptions of an order, and redeem its coupons with the first."""
    items = []
    for index, item in enumerate(order.items):
        with _within(f"items[{index}].subscription"):
            held = await desk.subscribe(work, order.account_id, item.subscription, now=now, new_id=new_id)
        items.append(replace(item, subscription_id=held.subscription.subscription_id))
    first = items[0]
    await redeem(
        work,
        order.codes,
        account_id=order.account_id,
        subscription_id=first.subscription_id,
        plan_key=first.subscription.plan_key,
        now=now,
        new_id=new_id,
    )
    return replace(order, items=tuple(items))


async def _books(work: BillingWork, account_id: str, *, now: int) -> Books:
    books = await read_books(work, account_id, now=now)
    if books is None:
        raise BillingNotStartedError
    return books


async def _known(work: BillingWork, order_id: str) -> Order:
    order = await work.orders.get(order_id)
    if order is None:
        raise OrderNotFoundError(order_id=order_id)
    return order


def _check_terms(version: str) -> None:
    if not 1 <= len(version) <= _LONGEST_VERSION or not version.isprintable():
        expected = f"the version of the terms that was accepted, 1 to {_LONGEST_VERSION} printable characters"
        raise InvalidFieldError(field="terms_version", expected=expected)


def _check_total(order: Order, documents: Sequence[Invoice], accepted: tuple[int, str] | None) -> None:
    if accepted is None:
        return
    found = [(each.total, each.currency) for each in documents] or [(0, accepted[1])]
    if found != [accepted]:
        told = ", ".join(_told(*each) for each in found)
        raise OrderChangedError(order_id=order.order_id, accepted=_told(*accepted), total=told)


def _told(amount: int, currency: str) -> str:
    return f"{exact_text(major_units(Fraction(amount), currency))} {currency}"


@contextmanager
def _within(path: str) -> Iterator[None]:
    """Name a field that is wrong by its place in the request."""
    try:
        yield
    except InvalidFieldError as error:
        field = f"{path}.{error.metadata['field']}"
        raise InvalidFieldError(
            field=field, expected=error.metadata["expected"], got=error.metadata.get("got")
        ) from None

"""Orders: put together, priced, and completed once: subscriptions, coupons and the invoice in one transaction."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.billing.activation import ORDER_JOB, begin, incomplete, is_paid
from tallygate.billing.books import Books, read_books
from tallygate.billing.claims import mint_claim
from tallygate.billing.closing import issue
from tallygate.billing.coupons import Redeemer, redeem, redeemable
from tallygate.billing.desk import SubscriptionDesk
from tallygate.billing.invoices import get_invoice
from tallygate.billing.order_invoices import order_documents
from tallygate.billing.purchases import Sale, hand_out, priced
from tallygate.domain.billing.claims import ENTROPY_BYTES
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.messages import priced as told
from tallygate.domain.billing.orders import PAYABLE, Order, OrderItem, OrderState, Sold
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.errors import BillingNotStartedError, ConflictError, InvalidFieldError, TallygateError
from tallygate.domain.money import rounded
from tallygate.domain.order_errors import OrderChangedError, OrderClosedError, OrderNotFoundError
from tallygate.records.fields import check_id, within
from tallygate.records.jobs import EXPIRE
from tallygate.records.lookup import known_account, plan_on_sale
from tallygate.records.orders import OrderQuery
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork, NewId

_LONGEST_VERSION = 64
_ALL = OrderQuery(limit=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """An order, and its documents: of an open one those that it would have, or what keeps it from being completed.

    The codes of its `claims`, by item, are known when they are made, and never again.
    """

    order: Order
    documents: tuple[Invoice, ...] = ()
    obstacle: str = ""
    claims: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minting:
    """Where new ids come from, and the randomness of codes."""

    new_id: NewId
    entropy: Callable[[int], bytes]


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
    await known_account(work, wanted.account_id)
    known = await work.orders.get(wanted.order_id)
    order = replace(wanted, items=tuple([item async for item in _pinned(work, wanted, known)]), create_time=now)
    if known is not None:
        if not known.asks_for(order):
            raise ConflictError(order_id=order.order_id)
        return await shown(work, known, desk, now=now)
    documents = await quoted(work, order, desk, now=now)
    await work.orders.put(order)
    return Quoted(order=order, documents=documents)


async def _pinned(work: BillingWork, wanted: Order, known: Order | None) -> AsyncIterator[OrderItem]:
    """The items of an order with the versions of plans that are sold: the newest when it was made."""
    catalog = await work.catalog.load()
    for index, item in enumerate(wanted.items):
        ordered = item.subscription
        if ordered is None or ordered.plan_version is not None:
            yield item
            continue
        before = known.items[index].subscription if known is not None and index < len(known.items) else None
        version = before.plan_version if before else plan_on_sale(catalog, ordered.plan_key, None).version
        yield replace(item, subscription=replace(ordered, plan_version=version))


async def complete_order(
    work: BillingWork, order_id: str, accepted: Acceptance, desk: SubscriptionDesk, minting: Minting, *, now: int
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
    order, claims = await _sold(work, order, desk, minting, now=now)
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
    waiting = await incomplete(work, order)
    if waiting and not await is_paid(work, order):
        order = replace(order, state=OrderState.UNPAID, pay_until=now + PAYABLE)
        await work.orders.put(order)
        await work.jobs.schedule(EXPIRE, f"{ORDER_JOB}{order.order_id}", due_time=now + PAYABLE)
    elif waiting:
        order = await begin(work, order, now=now)
    return Quoted(order=order, documents=tuple(issued), claims=claims)


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
    await _check_items(work, order)
    overrides, quantities = await work.price_overrides.of(order.account_id), await work.quantities.of(order.account_id)
    fees, own = list(books.fees), []
    for index, item in enumerate(order.items):
        with within(f"items[{index}]"):
            if not order.is_own(item) or item.subscription is None:
                fees += await priced(work, Sale(order=order, index=index, books=books, now=now), desk)
                continue
            with within("subscription"):
                subscription, advance = await desk.proposed(work, order.account_id, item.subscription, now=now)
        prices = (*overrides, *advance)
        own.append(Timeline(subscription=subscription, catalog=books.catalog, quantities=quantities, overrides=prices))
    named = [timeline.subscription.subscription_id for timeline in own]
    coupons = await redeemable(work, order.codes, _redeemer(order, named), now=now)
    charged = [fee for fee in fees if rounded(fee.exact, books.amounts.rounding)]
    books = replace(
        books.changed([*books.timelines, *own]), fees=tuple(charged), redemptions=(*books.redemptions, *coupons)
    )
    sold = Sold(order_id=order.order_id, subscription_ids=frozenset(named))
    return tuple(await order_documents(work, books, sold, now))


async def _sold(
    work: BillingWork, order: Order, desk: SubscriptionDesk, minting: Minting, *, now: int
) -> tuple[Order, dict[int, str]]:
    """Sell every item of an order and redeem its coupons; the order with its subscriptions, and codes of claims."""
    await _check_items(work, order)
    books, items, codes = await _books(work, order.account_id, now=now), list(order.items), {}
    for index, item in enumerate(order.items):
        with within(f"items[{index}]"):
            if order.is_own(item) and item.subscription is not None:
                with within("subscription"):
                    held = await desk.subscribe(
                        work, order.account_id, item.subscription, waits=True, now=now, new_id=minting.new_id
                    )
                items[index] = replace(item, subscription_id=held.subscription.subscription_id)
                continue
            sale = Sale(order=order, index=index, books=books, now=now)
            for fee in await priced(work, sale, desk):
                await work.fees.add(fee)
            named = await hand_out(work, sale, desk, new_id=minting.new_id)
            items[index] = replace(item, subscription_id=named)
            if item.email:
                codes[index] = await mint_claim(work, order, index, minting.entropy(ENTROPY_BYTES), now=now)
    order = replace(order, items=tuple(items))
    by = _redeemer(order, [item.subscription_id for item in items if order.is_own(item)])
    await redeem(work, order.codes, by, now=now, new_id=minting.new_id)
    return order, codes


def _redeemer(order: Order, own: Sequence[str]) -> Redeemer:
    subscription_id, plans = own[0] if own else "", order.plan_keys
    return Redeemer(
        account_id=order.account_id,
        subscription_id=subscription_id,
        plan_keys=plans,
        order_id=order.order_id,
        in_advance=any(item.subscription is not None and item.subscription.advance_length for item in order.items),
    )


async def _check_items(work: BillingWork, order: Order) -> None:
    """Each holder is to have one subscription, and who pays may buy for others."""
    profile, seen = await work.profiles.get(order.account_id), set()
    for index, item in enumerate(order.items):
        holder, path = order.holder(item), f"items[{index}]"
        if holder != order.account_id and not (profile is not None and profile.group_buy):
            expected = f"{order.account_id} itself, whose billing profile does not let it buy for others (group_buy)"
            field = f"{path}.email" if item.email else f"{path}.account_id"
            raise InvalidFieldError(field=field, expected=expected, got=item.email or holder)
        key = (item.quota is None, holder)
        if holder and item.quota is None and key in seen:
            raise InvalidFieldError(field=path, expected="one subscription or renewal an account", got=holder)
        seen.add(key)


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
        total = ", ".join(told(*each) for each in found)
        raise OrderChangedError(order_id=order.order_id, accepted=told(*accepted), total=total)

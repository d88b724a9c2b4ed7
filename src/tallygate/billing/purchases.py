"""What an order sells outright: to somebody else than who pays, for later, or in advance; priced, then handed out.

Who pays is charged a fee for each line that the holder would have had, and the holder has prices of nothing instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallygate.billing.books import Books
from tallygate.billing.desk import SubscriptionDesk
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.orders import Order, OrderedQuota, OrderedSubscription, OrderItem
from tallygate.domain.billing.outright import (
    first_lines,
    lines_within,
    not_counted,
    not_outright,
    paid_prices,
    quota_owed,
    renewed_prices,
    usage_prices,
)
from tallygate.domain.billing.timeline import PriceOverride, Timeline
from tallygate.domain.catalog import Catalog
from tallygate.domain.currency import minor_units
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import UsagePeriod
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.fields import check_instant, within
from tallygate.records.lookup import billing_calendar, feature_of, known_account
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.values import StoredSubscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An item of an order that is sold outright: where it stands, and the books of who pays it."""

    order: Order
    index: int
    books: Books
    now: int

    @property
    def item(self) -> OrderItem:
        """What is sold."""
        return self.order.items[self.index]

    @property
    def holder(self) -> str:
        """The account that is to have it; empty: who redeems its claim."""
        return self.order.holder(self.item)

    @property
    def number(self) -> str:
        """What names it, once."""
        return f"{self.order.order_id}/{self.index}"


async def priced(work: BillingWork, sale: Sale, desk: SubscriptionDesk) -> list[Fee]:
    """What who pays is charged for an item; nothing is written.

    Raises:
        InvalidFieldError: it cannot be bought so.
        TallygateError: the holder cannot have it now.
    """
    item = sale.item
    if item.quota is not None:
        return [await _quota_fee(work, sale, item.quota)]
    if item.renewal is not None:
        before, after = await desk.renewal(work, sale.holder, item.renewal, now=sale.now, make=False)
        return await _renewal_fees(work, sale, before, after)
    assert item.subscription is not None  # noqa: S101 - there are three kinds
    with within("subscription"):
        subscription, own = await desk.proposed(work, sale.holder, item.subscription, now=sale.now)
    timeline = Timeline(subscription=subscription, catalog=sale.books.catalog, overrides=own)
    _check_outright(timeline, "subscription.plan_key")
    _check_counted(timeline)
    lines = first_lines(
        timeline, await calendar_of_holder(work, sale.holder, sale.books.catalog, sale.now), sale.books.amounts
    )
    return _fees(sale, lines)


async def hand_out(work: BillingWork, sale: Sale, desk: SubscriptionDesk, *, new_id: NewId) -> str:
    """Give the holder what was bought; the subscription that it is of, empty where a claim or a grant stands for it.

    Raises:
        TallygateError: the holder cannot have it now.
    """
    item = sale.item
    if item.quota is not None:
        await desk.grant(work, sale.holder, item.quota, grant_id=f"order/{sale.number}", now=sale.now)
        return ""
    if item.renewal is not None:
        before, after = await desk.renewal(work, sale.holder, item.renewal, now=sale.now, make=True)
        timeline = await _timeline(work, after, sale.books.catalog)
        start, end = _span(before, after)
        await _add(work, sale.holder, renewed_prices(timeline, start, end, number=sale.number))
        return after.subscription.subscription_id
    if item.subscription is None or not sale.holder:
        return ""
    return await subscribe_paid(
        work, sale.holder, item.subscription, desk, number=sale.number, now=sale.now, new_id=new_id
    )


async def subscribe_paid(
    work: BillingWork,
    account_id: str,
    ordered: OrderedSubscription,
    desk: SubscriptionDesk,
    *,
    number: str,
    now: int,
    new_id: NewId,
) -> str:
    """Subscribe an account to what somebody paid: its id. Its first period, or what was paid in advance, costs nothing.

    Raises:
        TallygateError: it cannot be had now.
    """
    held = await desk.subscribe(work, account_id, ordered, waits=False, now=now, new_id=new_id)
    catalog = await work.catalog.load()
    timeline = Timeline(subscription=held.subscription, catalog=catalog)
    calendar = await calendar_of_holder(work, account_id, catalog, now)
    length, currency = ordered.advance_length, catalog.currency
    await _add(work, account_id, paid_prices(timeline, calendar, length=length, currency=currency, number=number))
    return held.subscription.subscription_id


async def calendar_of_holder(work: BillingWork, account_id: str, catalog: Catalog, now: int) -> Calendar:
    """The calendar of who holds something; without an account that of one that is created now."""
    if not account_id:
        return Calendar(zone=catalog.time_zone, account_create_time=now)
    return await billing_calendar(work, await known_account(work, account_id), catalog)


async def _renewal_fees(
    work: BillingWork, sale: Sale, before: StoredSubscription, after: StoredSubscription
) -> list[Fee]:
    timeline = await _timeline(work, after, sale.books.catalog)
    _check_outright(timeline, "renewal")
    calendar = await calendar_of_holder(work, sale.holder, sale.books.catalog, sale.now)
    return _fees(sale, lines_within(timeline, calendar, sale.books.amounts, *_span(before, after)))


async def _quota_fee(work: BillingWork, sale: Sale, ordered: OrderedQuota) -> Fee:
    if ordered.expire_time is not None:
        check_instant("quota.expire_time", ordered.expire_time, after=sale.now)
    feature, catalog = feature_of(sale.books.catalog, ordered.feature_key), sale.books.catalog
    timelines = [await _timeline(work, held, catalog) for held in await work.subscriptions.of(sale.holder)]
    found = [
        (named, price)
        for named, price in usage_prices(timelines, feature.feature_key, sale.now)
        if price.usage is not None and not price.usage.where and not price.usage.model.by_amount
    ]
    if len(found) != 1 or found[0][1].usage is None:
        expected = "a feature whose usage has one price by units in what the account holds now"
        raise InvalidFieldError(field="quota.feature_key", expected=expected, got=feature.feature_key)
    named, price = found[0]
    usage, currency = found[0][1].usage, price.currency or catalog.currency
    name = usage.label or feature.name or feature.feature_key
    return _fee(
        sale,
        0,
        text=f"{name} ({ordered.quantity:,} in advance)",
        exact=minor_units(quota_owed(usage, ordered.quantity).amount, currency),
        currency=currency,
        price=named,
        tax_category=price.tax_category,
    )


async def _timeline(work: BillingWork, held: StoredSubscription, catalog: Catalog) -> Timeline:
    overrides, quantities = await work.price_overrides.of(held.account_id), await work.quantities.of(held.account_id)
    return Timeline(
        subscription=held.subscription, catalog=catalog, overrides=tuple(overrides), quantities=tuple(quantities)
    )


def _fees(sale: Sale, lines: Sequence[Line]) -> list[Fee]:
    """A fee for each line, of the period that it is for; of what waits for a claim nobody knows when that begins."""
    return [
        _fee(
            sale,
            number,
            text=line.text,
            exact=line.exact,
            currency=line.currency,
            price=line.price,
            tax_category=line.tax_category,
            period=line.period if sale.holder and not line.period.is_instant else None,
        )
        for number, line in enumerate(lines)
    ]


def _fee(
    sale: Sale,
    number: int,
    *,
    text: str,
    exact: Fraction,
    currency: str,
    price: str,
    tax_category: str,
    period: UsagePeriod | None = None,
) -> Fee:
    subscriber = sale.item.email or sale.holder
    whose = "" if subscriber == sale.order.account_id else f" for {subscriber}"
    return Fee(
        fee_id=f"order/{sale.number}/{number}",
        account_id=sale.order.account_id,
        create_time=sale.now,
        currency=currency,
        text=f"{text}{whose}",
        exact=exact,
        order_id=sale.order.order_id,
        subscriber=subscriber,
        price=price,
        tax_category=tax_category,
        period=period,
    )


def _span(before: StoredSubscription, after: StoredSubscription) -> tuple[int, int]:
    start, end = before.subscription.end_time, after.subscription.end_time
    if start is None or end is None:
        raise SubscriptionConflictError(account_id=after.account_id, expected="a subscription that has an end")
    return start, end


def _check_outright(timeline: Timeline, field: str) -> None:
    price = not_outright(timeline)
    if price is not None:
        expected = f"prices by the piece due in advance, as it is paid for its holder (not so is {price.price_key})"
        raise InvalidFieldError(field=field, expected=expected)


def _check_counted(timeline: Timeline) -> None:
    price = not_counted(timeline)
    form = price.recurring if price is not None else None
    if price is not None and form is not None:
        field = f"subscription.seats[{form.seats}]" if form.seats else "subscription.users"
        expected = f"how many are paid for their holder: {price.price_key} charges by them"
        raise InvalidFieldError(field=field, expected=expected)


async def _add(work: BillingWork, account_id: str, own: Iterable[PriceOverride]) -> None:
    for override in own:
        await work.price_overrides.add(account_id, override)

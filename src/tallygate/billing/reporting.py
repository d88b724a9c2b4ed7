"""Reports: what the ledger says of a time, what recurs, and which accounts came and left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tallygate.domain.billing.posting import CHARGEBACK, FUNDS, INCOME, OFFLINE, RECEIVABLE, REFUND, Balance
from tallygate.domain.billing.reporting import MOST_LOST, Books, Customers, Lost, Report, recurring, serving
from tallygate.domain.billing.timeline import Timeline
from tallygate.records.fields import check_past
from tallygate.records.ports import BillingWork

_AT_ONCE = 100
_MONEY = (FUNDS, OFFLINE, CHARGEBACK)
_CHANGES = 20


async def report(work: BillingWork, *, start: int, end: int, now: int) -> Report:
    """What happened from an instant on, before another, and how it stands then.

    Raises:
        InvalidFieldError: it ends before it starts, or has not ended.
    """
    check_past(start, end, now=now)
    own = (await work.catalog.load()).currency
    customers, rates, after = Customers(), dict[str, Fraction](), ""
    while accounts := await work.accounts.list(after=after, limit=_AT_ONCE):
        ids = [account.account_id for account in accounts]
        timelines = await _timelines(work, ids)
        customers = _counted(customers, timelines, start=start, end=end)
        for held in timelines.values():
            for currency, amount in recurring(held, end - 1, currency=own).items():
                rates[currency] = rates.get(currency, Fraction(0)) + amount
        after = ids[-1]
    named = replace(customers, lost=tuple(await _explained(work, customers.lost)))
    return Report(start=start, end=end, customers=named, books=await _books(work, rates, start=start, end=end))


async def _timelines(work: BillingWork, account_ids: Sequence[str]) -> Mapping[str, Sequence[Timeline]]:
    await work.gather_held(account_ids)
    catalog = await work.catalog.load()
    return {
        account_id: [
            Timeline(
                subscription=held.subscription,
                catalog=catalog,
                cancel_time=held.cancel_time,
                quantities=tuple(await work.quantities.of(account_id)),
                overrides=tuple(await work.price_overrides.of(account_id)),
            )
            for held in await work.subscriptions.of(account_id)
        ]
        for account_id in account_ids
    }


def _counted(before: Customers, timelines: Mapping[str, Sequence[Timeline]], *, start: int, end: int) -> Customers:
    """The same with more accounts; one is counted by whether something serves it as the time starts, and as it ends."""
    lost = list(before.lost)
    at_start, gained = before.at_start, before.gained
    for account_id, held in timelines.items():
        first, last = serving(held, start), serving(held, end)
        at_start += first is not None
        gained += first is None and last is not None
        if first is not None and last is None:
            ended = max((each for each in held if each.end <= end), key=lambda each: each.end, default=first)
            plan_key = ended.subscription.terms[-1].plan_key
            lost.append(Lost(account_id=account_id, plan_key=plan_key, end_time=ended.end))
    return Customers(at_start=at_start, gained=gained, lost=tuple(lost))


async def _explained(work: BillingWork, lost: Iterable[Lost]) -> Sequence[Lost]:
    """Who left last comes first; of those that are told, who said why, and when they did something last."""
    found = sorted(lost, key=lambda one: (-one.end_time, one.account_id))
    told = found[:MOST_LOST]
    active = await work.reports.last_activity([one.account_id for one in told])
    told = [replace(one, reason=await _reason(work, one), last_activity=active.get(one.account_id)) for one in told]
    return [*told, *found[MOST_LOST:]]


async def _reason(work: BillingWork, lost: Lost) -> str:
    """What was said as the subscription was made to end."""
    for change in await work.subscription_history.list(lost.account_id, before=None, limit=_CHANGES):
        if change.after.subscription.end_time == lost.end_time and change.author.reason:
            return change.author.reason
    return ""


async def _books(work: BillingWork, rates: Mapping[str, Fraction], *, start: int, end: int) -> Sequence[Books]:
    first, last = [_by_place(await work.ledger.balances(at=at - 1)) for at in (start, end)]
    currencies = {currency for _, currency in last} | {*rates}
    invoiced = await work.reports.invoiced(start=start, end=end)

    def moved(currency: str, *accounts: str) -> int:
        return sum(last.get((one, currency), 0) - first.get((one, currency), 0) for one in accounts)

    return [
        Books(
            currency=currency,
            recurring=rates.get(currency, Fraction(0)),
            invoiced=invoiced.get(currency, 0),
            received=moved(currency, *_MONEY),
            income=-moved(currency, INCOME, REFUND),
            outstanding=last.get((RECEIVABLE, currency), 0),
        )
        for currency in sorted(currencies)
    ]


def _by_place(balances: Iterable[Balance]) -> Mapping[tuple[str, str], int]:
    return {(one.ledger_account, one.currency): one.net for one in balances}

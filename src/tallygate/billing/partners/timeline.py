"""A month's billing from its invoices to its partners' parts: which day each step is on, and where it stands."""

from calendar import monthrange
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind, due_time
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import Anchor, PeriodUnit, local_date, local_midnight
from tallygate.records.billing import InvoiceQuery
from tallygate.records.ports import BillingWork

_AT_ONCE = 100
_DECEMBER = 12
_YEARS = range(1971, 2255)


class Step(StrEnum):
    """What is done: invoices are issued, they are charged, and it is told what partners have of them."""

    INVOICING = "invoicing"
    PAYMENT = "payment"
    COMMISSION = "commission"


class StepState(StrEnum):
    """Where a step stands: its day has not come, something of it is open, or nothing is."""

    UPCOMING = "upcoming"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """A step on the local day that begins at `time`; `documents` are concerned, of which so many are `unpaid`."""

    step: Step
    day: date
    time: int
    state: StepState
    documents: int
    unpaid: int


async def timeline(work: BillingWork, month: str, *, commission_day: int, now: int) -> list[TimelineEntry]:
    """The steps of the invoices of a month as 2026-02, by time; empty where no plan is invoiced on such a day.

    Raises:
        InvalidFieldError: it is no month.
    """
    first = _month(month)
    catalog = await work.catalog.load()
    found: list[TimelineEntry] = []
    for day in invoice_days(catalog):
        found += await _steps(work, catalog, first, day, commission_day=commission_day, now=now)
    return sorted(found, key=lambda one: one.time)


def invoice_days(catalog: Catalog) -> list[int]:
    """The days of a month on which plans on sale are invoiced."""
    newest = [versions[max(versions)] for versions in catalog.plans.values()]
    rules = [plan.billing for plan in newest if plan.billing is not None and not plan.archived]
    monthly = [rule for rule in rules if (rule.every, rule.anchor) == (PeriodUnit.MONTH, Anchor.CALENDAR)]
    return sorted({rule.day for rule in monthly})


async def _steps(
    work: BillingWork, catalog: Catalog, first: date, day: int, *, commission_day: int, now: int
) -> list[TimelineEntry]:
    zone, policy = catalog.time_zone, catalog.billing or BillingPolicy()
    issued = local_midnight(on_day(first, day), zone=zone)
    until = local_midnight(on_day(next_month(first), day), zone=zone)
    due = due_time(policy.due, issued=issued, zone=zone)
    told = local_midnight(day_behind(local_date(due, zone=zone), commission_day), zone=zone)
    documents = unpaid = 0
    async for invoice in _invoices(work, issued, until):
        documents += 1
        unpaid += invoice.balance.state is InvoiceState.OPEN
    return [
        TimelineEntry(
            step=step,
            day=local_date(time, zone=zone),
            time=time,
            state=StepState.UPCOMING if now < time else StepState.RUNNING if waits else StepState.DONE,
            documents=documents,
            unpaid=unpaid,
        )
        for step, time, waits in (
            (Step.INVOICING, issued, False),
            (Step.PAYMENT, due, unpaid > 0),
            (Step.COMMISSION, told, False),
        )
    ]


async def _invoices(work: BillingWork, since: int, until: int) -> AsyncIterator[Invoice]:
    """The invoices of periods that were issued in a time."""
    before: tuple[int, str] | None = None
    while True:
        wanted = InvoiceQuery(limit=_AT_ONCE, kind=InvoiceKind.PERIOD, since=since, until=until, before=before)
        found = await work.invoices.list(wanted)
        for invoice in found:
            yield invoice
        if len(found) < _AT_ONCE:
            return
        before = (found[-1].issue_time, found[-1].invoice_id)


def on_day(month: date, day: int) -> date:
    """A day of a month, its last where it has no such day."""
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def next_month(month: date) -> date:
    """The first day of the month behind."""
    return date(month.year + month.month // _DECEMBER, month.month % _DECEMBER + 1, 1)


def day_behind(after: date, day: int) -> date:
    """The first such day of a month on a date or behind it."""
    found = on_day(after, day)
    return found if found >= after else on_day(next_month(after), day)


def _month(text: str) -> date:
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = date.min
    if f"{text}-01" != first.isoformat() or first.year not in _YEARS:
        raise InvalidFieldError(field="month", expected="a month as 2026-02", got=ascii(text[:16]))
    return first

"""What partners have of what was paid: by runs, each what stands at its instant less what stood at the one before.

Both are derived from what never changes, so a payment is in one run, a late one in the next, and what was taken back
or given back is in the run after that, below zero. Nothing of it is kept, and nothing of it can be lost.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tallygate.domain.billing.bills import Bill
from tallygate.domain.billing.earning import Earning, Source, first_paid, revenue_of
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.reissues import first_key
from tallygate.domain.billing.sharing import Share, ShareTerms, in_force, shares_of, summed
from tallygate.domain.catalog import Catalog
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import local_date, local_midnight
from tallygate.records.paging import Page, PageRequest, page_of
from tallygate.records.ports import BillingWork

_AT_ONCE, _MOST = 100, 2**31 - 1
_DECEMBER = 12
_FEE = "fee/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was paid from an instant on, before another, at which a day begins where the tenant is."""

    day: date
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one partner has in one currency."""

    currency: str
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedInvoice:
    """What everybody has of one document in a run: the amounts, with what was passed on, sum to what was paid of it."""

    invoice_id: str
    number: str
    account_id: str
    currency: str
    shares: tuple[Share, ...]


def run_of(text: str, *, day: int, zone: str, now: int) -> Run:
    """The run of a date as 2026-02-17; empty: the last one that has come, by `now`. Runs are on `day` of each month.

    Raises:
        InvalidFieldError: it is no date on which a run is.
    """
    if not text:
        today = local_date(now, zone=zone)
        on = today.replace(day=day)
        return _run(on if on <= today else _month_before(on), zone)
    try:
        on = date.fromisoformat(text)
    except ValueError:
        on = date.min
    if on.day != day or on.isoformat() != text or not 1970 < on.year < 2255:  # noqa: PLR2004 - the years that instants have
        raise InvalidFieldError(field="run_date", expected=f"a date as 2026-02-{day:02}", got=ascii(text[:48]))
    return _run(on, zone)


async def statements(work: BillingWork, run: Run) -> tuple[Statement, ...]:
    """What each partner has of a run, by currency and partner."""
    found: dict[str, tuple[Share, ...]] = {}
    reader = await _reader(work, run)
    # Looked for once, as that costs most; read by few, so that other calls are not held up.
    ids = await work.earnings.moved(start=run.start, end=run.end, after="", limit=_MOST)
    for first in range(0, len(ids), _AT_ONCE):
        async for one in reader.shared(ids[first : first + _AT_ONCE]):
            found[one.currency] = summed([*found.get(one.currency, ()), *one.shares])
    return tuple(Statement(currency=currency, share=share) for currency in sorted(found) for share in found[currency])


async def shared_invoices(work: BillingWork, run: Run, page: PageRequest) -> Page[SharedInvoice]:
    """The documents behind the statements of a run, by id."""
    reader = await _reader(work, run)

    async def load(after: str, limit: int) -> Sequence[str]:
        return await work.earnings.moved(start=run.start, end=run.end, after=after, limit=limit)

    ids = await page_of(page, load, lambda one: one)
    return Page(items=[one async for one in reader.shared(ids.items)], next_page_token=ids.next_page_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Tells who has what of documents in a run."""

    work: BillingWork
    run: Run
    catalog: Catalog
    history: Sequence[ShareTerms]

    async def shared(self, invoice_ids: Sequence[str]) -> AsyncIterator[SharedInvoice]:
        """Those of some documents of which somebody has something in the run."""
        earnings = await self.work.earnings.of(invoice_ids)
        bills = await self.work.bills.named(set(_fees(earnings)))
        for earning in earnings:
            shares = summed([*self._at(earning, bills, self.run.end), *self._before(earning, bills)])
            if shares:
                yield SharedInvoice(
                    invoice_id=earning.invoice_id,
                    number=earning.number,
                    account_id=earning.account_id,
                    currency=earning.currency,
                    shares=shares,
                )

    def _before(self, earning: Earning, bills: Mapping[str, Bill]) -> Iterable[Share]:
        return [-share for share in self._at(earning, bills, self.run.start)]

    def _at(self, earning: Earning, bills: Mapping[str, Bill], before: int) -> Sequence[Share]:
        """What everybody had of a document before an instant, by what was agreed when it was paid."""
        paid = first_paid(earning, before=before)
        if paid is None:
            return ()
        revenue = revenue_of(earning, lambda line: _source(line, bills, self.catalog), before=before)
        return shares_of(revenue, in_force(self.history, at=paid).values())


async def _reader(work: BillingWork, run: Run) -> _Reader:
    return _Reader(work=work, run=run, catalog=await work.catalog.load(), history=await work.share_terms.history())


def _source(line: Line, bills: Mapping[str, Bill], catalog: Catalog) -> Source:
    """Whose a line is: of a bill, or of a plan that a provider publishes."""
    if line.kind is LineKind.FEE and (bill := bills.get(_fee(line))) is not None:
        return Source(provider=bill.provider, third_party=bill.third_party)
    kind, _, rest = line.price.partition("/")
    key, _, rest = rest.partition("/")
    version = rest.partition("/")[0]
    plan = catalog.plan(key, int(version)) if kind == "plans" and version.isdecimal() else None
    return Source(provider=plan.provider if plan is not None else "")


def _fees(earnings: Iterable[Earning]) -> Iterable[str]:
    return (_fee(line) for earning in earnings for line in earning.lines if line.kind is LineKind.FEE)


def _fee(line: Line) -> str:
    """The fee that a line charges, or takes back."""
    return (line.source_line or first_key(line.line_key)).removeprefix(_FEE)


def _run(on: date, zone: str) -> Run:
    return Run(day=on, start=local_midnight(_month_before(on), zone=zone), end=local_midnight(on, zone=zone))


def _month_before(on: date) -> date:
    return on.replace(year=on.year - 1, month=_DECEMBER) if on.month == 1 else on.replace(month=on.month - 1)

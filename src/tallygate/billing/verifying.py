"""A document once more, from what was held and the log of events: what was issued must come out byte for byte."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

from tallygate.billing.closing import ADJUSTMENT, Books, count_window, counted_before, read_books
from tallygate.billing.invoices import get_invoice
from tallygate.domain.billing.adjusting import lane_of
from tallygate.domain.billing.canonical import canonical
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.fees import fee_line
from tallygate.domain.billing.lines import Line, LineKind, UsageInputs
from tallygate.domain.billing.rating import Billed, Issued, fixed_lines, follows, usage_line, usage_windows
from tallygate.domain.billing.runs import Calendar
from tallygate.domain.billing.steps import total
from tallygate.domain.currency import decimals_of, minor_units
from tallygate.domain.period import local_date
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line that comes out otherwise: its place from 1 on (0: the document's sums), and both as canonical JSON."""

    number: int
    line_key: str = ""
    issued: str
    derived: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of making a document once more."""

    invoice: Invoice
    differences: tuple[Difference, ...]


async def verify_invoice(work: BillingWork, name: str, *, now: int) -> Verified:
    """Make every line of a document again and compare.

    Raises:
        InvoiceNotFoundError: there is no such document.
    """
    invoice = await get_invoice(work, name)
    books = await read_books(work, invoice.account_id, now=now)
    derived: dict[str, str] = {}
    if books is not None and invoice.lines:
        async for line in _lines_again(work, books, invoice):
            derived[line.line_key] = canonical(line)
    adjusted = await _adjusted(work, invoice)
    found = [each for each in _otherwise(invoice, derived) if each.number not in adjusted]
    differences = (*_sums(invoice), *found)
    return Verified(invoice=invoice, differences=differences)


async def _adjusted(work: BillingWork, invoice: Invoice) -> set[int]:
    """The lines that a later one adjusts, as what they stood for has changed: they need not come out the same."""
    since, zone = min((line.due for line in invoice.lines), default=0) - 1, invoice.zone or "UTC"
    known = await work.issued_lines.since(invoice.account_id, since=since)
    days = {(lane_of(one.line_key), local_date(one.due, zone=zone)) for one in known if "/adjustment/" in one.line_key}
    lines = enumerate(invoice.lines, start=1)
    return {number for number, line in lines if (lane_of(line.line_key), local_date(line.due, zone=zone)) in days}


def _otherwise(invoice: Invoice, derived: dict[str, str]) -> Iterator[Difference]:
    for number, line in enumerate(invoice.lines, start=1):
        issued, again = canonical(line), derived.get(line.line_key, "")
        if issued != again:
            yield Difference(number=number, line_key=line.line_key, issued=issued, derived=again)


def _sums(invoice: Invoice) -> Iterator[Difference]:
    subtotal = sum(line.amount for line in invoice.lines)
    if (invoice.subtotal, invoice.total) != (subtotal, subtotal + invoice.tax):
        issued = f"subtotal {invoice.subtotal}, tax {invoice.tax}, total {invoice.total}"
        yield Difference(number=0, issued=issued, derived=f"subtotal {subtotal}, total {subtotal + invoice.tax}")


async def _lines_again(work: BillingWork, books: Books, invoice: Invoice) -> AsyncIterator[Line]:
    policy, calendar = invoice.policy or books.amounts, books.calendar
    if invoice.zone:
        calendar = replace(calendar, zone=invoice.zone)
    since, until = min(line.due for line in invoice.lines) - 1, invoice.period.end
    for timeline in books.timelines:
        for line in fixed_lines(timeline, calendar, policy, since=since, until=until, issued=Issued()):
            yield line
    for line in invoice.lines:
        async for again in _counted_again(work, books, line, calendar, policy):
            yield again


async def _counted_again(
    work: BillingWork, books: Books, line: Line, calendar: Calendar, policy: Policy
) -> AsyncIterator[Line]:
    """A line that hangs on more than what was held: of a fee, or of usage."""
    if line.kind is LineKind.FEE:
        fee = await work.fees.get(line.line_key.removeprefix("fee/"))
        if fee is not None:
            yield fee_line(fee, policy.rounding, decimals=decimals_of(fee.currency))
    elif "/adjustment/" in line.line_key:  # of what had been issued by then: its steps say it
        if minor_units(total(line.steps).amount, line.currency) == line.exact:
            yield line
    elif line.inputs is not None:
        async for again in _usage_again(work, books, line, line.inputs, calendar, policy):
            yield again


async def _usage_again(
    work: BillingWork, books: Books, line: Line, inputs: UsageInputs, calendar: Calendar, policy: Policy
) -> AsyncIterator[Line]:
    """The line of the same window, of the events that it could see, less what was billed before it."""
    name, _, revision = line.line_key.rpartition("/")
    for timeline in books.timelines:
        windows = usage_windows(
            timeline, calendar, policy, since=line.due - 1, until=line.due, begins=books.policy.start_time
        )
        for window in [window for window in windows if window.line == name]:
            through = inputs.through_sequence
            earlier = [await count_window(work, books, other, through) for other in follows(window, windows)]
            again = usage_line(
                window,
                await count_window(work, books, window, through),
                policy,
                before=counted_before(earlier),
                billed=Billed(exact=inputs.billed, revisions=int(revision)),
                through_sequence=through,
            )
            if again is not None:
                late = line.text == f"{ADJUSTMENT}{again.text}"
                yield replace(again, text=line.text) if late else again

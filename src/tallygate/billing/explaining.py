"""Why a line says what it says: its price, the lines that it goes back to, and the events behind it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tallygate.billing.invoices import get_invoice
from tallygate.billing.past import Past, past_of
from tallygate.domain.billing.advance import from_full_price
from tallygate.domain.billing.amounts import line_range
from tallygate.domain.billing.counting import Contribution, Tally, before_all, contributions, count
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.references import plan_of, price_of
from tallygate.domain.billing.windows import LEVELS, UsageWindow, follows, usage_windows
from tallygate.domain.catalog import Aggregation, Catalog
from tallygate.domain.errors import InvalidFieldError, InvoiceNotFoundError
from tallygate.domain.prices import ChargeModel, Price
from tallygate.records.ports import BillingWork

_EACH_BY_ITSELF = frozenset({Aggregation.SUM, Aggregation.COUNT})
_INSTANT = re.compile(r"/(\d+)/(?:charge|change|adjustment)(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlace:
    """A line: by its document's id or number and its place there from 1 on, or by its key alone.

    Where it is asked for by an account (`own_of`), no other's is there.
    """

    invoice: str = ""
    number: int = 0
    line_key: str = ""
    own_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A line, its place in its document, and the price that it was made by (None: of a fee).

    `unreadable` are so many events that it could have charged, had their amounts been readable.
    """

    invoice: Invoice
    number: int
    line: Line
    price: Price | None
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEvents:
    """Events that a line counted, with what each added, and what the level before them counted."""

    opening: Fraction = Fraction(0)
    events: Sequence[Contribution] = field(default_factory=tuple)


async def explain_line(work: BillingWork, place: LinePlace, *, now: int) -> Explained:
    """A line with its price as it was for this account then: its own one, where it had one.

    What was paid in advance is explained from what its periods cost one by one.

    Raises:
        InvoiceNotFoundError: there is no such document, or no line of this key.
        InvalidFieldError: the document has no such line.
    """
    invoice, number = await _found(work, place)
    line, catalog = invoice.lines[number - 1], await work.catalog.load()
    past = await _past(work, invoice, now=now)
    price, plan = _price_then(past, line), plan_of(catalog, line.price)
    window, unreadable = _window_then(past, line), 0
    if price is not None and plan is not None:
        line = replace(line, steps=from_full_price(line.steps, plan, price, currency=catalog.currency))
    if price is None:
        price = price_of(catalog, line.price)
    if window is not None and window.usage.dimension and line.inputs is not None:
        counted = await _count(work, invoice, window, catalog, through=line.inputs.through_sequence)
        unreadable = len(counted.unreadable)
    return Explained(invoice=invoice, number=number, line=line, price=price, unreadable=unreadable)


async def line_events(
    work: BillingWork, place: LinePlace, *, after: tuple[int, str] | None, limit: int, now: int
) -> LineEvents:
    """The events that a line counted, by (occurred_time, request_id), those behind `after`; none of what counts none.

    Raises:
        InvoiceNotFoundError: there is no such document, or no line of this key.
        InvalidFieldError: the document has no such line.
    """
    invoice, number = await _found(work, place)
    line = invoice.lines[number - 1]
    past = await _past(work, invoice, now=now)
    window = _window_then(past, line)
    if window is None or line.inputs is None:
        return LineEvents()
    catalog, through = await work.catalog.load(), line.inputs.through_sequence
    feature = catalog.features[window.usage.feature_key]
    single = window.usage.model is ChargeModel.PERCENTAGE  # what of it is free hangs on those before
    alone = not single and (window.usage.model.by_amount or feature.aggregation in _EACH_BY_ITSELF)
    earlier: list[Fraction] = []
    for other in follows(window, _windows_then(past, line)) if single else ():
        earlier += (await _count(work, invoice, other, catalog, through=through)).counted.amounts
    levels = feature.aggregation in LEVELS and not window.usage.model.by_amount
    opening = await work.usage_log.level_before(invoice.account_id, window, through=through) if levels else 0
    facts = work.usage_log.facts(invoice.account_id, window, through=through, after=after if alone else None)
    found: list[Contribution] = []
    async for each in contributions(
        facts, window, feature, currency=catalog.currency, opening=opening, earlier=earlier
    ):
        if after is None or (each.fact.occurred_time, each.fact.request_id) > after:
            found.append(each)
        if len(found) == limit:
            break
    return LineEvents(opening=before_all(window, feature, opening=opening), events=found)


async def _count(work: BillingWork, invoice: Invoice, window: UsageWindow, catalog: Catalog, *, through: int) -> Tally:
    """What a window by amounts of events counts, of the log up to a sequence number."""
    facts = work.usage_log.facts(invoice.account_id, window, through=through)
    return await count(facts, window, catalog.features[window.usage.feature_key], currency=catalog.currency)


async def _found(work: BillingWork, place: LinePlace) -> tuple[Invoice, int]:
    if place.line_key:
        issued = await work.issued_lines.place(place.line_key)
        invoice = await get_invoice(work, issued[0]) if issued is not None else None
        if issued is None or invoice is None or place.own_of not in {"", invoice.account_id}:
            raise InvoiceNotFoundError(line_key=place.line_key)
        return invoice, issued[1]
    invoice = await get_invoice(work, place.invoice, own_of=place.own_of)
    if not 1 <= place.number <= len(invoice.lines):
        raise InvalidFieldError(field="line", expected=line_range(len(invoice.lines)), got=place.number)
    return invoice, place.number


async def _past(work: BillingWork, invoice: Invoice, *, now: int) -> Past | None:
    return None if invoice.basis is None else await past_of(work, invoice, invoice.basis, now=now)


def _price_then(past: Past | None, line: Line) -> Price | None:
    """The account's own price that the line was made by; None where it had none."""
    window = _window_then(past, line)
    if window is not None:
        return window.price
    instant, (bundle, _, price_key) = _instant_of(line), line.price.rpartition("/prices/")
    held = past.books.timelines if past is not None else ()
    for override in held[0].overrides[::-1] if held else ():
        mine = (override.bundle, override.price_key) == (bundle.rpartition("/")[0], price_key)
        if mine and override.start_time <= instant < override.end_time:
            return override.price
    return None


def _instant_of(line: Line) -> int:
    """Since when a line's price held, at the latest: a credit goes by the line that it gives back."""
    found = _INSTANT.search(line.line_key)
    return int(found[1]) if found else line.due


def _window_then(past: Past | None, line: Line) -> UsageWindow | None:
    """What a line of usage counted."""
    name = line.line_key.rpartition("/")[0]
    return next((window for window in _windows_then(past, line) if window.line == name), None)


def _windows_then(past: Past | None, line: Line) -> Sequence[UsageWindow]:
    """What a line of usage counted, and what others of its subscription did that fell due with it."""
    if past is None or line.inputs is None:
        return ()
    books, name = past.books, line.line_key.rpartition("/")[0]
    for timeline in books.timelines:
        begins, due = books.policy.start_time, line.due
        windows = [*usage_windows(timeline, books.calendar, books.amounts, since=due - 1, until=due, begins=begins)]
        if any(window.line == name for window in windows):
            return windows
    return ()

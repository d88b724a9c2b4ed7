"""The lines that are due of an account's books and were not issued, and the documents that they make."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from tallygate.billing.billed_lanes import billed_lanes
from tallygate.billing.books import Books
from tallygate.billing.committing import due_commitments
from tallygate.billing.ports import Sources
from tallygate.billing.taxing import credited_lines
from tallygate.domain.billing.adjusting import IssuedLine, adjustments, lane_of, vanished
from tallygate.domain.billing.counting import Tally, count
from tallygate.domain.billing.documents import Invoice, InvoiceKind, documents
from tallygate.domain.billing.fees import fee_line
from tallygate.domain.billing.late import Unrated
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.rating import Billed, Issued, counted_before, fixed_lines, has_fixed_prices, usage_line
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import LEVELS, UsageWindow, follows, usage_windows
from tallygate.domain.currency import decimals_of
from tallygate.domain.period import UsagePeriod
from tallygate.records.late_usage import Uncharged

ADJUSTMENT = "Adjustment: "
"""What the text of a line of usage begins with that came to light after its period was invoiced."""


async def due_lines(work: Sources, books: Books, cut: int, *, noted: list[Uncharged] | None = None) -> tuple[Line, ...]:
    """Every line that is due at a cut and was not issued; what no line charges is `noted`."""
    since = books.closed_until
    found = await due_fixed_lines(work, books, cut)
    for timeline in books.timelines:
        windows = usage_windows(
            timeline, books.calendar, books.amounts, since=since, until=cut, begins=books.policy.start_time
        )
        found += await usage_lines(work, books, windows, noted=noted)
    late = await usage_lines(work, books, books.reopened.windows, noted=noted)
    found += [replace(line, text=f"{ADJUSTMENT}{line.text}") for line in late]
    found += await due_commitments(work, books, found, since=since, until=cut)
    found += due_fees(books, cut)
    return tuple(found)


def due_fees(books: Books, cut: int) -> list[Line]:
    """The lines of fees that were created before a cut and not issued."""
    rounding = books.policy.rounding.amounts
    fees = [fee for fee in books.fees if fee.create_time < cut]
    return [fee_line(fee, rounding, decimals=decimals_of(fee.currency)) for fee in fees]


async def due_fixed_lines(work: Sources, books: Books, until: int) -> list[Line]:
    """Every line but those of usage and fees that falls due by an instant and was not issued.

    What was issued within `LOOK_BACK` is compared with what the subscriptions say now, and adjusted.
    """
    found: list[Line] = []
    issued = await work.issued_lines.since(books.account_id, since=books.look_back)
    for timeline in books.timelines:
        found += await _fixed_lines_of(work, books, timeline, issued, until)
    return found


async def _fixed_lines_of(
    work: Sources, books: Books, timeline: Timeline, issued: Sequence[IssuedLine], until: int
) -> list[Line]:
    own = f"/{timeline.subscription.subscription_id}/"
    mine, since = [line for line in issued if own in line.line_key], books.look_back
    if not mine and timeline.origin <= since and has_fixed_prices(timeline):  # created in the past, or long paid ahead
        since = max(timeline.origin, books.policy.start_time) - 1
        mine = [line for line in await work.issued_lines.since(books.account_id, since=since) if own in line.line_key]
    mine = [line for line in mine if lane_of(line.line_key) and line.due <= until]  # later ones were invoiced at once
    known, forgiven = {line.line_key for line in mine}, books.forgiven
    calendar, policy = books.calendar, books.amounts
    derived = fixed_lines(timeline, calendar, policy, since=since, until=until, issued=Issued(forgiven=forgiven))
    new = _not_issued(derived, known, since=books.closed_until)
    gone = await work.issued_lines.whole(missing) if (missing := vanished(derived, mine, calendar)) else {}
    found = list(
        adjustments(derived, mine, new, gone=gone, forgiven=forgiven, policy=policy, calendar=calendar, at=until)
    )
    return [*new, *(await _with_sources(work, found, mine))]


def _not_issued(derived: Sequence[Line], issued: Collection[str], *, since: int) -> list[Line]:
    """What falls due after an instant, of which none was issued."""
    return [line for line in derived if line.due > since and line.line_key not in issued]


async def _with_sources(work: Sources, found: Sequence[Line], issued: Sequence[IssuedLine]) -> list[Line]:
    """Adjustments that give back a line of which something was taken off name it, so that what it cost comes back."""
    charged: dict[tuple[str, int], list[str]] = {}
    for line in issued:
        if line.exact > 0:
            charged.setdefault((lane_of(line.line_key), line.due), []).append(line.line_key)
    sources = {
        line.line_key: keys[0]
        for line in found
        if line.exact < 0 and len(keys := charged.get((lane_of(line.line_key), line.due), [])) == 1
    }
    whole = await work.issued_lines.whole(set(sources.values())) if sources else {}
    return [
        replace(line, source_line=source.line_key)
        if (source := whole.get(sources.get(line.line_key, ""))) is not None and source.discounts
        else line
        for line in found
    ]


async def usage_lines(
    work: Sources, books: Books, windows: Sequence[UsageWindow], *, noted: list[Uncharged] | None = None
) -> list[Line]:
    """What windows come to by now that was not charged; the facts that none of them charges are `noted`."""
    if not windows:
        return []
    through = await work.usage_log.head()
    billed = await _billed(work, books, [window.line for window in windows])
    counted = {window.line: await count_window(work, books, window, through) for window in windows}
    found: list[Line] = []
    for window in windows:
        tally = counted[window.line]
        earlier = [(other, counted[other.line].counted) for other in follows(window, windows)]
        before = counted_before(window, earlier, books.amounts, billed)
        if noted is not None:
            noted += _uncharged(window, tally, before.counted)
        line = usage_line(
            window,
            tally.counted,
            books.amounts,
            before=before,
            billed=billed.get(window.line, Billed()),
            through_sequence=through,
        )
        found += [line] if line is not None else []
    return found


async def _billed(work: Sources, books: Books, windows: Sequence[str]) -> dict[str, Billed]:
    found = await work.issued_lines.usage(windows)
    void = [key for key in books.forgiven if key.rpartition("/")[0] in found]
    for key, line in (await work.issued_lines.whole(void)).items() if void else ():
        before = found[key.rpartition("/")[0]]
        found[key.rpartition("/")[0]] = replace(before, forgiven=before.forgiven + line.exact)
    return found


async def count_window(work: Sources, books: Books, window: UsageWindow, through: int) -> Tally:
    """What a window counts of the log up to a sequence number."""
    feature = books.catalog.features[window.usage.feature_key]
    levels = feature.aggregation in LEVELS
    opening = await work.usage_log.level_before(books.account_id, window, through=through) if levels else 0
    facts = work.usage_log.facts(books.account_id, window, through=through)
    return await count(facts, window, feature, currency=books.catalog.currency, opening=opening)


def _uncharged(window: UsageWindow, tally: Tally, before: Counted) -> Iterator[Uncharged]:
    unread = [(fact, Unrated.UNREADABLE) for fact in tally.unreadable]
    for fact, reason in [*unread, *((fact, Unrated.REFUND_EXCEEDS_PERIOD) for fact in tally.in_excess(before))]:
        feature_key, price_key = window.usage.feature_key, window.price.price_key
        yield Uncharged(fact=fact, feature_key=feature_key, price_key=price_key, reason=reason)


async def made_at(
    work: Sources, books: Books, cut: int, *, noted: list[Uncharged] | None = None
) -> tuple[Invoice, ...]:
    """The documents that a cut makes, without numbers; the facts that they charge nowhere are `noted`."""
    lines = await due_lines(work, books, cut, noted=noted)
    opening = books.opens_at(cut)
    kind = InvoiceKind.OPENING if opening else InvoiceKind.PERIOD
    made = documents(
        lines,
        tenant_id=work.tenant_id,
        account_id=books.account_id,
        kind=kind,
        period=_period_of(books, cut),
        cause=str(cut),
        tax=books.tax,
        credited=await credited_lines(work, lines),
        billed=await billed_lanes(work, books, lines),
        redemptions=books.redemptions,
        rounding=books.amounts.rounding,
    )
    return tuple(made)


async def change_documents(work: Sources, books: Books, now: int, *, begun: Collection[str] = ()) -> list[Invoice]:
    """The documents of all that is due by now, without numbers; their cause is a line, which is issued but once.

    That is all but usage; or of subscriptions that have `begun` now what they begin with, and nothing else.
    """
    lines = await due_fixed_lines(work, books, now)
    lines = [line for line in lines if line.subscription_id in begun] if begun else [*lines, *due_fees(books, now + 1)]
    if not lines:
        return []
    cause = min(line.line_key for line in lines)
    return list(
        documents(
            lines,
            tenant_id=work.tenant_id,
            account_id=books.account_id,
            kind=InvoiceKind.OPENING if begun else InvoiceKind.CHANGE,
            period=_period_of(books, now) if begun else UsagePeriod(now - 1, now),
            cause=cause,
            tax=books.tax,
            credited=await credited_lines(work, lines),
            billed=await billed_lanes(work, books, lines),
            redemptions=books.redemptions,
            rounding=books.amounts.rounding,
        )
    )


async def left_documents(work: Sources, books: Books, now: int) -> list[Invoice]:
    """The documents of what became due at a cut after that was made, as by cancelling at its very instant.

    They wait for no cut: often there is none to come.
    """
    if books.closed_until > now:
        return []
    if books.next_cut() is not None and all(timeline.end != books.closed_until for timeline in books.timelines):
        return []
    made = await change_documents(work, books, books.closed_until)
    if books.next_cut() is not None and any(line.due < books.closed_until for each in made for line in each.lines):
        return []  # what was created in the past is the next cut's
    return made


async def net_lines(work: Sources, books: Books, lines: Sequence[Line]) -> dict[str, Line]:
    """Lines as a document of no others would have them, by key: less discounts, and with tax."""
    made = documents(
        lines,
        tenant_id=work.tenant_id,
        account_id=books.account_id,
        kind=InvoiceKind.CHANGE,
        period=UsagePeriod(0, 1),
        tax=books.tax,
        credited=await credited_lines(work, lines),
        billed=await billed_lanes(work, books, lines),
        redemptions=books.redemptions,
        rounding=books.amounts.rounding,
    )
    return {line.line_key: line for each in made for line in each.lines}


def _period_of(books: Books, cut: int) -> UsagePeriod:
    """What an invoice is for: the period that an opening one opens, or the one that a cut ends."""
    inside = cut if books.opens_at(cut) else cut - 1
    for run in books.runs:
        if run.start <= inside < run.end:
            return run.stretch(run.period(inside))
    return UsagePeriod(books.calendar.month(inside).start, cut)

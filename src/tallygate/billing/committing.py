"""Commitments at a cut: those whose time has come, and those of closed periods whose charges have changed since."""

from collections.abc import Iterator, Sequence

from tallygate.billing.books import Books
from tallygate.billing.ports import Sources
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.commitments import Commitment, charged_from, commitment_lines, commitments
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.timeline import Timeline


async def due_commitments(work: Sources, books: Books, found: Sequence[Line], *, since: int, until: int) -> list[Line]:
    """What commitments are owed at a cut, beside the lines that it has `found`; `since` is the cut before it."""
    lines: list[Line] = []
    for timeline in books.timelines:
        held = list(_touched(timeline, books.calendar, books.amounts, found, since=since, until=until))
        if held:
            since_first = charged_from(timeline, books.calendar, min(one.within.start for one in held)) - 1
            issued = await _issued(work, books.account_id, timeline, since=since_first)
            lines += commitment_lines(held, [*issued, *found], issued, books.amounts, forgiven=books.forgiven)
    return lines


def _touched(
    timeline: Timeline, calendar: Calendar, policy: Policy, found: Sequence[Line], *, since: int, until: int
) -> Iterator[Commitment]:
    mine = [line for line in found if line.subscription_id == timeline.subscription.subscription_id]
    earliest = min((line.period.start for line in mine), default=until)
    for one in commitments(timeline, calendar, policy, since=min(since, earliest), until=until):
        if one.within.end > since or any(one.share(line) for line in mine):
            yield one


async def _issued(work: Sources, account_id: str, timeline: Timeline, *, since: int) -> list[Line]:
    own = f"/{timeline.subscription.subscription_id}/"
    known = await work.issued_lines.since(account_id, since=since)
    keys = [line.line_key for line in known if own in line.line_key]
    return list((await work.issued_lines.whole(keys)).values()) if keys else []

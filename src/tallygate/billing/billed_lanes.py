"""What was billed of the lanes that lines give back of, so that no more comes back."""

from collections.abc import Iterable, Mapping, Sequence

from tallygate.billing.books import Books
from tallygate.billing.ports import Sources
from tallygate.domain.billing.adjusting import lane_of
from tallygate.domain.billing.commitments import charged_from
from tallygate.domain.billing.lines import Line


async def billed_lanes(work: Sources, books: Books, lines: Iterable[Line]) -> Mapping[str, Sequence[Line]]:
    """The issued lines, but for void ones, of the lanes of lines that give something back, by lane."""
    back = [line for line in lines if line.exact < 0 and lane_of(line.line_key)]
    if not back:
        return {}
    found: dict[str, list[Line]] = {lane_of(line.line_key): [] for line in back}
    starts = {
        charged_from(timeline, books.calendar, min(line.period.start for line in mine))
        for timeline in books.timelines
        if (mine := [line for line in back if line.subscription_id == timeline.subscription.subscription_id])
    }
    known = await work.issued_lines.since(books.account_id, since=min(starts) - 1) if starts else ()
    keys = [one.line_key for one in known if lane_of(one.line_key) in found and one.line_key not in books.forgiven]
    whole = await work.issued_lines.whole(keys) if keys else {}
    for key in keys:
        found[lane_of(key)].append(whole[key])
    return found

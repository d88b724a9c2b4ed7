"""Which periods of a feature were asked for, and what was used in them."""

from dataclasses import dataclass

from tallygate.domain.catalog import Feature
from tallygate.domain.gating.resolve import EntitlementSet
from tallygate.domain.gating.segments import period_at
from tallygate.metering.ports import Meter, UsageReader
from tallygate.metering.usage import PeriodUsage, usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The periods asked for: all that overlap [start, end), or without these the current or the previous one."""

    now: int
    previous: bool = False
    start: int | None = None
    end: int | None = None


async def usage_in(
    reader: UsageReader, meter: Meter, feature: Feature, held: EntitlementSet, window: Window
) -> list[PeriodUsage]:
    """The usage of one feature in the periods asked for, by period and group."""
    if window.start is not None and window.end is not None:
        return await usage(reader, meter, feature, start=window.start, end=window.end, now=window.now)
    current = period_at(held, feature, window.now)
    before = period_at(held, feature, current.start - 1) if current.start else current
    known = (before, current)
    found = await usage(reader, meter, feature, start=before.start, end=current.end, now=window.now, known=known)
    return _chosen(found, window, current.start)


def _chosen(found: list[PeriodUsage], window: Window, natural_start: int) -> list[PeriodUsage]:
    """The period that contains now, or the one that ended before it: a reset has cut one in two."""
    current = next((each.period for each in found if each.period.contains(window.now)), None)
    if not window.previous:
        return [each for each in found if each.period == current]
    start = current.start if current is not None else natural_start
    ended = [each.period for each in found if each.period.end <= start]
    last = max(ended, key=lambda period: period.start, default=None)
    return [each for each in found if each.period == last]

"""Which periods of a feature were asked for, and what was used in them."""

from dataclasses import dataclass, replace

from tallygate.domain.catalog import Feature
from tallygate.domain.gating.resolve import EntitlementSet
from tallygate.domain.gating.usage_periods import begins_with_another, period_at
from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import CountedPeriod, Meter, UsageReader
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
    apart = [start for start, end in held.trials if begins_with_another(held, feature, UsagePeriod(start, end))]
    meter, now, trials = replace(meter, apart=tuple(apart)), window.now, held.trials
    if window.start is not None and window.end is not None:
        return await usage(reader, meter, feature, start=window.start, end=window.end, now=now, trials=trials)
    current = period_at(held, feature, now)
    before = period_at(held, feature, current.start - 1) if current.start else current
    on_trial = any(start <= now < end for start, end in trials)
    known = [CountedPeriod(period=current, apart=on_trial and current.start in apart)]
    known += [CountedPeriod(period=before)] if before != current else []
    start, end = min(before.start, current.start), current.end
    found = await usage(reader, meter, feature, start=start, end=end, now=now, known=known, trials=trials)
    return _chosen(found, window, current.start)


def _chosen(found: list[PeriodUsage], window: Window, natural_start: int) -> list[PeriodUsage]:
    """The period that contains now, or the one before it: a reset has cut one in two, a trial may lie in one."""
    containing = [each.period for each in found if each.period.contains(window.now)]
    current = max(containing, key=lambda period: (period.start, -period.end), default=None)
    if not window.previous:
        return [each for each in found if each.period == current]
    start = current.start if current is not None else natural_start
    others = [each.period for each in found if each.period != current and each.period.start < start]
    last = max(others, key=lambda period: (min(period.end, start), period.start), default=None)
    return [each for each in found if each.period == last]

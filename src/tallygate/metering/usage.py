"""What an account used, by period: the six aggregations, computed from the facts alone.

A quantity is an integer, and so is every answer. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from tallygate.domain.catalog import Aggregation, Feature
from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot
from tallygate.domain.gating.usage_periods import Span
from tallygate.domain.period import UsagePeriod
from tallygate.metering.periods import Counted, laid_out
from tallygate.metering.ports import CountedPeriod, Meter, PeriodTotal, Sample, UsageReader

_DELTAS = frozenset({FactKind.CONSUME, FactKind.REFUND})
_LEVELS = frozenset({FactKind.LEVEL})
_MEASURED = frozenset({FactKind.EVENT, FactKind.LEVEL})
_KINDS = {
    Aggregation.SUM: _DELTAS,
    Aggregation.COUNT: _DELTAS,
    Aggregation.UNIQUE: _MEASURED,
    Aggregation.MAX: _LEVELS,
    Aggregation.LATEST: _LEVELS,
    Aggregation.TIME_WEIGHTED: _MEASURED,
}
"""Which facts count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodUsage:
    """What was used in one usage period; `group` is the value of the dimension grouped by, empty where it has none.

    `events` is how many facts stand behind it, `pots` what each pot paid; levels burn none, and groups are not told.
    A period of the calendar may have trials in it, which are periods of their own.
    """

    period: UsagePeriod
    value: int
    group: str = ""
    events: int = 0
    pots: tuple[Pot, ...] = ()


async def usage(
    reader: UsageReader,
    meter: Meter,
    feature: Feature,
    *,
    start: int,
    end: int,
    now: int,
    known: Iterable[CountedPeriod] = (),
    trials: Sequence[Span] = (),
) -> list[PeriodUsage]:
    """Compute the usage of each period that overlaps [start, end), by start and group.

    Periods are those in which facts were counted, and those `known` besides (so that an empty current period shows).
    All facts count, billable or not, carried in or not; but of several resets at one instant, as a clock that stands
    makes them, the period in force has what came after the last one, and what they cut off is told by its events alone.
    Grouped, each group is a meter of its own, and a period without any shows no row. `trials` are what the account's
    record knows of them.
    """
    found = [*await reader.periods(meter, start, end), *known]
    periods = [p for p in laid_out(found, trials, apart=meter.apart) if p.period.start < end and start < p.period.end]
    if not periods:
        return []
    kinds, unique_by = _KINDS[feature.aggregation], feature.unique_by
    first, last = periods[0].period.start, max(each.period.end for each in periods)
    totals = await reader.totals(meter, first, last, kinds, unique_by=unique_by)
    values = await _values(reader, meter, feature, periods, totals, now)
    empty: Mapping[str, int] = {} if meter.group_by else {"": 0}
    behind = {(total.period_start, total.apart, total.group): total for total in totals}
    return [
        _usage(each.period, group, value, behind.get((each.period.start, each.apart, group)))
        for each in periods
        for group, value in sorted((values.get((each.period.start, each.apart)) or empty).items())
    ]


def _usage(period: UsagePeriod, group: str, value: int, behind: PeriodTotal | None) -> PeriodUsage:
    if behind is None:
        return PeriodUsage(period=period, group=group, value=value)
    return PeriodUsage(period=period, group=group, value=value, events=behind.count, pots=behind.pots)


_Values = dict[tuple[int, bool], dict[str, int]]


async def _values(
    reader: UsageReader,
    meter: Meter,
    feature: Feature,
    periods: Sequence[Counted],
    totals: Sequence[PeriodTotal],
    now: int,
) -> _Values:
    """By period and group."""
    match feature.aggregation:
        case Aggregation.SUM | Aggregation.COUNT:
            return _by_period((t, t.total) for t in totals)
        case Aggregation.UNIQUE:
            return _by_period((t, t.distinct) for t in totals)
        case Aggregation.MAX:
            return await _greatest(reader, meter, periods, totals)
        case Aggregation.LATEST:
            return {p.key: _levels(await reader.last_before(meter, p.period.end, _LEVELS)) for p in periods}
        case Aggregation.TIME_WEIGHTED:
            return {p.key: await _time_weighted(reader, meter, p, until=now) for p in periods}
        case _:
            assert_never(feature.aggregation)


async def _greatest(
    reader: UsageReader, meter: Meter, periods: Sequence[Counted], totals: Sequence[PeriodTotal]
) -> _Values:
    """A period starts at the last level, and so it does where it goes on after a trial."""
    seen = _by_period((t, t.greatest) for t in totals)
    result: _Values = {}
    for each in periods:
        levels = list(seen.get(each.key, {}).items())
        for begins in (each.period.start, *(end for _, end in each.holes)):
            levels += _levels(await reader.last_before(meter, begins, _LEVELS)).items()
        result[each.key] = {g: max(level for group, level in levels if group == g) for g, _ in levels}
    return result


async def _time_weighted(reader: UsageReader, meter: Meter, counted: Counted, *, until: int) -> dict[str, int]:
    period, holes = counted.period, counted.holes
    opening = _levels(await reader.last_before(meter, period.start, _MEASURED))
    integrals = {
        group: LevelIntegral(period, until=until, opening=level, holes=holes) for group, level in opening.items()
    }
    async for sample in reader.samples(meter, period.start, period.end, _MEASURED):
        integrals.setdefault(sample.group, LevelIntegral(period, until=until, holes=holes)).observe(sample)
    return {group: integral.value() for group, integral in integrals.items()}


def _by_period(totals: Iterable[tuple[PeriodTotal, int]]) -> _Values:
    result: _Values = {}
    for total, value in totals:
        result.setdefault((total.period_start, total.apart), {})[total.group] = value
    return result


def _levels(samples: Iterable[Sample]) -> dict[str, int]:
    return {sample.group: sample.level for sample in samples}


class LevelIntegral:
    """A level's average over one period: the integral of level x time, divided by the length of the whole period.

    Exact until the one division, which rounds down to a whole unit. Before the first level it is `opening`. A period
    that still runs counts `until` now and is divided by its whole length all the same: the figure accrues, and reaches
    the period's final one at its end. The trials in it, its `holes`, are no part of it.
    """

    __slots__ = ("_area", "_holes", "_level", "_period", "_since", "_until")

    def __init__(self, period: UsagePeriod, *, until: int, opening: int = 0, holes: Sequence[Span] = ()) -> None:
        self._period = period
        self._holes = holes
        self._until = max(period.start, min(until, period.end))
        self._area = 0
        self._level = opening
        self._since = period.start

    def observe(self, sample: Sample) -> None:
        """Add the next level; samples come in the order in which they occurred, within the period."""
        self._advance(min(sample.occurred_time, self._until))
        if sample.occurred_time < self._until:
            self._level = sample.level

    def value(self) -> int:
        """The average so far."""
        self._advance(self._until)
        return self._area // self._outside(self._period.start, self._period.end)

    def _advance(self, at: int) -> None:
        self._area += self._level * self._outside(self._since, at)
        self._since = at

    def _outside(self, start: int, end: int) -> int:
        return end - start - sum(max(0, min(end, ends) - max(start, begins)) for begins, ends in self._holes)

"""What an account used, by period: the six aggregations, computed from the facts alone.

A quantity is an integer, and so is every answer. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

from tallygate.domain.catalog import Aggregation, Feature
from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot
from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import Meter, PeriodTotal, Sample, UsageReader

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
    known: Iterable[UsagePeriod] = (),
) -> list[PeriodUsage]:
    """Compute the usage of each period that overlaps [start, end), by start and group.

    Periods are those in which facts were counted, and those `known` besides (so that an empty current period shows).
    All facts count, billable or not, carried in or not. Grouped, each group is a meter of its own, and a period
    without any shows no row.
    """
    found = await reader.periods(meter, start, end)
    periods = [p for p in tile([*found, *known]) if p.start < end and start < p.end]
    if not periods:
        return []
    kinds, unique_by = _KINDS[feature.aggregation], feature.unique_by
    totals = await reader.totals(meter, periods[0].start, periods[-1].end, kinds, unique_by=unique_by)
    values = await _values(reader, meter, feature, periods, totals, now)
    empty: Mapping[str, int] = {} if meter.group_by else {"": 0}
    behind = {(total.period_start, total.group): total for total in totals}
    return [
        _usage(period, group, value, behind.get((period.start, group)))
        for period in periods
        for group, value in sorted((values.get(period.start) or empty).items())
    ]


def _usage(period: UsagePeriod, group: str, value: int, behind: PeriodTotal | None) -> PeriodUsage:
    if behind is None:
        return PeriodUsage(period=period, group=group, value=value)
    return PeriodUsage(period=period, group=group, value=value, events=behind.count, pots=behind.pots)


_Values = dict[int, dict[str, int]]


async def _values(
    reader: UsageReader,
    meter: Meter,
    feature: Feature,
    periods: Sequence[UsagePeriod],
    totals: Sequence[PeriodTotal],
    now: int,
) -> _Values:
    """By period start and group."""
    match feature.aggregation:
        case Aggregation.SUM | Aggregation.COUNT:
            return _by_period((t.period_start, t.group, t.total) for t in totals)
        case Aggregation.UNIQUE:
            return _by_period((t.period_start, t.group, t.distinct) for t in totals)
        case Aggregation.MAX:
            return await _greatest(reader, meter, periods, totals)
        case Aggregation.LATEST:
            return {p.start: _levels(await reader.last_before(meter, p.end, _LEVELS)) for p in periods}
        case Aggregation.TIME_WEIGHTED:
            return {p.start: await _time_weighted(reader, meter, p, until=now) for p in periods}
        case _:
            assert_never(feature.aggregation)


async def _greatest(
    reader: UsageReader, meter: Meter, periods: Sequence[UsagePeriod], totals: Sequence[PeriodTotal]
) -> _Values:
    seen = _by_period((t.period_start, t.group, t.greatest) for t in totals)
    result: _Values = {}
    for period in periods:
        opening = _levels(await reader.last_before(meter, period.start, _LEVELS))
        observed = seen.get(period.start, {})
        levels = [*opening.items(), *observed.items()]
        result[period.start] = {g: max(level for group, level in levels if group == g) for g in {*opening, *observed}}
    return result


async def _time_weighted(reader: UsageReader, meter: Meter, period: UsagePeriod, *, until: int) -> dict[str, int]:
    opening = _levels(await reader.last_before(meter, period.start, _MEASURED))
    integrals = {group: LevelIntegral(period, until=until, opening=level) for group, level in opening.items()}
    async for sample in reader.samples(meter, period.start, period.end, _MEASURED):
        integrals.setdefault(sample.group, LevelIntegral(period, until=until)).observe(sample)
    return {group: integral.value() for group, integral in integrals.items()}


def _by_period(rows: Iterable[tuple[int, str, int]]) -> _Values:
    result: _Values = {}
    for period_start, group, value in rows:
        result.setdefault(period_start, {})[group] = value
    return result


def _levels(samples: Iterable[Sample]) -> dict[str, int]:
    return {sample.group: sample.level for sample in samples}


def tile(periods: Iterable[UsagePeriod]) -> list[UsagePeriod]:
    """Periods by start, each ending at the latest where the next one starts: a reset cuts the period it lies in."""
    ends: dict[int, int] = {}
    for period in periods:
        ends[period.start] = max(period.end, ends.get(period.start, period.end))
    starts = sorted(ends)
    return [
        UsagePeriod(start, ends[start] if after is None else min(ends[start], after))
        for start, after in pairwise([*starts, None])
        if start is not None
    ]


class LevelIntegral:
    """A level's average over one period: the integral of level x time, divided by the length of the whole period.

    Exact until the one division, which rounds down to a whole unit. Before the first level it is `opening`. A period
    that still runs counts `until` now and is divided by its whole length all the same: the figure accrues, and reaches
    the period's final one at its end.
    """

    __slots__ = ("_area", "_level", "_period", "_since", "_until")

    def __init__(self, period: UsagePeriod, *, until: int, opening: int = 0) -> None:
        self._period = period
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
        return self._area // (self._period.end - self._period.start)

    def _advance(self, at: int) -> None:
        self._area += self._level * (at - self._since)
        self._since = at

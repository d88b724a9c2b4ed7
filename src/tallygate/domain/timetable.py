"""Usage periods through changes: of zone, of rule, and of what they are anchored to.

A period that was used keeps its boundaries whatever changes; the new ones hold from its end. Instants are microseconds
since the Unix epoch. Knows no clock and no account: what was used when is told to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tallygate.domain.period import MAX_INSTANT, PeriodRule, UsagePeriod, usage_period

BEGINNING = 0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """All that the boundaries of a feature's periods follow from; `origin` is None where the calendar's are meant."""

    rule: PeriodRule
    zone: str
    origin: int | None

    def period(self, at: int) -> UsagePeriod:
        """The period that contains the instant where nothing ever changed."""
        return usage_period(self.rule, zone=self.zone, origin=self.origin, at=at)


@dataclass(frozen=True, slots=True)
class Since(Generic[_T]):
    """A value that holds from an instant on."""

    start: int
    value: _T


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another calendar at an instant; `used` is when the feature could last be used until then, None: never."""

    at: int
    calendar: Calendar
    used: int | None


@dataclass(frozen=True, slots=True)
class Timetable:
    """Calendars, each from the end of a period of the one before it; the first holds since ever."""

    stretches: tuple[Since[Calendar], ...]

    def period_at(self, at: int) -> UsagePeriod:
        """The period that contains the instant; all of them tile the time line."""
        index = self._index(at)
        stretch = self.stretches[index]
        period = stretch.value.period(at) if index == 0 else _period_from(stretch.start, stretch.value, at)
        ends = self.stretches[index + 1].start if index + 1 < len(self.stretches) else period.end
        return UsagePeriod(period.start, min(period.end, ends))

    def calendar_at(self, at: int) -> Calendar:
        """The calendar whose period contains the instant."""
        return self.stretches[self._index(at)].value

    def _index(self, at: int) -> int:
        return max(index for index, stretch in enumerate(self.stretches) if index == 0 or stretch.start <= at)


def timetable(first: Calendar, changes: Iterable[Change]) -> Timetable:
    """Lay out calendars by the changes from one to the next, in order.

    A period in which the feature could be used stays as it is: the next calendar holds from its end. Where that lies
    before the change, the new one begins with its first own boundary after that end, if it comes before the change,
    else at that end; and where the feature could never be used, it counts as always so.
    """
    table = Timetable((Since(BEGINNING, first),))
    for change in changes:
        if change.used is None:
            table = Timetable((Since(BEGINNING, change.calendar),))
            continue
        start = table.period_at(change.used).end
        if start <= change.at and (own := _next_boundary(change.calendar, start)) <= change.at:
            start = own
        kept = (stretch for stretch in table.stretches if stretch.start < start)
        table = Timetable((*kept, Since(start, change.calendar)))
    return table


def since(former: Iterable[tuple[_T, int]], present: _T) -> list[Since[_T]]:
    """What held until when, in order, and what holds now, by the instants from which each held."""
    found, start = [], BEGINNING
    for value, end in former:
        found.append(Since(start, value))
        start = end
    return [*found, Since(start, present)]


def _next_boundary(calendar: Calendar, at: int) -> int:
    """The first boundary of the calendar that does not lie before the instant."""
    period = calendar.period(at)
    return at if period.start == at else period.end


def _period_from(start: int, calendar: Calendar, at: int) -> UsagePeriod:
    """The period that contains the instant, of a calendar that holds from `start` on.

    The first one ends at the first boundary that is more than half a period away: no change makes a short one.
    """
    first = calendar.period(start)
    end = first.end
    if first.start < start and 2 * (end - start) <= end - first.start and end < MAX_INSTANT:
        end = calendar.period(end).end
    return UsagePeriod(start, end) if at < end else calendar.period(at)

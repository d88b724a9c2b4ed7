"""Service and invoice periods, and what part of one a stretch of time is: exact fractions of whole periods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from tallygate.domain.billing_terms import BillingRule, Proration
from tallygate.domain.period import (
    Anchor,
    PeriodRule,
    PeriodUnit,
    UsagePeriod,
    local_date,
    local_midnight,
)
from tallygate.domain.timetable import Calendar as Stretch
from tallygate.domain.timetable import Change, Since, Timetable, timetable

_DAY = 86_400_000_000
_MONTH_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What the periods of an account hang on besides its subscription: its creation, and its zone.

    `changes` are other zones, each from the instant on at which it was said. What runs then keeps its boundaries.
    """

    zone: str
    account_create_time: int
    changes: tuple[Since[str], ...] = ()

    def zone_at(self, at: int) -> str:
        """The zone that an account says it is in at an instant."""
        return next((each.value for each in reversed(self.changes) if each.start <= at), self.zone)

    def day(self, at: int) -> tuple[str, date]:
        """The local day that an instant lies on."""
        zone = self.zone_at(at)
        return zone, local_date(at, zone=zone)

    def month(self, at: int) -> UsagePeriod:
        """The calendar month that contains an instant."""
        stretches = [Stretch(rule=PeriodRule(), zone=zone, origin=None) for zone in self._zones()]
        return _table(stretches[0], zip(self.changes, stretches[1:], strict=True)).period_at(at)

    def _zones(self) -> Iterator[str]:
        yield self.zone
        yield from (each.value for each in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Periods that tile time from an origin, in a zone; period n is counted from the origin, never from another.

    `changes` are other zones, with the origins that they count from. One holds from the end of the period that runs
    when it is said; the first period in it ends at the first boundary that is more than half a period away.
    """

    origin: int
    zone: str
    changes: tuple[Since["Grid"], ...] = ()

    def period(self, every: PeriodUnit, count: int, at: int) -> UsagePeriod:
        """The period of `count` units that contains an instant."""
        if not self.changes:
            return self.always(every, count).period(at)
        return _timetable(self, every, count).period_at(at)

    def zone_of(self, period: UsagePeriod) -> str:
        """The zone that a period of it is counted in."""
        return next((each.value.zone for each in reversed(self.changes) if each.start < period.start), self.zone)

    def always(self, every: PeriodUnit, count: int) -> Stretch:
        """Its periods if its zone never changed."""
        rule = PeriodRule(every=every, count=count, anchor=Anchor.SUBSCRIPTION)
        return Stretch(rule=rule, zone=self.zone, origin=self.origin)


@lru_cache(maxsize=1024)  # asked for with every line, of the few accounts that ever move
def _timetable(on: Grid, every: PeriodUnit, count: int) -> Timetable:
    later = ((each, each.value.always(every, count)) for each in on.changes)
    return _table(on.always(every, count), later)


def _table(first: Stretch, later: Iterable[tuple[Since[Any], Stretch]]) -> Timetable:
    changes = (Change(at=each.start, calendar=stretch, used=each.start) for each, stretch in later)
    return timetable(first, changes)


def grid(rule: BillingRule, calendar: Calendar, *, start: int) -> Grid:
    """The grid of a subscription whose cover starts at `start` (the end of its trial, else its own start).

    On the calendar, day N is counted from 2000-01-N, local midnight, so that 31 is each month's last day; weeks begin
    on Monday, and what lasts less than a month begins at midnight of 2000-01-01. It begins in the zone of its start.
    """
    first = _in_zone(rule, calendar.zone_at(start), start=start, account_create_time=calendar.account_create_time)
    later = [each for each in calendar.changes if each.start > start]
    return replace(
        first,
        changes=tuple(
            Since(each.start, _in_zone(rule, each.value, start=start, account_create_time=calendar.account_create_time))
            for each in later
        ),
    )


def _in_zone(rule: BillingRule, zone: str, *, start: int, account_create_time: int) -> Grid:
    match rule.anchor:
        case Anchor.SUBSCRIPTION:
            return Grid(origin=start, zone=zone)
        case Anchor.ACCOUNT:
            return Grid(origin=account_create_time, zone=zone)
        case Anchor.CALENDAR:
            if rule.every is PeriodUnit.WEEK:
                return Grid(origin=local_midnight(date(2000, 1, 3), zone=zone), zone=zone)
            day = rule.day if rule.every in {PeriodUnit.MONTH, PeriodUnit.YEAR} else 1
            return Grid(origin=local_midnight(date(2000, 1, day), zone=zone), zone=zone)


def fraction(start: int, end: int, whole: UsagePeriod, *, proration: Proration, zone: str) -> Fraction:
    """What part of a whole period the stretch [start, end) in it is, exactly; 1 for all of it.

    By day, a day belongs to what begins on it. A period shorter than two days is measured by exact time.
    """
    if (start, end) == (whole.start, whole.end):
        return Fraction(1)
    if proration is Proration.SECOND or whole.end - whole.start < 2 * _DAY:
        return Fraction(end - start, whole.end - whole.start)
    first, last = local_date(start, zone=zone), local_date(end, zone=zone)
    opening, closing = local_date(whole.start, zone=zone), local_date(whole.end, zone=zone)
    if proration is Proration.DAY:
        return Fraction((last - first).days, (closing - opening).days)
    return Fraction(_days_360(last) - _days_360(first), _days_360(closing) - _days_360(opening))


def _days_360(day: date) -> int:
    return day.year * 12 * _MONTH_DAYS + day.month * _MONTH_DAYS + min(day.day, _MONTH_DAYS)

"""Service and invoice periods, and what part of one a stretch of time is: exact fractions of whole periods."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tallygate.domain.billing_terms import BillingRule, Proration
from tallygate.domain.period import (
    Anchor,
    PeriodRule,
    PeriodUnit,
    UsagePeriod,
    local_date,
    local_midnight,
    usage_period,
)

_DAY = 86_400_000_000
_MONTH_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Periods that tile time from an origin, in a zone; period n is counted from the origin, never from another."""

    origin: int
    zone: str

    def period(self, every: PeriodUnit, count: int, at: int) -> UsagePeriod:
        """The period of `count` units that contains an instant."""
        rule = PeriodRule(every=every, count=count, anchor=Anchor.SUBSCRIPTION)
        return usage_period(rule, zone=self.zone, origin=self.origin, at=at)


def grid(rule: BillingRule, *, zone: str, start: int, account_create_time: int) -> Grid:
    """The grid of a subscription whose cover starts at `start` (the end of its trial, else its own start).

    On the calendar, day N is counted from 2000-01-N, local midnight, so that 31 is each month's last day; weeks begin
    on Monday, and what lasts less than a month begins at midnight of 2000-01-01.
    """
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

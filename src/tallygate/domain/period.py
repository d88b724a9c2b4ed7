"""Usage periods: the only calendar arithmetic of the house.

An instant is an `int`: microseconds since the Unix epoch, UTC. This room knows zones and calendars; it knows no clock.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WALL = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600_000_000
_SHORTEST_MONTH = 28

MIN_INSTANT = 0
MAX_INSTANT = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


class PeriodUnit(StrEnum):
    """The unit that a period is counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Anchor(StrEnum):
    """What the boundaries of a period hang on: the calendar, or the start of the subscription or of the account."""

    CALENDAR = "calendar"
    SUBSCRIPTION = "subscription"
    ACCOUNT = "account"


_MONTHS = {PeriodUnit.MONTH: 1, PeriodUnit.YEAR: 12}
_SPANS = {PeriodUnit.HOUR: timedelta(hours=1), PeriodUnit.DAY: timedelta(days=1), PeriodUnit.WEEK: timedelta(weeks=1)}
# Counted from 2000, 3 months are a quarter and 10 years a decade; weeks count from the Monday of its first week.
_CALENDAR_START = datetime(2000, 1, 1)  # noqa: DTZ001 -- a wall time: the zone is joined when it becomes an instant
_CALENDAR_MONDAY = datetime(1999, 12, 27)  # noqa: DTZ001 -- as above


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRule:
    """How long a usage period lasts (`count` units) and what it is anchored to.

    Raises:
        ValueError: `count` is below 1.
    """

    every: PeriodUnit = PeriodUnit.MONTH
    count: int = 1
    anchor: Anchor = Anchor.CALENDAR

    def __post_init__(self) -> None:
        if self.count < 1:
            msg = f"a period lasts at least 1 {self.every}, not {self.count}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class UsagePeriod:
    """The half-open interval [start, end) of instants; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            msg = f"a period ends after it starts: [{self.start}, {self.end})"
            raise ValueError(msg)

    @property
    def is_instant(self) -> bool:
        """Whether it holds one instant and no other, `start`, as what happens once does."""
        return self.end - self.start == 1

    def contains(self, at: int) -> bool:
        """Whether `at` lies in the period: its start does, its end does not."""
        return self.start <= at < self.end


def usage_period(rule: PeriodRule, *, zone: str, origin: int | None, at: int) -> UsagePeriod:
    """The period of `rule` that contains `at`, in the local calendar of the IANA `zone`.

    Consecutive periods tile the time line. A boundary that the local clock skips is the instant of the skip, one that
    it shows twice is the first; a period that lies wholly in a skip does not exist (Apia had no 30 December 2011).

    Calendar: periods begin on the 1st, on Monday, at local midnight; `origin` is ignored. Blocks of `count` are counted
    from 2000-01-01 (weeks from Monday 1999-12-27). A single hour begins whenever the clock shows a full hour, so an
    hour shown twice is two periods, and at each clock change by a part of an hour.
    Subscription and account: period n begins n x `count` units after `origin` (see `add_calendar`), n may be negative.

    Raises:
        ValueError: `at` or `origin` is out of range, the period leaves the years 1 to 9999, `origin` is missing, or the
            zone is unknown.
    """
    _supported(at)
    tz = zone_info(zone)
    try:
        if rule.anchor is Anchor.CALENDAR:
            hourly = rule.every is PeriodUnit.HOUR and rule.count == 1
            return _wall_hour(tz, at) if hourly else _calendar_period(rule, tz, at)
        if origin is None:
            msg = f"a period anchored to the {rule.anchor} needs an origin"
            raise ValueError(msg)
        return _anchored_period(rule, tz, _supported(origin), at)
    except OverflowError as error:
        msg = f"the period of {rule.count} {rule.every} around {at} leaves the years {MINYEAR} to {MAXYEAR}"
        raise ValueError(msg) from error


def next_period(rule: PeriodRule, *, zone: str, origin: int | None, period: UsagePeriod) -> UsagePeriod:
    """The period that starts where `period` ends."""
    return usage_period(rule, zone=zone, origin=origin, at=period.end)


def previous_period(rule: PeriodRule, *, zone: str, origin: int | None, period: UsagePeriod) -> UsagePeriod:
    """The period that ends where `period` starts."""
    return usage_period(rule, zone=zone, origin=origin, at=period.start - 1)


def add_calendar(instant: int, unit: PeriodUnit, n: int, *, zone: str) -> int:
    """The instant `n` units after `instant` (before, when negative).

    Hours are elapsed time. Longer units keep the local wall time and day, or the last day of a shorter month: so add to
    the origin, never to an earlier sum (31 January + 2 months is 31 March). A wall time that the clock skips is the
    instant of the skip, one that it shows twice is the first.

    Raises:
        ValueError: `instant` is out of range, the sum leaves the years 1 to 9999, or the zone is unknown.
    """
    _supported(instant)
    tz = zone_info(zone)
    if n == 0:
        return instant
    try:
        if unit is PeriodUnit.HOUR:
            return _representable(instant + n * _HOUR)
        return _instant(_wall_plus(_wall(instant, tz), unit, n), tz)
    except OverflowError as error:
        msg = f"{instant} + {n} {unit} leaves the years {MINYEAR} to {MAXYEAR}"
        raise ValueError(msg) from error


def local_date(instant: int, *, zone: str) -> date:
    """The calendar day of an instant in the zone.

    Raises:
        ValueError: `instant` is out of range, or the zone is unknown.
    """
    return _wall(_supported(instant), zone_info(zone)).date()


def local_midnight(day: date, *, zone: str) -> int:
    """The instant at which a calendar day begins in the zone; where the clock skips midnight, that of the skip.

    Raises:
        ValueError: the instant is out of range, or the zone is unknown.
    """
    return _supported(_instant(datetime(day.year, day.month, day.day), zone_info(zone)))  # noqa: DTZ001 -- a wall time


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """The IANA zone `name`.

    Raises:
        ValueError: no zone has this name, or its meaning would depend on the machine.
    """
    # "localtime" and "posixrules" differ between machines; "right/" counts leap seconds, which instants do not.
    if re.fullmatch(r"(?!localtime$|posixrules$|right/|posix/)[\w+-]+(/[\w+-]+)*", name, re.ASCII):
        try:
            return ZoneInfo(name)
        except (
            ZoneInfoNotFoundError,
            OSError,
            ValueError,
        ):  # a folder ("Europe") is an OSError, a stray file a ValueError
            pass
    msg = f"unknown time zone {name[:64]!r}: want an IANA name such as 'Europe/Berlin' or 'UTC'"
    raise ValueError(msg)


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime, exactly.

    Raises:
        ValueError: `moment` has no zone or lies outside 1970 to 9999.
    """
    if moment.tzinfo is not UTC and moment.utcoffset() is None:
        msg = f"{moment.isoformat()} has no time zone"
        raise ValueError(msg)
    since = moment - _EPOCH
    return _supported((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def to_datetime(instant: int) -> datetime:
    """The aware UTC datetime of an instant, exactly.

    Raises:
        ValueError: `instant` lies outside 1970 to 9999.
    """
    return _EPOCH + timedelta(microseconds=_supported(instant))


def _anchored_period(rule: PeriodRule, tz: ZoneInfo, origin: int, at: int) -> UsagePeriod:
    if rule.every is PeriodUnit.HOUR:
        length = rule.count * _HOUR
        start = at - (at - origin) % length
        return UsagePeriod(_representable(start), _representable(start + length))
    base = _wall(origin, tz)

    def boundary(n: int) -> int:
        # The origin itself may be the second showing of its wall time; every other boundary is a first one.
        return _instant(_wall_plus(base, rule.every, n * rule.count), tz) if n else origin

    return _period_around(boundary, _index_near(rule, base, _wall(at, tz)), at)


def _calendar_period(rule: PeriodRule, tz: ZoneInfo, at: int) -> UsagePeriod:
    base = _CALENDAR_MONDAY if rule.every is PeriodUnit.WEEK else _CALENDAR_START

    def boundary(n: int) -> int:
        return _instant(_wall_plus(base, rule.every, n * rule.count), tz)

    return _period_around(boundary, _index_near(rule, base, _wall(at, tz)), at)


def _period_around(boundary: Callable[[int], int], n: int, at: int) -> UsagePeriod:
    """The boundaries on either side of `at`, from the guess `n`, which is off by one or two at most.

    Boundaries never decrease with n, so equal ones (inside a skip) are passed over and the periods still tile.
    """
    start = boundary(n)
    while start > at:
        n -= 1
        start = boundary(n)
    end = boundary(n + 1)
    while end <= at:
        n += 1
        start, end = end, boundary(n + 1)
    return UsagePeriod(start, end)


def _index_near(rule: PeriodRule, base: datetime, wall: datetime) -> int:
    span = _SPANS.get(rule.every)
    if span is not None:
        return (wall - base) // (span * rule.count)
    months = (wall.year - base.year) * 12 + wall.month - base.month
    return months // (_MONTHS[rule.every] * rule.count)


def _wall_plus(wall: datetime, unit: PeriodUnit, n: int) -> datetime:
    """The wall time `n` units later; the last day of a month stands in for a day that the month lacks."""
    span = _SPANS.get(unit)
    if span is not None:
        return wall + n * span
    year, month = divmod(wall.year * 12 + wall.month - 1 + n * _MONTHS[unit], 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError
    day = wall.day if wall.day <= _SHORTEST_MONTH else min(wall.day, monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)


def _wall_hour(tz: ZoneInfo, at: int) -> UsagePeriod:
    past_hour = _clock_shift(tz, at) % _HOUR
    start = at - (at + past_hour) % _HOUR
    end = start + _HOUR
    # Only a clock change that is no whole hour (Lord Howe's half) moves the grid: it cuts the hour that it falls in.
    if _clock_shift(tz, start) % _HOUR != past_hour:
        start = _clock_change(tz, start, at)
    if _clock_shift(tz, end - 1) % _HOUR != past_hour:
        end = _clock_change(tz, at, end - 1)
    return UsagePeriod(start, end)


@lru_cache(maxsize=16_384)  # the boundaries of calendar periods are few and asked for in every call
def _instant(wall: datetime, tz: ZoneInfo) -> int:
    """The first instant at which the local clock shows `wall` or, in a skip, more than it; so it never decreases."""
    local = wall.replace(tzinfo=tz)
    first = (local - _EPOCH) // _MICROSECOND
    second = (local.replace(fold=1) - _EPOCH) // _MICROSECOND
    # PEP 495: the folds of a repeated time come in order; those of a skipped one are swapped and enclose the skip.
    return first if first <= second else _clock_change(tz, second, first)


def _clock_change(tz: ZoneInfo, before: int, after: int) -> int:
    """The instant in (before, after] at which the local clock leaves the shift that it has at `before`."""
    shift = _clock_shift(tz, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _clock_shift(tz, middle) == shift:
            before = middle
        else:
            after = middle
    return after


def _clock_shift(tz: ZoneInfo, at: int) -> int:
    return (_wall(at, tz) - _EPOCH_WALL) // _MICROSECOND - at


def _wall(at: int, tz: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at)).astimezone(tz).replace(tzinfo=None, fold=0)


def _representable(instant: int) -> int:
    _ = _EPOCH + timedelta(microseconds=instant)  # raises OverflowError outside the years 1 to 9999
    return instant


def _supported(instant: int) -> int:
    if not MIN_INSTANT <= instant <= MAX_INSTANT:
        msg = f"instant {instant} lies outside the years 1970 to {MAXYEAR}"
        raise ValueError(msg)
    return instant

"""Laws of usage periods: they tile the time line in every zone, and they hang on their origin alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tallygate.domain.period import (
    MAX_INSTANT,
    Anchor,
    PeriodRule,
    PeriodUnit,
    add_calendar,
    from_datetime,
    next_period,
    previous_period,
    to_datetime,
    usage_period,
)
from thorough import some

HOUR = 3_600_000_000
BEFORE = from_datetime(datetime(1982, 1, 1, tzinfo=UTC))
FIRST = from_datetime(datetime(1995, 1, 1, tzinfo=UTC))
LAST = from_datetime(datetime(2036, 1, 1, tzinfo=UTC))
ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Istanbul", "Europe/Moscow", "Europe/Volgograd",
    "America/New_York", "America/Sao_Paulo", "America/Havana", "America/Caracas", "America/St_Johns",
    "America/Asuncion", "America/Santiago", "America/Nuuk", "America/Scoresbysund", "Africa/Cairo", "Africa/Casablanca",
    "Africa/Juba", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Asia/Amman", "Asia/Colombo", "Asia/Kathmandu",
    "Asia/Pyongyang", "Asia/Dhaka", "Australia/Lord_Howe", "Australia/Sydney", "Antarctica/Troll", "Antarctica/Casey",
    "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Chatham", "Pacific/Fakaofo", "Pacific/Norfolk",
]  # fmt: skip


def clock_changes(zone):
    """The instants until LAST at which the offset of the zone changes, to the second: from BEFORE, as periods of up to
    twelve years that hold FIRST begin before it."""
    tz, day, changes = ZoneInfo(zone), 24 * 3600, []
    offset = datetime.fromtimestamp(BEFORE // 10**6, tz).utcoffset()
    for second in range(BEFORE // 10**6, LAST // 10**6, day):
        if datetime.fromtimestamp(second + day, tz).utcoffset() == offset:
            continue
        low, high = second, second + day
        while high - low > 1:
            middle = (low + high) // 2
            same = datetime.fromtimestamp(middle, tz).utcoffset() == offset
            low, high = (middle, high) if same else (low, middle)
        changes.append(high * 10**6)
        offset = datetime.fromtimestamp(second + day, tz).utcoffset()
    return changes


# Drawn from as often as from the whole line: nearly every defect of calendars lives beside a clock change.
CHANGES = {zone: clock_changes(zone) for zone in ZONES}


def rules(*anchors):
    return st.builds(
        PeriodRule,
        every=st.sampled_from(PeriodUnit),
        count=st.one_of(st.just(1), st.integers(1, 12)),
        anchor=st.sampled_from(anchors or list(Anchor)),
    )


@st.composite
def instants(draw, zone):
    changes = CHANGES[zone]
    if changes and draw(st.booleans()):
        near = draw(st.sampled_from(changes))
        return near + draw(st.one_of(st.sampled_from([-1, 0, 1]), st.integers(-30 * HOUR, 30 * HOUR)))
    return draw(st.integers(FIRST, LAST))


@st.composite
def cases(draw, *anchors):
    zone = draw(st.sampled_from(ZONES))
    at, origin = draw(instants(zone)), draw(instants(zone))
    return draw(rules(*anchors)), {"zone": zone, "origin": origin}, at


@given(cases(), st.integers(0, 1_000_000))
@settings(max_examples=some(1500), deadline=None)
def test_a_period_contains_its_instant_and_is_the_same_for_each_of_them(case, share):
    rule, where, at = case
    period = usage_period(rule, **where, at=at)
    assert period.contains(at)
    inside = period.start + (period.end - 1 - period.start) * share // 1_000_000
    for other in (period.start, inside, period.end - 1, at):
        assert usage_period(rule, **where, at=other) == period


@given(cases())
@settings(max_examples=some(1500), deadline=None)
def test_periods_tile_the_time_line(case):
    rule, where, at = case
    period = usage_period(rule, **where, at=at)
    after = next_period(rule, **where, period=period)
    before = previous_period(rule, **where, period=period)
    assert before.end == period.start
    assert after.start == period.end
    assert previous_period(rule, **where, period=after) == period
    assert next_period(rule, **where, period=before) == period


@given(st.sampled_from([(zone, change) for zone in ZONES for change in CHANGES[zone]]), rules(), st.data())
@settings(max_examples=some(400), deadline=None)
def test_periods_tile_across_a_clock_change(where, rule, data):
    zone, change = where
    origin = data.draw(instants(zone))
    period = usage_period(rule, zone=zone, origin=origin, at=change - 6 * HOUR)
    while period.end < change + 6 * HOUR:
        after = next_period(rule, zone=zone, origin=origin, period=period)
        assert after.start == period.end
        assert usage_period(rule, zone=zone, origin=origin, at=after.start - 1) == period
        period = after


LONGEST = {
    PeriodUnit.HOUR: timedelta(hours=1),
    PeriodUnit.DAY: timedelta(days=1),
    PeriodUnit.WEEK: timedelta(weeks=1),
    PeriodUnit.MONTH: timedelta(days=31),
    PeriodUnit.YEAR: timedelta(days=366),
}


@given(cases())
@settings(max_examples=some(1000), deadline=None)
def test_no_period_outlasts_its_units_by_more_than_the_clock_moved(case):
    rule, where, at = case
    period = usage_period(rule, **where, at=at)
    length = to_datetime(period.end) - to_datetime(period.start)
    exact = rule.every is PeriodUnit.HOUR and (rule.count == 1 or rule.anchor is not Anchor.CALENDAR)
    skipped_day = 0 if exact else 24 + 3  # the period before a skipped one is longer by it
    assert length <= LONGEST[rule.every] * rule.count + timedelta(hours=skipped_day)


@given(cases(Anchor.SUBSCRIPTION, Anchor.ACCOUNT), st.integers(-60, 60))
@settings(max_examples=some(1500), deadline=None)
def test_the_nth_boundary_comes_from_the_origin(case, n):
    rule, where, _ = case
    boundary = add_calendar(where["origin"], rule.every, n * rule.count, zone=where["zone"])
    assume(boundary >= 0)
    period = usage_period(rule, **where, at=boundary)
    assert period.start == boundary


@given(cases(Anchor.CALENDAR))
@settings(max_examples=some(1000), deadline=None)
def test_calendar_periods_start_on_the_wall_clock(case):
    rule, where, at = case
    tz = ZoneInfo(where["zone"])
    start = usage_period(rule, **where, at=at).start
    local = to_datetime(start).astimezone(tz)
    moved = start in CHANGES[where["zone"]]  # a boundary that the clock skips is the instant of the skip
    assert moved or (local.minute, local.second, local.microsecond) == (0, 0, 0)
    if rule.every is not PeriodUnit.HOUR:
        assert moved or local.hour == 0
    if rule.every is PeriodUnit.WEEK:
        assert moved or local.weekday() == 0
    if rule.every in {PeriodUnit.MONTH, PeriodUnit.YEAR}:
        assert local.day == 1
    if rule.every is PeriodUnit.YEAR:
        assert local.month == 1


@given(cases(Anchor.CALENDAR))
@settings(max_examples=some(500), deadline=None)
def test_the_calendar_asks_for_no_origin(case):
    rule, where, at = case
    assert usage_period(rule, **where, at=at) == usage_period(rule, zone=where["zone"], origin=None, at=at)


@given(cases(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=some(500), deadline=None)
def test_adding_more_never_arrives_earlier(case, n, more):
    rule, where, at = case
    fewer_added, more_added = (add_calendar(at, rule.every, k, zone=where["zone"]) for k in (n, n + more))
    assert fewer_added <= more_added


@given(st.integers(0, MAX_INSTANT))
def test_datetimes_and_instants_are_one_to_one(instant):
    assert from_datetime(to_datetime(instant)) == instant

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tallygate.domain.period import (
    MAX_INSTANT,
    Anchor,
    PeriodRule,
    PeriodUnit,
    UsagePeriod,
    add_calendar,
    from_datetime,
    next_period,
    previous_period,
    to_datetime,
    usage_period,
    zone_info,
)

HOUR, DAY, WEEK, MONTH, YEAR = PeriodUnit
SUBSCRIPTION = Anchor.SUBSCRIPTION


def us(text, zone="UTC", fold=0):
    """The instant of a wall time in a zone; an offset in the text wins over the zone."""
    moment = datetime.fromisoformat(text)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone), fold=fold))


def wall(instant, zone="UTC"):
    return to_datetime(instant).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()


def local_period(rule, at, zone="UTC", origin=None):
    period = usage_period(rule, zone=zone, origin=origin, at=at)
    return wall(period.start, zone), wall(period.end, zone)


def utc_period(rule, at, zone="UTC", origin=None):
    period = usage_period(rule, zone=zone, origin=origin, at=at)
    return wall(period.start), wall(period.end)


def chain(rule, first, count, zone="UTC", origin=None):
    """The starts of `count` consecutive periods, from the one that contains `first`."""
    period = usage_period(rule, zone=zone, origin=origin, at=first)
    starts = []
    for _ in range(count):
        starts.append(wall(period.start, zone))
        period = next_period(rule, zone=zone, origin=origin, period=period)
    return starts


# --- rules and periods


def test_the_default_rule_is_one_calendar_month():
    assert PeriodRule() == PeriodRule(every=MONTH, count=1, anchor=Anchor.CALENDAR)


@pytest.mark.parametrize("count", [0, -1])
def test_a_rule_counts_at_least_one(count):
    with pytest.raises(ValueError, match=f"a period lasts at least 1 week, not {count}"):
        PeriodRule(every=WEEK, count=count)


def test_a_period_contains_its_start_and_not_its_end():
    period = UsagePeriod(10, 20)
    assert [period.contains(at) for at in (9, 10, 19, 20)] == [False, True, True, False]


@pytest.mark.parametrize("end", [10, 9])
def test_a_period_is_never_empty(end):
    with pytest.raises(ValueError, match="ends after it starts"):
        UsagePeriod(10, end)


# --- calendar anchor


@pytest.mark.parametrize(
    ("zone", "at", "start", "end"),
    [
        ("UTC", "2026-03-15T12:00", "2026-03-01T00:00:00", "2026-04-01T00:00:00"),
        ("Europe/Berlin", "2026-03-15T12:00", "2026-02-28T23:00:00", "2026-03-31T22:00:00"),
        ("Europe/Berlin", "2026-10-31T23:30", "2026-10-31T23:00:00", "2026-11-30T23:00:00"),
        ("America/New_York", "2026-03-01T04:59", "2026-02-01T05:00:00", "2026-03-01T05:00:00"),
        ("America/New_York", "2026-03-01T05:00", "2026-03-01T05:00:00", "2026-04-01T04:00:00"),
        ("Asia/Kathmandu", "2026-01-31T18:15", "2026-01-31T18:15:00", "2026-02-28T18:15:00"),
    ],
)
def test_a_calendar_month_is_local(zone, at, start, end):
    assert utc_period(PeriodRule(), us(at), zone) == (start, end)


def test_the_boundary_belongs_to_the_later_period():
    boundary = us("2026-04-01T00:00", "Europe/Berlin")
    assert local_period(PeriodRule(), boundary - 1, "Europe/Berlin")[1] == "2026-04-01T00:00:00"
    assert local_period(PeriodRule(), boundary, "Europe/Berlin")[0] == "2026-04-01T00:00:00"


@pytest.mark.parametrize(
    ("every", "count", "start", "end"),
    [
        (MONTH, 3, "2026-04-01T00:00:00", "2026-07-01T00:00:00"),
        (MONTH, 6, "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        (MONTH, 12, "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        (YEAR, 1, "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        (YEAR, 10, "2020-01-01T00:00:00", "2030-01-01T00:00:00"),
        (WEEK, 1, "2026-05-11T00:00:00", "2026-05-18T00:00:00"),
        (WEEK, 2, "2026-05-11T00:00:00", "2026-05-25T00:00:00"),
        (DAY, 1, "2026-05-13T00:00:00", "2026-05-14T00:00:00"),
        (HOUR, 1, "2026-05-13T14:00:00", "2026-05-13T15:00:00"),
        (HOUR, 6, "2026-05-13T12:00:00", "2026-05-13T18:00:00"),
    ],
)
def test_calendar_blocks(every, count, start, end):
    at = us("2026-05-13T14:25", "Europe/Berlin")
    assert local_period(PeriodRule(every=every, count=count), at, "Europe/Berlin") == (start, end)


def test_blocks_before_their_fixed_start_tile_too():
    assert chain(PeriodRule(count=5), us("1999-03-05"), 4) == [
        "1999-03-01T00:00:00",
        "1999-08-01T00:00:00",
        "2000-01-01T00:00:00",
        "2000-06-01T00:00:00",
    ]


def test_two_week_blocks_pass_over_the_turn_of_the_year():
    rule = PeriodRule(every=WEEK, count=2)
    assert chain(rule, us("2025-12-25"), 3) == ["2025-12-22T00:00:00", "2026-01-05T00:00:00", "2026-01-19T00:00:00"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Havana", "2025-11-02", 25),  # 00:00 is shown twice: the day starts at the first
    ],
)
def test_days_of_clock_changes(zone, day, hours):
    period = usage_period(PeriodRule(every=DAY), zone=zone, origin=None, at=us(f"{day}T12:00", zone))
    assert wall(period.start, zone) == f"{day}T00:00:00"
    assert period.end - period.start == hours * 3_600_000_000


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00"),
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00"),
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00"),
    ],
)
def test_a_day_without_midnight_starts_when_the_clock_skips_it(zone, day, start):
    at = us(f"{day}T12:00", zone)
    rule = PeriodRule(every=DAY)
    assert local_period(rule, at, zone)[0] == f"{day}T01:00:00"
    assert utc_period(rule, at, zone)[0] == start
    period = usage_period(rule, zone=zone, origin=None, at=at)
    assert previous_period(rule, zone=zone, origin=None, period=period).end == period.start


def test_a_skipped_day_is_no_period():
    assert chain(PeriodRule(every=DAY), us("2011-12-29T12:00", "Pacific/Apia"), 3, "Pacific/Apia") == [
        "2011-12-29T00:00:00",
        "2011-12-31T00:00:00",
        "2012-01-01T00:00:00",
    ]


def hour_chain(zone, first, last):
    rule, at, found = PeriodRule(every=HOUR), us(first), []
    while at < us(last):
        period = usage_period(rule, zone=zone, origin=None, at=at)
        found.append(wall(period.start)[11:16])
        at = period.end
    return found


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_hours_stay_hours_when_the_clock_skips_or_repeats_one(day):
    assert hour_chain("Europe/Berlin", f"{day}T00:00", f"{day}T04:00") == ["00:00", "01:00", "02:00", "03:00"]


def test_hours_are_cut_where_the_clock_moves_by_half_an_hour():
    # 2026-04-05 02:00+11 becomes 01:30+10:30, 2026-10-04 02:00+10:30 becomes 02:30+11.
    assert hour_chain("Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T16:00") == ["14:00", "15:00", "15:30"]
    assert hour_chain("Australia/Lord_Howe", "2026-10-03T14:30", "2026-10-03T16:30") == ["14:30", "15:30", "16:00"]


def test_blocks_of_hours_follow_the_wall_clock():
    period = usage_period(
        PeriodRule(every=HOUR, count=6), zone="Europe/Berlin", origin=None, at=us("2026-10-25T04:00", "Europe/Berlin")
    )
    assert (period.end - period.start) == 7 * 3_600_000_000


def test_the_second_showing_of_an_hour_belongs_to_the_day_that_has_begun():
    at = us("2025-11-02T00:30", "America/Havana", fold=1)
    assert local_period(PeriodRule(every=DAY), at, "America/Havana") == ("2025-11-02T00:00:00", "2025-11-03T00:00:00")


def test_before_a_midnight_that_is_undone_it_is_still_the_old_day():
    # 2018-02-18 00:00-02 became 2018-02-17 23:00-03.
    at = us("2018-02-17T23:30", "America/Sao_Paulo", fold=1)
    assert utc_period(PeriodRule(every=DAY), at, "America/Sao_Paulo") == ("2018-02-17T02:00:00", "2018-02-18T03:00:00")


# --- subscription and account anchors


@pytest.mark.parametrize("anchor", [Anchor.SUBSCRIPTION, Anchor.ACCOUNT])
def test_31_january_comes_back_after_the_short_months(anchor):
    origin = us("2026-01-31T10:15:30.000001")
    assert chain(PeriodRule(anchor=anchor), origin, 6, origin=origin) == [
        "2026-01-31T10:15:30.000001",
        "2026-02-28T10:15:30.000001",
        "2026-03-31T10:15:30.000001",
        "2026-04-30T10:15:30.000001",
        "2026-05-31T10:15:30.000001",
        "2026-06-30T10:15:30.000001",
    ]


def test_31_january_backwards():
    origin, rule = us("2026-01-31"), PeriodRule(anchor=SUBSCRIPTION)
    assert chain(rule, us("2025-11-05"), 4, origin=origin) == [
        "2025-10-31T00:00:00",
        "2025-11-30T00:00:00",
        "2025-12-31T00:00:00",
        "2026-01-31T00:00:00",
    ]


def test_29_february_yearly():
    origin, rule = us("2024-02-29"), PeriodRule(every=YEAR, anchor=SUBSCRIPTION)
    assert chain(rule, origin, 5, origin=origin) == [
        "2024-02-29T00:00:00",
        "2025-02-28T00:00:00",
        "2026-02-28T00:00:00",
        "2027-02-28T00:00:00",
        "2028-02-29T00:00:00",
    ]


def test_31_january_quarterly():
    origin, rule = us("2026-01-31"), PeriodRule(count=3, anchor=SUBSCRIPTION)
    assert chain(rule, origin, 3, origin=origin) == [
        "2026-01-31T00:00:00",
        "2026-04-30T00:00:00",
        "2026-07-31T00:00:00",
    ]


def test_every_two_weeks():
    origin, rule = us("2026-01-05"), PeriodRule(every=WEEK, count=2, anchor=SUBSCRIPTION)
    assert chain(rule, origin, 3, origin=origin) == [
        "2026-01-05T00:00:00",
        "2026-01-19T00:00:00",
        "2026-02-02T00:00:00",
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_the_wall_time_of_the_origin_is_kept_across_clock_changes(zone):
    origin = us("2026-01-15T09:30", zone)
    starts = chain(PeriodRule(anchor=SUBSCRIPTION), origin, 12, zone, origin)
    assert starts == [f"2026-{month:02}-15T09:30:00" for month in range(1, 13)]


def test_the_day_of_the_origin_is_the_local_one():
    origin = us("2026-01-30T23:30")  # the 31st in Berlin
    assert chain(PeriodRule(anchor=SUBSCRIPTION), origin, 3, "Europe/Berlin", origin) == [
        "2026-01-31T00:30:00",
        "2026-02-28T00:30:00",
        "2026-03-31T00:30:00",
    ]


def test_a_skipped_wall_time_moves_forward_once():
    origin = us("2026-03-27T02:30", "Europe/Berlin")
    assert chain(PeriodRule(every=DAY, anchor=SUBSCRIPTION), origin, 4, "Europe/Berlin", origin) == [
        "2026-03-27T02:30:00",
        "2026-03-28T02:30:00",
        "2026-03-29T03:00:00",
        "2026-03-30T02:30:00",
    ]


def test_a_repeated_wall_time_is_the_first_one():
    origin = us("2026-10-24T02:30", "Europe/Berlin")
    rule = PeriodRule(every=DAY, anchor=SUBSCRIPTION)
    assert utc_period(rule, us("2026-10-25T02:30", "Europe/Berlin", fold=1), "Europe/Berlin", origin) == (
        "2026-10-25T00:30:00",
        "2026-10-26T01:30:00",
    )


def test_an_origin_in_the_repeated_hour_is_itself_the_first_boundary():
    origin = us("2026-10-25T02:30", "Europe/Berlin", fold=1)
    rule = PeriodRule(anchor=SUBSCRIPTION)
    assert usage_period(rule, zone="Europe/Berlin", origin=origin, at=origin).start == origin
    assert usage_period(rule, zone="Europe/Berlin", origin=origin, at=origin - 1).end == origin


def test_anchored_hours_are_elapsed_time():
    origin = us("2026-10-24T20:20", "Europe/Berlin")
    rule = PeriodRule(every=HOUR, count=5, anchor=SUBSCRIPTION)
    assert chain(rule, origin, 3, origin=origin) == [
        "2026-10-24T18:20:00",
        "2026-10-24T23:20:00",
        "2026-10-25T04:20:00",
    ]
    assert utc_period(rule, origin - 1, "Europe/Berlin", origin)[0] == "2026-10-24T13:20:00"


def test_an_anchor_needs_its_origin():
    with pytest.raises(ValueError, match="anchored to the account needs an origin"):
        usage_period(PeriodRule(anchor=Anchor.ACCOUNT), zone="UTC", origin=None, at=0)


# --- add_calendar


@pytest.mark.parametrize(
    ("start", "unit", "n", "end"),
    [
        ("2026-01-31", MONTH, 1, "2026-02-28T00:00:00"),
        ("2026-01-31", MONTH, 2, "2026-03-31T00:00:00"),
        ("2026-03-31", MONTH, -1, "2026-02-28T00:00:00"),
        ("2024-02-29", YEAR, 1, "2025-02-28T00:00:00"),
        ("2024-02-29", YEAR, 4, "2028-02-29T00:00:00"),
        ("2026-03-28T12:00", DAY, 1, "2026-03-29T12:00:00"),
        ("2026-03-22T12:00", WEEK, 1, "2026-03-29T12:00:00"),
        ("2026-03-28T12:00", HOUR, 24, "2026-03-29T13:00:00"),
        ("2026-01-31", MONTH, 0, "2026-01-31T00:00:00"),
    ],
)
def test_add_calendar(start, unit, n, end):
    assert wall(add_calendar(us(start, "Europe/Berlin"), unit, n, zone="Europe/Berlin"), "Europe/Berlin") == end


@pytest.mark.parametrize("unit", list(PeriodUnit))
@pytest.mark.parametrize("n", [10**5 * 1000, -(10**8), 10**30])
def test_add_calendar_stays_in_the_calendar(unit, n):
    with pytest.raises(ValueError, match="leaves the years"):
        add_calendar(0, unit, n, zone="UTC")


# --- range


@pytest.mark.parametrize(
    "rule", [PeriodRule(count=10**6), PeriodRule(every=HOUR, count=10**30), PeriodRule(every=YEAR)]
)
@pytest.mark.parametrize("anchor", list(Anchor))
def test_a_period_that_leaves_the_calendar_is_refused(rule, anchor):
    rule = PeriodRule(every=rule.every, count=rule.count, anchor=anchor)
    with pytest.raises(ValueError, match="leaves the years 1 to 9999"):
        usage_period(rule, zone="UTC", origin=5, at=MAX_INSTANT - 1)


@pytest.mark.parametrize("at", [-1, MAX_INSTANT + 1])
def test_instants_outside_the_range_are_refused(at):
    anchored = PeriodRule(anchor=SUBSCRIPTION)
    for attempt in (
        lambda: to_datetime(at),
        lambda: usage_period(PeriodRule(), zone="UTC", origin=None, at=at),
        lambda: usage_period(anchored, zone="UTC", origin=at, at=0),
        lambda: add_calendar(at, DAY, 1, zone="UTC"),
    ):
        with pytest.raises(ValueError, match="outside the years 1970 to 9999"):
            attempt()


def test_the_period_of_the_first_instant_may_start_before_it():
    period = usage_period(PeriodRule(), zone="America/New_York", origin=None, at=0)
    assert period == UsagePeriod(us("1970-01-01T05:00") - 31 * 24 * 3_600_000_000, us("1970-01-01T05:00"))


# --- zones


def test_zones_are_read_once():
    assert zone_info("Europe/Berlin") is zone_info("Europe/Berlin")
    assert zone_info("America/Argentina/Buenos_Aires").key == "America/Argentina/Buenos_Aires"
    assert zone_info("Etc/GMT+12").key == "Etc/GMT+12"


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "Nowhere", "Europe", "Europe/Berlin/", "/etc/localtime", "../x", "Europe/../UTC", "./UTC",
        "Europe//Berlin", "Europe\\Berlin", "UTC\n", "UTC\0", "Zürich", "\ud800", "tzdata.zi", "zone1970", "localtime",
        "posixrules", "right/Europe/Berlin", "posix/UTC", "x" * 5000,
    ],
)  # fmt: skip
def test_an_unknown_zone_is_refused_with_its_name(name):
    with pytest.raises(ValueError, match="unknown time zone") as caught:
        zone_info(name)
    assert repr(name[:64]) in str(caught.value)
    assert len(str(caught.value)) < 500


# --- datetimes


def test_datetimes_convert_exactly():
    moment = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert from_datetime(moment) == MAX_INSTANT == 253_402_300_799_999_999
    assert to_datetime(MAX_INSTANT) == moment
    assert from_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert from_datetime(datetime(2026, 1, 1, 1, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))) == 1_767_225_600_000_001
    assert to_datetime(0).tzinfo is UTC


def test_the_second_showing_of_a_time_is_an_hour_later():
    first, second = (us("2026-10-25T02:30", "Europe/Berlin", fold=fold) for fold in (0, 1))
    assert second - first == 3_600_000_000


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 1), "has no time zone"),  # noqa: DTZ001 -- the naive one is the case
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "outside the years"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "outside the years"),
    ],
)
def test_datetimes_that_are_no_instant_are_refused(moment, text):
    with pytest.raises(ValueError, match=text):
        from_datetime(moment)


def test_a_chain_of_months_never_skips_or_repeats():
    starts = chain(PeriodRule(), us("2020-01-01"), 240, "Asia/Beirut")
    assert all(a[:7] < b[:7] for a, b in pairwise(starts))
    assert len({a[:7] for a in starts}) == 240

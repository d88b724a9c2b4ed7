import pytest

from tallygate.domain.period import UsagePeriod
from tallygate.metering.periods import laid_out, tile
from tallygate.metering.ports import CountedPeriod, Sample
from tallygate.metering.usage import LevelIntegral

HOUR = 3_600_000_000
MONTH = UsagePeriod(0, 720 * HOUR)


def average(*levels, opening=0, until=MONTH.end, period=MONTH):
    integral = LevelIntegral(period, until=until, opening=opening)
    for at, level in levels:
        integral.observe(Sample(occurred_time=at, level=level))
    return integral.value()


@pytest.mark.parametrize(
    ("levels", "opening", "until", "expected"),
    [
        ([], 0, MONTH.end, 0),
        ([], 10, MONTH.end, 10),
        ([(0, 10)], 99, MONTH.end, 10),
        ([(360 * HOUR, 10)], 0, MONTH.end, 5),
        ([(360 * HOUR, 10)], 4, MONTH.end, 7),
        ([(180 * HOUR, 8), (540 * HOUR, 0)], 0, MONTH.end, 4),
        ([(MONTH.end - 1, 10)], 0, MONTH.end, 0),  # 10 microseconds of 2.6e12: floored
        ([(1, 10)], 0, MONTH.end, 9),  # one microsecond short of 10: floored
        ([(1, 2**53 - 1)], 2**53 - 1, MONTH.end, 2**53 - 1),  # floats would be off here
        ([(0, 10)], 0, 360 * HOUR, 5),  # half of the month has passed, half of it has accrued
        ([(0, 10), (400 * HOUR, 1000)], 0, 360 * HOUR, 5),  # what is still to come counts nothing yet
        ([(0, 10)], 0, -1, 0),
        ([(5 * HOUR, 3), (5 * HOUR, 720)], 0, 6 * HOUR, 1),  # the later of two at one instant holds
    ],
)
def test_time_weighted_is_the_floored_integral(levels, opening, until, expected):
    assert average(*levels, opening=opening, until=until) == expected


def test_asking_twice_adds_nothing():
    integral = LevelIntegral(MONTH, until=360 * HOUR, opening=10)
    assert [integral.value(), integral.value()] == [5, 5]


def test_a_reset_cuts_the_period_that_it_lies_in():
    assert tile([UsagePeriod(10, 20), UsagePeriod(0, 10), UsagePeriod(14, 20)]) == [
        UsagePeriod(0, 10),
        UsagePeriod(10, 14),
        UsagePeriod(14, 20),
    ]


def test_periods_known_twice_are_one_and_gaps_stay():
    assert tile([UsagePeriod(0, 5), UsagePeriod(0, 5), UsagePeriod(7, 9)]) == [UsagePeriod(0, 5), UsagePeriod(7, 9)]
    assert tile([]) == []


def laid(*periods, trials=(), apart=()):
    """Starts, ends and holes of these (start, end, on a trial that begins with another period)."""
    found = [CountedPeriod(period=UsagePeriod(start, end), apart=own) for start, end, own in periods]
    return [(each.period.start, each.period.end, each.holes) for each in laid_out(found, trials, apart=apart)]


def test_a_period_goes_on_after_a_trial_in_it_and_not_after_one_that_outlasts_it():
    assert laid((0, 30, False), (10, 20, False), trials=[(10, 20)]) == [(0, 30, ((10, 20),)), (10, 20, ())]
    assert laid((0, 30, False), (20, 45, False), (45, 60, False), trials=[(20, 45)]) == [
        (0, 20, ()),
        (20, 45, ()),
        (45, 60, ()),
    ]
    # What facts say of a trial that ended sooner, and of resets in it and after it.
    assert laid((0, 30, False), (10, 40, False), (12, 40, False), (25, 30, False), trials=[(10, 20)]) == [
        (0, 25, ((10, 20),)),
        (10, 12, ()),
        (12, 20, ()),
        (25, 30, ()),
    ]
    assert laid((0, 30, False), (0, 10, True), trials=[(0, 10)], apart=[0]) == [(0, 30, ((0, 10),)), (0, 10, ())]
    assert laid((0, 10, False), (10, 20, False), (20, 30, False)) == [(0, 10, ()), (10, 20, ()), (20, 30, ())]


def test_what_is_weighted_by_time_leaves_out_a_trial_in_the_period():
    integral = LevelIntegral(UsagePeriod(0, 30), until=30, holes=[(10, 20)])
    for at, level in ((0, 6), (10, 900), (25, 0)):
        integral.observe(Sample(occurred_time=at, level=level))
    assert integral.value() == (10 * 6 + 5 * 900) // 20

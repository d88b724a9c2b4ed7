import pytest

from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import Sample
from tallygate.metering.usage import LevelIntegral, tile

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

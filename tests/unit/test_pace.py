"""What cannot end by its deadline is not begun: by the fastest call of the last two seconds, where there were many."""

from tallygate.server.calls.pace import Pace


def noted(pace, seconds, *, at, times=16):
    for _ in range(times):
        pace.note(seconds, at)


def begun(pace, left, *, at, calls=8):
    return sum(not pace.is_hopeless(left, at) for _ in range(calls))


def test_one_in_eight_is_begun_of_those_with_less_time_left_than_the_fastest_took():
    pace = Pace()
    noted(pace, 0.2, at=10.0)
    noted(pace, 0.3, at=11.0)
    assert begun(pace, 0.19, at=11.5) == 1
    assert begun(pace, 0.2, at=11.5) == 8


def test_the_first_fast_one_opens_the_door_again():
    pace = Pace()
    noted(pace, 0.2, at=10.0)
    noted(pace, 0.2, at=11.0)
    pace.note(0.01, 11.1)
    assert begun(pace, 0.1, at=11.2) == 8


def test_few_calls_and_old_ones_say_nothing():
    few, old = Pace(), Pace()
    noted(few, 0.2, at=10.0, times=15)
    noted(few, 0.2, at=11.0)
    assert begun(few, 0.1, at=11.5) == 8
    noted(old, 0.2, at=10.0)
    noted(old, 0.2, at=11.0)
    assert begun(old, 0.1, at=13.5) == 8

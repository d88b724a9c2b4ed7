import random

import pytest

from tallygate.domain.recent import Recent


@pytest.mark.parametrize("capacity", [1, 2, 7, 100])
def test_it_is_bounded_and_never_answers_anything_that_was_not_put(capacity):
    recent, dice, put = Recent(capacity), random.Random(capacity), {}
    for number in range(5_000):
        key = dice.randrange(3 * capacity)
        match dice.randrange(4):
            case 0:
                recent.put(key, number)
                put[key] = number
            case 1:
                recent.drop(key)
                put.pop(key, None)
            case _:
                assert recent.get(key) in {None, put.get(key)}
        assert len(recent) <= max(2, capacity)


def test_what_is_in_use_stays_however_much_else_is_met():
    recent = Recent(100)
    recent.put("in use", 1)
    for number in range(10_000):
        recent.put(number, number)
        if not number % 30:
            assert recent.get("in use") == 1


def test_no_moment_forgets_more_than_half():
    recent = Recent(100)
    for number in range(10_000):
        recent.put(number, number)
        assert number < 50 or len(recent) >= 50
        assert all(recent._young.get(key, recent._old.get(key)) == key for key in range(max(0, number - 49), number))


def test_a_newer_value_takes_the_place_of_an_older_one_wherever_that_is():
    recent = Recent(4)
    for key in "abc":
        recent.put(key, 1)
    recent.put("a", 2)
    for key in "de":
        recent.put(key, 1)
    assert recent.get("a") in {None, 2}
    recent.clear()
    assert (len(recent), recent.get("a")) == (0, None)

import random

import pytest

from tallygate.domain.lru import Lru


@pytest.mark.parametrize("capacity", [1, 2, 7, 50])
def test_what_was_not_met_for_the_longest_goes_first(capacity):
    """Beside a list of keys in the order in which they were last met."""
    lru, dice, met, values = Lru(capacity), random.Random(capacity), [], {}
    for number in range(1, 5_000):
        key = dice.randrange(2 * capacity)
        match dice.randrange(4):
            case 0:
                lru.put(key, number)
                values[key] = number
                met = [*(each for each in met if each != key), key][-capacity:]
            case 1:
                lru.drop(key)
                met = [each for each in met if each != key]
            case _:
                assert lru.get(key) == (values[key] if key in met else None)
                met = [each for each in met if each != key] + [key] * (key in met)
        assert list(lru.values()) == [values[each] for each in met]
        assert len(lru) == len(met)
        assert (key in lru) == (key in met)


def test_without_room_it_keeps_one():
    lru = Lru(0)
    lru.put("a", 1)
    lru.put("b", 2)
    assert list(lru.values()) == [2]

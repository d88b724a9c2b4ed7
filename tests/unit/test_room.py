import random

import pytest

from tallygate.server.calls.room import Room


def taken_by(room, who):
    count = 0
    while room.enter(who):
        count += 1
    return count


@pytest.mark.parametrize(("places", "alone"), [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (1024, 896)])
def test_one_alone_stops_at_seven_eighths(places, alone):
    room = Room(places)
    assert taken_by(room, "a") == alone
    assert taken_by(room, "b") == min(places - alone, places // 8) or places - alone - len(room) <= 0


def test_however_many_are_busy_there_is_a_place_for_who_holds_none():
    room = Room(1024)
    busy = [f"t{number}" for number in range(20)]
    while sum(room.enter(who) for who in busy):  # each asks again and again, in turn
        pass
    assert room.enter("quiet")


def test_places_are_given_back_and_nothing_is_kept_of_who_left():
    room, generator, held = Room(64), random.Random(1), []
    for _ in range(5_000):
        if held and generator.random() < 0.5:
            room.leave(held.pop(generator.randrange(len(held))))
        else:
            who = f"t{generator.randrange(5)}"
            if room.enter(who):
                held.append(who)
        assert len(room) == len(held) <= 64
    for who in held:
        room.leave(who)
    assert (len(room), room._held) == (0, {})
    assert taken_by(room, "a") == 56


def test_places_taken_elsewhere_count():
    assert not Room(4).enter("a", elsewhere=4)
    assert taken_by(Room(4), "a") == 4


def test_a_place_changes_hands_only_where_there_is_one():
    room = Room(8)
    assert taken_by(room, "known") == 7
    assert room.enter("")
    assert not room.move("", "known")
    assert room._held == {"known": 7, "": 1}
    assert room.move("", "other")
    assert room._held == {"known": 7, "other": 1}


def test_beside_others_one_holds_at_most_half():
    room = Room(1024)
    assert taken_by(room, "busy") == 896
    assert room.enter("quiet")
    for _ in range(385):
        assert not room.enter("busy")  # 896 down to 512: half, and one less would be its place again
        room.leave("busy")
    assert room.enter("busy")
    assert not room.enter("busy")
    room.leave("quiet")
    assert taken_by(room, "busy") == 896 - 512


def test_work_is_weighed_and_the_heaviest_is_served_in_its_turn():
    room = Room(1024)
    assert room.enter("batches", 300)  # 300 of 1,024
    assert room.enter("batches", 300)  # 600: 424 are left
    assert not room.enter("batches", 300)  # 900, with 124 left: 900 > 7 x 125
    assert room.enter("other", 5_000) is False  # weighed as half, 512: not beside 600
    assert room.enter("quiet")
    room.leave("batches", 300)
    assert room.enter("other", 5_000)  # 300 + 1 + 512
    room.leave("other", 5_000)
    room.leave("batches", 300)
    room.leave("quiet")
    assert (len(room), room._held) == (0, {})


def test_heavy_places_change_hands_whole():
    room = Room(100)
    assert room.enter("", 60)
    assert room.move("", "known", 60)
    assert room._held == {"known": 50}
    assert room.enter("")
    assert room.enter("other")
    assert not room.move("", "known")  # beside another one
    assert room._held == {"known": 50, "": 1, "other": 1}


def test_who_is_not_known_yet_is_no_other_one():
    room = Room(64)
    for _ in range(56):
        assert room.enter("")
    assert all(room.move("", "known") for _ in range(56))
    assert room._held == {"known": 56}


def may_enter(places, held, who, weight, elsewhere):
    """The rule, as the module tells it: less than seven times what is still free, and beside others half of all."""
    half = max(1, places // 2)
    mine = held.get(who, 0) + min(weight, half)
    others = sum(held.values()) - held.get(who, 0)
    free = places - elsewhere - others - mine
    known = others - (held.get("", 0) if who else 0)
    return free >= 0 and mine <= 7 * (free + 1) and not (known and mine > half)


@pytest.mark.parametrize("places", [1, 2, 3, 8, 33, 128])
def test_each_place_is_given_or_refused_by_the_rule(places):
    dice, room, held, calls = random.Random(places), Room(places), {}, []
    for _ in range(4_000):
        who, weight, elsewhere = (
            dice.choice(["", "a", "b", "c"]),
            dice.choice([1, 1, 1, 2, 5]),
            dice.choice([0, 0, 1, 3]),
        )
        if calls and dice.random() < 0.45:
            who, taken = calls.pop(dice.randrange(len(calls)))
            room.leave(who, taken)
            held[who] -= min(taken, max(1, places // 2))
        elif expected := may_enter(places, held, who, weight, elsewhere):
            assert room.enter(who, weight, elsewhere=elsewhere) == expected
            held[who] = held.get(who, 0) + min(weight, max(1, places // 2))
            calls.append((who, weight))
        else:
            assert not room.enter(who, weight, elsewhere=elsewhere)
        assert len(room) == sum(held.values())

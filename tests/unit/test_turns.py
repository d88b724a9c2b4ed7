"""Who waits is served in turns, by cost: a long row of one tenant's never stands before another's first."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest

pytest.importorskip("pygrpc_native")

from pygrpc_native import EVENT_CANCEL

from tallygate.data_plane.burst import Burst
from tallygate.data_plane.turns import Turns
from tallygate.server.transport import arrivals as module
from tallygate.server.transport.arrivals import Arrivals
from tallygate.storage.redis.bursts import MOST_ABROAD, MOST_EFFECTS, Bursts
from tallygate.storage.redis.link.commands import Script
from tallygate.storage.redis.link.errors import LinkDownError


def taken(turns, cost=1.0):
    found = []
    while turns:
        found.append(turns.take())
        turns.spend(cost)
    return "".join(found)


def test_turns_go_round_each_for_what_it_may_cost():
    turns = Turns(2)
    for who, items in (("flood", "AAAAAAA"), ("quiet", "b"), ("other", "CCC")):
        for item in items:
            turns.put(who, item)
    assert taken(turns) == "AAbCCAACAAA"
    assert not turns


def test_one_dear_item_is_a_turn():
    turns = Turns(2)
    for who, items in (("flood", "AAA"), ("quiet", "bbb")):
        for item in items:
            turns.put(who, item)
    assert taken(turns, cost=50) == "AbAbAb"


def test_whose_row_ran_empty_comes_last_and_begins_a_turn_anew():
    turns = Turns(2)
    turns.put("one", "a")
    assert taken(turns) == "a"
    for who, items in (("other", "BBB"), ("one", "aaa")):
        for item in items:
            turns.put(who, item)
    assert taken(turns) == "BBaaBa"


class Clock:
    """Goes on by so much with each call that is begun."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class World:
    """Arrivals of calls, each of which takes `seconds` to begin."""

    def __init__(self, monkeypatch, seconds=0.0005, places=1_000):
        self.clock, self.soon, self.begun, self.late, self.left, self.refused = Clock(), [], [], [], [], []
        monkeypatch.setattr(module, "monotonic", self.clock)
        self.seconds = seconds
        self.arrivals = Arrivals(
            places, Burst(), begin=self.begin, leave=self.left.append, refuse=self.refused.append, soon=self.soon.append
        )

    def begin(self, event, late):
        self.begun.append(event[1])
        self.late.append(late)
        self.clock.now += self.seconds
        if event[3] == b"broken":
            raise ZeroDivisionError

    def arrive(self, *events):
        admitted, holders, refused = self.arrivals.admit(list(events), frozenset(), 0)
        self.arrivals.take(admitted, self.clock(), holders)
        return refused

    def go_on(self, rounds=1_000):
        """The loop's next turns."""
        while self.soon and rounds:
            self.soon.pop(0)()
            rounds -= 1


def call(number, who="flood", data=b""):
    return 0, number, 7, data, None, ((("authorization", who),), "peer", None)


def left(number):
    return EVENT_CANCEL, number, 0, b"", None, None


def test_what_arrives_is_begun_at_once_in_its_order(monkeypatch):
    world = World(monkeypatch, seconds=0.0)
    world.arrive(*(call(number, who) for number, who in enumerate(["flood", "quiet", "flood"])))
    assert (world.begun, world.soon) == ([0, 1, 2], [])
    assert world.arrivals.nothing_waits


def test_behind_a_flood_another_tenant_waits_for_one_turn(monkeypatch):
    """A call takes half a millisecond: a burst begins four, a turn is two."""
    world = World(monkeypatch)
    world.arrive(*map(call, range(50)))
    assert world.begun == [0, 1, 2, 3]
    world.arrive(call(100, "quiet"))
    assert len(world.soon) == 1, "the loop has its own turn in between"
    world.go_on(rounds=1)
    assert world.begun[4:] == [4, 5, 100, 6]
    world.go_on()
    assert sorted(world.begun) == [*range(50), 100]
    assert world.arrivals.nothing_waits
    assert [each for each in world.begun if each != 100] == list(range(50)), "each one's calls in their order"


def test_how_long_a_call_has_waited_is_known_when_it_is_begun(monkeypatch):
    world = World(monkeypatch)
    world.arrive(*map(call, range(6)))
    world.go_on()
    assert world.late == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.002, 0.0025])


def test_a_call_whose_caller_left_while_it_waited_is_not_begun(monkeypatch):
    world = World(monkeypatch)
    world.arrive(*map(call, range(8)))
    world.arrive(left(6), left(2))
    assert world.left == [6, 2]
    world.go_on()
    assert world.begun == [0, 1, 2, 3, 4, 5, 7]
    assert world.arrivals.nothing_waits


def test_one_that_cannot_be_begun_is_refused_and_loses_no_other(monkeypatch, caplog):
    world = World(monkeypatch)
    world.arrive(call(0, data=b"broken"), *map(call, range(1, 6)), call(6, data=b"broken"), call(7))
    world.go_on()
    assert (world.begun, world.refused) == (list(range(8)), [0, 6])
    assert len(caplog.records) == 2


def test_who_waits_holds_room_until_it_is_begun(monkeypatch):
    """Of sixteen places one alone gets fourteen; half are looked at by who holds them."""
    world = World(monkeypatch, places=16)
    refused = world.arrive(*map(call, range(30)))
    assert len(refused) == 16, "one leaves an eighth to others"
    assert world.arrive(call(100, "quiet")) == []
    world.go_on()
    assert sorted(world.begun) == sorted({*range(30), 100} - {*refused})
    assert world.arrive(call(101)) == []


class Link:
    """Keeps what is sent, until it is told to answer; or is down."""

    vouched = idle = True

    def __init__(self):
        self.sent, self.is_down = [], False

    def eval_for(self, waiter, _script, _command):
        if self.is_down:
            raise LinkDownError
        self.sent.append(waiter)

    def flush(self):
        pass


class Home:
    """Where a tenant's effects are at home."""

    versions = places = argument = b""

    def __init__(self, tenant_id):
        self.tenant_id = tenant_id


HOMES = {name: Home(name) for name in ("flood", "quiet")}


class Asked:
    """An effect of a tenant, and what it was told."""

    def __init__(self, number, tenant):
        packed = {"keys": b"", "head": b"", "rules": [], "key_count": 0, "argument_count": 0}
        self.program = SimpleNamespace(counts=True, home=HOMES[tenant], **packed)
        self.number, self.said, self.heard = number, [], []

    def deliver(self, reply):
        self.heard.append(reply)


def asking(link):
    burst = Burst()
    return burst, Bursts(link, Script("return 1"), count(1).__next__, b"", burst=burst, current=lambda home: home)


def answer(burst, link):
    """The oldest command that waits is answered, as the connection does it: within a burst."""
    waiter = link.sent.pop(0)
    numbers = [effect.number for effect in waiter._effects]
    with burst:
        waiter.set_result([waiter._sequence, *[b"ok"] * len(numbers)])
    return numbers


async def test_only_so_many_effects_wait_for_redis_and_another_tenant_is_next():
    link = Link()
    burst, bursts = asking(link)
    flood = [Asked(number, "flood") for number in range(400)]
    with burst:
        for effect in flood:
            bursts.add(effect)
    assert sum(len(waiter._effects) for waiter in link.sent) == MOST_ABROAD
    quiet = Asked(1_000, "quiet")
    with burst:
        bursts.add(quiet)
    assert quiet.heard == []
    seen = []
    while not quiet.heard:
        seen += answer(burst, link)
    assert len(seen) <= MOST_ABROAD + MOST_EFFECTS, "it waits for what was under way before it, and one turn"
    while link.sent:
        seen += answer(burst, link)
    assert sorted(seen) == [*range(400), 1_000]
    assert [each for each in seen if each != 1_000] == list(range(400))
    assert all(effect.heard == [b"ok"] for effect in [*flood, quiet]), "each once"


async def test_those_who_wait_are_told_when_redis_is_lost():
    link = Link()
    burst, bursts = asking(link)
    effects = [Asked(number, "flood") for number in range(400)]
    with burst:
        for effect in effects:
            bursts.add(effect)
    link.is_down = True
    waiting, link.sent = link.sent, []
    for waiter in waiting:
        waiter.set_exception(LinkDownError())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(effect.heard == [None] for effect in effects)
    link.is_down = False
    again = Asked(1, "flood")
    with burst:
        bursts.add(again)
    assert answer(burst, link) == [1]
    assert again.heard == [b"ok"]


async def test_those_who_wait_are_told_when_nobody_vouches_for_redis():
    link = Link()
    burst, bursts = asking(link)
    effects = [Asked(number, "flood") for number in range(400)]
    with burst:
        for effect in effects:
            bursts.add(effect)
    link.vouched = False
    while link.sent:
        answer(burst, link)
    assert [effect.heard for effect in effects] == [[b"ok"]] * MOST_ABROAD + [[None]] * (400 - MOST_ABROAD)

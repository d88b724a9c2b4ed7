"""Slots of a cluster move, and primaries die, under load: no limit is passed, and each event is there once."""

import asyncio
import contextlib
import time

import pytest

from clusters import cluster, id_of
from collectors import until
from faults.callers import Caller, Refusal, new_world, written
from faults.installations import Installation, sqlite
from faults.test_failover import accepted
from faults.test_sentinel import FEW, Load
from faults.test_strict import catalog
from servers import redis_binary
from tallygate.domain.history.counted import not_exactly_once, not_replayed, overshoot
from tallygate.domain.history.records import Event
from tallygate.storage.redis import keys
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.link import connecting
from tallygate.storage.redis.link.cluster import ClusterLink
from tallygate.storage.redis.link.link import LinkDownError
from thorough import THOROUGH

MOST, CALLERS, REST = FEW if THOROUGH else (300, 8, 0.02)
BACK_SECONDS = 5.0
SLOW_MACHINE = 6
"""Six nodes and the product share two busy cores here: so many times as long is no failure yet."""


class Moved:
    """A server on a cluster, an account that callers take from, and where that is at home."""

    def __init__(self, nodes, installation, application, caller):
        self.nodes, self.installation, self.application, self.caller = nodes, installation, application, caller
        self.load = Load(caller, CALLERS, REST)

    async def begin(self):
        await written(self.caller.override("acme", "api_calls", {"limit": MOST}))
        self.running = asyncio.ensure_future(self.load.run())
        await until(lambda: self.load.history.count("ok") > 20)
        (self.home,) = [number for number in range(8) if self.installation.holds(number, "acme")]
        self.tag = keys.epoch(self.home)

    async def answered(self):
        self.load.answered.clear()
        await until(self.load.answered.is_set)

    async def end(self, *, lost=()):
        """All is used up, counted and collected: what the history of the calls says of it."""
        await until(self.load.denied.is_set)
        self.load.stopping = True
        await self.running
        await until(lambda: self.installation.waiting() == 0)
        events = [
            Event(
                account=each.data.account_id,
                request_id=each.data.request_id,
                sequence=each.sequence,
                entry=(0, each.sequence),
                quantity=each.data.quantity,
            )
            for each in (await written(self.caller.events())).events
        ]
        used = (await written(self.caller.check("acme", "api_calls"))).used
        violations = not_exactly_once(self.load.history, events)
        lost = [each for each in violations if each.endswith("recorded []")]
        assert self.load.refusals <= {"UNAVAILABLE"}
        assert violations == lost, "each event once"
        assert len(not_replayed(self.load.history)) <= len(lost)
        assert used == len(events), "counters are what SQL holds"
        assert not overshoot(self.load.history, {"acme": MOST + len(lost)}), "past the limit by more than what was lost"
        return len(lost)


class ClusterInstallation(Installation):
    """Streams and records of a cluster, whichever node has them."""

    def holds(self, number, account):
        found = self.valkey.node_of(keys.epoch(number)).command("KEYS", f"tg:{{{number}}}:a:*:{account}")
        return bool(found)


@contextlib.asynccontextmanager
async def moved(nodes, tmp_path, key, durability="fast"):
    installation = ClusterInstallation(nodes, sqlite(tmp_path))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        assert not isinstance(await caller.apply(catalog(durability)), Refusal)
        there = Moved(nodes, installation, application, caller)
        await there.begin()
        yield there


@pytest.fixture(scope="module")
def nodes():
    with cluster(replicas=True) as found:
        yield found


@pytest.fixture(scope="module")
def redis_nodes():
    with cluster(replicas=True, binary=redis_binary()) as found:
        yield found


@pytest.fixture(scope="module")
def spare_nodes():
    """One of them has nothing yet."""
    with cluster(spare=True) as found:
        yield found


@pytest.fixture
def server(request):
    """The cluster of this test, emptied."""
    found = request.getfixturevalue(request.param)
    found.flush()
    return found


def move_key_by_key(nodes, slot, source, target):
    """As `valkey-cli --cluster reshard` does."""
    target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(source))
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(target))
    while found := source.command("CLUSTER", "GETKEYSINSLOT", slot, 50):
        source.command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *found)
        time.sleep(0.01)
    for node in (target, source, *(each for each in nodes.primaries if each not in {source, target})):
        node.command("CLUSTER", "SETSLOT", slot, "NODE", id_of(target))


def move_at_once(_, slot, source, target):
    """As Valkey 9 does by itself: the node that has it hands it over in one moment."""
    source.command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", id_of(target))


MOVES = [("nodes", move_at_once, True)]
MOVES_AT_LENGTH = [
    ("nodes", move_key_by_key, True),
    ("redis_nodes", move_key_by_key, True),  # only Valkey 9 moves slots by itself
    ("spare_nodes", move_at_once, True),
    ("nodes", move_at_once, False),
]


@pytest.mark.parametrize(
    ("server", "move", "follows"), MOVES + MOVES_AT_LENGTH if THOROUGH else MOVES, indirect=["server"]
)
async def test_a_partition_moves_to_another_node_under_load(server, move, follows, tmp_path, key, request, monkeypatch):
    is_seamless = move is move_at_once and "spare_nodes" not in request.fixturenames
    if not follows:
        monkeypatch.setattr(ClusterLink, "redirected", unfollowed)
    async with moved(server, tmp_path, key) as there:
        source = server.node_of(there.tag)
        target = next(each for each in reversed(server.primaries) if each is not source and each.alive)
        slot = source.command("CLUSTER", "KEYSLOT", there.tag)
        await asyncio.to_thread(move, server, slot, source, target)
        await until(lambda: all(server.node_of(there.tag, each) is target for each in server.primaries))
        await there.answered()
        assert await there.end() == 0, "nothing is lost by a move"
        if is_seamless:  # who is told where a partition is now asks there
            assert there.load.refusals == (set() if follows else {"UNAVAILABLE"})


def unfollowed(*_):
    raise LinkDownError


KILLS = [("nodes", "strict"), ("nodes", "fast"), ("redis_nodes", "strict"), ("redis_nodes", "fast")]


@pytest.mark.parametrize(("server", "durability"), KILLS if THOROUGH else KILLS[:1], indirect=["server"])
async def test_a_primary_that_is_killed_under_load_is_followed(server, durability, tmp_path, key):
    async with moved(server, tmp_path, key, durability) as there:
        server.impatient()
        try:
            await killed(there, server, durability)
        finally:
            server.calm()


async def killed(there, nodes, durability):
    old = nodes.node_of(there.tag)
    at = time.monotonic()
    await asyncio.to_thread(old.kill)
    await until(lambda: nodes.node_of(there.tag) is not old)
    promoted = time.monotonic()
    await asyncio.to_thread(old.start)  # a strict feature needs a replica: the old primary, as soon as it is back
    await there.answered()
    back = time.monotonic()
    lost = await there.end()
    print(  # noqa: T201 - the bound, measured
        f"{durability}: promoted after {promoted - at:.1f} s, back {back - promoted:.2f} s later; "
        f"{lost} of {there.load.history.count('ok')} admitted were not replicated and are lost"
    )
    assert durability == "fast" or not lost, "what was answered was replicated"
    assert back - promoted < BACK_SECONDS * SLOW_MACHINE
    assert not isinstance(await there.caller.check("acme", "sso"), Refusal)


@pytest.mark.skipif(not THOROUGH, reason="four more failovers: make faults")
@pytest.mark.parametrize("server", ["nodes", "redis_nodes"], indirect=True)
@pytest.mark.parametrize("looked_at", [True, False])
async def test_a_replica_that_lagged_is_rebuilt_before_anybody_counts_on_it(
    looked_at, server, tmp_path, key, monkeypatch
):
    """What it never heard of was in SQL before its primary died, so none of it is lost."""
    installation = ClusterInstallation(server, sqlite(tmp_path))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        assert (await written(caller.consume("acme", 100, request_id="early"))).allowed
        await until(lambda: installation.waiting() == 0)
        tag = keys.epoch(next(number for number in range(8) if installation.holds(number, "acme")))
        old = server.node_of(tag)
        await until(lambda: b"state=online" in old.command("INFO", "replication"))
        old.command("CONFIG", "SET", "requirepass", "who was connected stays so")
        old.password = "who was connected stays so"
        old.command("CLIENT", "KILL", "TYPE", "replica")
        assert (await written(caller.consume("acme", 800, request_id="late"))).allowed
        await until(lambda: installation.waiting() == 0)
        if not looked_at:
            monkeypatch.setattr(connecting, "is_vouched_for", true)
            monkeypatch.setattr(RedisEpochs, "look", nothing)
        server.impatient()
        await asyncio.to_thread(old.kill)
        old.password = None
        await until(lambda: server.node_of(tag) is not old)
        answer = await accepted(lambda: caller.consume("acme", 200, request_id="after"))
        assert answer.allowed is not looked_at
        await asyncio.to_thread(old.start)
        server.calm()


async def true(*_):
    return True


async def nothing(*_, **__):
    return None

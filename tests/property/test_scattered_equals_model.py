"""Calls whose gates have several homes, taken home by home: each is all or none, as the specification says."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from links import linked
from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
from tallygate.storage.memory import MemoryGates
from tallygate.storage.redis import keys, scattered
from tallygate.storage.redis.gates import GateOptions, RedisGates
from thorough import some

SECOND = 1_000_000
HOUR = 3_600 * SECOND
START = 1_930_910_400 * SECOND + 20 * 60 * SECOND
PARTITIONS = 4
SHARED = ("s0", "s1", "s2", "s3")
STEPS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sets(st.sampled_from(SHARED)),
        st.integers(0, 3),
        st.sampled_from(["", "new", "again"]),
        st.sampled_from([0, 0, 1, 20 * SECOND]),
    ),
    max_size=20,
)


@pytest.fixture(scope="module")
def server():
    with ValkeyServer() as running:
        yield running


def gate(name, owner, limit, cost, algorithm):
    rate = RateLimit(limit=limit, window=60 * SECOND)
    return RateGate(limit_key=name, owner=owner, descriptor=(), algorithm=algorithm, rate=rate, cost=cost)


def call(account, shared, cost, request_id, algorithm):
    gates = [gate("own", LimitOwner.ACCOUNT, 3, cost, algorithm)]
    gates += [gate(name, LimitOwner.TENANT, 4, cost, algorithm) for name in sorted(shared)]
    items = []
    for each in gates:
        effect = {"tenant_id": "t", "account_id": account, "gate_key": each.limit_key}
        known = bool(request_id and cost)
        owner = account if each.owner is LimitOwner.ACCOUNT else ""
        items.append(
            Identified(
                gate=each,
                state_key=f"{owner}:{each.limit_key}",
                digest=effect_digest(**effect, request_id=request_id) if known else b"",
                payload_hash=payload_hash(quantity=cost, mode="RATE", dimensions={}) if known else b"",
            )
        )
    return AdmitCall(
        tenant_id="t",
        account_id=account,
        catalog_version=1,
        account_version=1,
        gates=tuple(items),
        peek=not cost,
    )


async def drive(server, algorithm, steps):
    async with linked(server) as link:
        await link.call("FLUSHALL")
        for number in range(PARTITIONS):
            await link.call("MSET", keys.epoch(number), "e1", keys.catalog_version(number, "t"), 1)
        for account in "ab":
            home = keys.partition_of(PARTITIONS, "t", account)
            await link.call("HSET", keys.account(home, "t", account), "v", 1)
        now = START
        await set_time(link, now)
        gates = RedisGates(link, GateOptions(partitions=PARTITIONS, replay_window=HOUR), lambda: now, script=timed())
        gates.cluster = link  # one server takes home by home what several would
        model = MemoryGates(lambda: now, replay_window=HOUR)
        last = None
        for number, (account, shared, cost, identity, advance) in enumerate(steps):
            now += advance
            await set_time(link, now)
            asked = call(account, shared, cost, f"r{number}" if identity else "", algorithm)
            if identity == "again" and last is not None:
                asked = last
            last = asked
            assert await ask_once(gates, asked) == await model.admit(asked), asked


@pytest.mark.parametrize("algorithm", [Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
@settings(max_examples=some(200))
@given(steps=STEPS)
@example(steps=[("a", {"s0", "s1"}, 3, "new", 0), ("a", {"s0", "s1"}, 1, "new", 0), ("b", {"s0", "s1"}, 1, "", 0)])
def test_all_or_none_is_taken_of_several_homes(server, algorithm, steps):
    asyncio.run(drive(server, algorithm, steps))


def test_without_giving_back_they_differ(server, monkeypatch):
    monkeypatch.setattr(scattered.HandBack, "give", lambda *arguments: arguments[-1]())
    steps = [("a", set(SHARED), 3, "", 0), ("a", set(SHARED), 1, "", 0)]
    with pytest.raises(AssertionError):
        asyncio.run(drive(server, Algorithm.FIXED_WINDOW, steps))

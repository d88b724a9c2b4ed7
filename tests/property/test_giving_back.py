"""Limits that are given back: script and specification agree, whatever is taken, given back and waited in between."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from links import linked
from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall, Asked
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.giving_back import given_back
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.rate_limit import RateGate, step
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
from tallygate.storage.redis import keys
from tallygate.storage.redis.gates import HAND_BACK, GateOptions, RedisGates
from tallygate.storage.redis.scattered import HandBack, Part
from thorough import some

SECOND = 1_000_000
HOUR = 3_600 * SECOND
START = 1_930_910_400 * SECOND + 20 * 60 * SECOND
WINDOW = 60 * SECOND
TAKE, GIVE = "take", "give"
WAITS = [0, 1, 700_000, 20 * SECOND, WINDOW]
OPS = st.lists(st.tuples(st.sampled_from([TAKE, TAKE, GIVE]), st.integers(1, 4), st.sampled_from(WAITS)), max_size=25)


@pytest.fixture(scope="module")
def server():
    with ValkeyServer() as running:
        yield running


class Store:
    """One limit in Redis, and what the specification says of it."""

    def __init__(self, link, algorithm, limit):
        self.link, self.now, self.state, self.number = link, START, None, 0
        rate = RateLimit(limit=limit, window=WINDOW)
        self.gate = RateGate(
            limit_key="l", owner=LimitOwner.TENANT, descriptor=(), algorithm=algorithm, rate=rate, cost=1
        )
        options = GateOptions(partitions=1, replay_window=HOUR)
        self.gates = RedisGates(link, options, lambda: self.now, script=timed())
        self.back = HandBack(link, HAND_BACK, lambda: self.now, replay_window=HOUR)
        self.taken = []

    def call(self, cost, request_id):
        effect = {"tenant_id": "t", "account_id": "a", "gate_key": "l"}
        item = Identified(
            gate=self.of(cost),
            state_key="",
            digest=effect_digest(**effect, request_id=request_id) if request_id else b"",
            payload_hash=payload_hash(quantity=cost, mode="RATE", dimensions={}) if request_id else b"",
        )
        return AdmitCall(tenant_id="t", account_id="", catalog_version=1, account_version=0, gates=(item,))

    def of(self, cost):
        return replace(self.gate, cost=cost)

    async def take(self, cost):
        self.number += 1
        call = self.call(cost, f"r{self.number}" if self.number % 2 else "")
        (answer,) = (await ask_once(self.gates, call)).answers
        expected, state = step(self.of(cost), self.state, now=self.now)
        assert answer == expected
        if answer.allowed:
            self.state = state
            self.taken.append((call, answer))

    async def give(self):
        if not self.taken:
            return
        call, answer = self.taken.pop()
        part = Part(
            partition=0,
            places=[0],
            call=call,
            program=None,
            looking=None,
            states=[keys.rate_limit(0, "t", "", "l", ())],
        )
        for _ in range(2 if call.gates[0].digest else 1):  # under an identity, the second time is none
            done = asyncio.Event()
            self.back.give(part, [Asked.of(call.gates[0])], [answer], done.set)
            await done.wait()
        self.state = given_back(self.state, cost=call.gates[0].gate.cost, taken=answer.decided_time)


async def drive(server, algorithm, limit, ops):
    async with linked(server) as link:
        await link.call("FLUSHALL")
        await link.call("MSET", keys.epoch(0), "e1", keys.catalog_version(0, "t"), 1)
        await set_time(link, START)
        store = Store(link, algorithm, limit)
        for op, cost, advance in ops:
            store.now += advance
            await set_time(link, store.now)
            await (store.take(cost) if op == TAKE else store.give())
        await store.take(1)


@pytest.mark.parametrize("algorithm", [Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
@settings(max_examples=some(150))
@given(limit=st.sampled_from([5, 1_200]), ops=OPS)
@example(limit=5, ops=[(TAKE, 4, 0), (TAKE, 1, 20 * SECOND), (GIVE, 1, 0), (GIVE, 1, 0), (TAKE, 4, 0)])
@example(limit=5, ops=[(TAKE, 4, 0), (GIVE, 1, WINDOW), (TAKE, 4, 0), (TAKE, 1, 0)])
def test_what_is_given_back_is_there_again_and_no_more(server, algorithm, limit, ops):
    asyncio.run(drive(server, algorithm, limit, ops))

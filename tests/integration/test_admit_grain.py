"""Time in a partition, and its stream's bound: looked after once a grain, and yet neither is ever lost."""

from dataclasses import replace

import msgpack
import pytest
import pytest_asyncio

from links import linked
from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall, EffectContext
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.admit import MAX_CLOCK_SKEW, Identified
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.quota import QuotaGate, Segment
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
from tallygate.storage.redis import keys
from tallygate.storage.redis.gates import ADMIT, GateOptions, RedisGates

SECOND = 1_000_000
GRAIN = SECOND // 10
BOUND = 5
START = 1_930_910_400 * SECOND + 123_456
ALWAYS = Segment(
    start=0, end=2**53, period_start=0, period_end=2**53, previous_start=0, keep_until=2**53, limit=None, plan_key="p"
)


class Rig:
    """One partition of a real server."""

    def __init__(self, link) -> None:
        self.link = link
        self.now = START
        self.gates = RedisGates(link, GateOptions(partitions=1, stream_max=BOUND), lambda: self.now, script=timed())

    async def open(self) -> None:
        await self.link.call("FLUSHALL")
        await self.link.call("MSET", keys.epoch(0), "e1", keys.catalog_version(0, "t"), 1)
        await self.link.call("HSET", keys.account(0, "t", "a"), "v", 1)
        await set_time(self.link, self.now)
        await ask_once(self.gates, _call(peek=True))  # learns the epoch

    async def consume(self, request: str) -> tuple[bool, int]:
        """Whether it was taken, and when."""
        gate = QuotaGate(feature_key="calls", quantity=1, segments=(ALWAYS,))
        digest = effect_digest(tenant_id="t", account_id="a", gate_key="calls", request_id=request)
        hashed = payload_hash(quantity=1, mode="ALL_OR_NOTHING", dimensions={})
        reply = await ask_once(
            self.gates, _call(Identified(gate=gate, state_key="", digest=digest, payload_hash=hashed))
        )
        return bool(reply.answers) and reply.answers[0].allowed, reply.now

    async def limit(self, gate: RateGate) -> tuple[bool, int]:
        """Whether it was allowed, and when."""
        reply = await ask_once(self.gates, _call(Identified(gate=gate, state_key="")))
        return reply.answers[0].allowed, reply.now

    async def clock(self) -> int:
        return int(await self.link.call("GET", keys.clock(0)) or 0)

    async def events(self) -> int:
        return await self.link.call("XLEN", keys.stream(0))


def _call(*gates: Identified, peek: bool = False) -> AdmitCall:
    return AdmitCall(
        tenant_id="t",
        account_id="a",
        catalog_version=1,
        account_version=1,
        gates=gates,
        context=EffectContext(),
        peek=peek,
    )


def fixed(limit: int) -> RateGate:
    rate = RateLimit(limit=limit, window=3_600 * SECOND)
    return RateGate(
        limit_key="l", owner=LimitOwner.ACCOUNT, descriptor=(), algorithm=Algorithm.FIXED_WINDOW, rate=rate, cost=1
    )


@pytest.fixture(scope="module")
def server():
    with ValkeyServer() as server:
        yield server


@pytest_asyncio.fixture
async def rig(server):
    async with linked(server) as link:
        rig = Rig(link)
        await rig.open()
        yield rig


async def test_no_call_decides_before_the_grain_in_which_another_has_decided(rig):
    _, now = await rig.consume("r0")
    assert await rig.clock() == now - now % GRAIN + 1
    await rig.link.call("DEL", keys.clock(0))
    _, now = await rig.limit(fixed(10))
    assert await rig.clock() == now - now % GRAIN


async def test_a_server_whose_clock_is_behind_decides_at_the_last_instant_that_it_knows_of(rig):
    _, now = await rig.consume("r0")
    ahead = now + 29 * SECOND
    await rig.link.call("SET", keys.clock(0), ahead)
    assert await rig.consume("r1") == (True, ahead)
    assert await rig.limit(fixed(10)) == (True, ahead)
    assert await rig.clock() in {ahead, ahead - ahead % GRAIN + 1}


async def test_a_full_stream_is_found_by_each_consume_until_it_is_emptied(rig):
    for number in range(BOUND):
        await rig.link.call("XADD", keys.stream(0), "*", "n", number)
    assert [(await rig.consume(f"r{number}"))[0] for number in range(20)] == [False] * 20
    assert await rig.events() == BOUND
    await rig.link.call("DEL", keys.stream(0))
    assert (await rig.consume("r0"))[0]


async def test_calls_that_write_no_event_do_not_look_in_place_of_those_that_do(rig):
    for number in range(BOUND):
        await rig.link.call("XADD", keys.stream(0), "*", "n", number)
    for number in range(20):
        assert (await rig.limit(fixed(1_000)))[0]
        assert not (await rig.consume(f"r{number}"))[0]


async def test_a_full_stream_is_found_although_the_clock_is_behind(rig):
    _, now = await rig.consume("r0")
    ahead = now + 20 * SECOND
    await rig.link.call("SET", keys.clock(0), ahead - ahead % GRAIN + 1)
    taken = [(await rig.consume(f"r{number}"))[0] for number in range(1, 10)]
    assert taken == [True] * (BOUND - 1) + [False] * (10 - BOUND)


async def test_a_window_that_began_after_now_goes_on_and_is_not_opened_again(rig):
    gate = replace(fixed(2), rate=RateLimit(limit=2, window=10 * SECOND))
    _, now = await rig.limit(gate)
    began = now - now % gate.rate.window + gate.rate.window
    key = keys.rate_limit(0, "t", "a", "l", ())
    await rig.link.call("SET", key, msgpack.packb(began) + msgpack.packb(1))
    assert [(await rig.limit(gate))[0] for _ in range(3)] == [True, False, False]
    assert not (await rig.limit(replace(gate, cost=2)))[0]


@pytest.mark.parametrize("jump", [31, -31, 40 * 24 * 3600])
async def test_a_time_that_the_caller_does_not_share_decides_nothing_and_moves_nothing(rig, jump):
    await rig.consume("r0")
    clock, events = await rig.clock(), await rig.events()
    await set_time(rig.link, rig.now + jump * SECOND)
    for refused in (rig.consume("r1"), rig.limit(fixed(10))):
        with pytest.raises(StoreUnavailableError, match="clock_skew"):
            await refused
    assert (await rig.clock(), await rig.events()) == (clock, events)
    await set_time(rig.link, rig.now)
    assert await rig.consume("r1") == (True, rig.now)


async def test_a_kept_time_that_neither_clock_shares_is_kept_no_longer(rig):
    await rig.link.call("SET", keys.clock(0), rig.now + 40 * 24 * 3600 * SECOND)
    assert await rig.consume("r0") == (True, rig.now)
    assert await rig.clock() == rig.now - rig.now % GRAIN + 1
    await rig.link.call("SET", keys.clock(0), rig.now + 31 * SECOND)
    assert await rig.limit(fixed(10)) == (True, rig.now)
    assert await rig.clock() == rig.now - rig.now % GRAIN


def test_the_script_believes_as_much_as_the_domain_says():
    assert f"local SKEW = {MAX_CLOCK_SKEW}\n" in ADMIT.body.decode()

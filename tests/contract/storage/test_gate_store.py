"""What every gate store promises: one suite over memory and over real Valkey."""

import asyncio
from dataclasses import replace

import pytest
import pytest_asyncio

from links import linked
from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall, EffectContext
from tallygate.domain.account import AccountRecord, Grant
from tallygate.domain.catalog import Catalog, CatalogSnapshot
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.quota import Mode, QuotaGate, ResetGate, Segment
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
from tallygate.domain.tenant_clock import TenantClock
from tallygate.storage.memory import MemoryGates, MemoryViews
from tallygate.storage.redis import keys
from tallygate.storage.redis.gates import GateOptions, RedisGates

SECOND = 1_000_000
HOUR = 3_600 * SECOND
WINDOW = HOUR
START = 1_930_910_400 * SECOND + 20 * 60 * SECOND


class MemoryStore:
    def __init__(self) -> None:
        self._now = START
        self._views = MemoryViews()
        self._gates = MemoryGates(lambda: self._now, views=self._views, replay_window=WINDOW)

    async def open(self, *, catalog: int, account: int) -> None:
        self._views.publish(CatalogSnapshot(tenant_id="t", version=catalog, catalog=Catalog()))
        self._views.publish(AccountRecord(tenant_id="t", account_id="a", version=account, create_time=0))

    async def now(self) -> int:
        return self._now

    async def wait(self, duration: int) -> None:
        self._now += duration

    async def admit(self, call):
        return await self._gates.admit(call)

    async def fact_count(self) -> int:
        return len(self._gates.facts)


class RedisStore:
    def __init__(self, link) -> None:
        self._link = link
        self._now = START
        self._gates = RedisGates(
            link, GateOptions(partitions=1, replay_window=WINDOW), lambda: self._now, script=timed()
        )

    async def open(self, *, catalog: int, account: int) -> None:
        await self._link.call("MSET", keys.epoch(0), "e1", keys.catalog_version(0, "t"), catalog)
        await self._link.call("HSET", keys.account(0, "t", "a"), "v", account)
        await set_time(self._link, self._now)

    async def now(self) -> int:
        return self._now

    async def wait(self, duration: int) -> None:
        self._now += duration
        await set_time(self._link, self._now)

    async def admit(self, call):
        return await ask_once(self._gates, call)

    async def fact_count(self) -> int:
        return await self._link.call("XLEN", keys.stream(0))


@pytest.fixture(scope="module")
def valkey():
    with ValkeyServer() as server:
        yield server


@pytest_asyncio.fixture(params=["memory", "valkey"])
async def store(request, valkey):
    if request.param == "memory":
        store = MemoryStore()
        await store.open(catalog=1, account=1)
        yield store
        return
    async with linked(valkey) as link:
        await link.call("FLUSHALL")
        store = RedisStore(link)
        await store.open(catalog=1, account=1)
        yield store


async def quota(store, quantity, *, limit=10, feature="calls", **changes):
    start = (await store.now()) // HOUR * HOUR - HOUR
    segment = Segment(
        start=start,
        end=start + 400 * HOUR,
        period_start=start,
        period_end=start + 400 * HOUR,
        previous_start=start - HOUR,
        keep_until=start + 800 * HOUR,
        limit=limit,
    )
    return QuotaGate(feature_key=feature, quantity=quantity, segments=(segment,), **changes)


def rate(cost=1, limit=2):
    return RateGate(
        limit_key="l",
        owner=LimitOwner.ACCOUNT,
        descriptor=(),
        algorithm=Algorithm.FIXED_WINDOW,
        rate=RateLimit(limit=limit, window=1_000 * HOUR),
        cost=cost,
    )


def call(*gates, request="", peek=False, **changes):
    items = []
    for gate in gates:
        key = gate.limit_key if isinstance(gate, RateGate) else gate.feature_key
        asked = gate.cost if isinstance(gate, RateGate) else getattr(gate, "quantity", 0)
        digest = effect_digest(tenant_id="t", account_id="a", gate_key=key, request_id=request) if request else b""
        hashed = payload_hash(quantity=asked or 0, mode="M", dimensions={})
        items.append(Identified(gate=gate, state_key="", digest=digest, payload_hash=hashed))
    made = AdmitCall(
        tenant_id="t",
        account_id="a",
        catalog_version=1,
        account_version=1,
        gates=tuple(items),
        context=EffectContext(request_id=request),
        peek=peek,
    )
    return replace(made, **changes)


async def test_all_gates_are_taken_or_none(store):
    both = call(await quota(store, 6), rate())

    first, second = await store.admit(both), await store.admit(both)
    after = await store.admit(call(await quota(store, None), rate(cost=0), peek=True))

    assert [answer.allowed for answer in first.answers] == [True, True]
    assert [answer.allowed for answer in second.answers] == [False, True]
    assert second.answers[1].remaining == 1
    assert (after.answers[0].used, after.answers[1].remaining) == (6, 1)
    assert await store.fact_count() == 1


async def test_a_peek_takes_nothing_and_remembers_nothing(store):
    asked = call(await quota(store, 6), request="r", peek=True)

    first, second = await store.admit(asked), await store.admit(asked)

    assert (first.answers[0].allowed, first.answers[0].used, first.answers[0].granted) == (True, 0, 0)
    assert not second.answers[0].replayed
    assert await store.fact_count() == 0


async def test_an_admitted_effect_is_replayed_and_a_denied_one_is_not(store):
    take = call(await quota(store, 6), request="one")
    more = call(await quota(store, 6), request="two")

    first, again, denied, anew = [await store.admit(asked) for asked in (take, take, more, more)]

    assert again.answers[0] == replace(first.answers[0], replayed=True)
    assert [denied.answers[0].replayed, anew.answers[0].replayed] == [False, False]
    assert (await store.admit(call(await quota(store, 5), request="one"))).status is AdmitStatus.REQUEST_ID_REUSED
    assert await store.fact_count() == 1


@pytest.mark.parametrize("hours", [0.9, 2.5])
async def test_effects_are_remembered_for_at_least_the_replay_window(store, hours):
    take = call(await quota(store, 1), request="r")
    await store.admit(take)

    await store.wait(int(hours * HOUR))
    later = await store.admit(take)

    assert later.answers[0].replayed == (hours < 1)


async def test_a_test_tenant_s_clock_may_stand_in_the_past_while_others_go_on(store):
    stands = TenantClock(standing=await store.now() - 30 * HOUR)
    gate = await quota(store, 1)
    segment, start = gate.segments[0], stands.standing - HOUR
    then = {"start": start, "period_start": start, "previous_start": start - HOUR}
    old = replace(gate, segments=(replace(segment, end=segment.start, period_end=segment.start, **then),))

    first = await store.admit(call(old, request="r1", clock=stands))
    await store.wait(3 * HOUR)  # of real time
    second = await store.admit(call(old, request="r2", clock=stands))
    running = await store.admit(call(await quota(store, 1), request="r3"))

    assert (first.now, second.now) == (stands.standing, stands.standing)
    assert [reply.answers[0].used for reply in (first, second)] == [1, 2]
    assert running.now > stands.standing
    assert running.answers[0].used == 1


async def test_a_test_tenant_s_clock_takes_nobody_s_replays_away(store):
    take = call(await quota(store, 1), request="r")
    await store.admit(take)

    for hours in (1.5, 3, 300):
        await store.admit(
            call(await quota(store, 1), request=f"of the other {hours}", clock=TenantClock(offset=int(hours * HOUR)))
        )

    assert (await store.admit(take)).answers[0].replayed


@pytest.mark.parametrize("stale", [{"catalog_version": 2}, {"account_version": 0}])
async def test_other_versions_than_the_store_s_take_nothing(store, stale):
    reply = await store.admit(call(await quota(store, 1), **stale))

    assert (reply.status, reply.answers) == (AdmitStatus.STALE_VIEW, ())
    assert await store.fact_count() == 0


async def test_instants_outside_of_the_slots_are_not_guessed(store):
    gate = await quota(store, 1)
    now = await store.now()

    missed = await store.admit(call(gate, clock=TenantClock(offset=1_000 * HOUR)))
    early = await store.admit(call(replace(gate, occurred_time=now - 100 * HOUR)))
    ahead = await store.admit(call(replace(gate, occurred_time=now + HOUR)))
    looked = await store.admit(call(replace(gate, quantity=None, occurred_time=now + HOUR), peek=True))

    assert missed.status is AdmitStatus.SEGMENTS_MISSED
    assert (early.status, ahead.status) == (AdmitStatus.OCCURRED_OUT_OF_RANGE, AdmitStatus.OCCURRED_OUT_OF_RANGE)
    assert looked.answers[0].remaining == 10


async def test_a_counter_never_leaves_the_exact_integers(store):
    await store.admit(call(await quota(store, 5, limit=None)))

    reply = await store.admit(call(await quota(store, 2**53 - 1, limit=None)))

    assert reply.status is AdmitStatus.COUNTER_OVERFLOW
    assert (await store.admit(call(await quota(store, 2**53 - 6, limit=None)))).answers[0].used == 2**53 - 1


async def test_pots_are_burnt_and_repaid_in_order_and_say_what_is_left(store):
    grants = tuple(
        Grant(
            grant_id=key,
            feature_key="calls",
            amount=5,
            priority=0,
            effective_time=0,
            expire_time=None,
            create_time=0,
        )
        for key in ("g1", "g2")
    )

    taken = await store.admit(call(await quota(store, 17, grants=grants)))
    denied = await store.admit(call(await quota(store, 4, grants=grants)))
    given = await store.admit(call(await quota(store, -8, grants=grants)))

    included, g1, g2 = (PotKind.INCLUDED, ""), (PotKind.GRANT, "g1"), (PotKind.GRANT, "g2")

    def pots(*found):
        return tuple(Pot(kind=kind, grant_id=grant, quantity=quantity) for (kind, grant), quantity in found)

    assert taken.answers[0].pots == pots((included, 10), (g1, 5), (g2, 2))
    assert denied.answers[0].reason is Reason.QUOTA_EXHAUSTED
    assert denied.answers[0].left == pots((included, 0), (g2, 3))
    assert given.answers[0].pots == pots((g2, -2), (g1, -5), (included, -1))


async def test_a_reset_opens_a_counter_and_keeps_the_old_one(store):
    before = await store.now()
    gate = await quota(store, 10)
    await store.admit(call(gate))

    opened = await store.admit(
        call(ResetGate(feature_key="calls", segments=gate.segments), request="x", clock=TenantClock(offset=10 * SECOND))
    )
    fresh = await store.admit(call(gate, clock=TenantClock(offset=20 * SECOND)))
    late = await store.admit(call(replace(gate, occurred_time=before), clock=TenantClock(offset=20 * SECOND)))

    assert opened.answers[0].period_start == opened.now
    assert (fresh.answers[0].used, fresh.answers[0].period_start) == (10, opened.now)
    assert (late.answers[0].allowed, late.answers[0].used) == (False, 10)


async def test_callers_at_once_never_overshoot(store):
    takes = [call(await quota(store, 3, limit=50, mode=Mode.BEST_EFFORT)) for _ in range(60)]

    replies = await asyncio.gather(*(store.admit(take) for take in takes))

    assert sum(reply.answers[0].granted for reply in replies) == 50
    assert await store.fact_count() == 17


async def test_two_features_and_two_limits_do_not_meet(store):
    await store.admit(call(await quota(store, 10), rate(cost=2)))

    other = replace(rate(), descriptor=(("ip", "1"),))
    reply = await store.admit(call(await quota(store, 10, feature="bytes"), other))

    assert all(answer.allowed for answer in reply.answers)

"""One real server and the specification, driven through the same history of calls; they must agree throughout."""

import asyncio
import itertools
from dataclasses import dataclass, replace

from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.plain import quota_answer, rate_answers
from tallygate.data_plane.ports import AdmitCall, AdmitReply, Answered, EffectContext, PlainStatus
from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation, Algorithm, LimitOwner, RateLimit
from tallygate.domain.event import FactSource
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.quota import Mode, QuotaGate, ResetGate, Slot
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.tenant_clock import TenantClock
from tallygate.storage.memory import MemoryGates
from tallygate.storage.memory import state_key as memory_key
from tallygate.storage.redis import gates as redis_gates
from tallygate.storage.redis import keys
from tallygate.storage.redis.fact_codec import read_entry
from tallygate.storage.redis.gates import GateOptions, RedisGates
from tallygate.storage.redis.link.link import RedisAddress, RedisLink

SECOND = 1_000_000
ORIGIN = 2_000_000_000 * SECOND
"""When each history begins: at an instant of its own, so that what it meets does not depend on when it runs."""
ANYWHERE = FactSource(partition=0, epoch="", entry_id="0-0")
PERIOD = 20 * SECOND
REPLAY_WINDOW = 30 * SECOND
FEATURES = {
    "calls": Aggregation.SUM,
    "bytes": Aggregation.MAX,
    "level": Aggregation.LATEST,
    "people": Aggregation.UNIQUE,
}
RATES = {
    "bucket": (
        Algorithm.TOKEN_BUCKET,
        [
            RateLimit(limit=4, window=SECOND),
            RateLimit(limit=7, window=SECOND, burst=9),
            RateLimit(limit=7, window=86_400 * SECOND, burst=1_000_000),  # so large that it counts in milliseconds
            RateLimit(limit=3, window=60 * SECOND),
            RateLimit(limit=0, window=SECOND, burst=5),
        ],
    ),
    "fixed": (Algorithm.FIXED_WINDOW, [RateLimit(limit=4, window=2 * SECOND), RateLimit(limit=2, window=3 * SECOND)]),
    "sliding": (Algorithm.SLIDING_WINDOW, [RateLimit(limit=4, window=2 * SECOND), RateLimit(limit=6, window=SECOND)]),
    "buckets": (
        Algorithm.SLIDING_WINDOW,
        [RateLimit(limit=1_500, window=6 * SECOND), RateLimit(limit=900, window=3 * SECOND)],
    ),
}


@dataclass(frozen=True)
class Quota:
    feature: str
    quantity: int | None
    mode: Mode
    occurred: int | None


@dataclass(frozen=True)
class Rate:
    name: str
    figure: int
    cost: int
    changed: int | None = None
    """How long ago its figures came into force; None if nobody knows."""
    keep: int = 0


@dataclass(frozen=True)
class Step:
    advance: int
    gates: tuple[Quota | Rate | str, ...]
    request: int | None
    peek: bool
    plain: bool = True
    """Whether it goes the short way, where that is open to it."""
    tested: bool = False
    """Whether it is a test clock that advances, not real time."""


class Rig:
    """One real server and its link, driven from synchronous tests."""

    def __init__(self) -> None:
        self.server = ValkeyServer().start()
        self.runner = asyncio.Runner()
        self.link = RedisLink(RedisAddress.parse(self.server.url), reply_seconds=5.0)
        self.accounts = itertools.count()
        self.runner.run(self.link.connect())

    def close(self) -> None:
        self.runner.run(self.link.close())
        self.runner.close()
        self.server.close()


def slots(base: int, world: dict) -> tuple[Slot, ...]:
    """Periods of 20 s around the base, each with the terms of the world; the third is cut in two phases."""
    found = []
    for index in range(-3, 12):
        terms = index % 5
        start = base + index * PERIOD
        cuts = [start, start + PERIOD // 3, start + PERIOD] if index == 0 else [start, start + PERIOD]
        for part, (begin, end) in enumerate(itertools.pairwise(cuts)):
            limit = world["limits"][(terms + part) % 5]
            standing, room = world["standing"][terms], world.get("room", [None] * 5)[terms]
            found.append(
                Slot(
                    start=begin,
                    end=end,
                    period_start=start,
                    period_end=start + PERIOD,
                    previous_start=start - PERIOD,
                    keep_until=start + 2 * PERIOD,
                    limit=0 if standing else limit,
                    overage=world["overage"][terms],
                    hard_limit=limit + room if room is not None and limit is not None and not standing else None,
                    standing=standing,
                    absent=world["absent"][terms] and limit == 0 and standing is None,
                    exclusive=world["exclusive"][terms],
                    plan_key=f"plan{terms}",
                    plan_version=terms,
                    subscription_id="sub",
                    trial=index == 1,
                )
            )
    return tuple(found)


def grants(base: int, world: dict) -> tuple[Grant, ...]:
    """The grants of the world, in their burn order."""
    found = [
        Grant(
            grant_id=f"g{i}",
            feature_key="",
            amount=amount,
            priority=priority,
            create_time=i,
            effective_time=base + effective * SECOND,
            expire_time=None if lasts is None else base + (effective + lasts) * SECOND,
        )
        for i, (amount, priority, effective, lasts) in enumerate(world["grants"])
    ]
    return tuple(sorted(found, key=Grant.burn_order))


Terms = tuple[tuple[Slot, ...], tuple[Grant, ...]]


def gate(asked: Quota | Rate | str, now: int, terms: Terms) -> tuple[QuotaGate | RateGate | ResetGate, bytes, str]:
    """The gate that is asked for, the hash of its payload, and its key."""
    match asked:
        case Quota():
            family, quantity = FEATURES[asked.feature], asked.quantity
            if quantity is not None and quantity < 0 and family not in {Aggregation.SUM, Aggregation.COUNT}:
                quantity = -quantity
            quota = QuotaGate(
                feature_key=asked.feature,
                quantity=quantity,
                slots=terms[0],
                grants=terms[1],
                mode=asked.mode,
                aggregation=family,
                occurred_time=None if asked.occurred is None else now + asked.occurred,
            )
            return quota, payload_hash(quantity=quantity or 0, mode=asked.mode, dimensions={}), asked.feature
        case Rate():
            algorithm, figures = RATES[asked.name]
            rate = RateGate(
                limit_key=asked.name,
                owner=LimitOwner.ACCOUNT,
                descriptor=(("ip", "1"),),
                algorithm=algorithm,
                rate=figures[asked.figure],
                cost=asked.cost,
                since=0 if asked.changed is None else now - asked.changed,
                keep=asked.keep,
            )
            return rate, payload_hash(quantity=asked.cost, mode="RATE", dimensions={}), asked.name
        case str():
            reset = ResetGate(feature_key=asked, slots=terms[0], aggregation=FEATURES[asked])
            return reset, payload_hash(quantity=0, mode="RESET", dimensions={}), asked


def call(step: Step, now: int, terms: Terms, account: str, offset: int) -> AdmitCall:
    """The call of one step."""
    items = []
    request = "" if step.request is None else f"r{step.request}"
    for asked in step.gates:
        made, hashed, key = gate(asked, now, terms)
        digest = b""
        looks = (isinstance(made, QuotaGate) and made.quantity is None) or (
            isinstance(made, RateGate) and made.cost == 0
        )
        if request and not looks:
            digest = effect_digest(tenant_id="t", account_id=account, gate_key=key, request_id=request)
        items.append(Identified(gate=made, state_key="", digest=digest, payload_hash=hashed))
    return AdmitCall(
        tenant_id="t",
        account_id=account,
        catalog_version=1,
        account_version=1,
        gates=tuple(items),
        context=EffectContext(request_id=request),
        clock=TenantClock(offset=offset),
        peek=step.peek,
    )


async def by_short_way(gates: RedisGates, asked: AdmitCall, now: int) -> AdmitReply | None:
    """The reply by the short way; None where the general way has to be gone."""
    gate = asked.gates[0].gate
    if isinstance(gate, QuotaGate):
        return await quota_by_short_way(gates, asked, gate, now)
    rates = None if asked.peek or isinstance(gate, ResetGate) else gates.rates(asked)
    if rates is None:
        return None
    told, answered = waiting()
    rates.take(answered)
    status, at, figures = await told
    if status is PlainStatus.UNDECIDED:
        return None
    return AdmitReply(status=AdmitStatus.DECIDED, now=at, answers=rate_answers(figures, asked.gates, at))


async def quota_by_short_way(gates: RedisGates, asked: AdmitCall, gate: QuotaGate, now: int) -> AdmitReply | None:
    """As `by_short_way`, of a quota."""
    index = next((i for i, slot in enumerate(gate.slots) if slot.start <= now < slot.end), 0)
    quota, quantity, item = gates.quota(asked, index), gate.quantity or 0, asked.gates[0]
    takes = not asked.peek and item.digest and quantity > 0 and gate.mode is Mode.ALL_OR_NOTHING
    if quota is None or not (takes or (asked.peek and quantity >= 0)):
        return None
    told, answered = waiting()
    if takes:
        quota.take(quantity, (item.digest, item.payload_hash), (asked.context.request_id, "", {}), answered)
    else:
        quota.look(answered)
    status, at, figures = await told
    if status is PlainStatus.UNDECIDED:
        return None
    answer = quota_answer(status, figures, gate.slots, index, quantity=quantity)
    return AdmitReply(status=AdmitStatus.DECIDED, now=at, answers=(answer,))


def waiting() -> tuple[asyncio.Future, Answered]:
    """What a plain call came to, and what is to be told it."""
    told: asyncio.Future = asyncio.get_running_loop().create_future()
    return told, lambda *answer: told.set_result(answer)


def run_history(rig: Rig, world: dict, history: list[Step]) -> None:
    """Drive script and specification through one history, at the script's own instants; they must agree throughout."""
    rig.runner.run(drive(rig, world, history))


async def drive(rig: Rig, world: dict, history: list[Step]) -> None:
    """As `run_history`, on the rig's loop."""
    account, clock = f"a{next(rig.accounts)}", [0]
    options = GateOptions(partitions=1, replay_window=REPLAY_WINDOW, stream_max=10**9)
    live = world.get("live", False)  # by Redis' own clock, by which it forgets
    script = redis_gates.ADMIT if live else timed(redis_gates.ADMIT)
    gates = RedisGates(rig.link, options, lambda: clock[0], script)
    model = MemoryGates(lambda: clock[0], replay_window=REPLAY_WINDOW)
    base = ORIGIN + world["phase"]
    terms = slots(base, world), grants(base, world)
    await fresh(rig.link, account)
    offset = world.get("offset", 0)
    now = base + 5 * SECOND
    if live:
        seconds, micros = await rig.link.call("TIME")
        offset = now - int(seconds) * SECOND - int(micros)
    clock[0] = now - offset
    await set_time(rig.link, clock[0])
    learns = Step(advance=0, gates=(), request=None, peek=True)  # the short way needs to know the partition's epoch
    await gates.admit(call(learns, now, terms, account, offset))
    for step in history:
        now += step.advance
        if step.tested or live:
            offset += step.advance
        elif step.advance:
            clock[0] += step.advance
            await set_time(rig.link, clock[0])
            await forget(rig.link, clock[0])
        asked = call(step, now, terms, account, offset)
        real = (await by_short_way(gates, asked, now) if step.plain else None) or await gates.admit(asked)
        clock[0] = real.now - offset
        expected = await model.admit(asked)
        assert real == expected, step
        for item in asked.gates:
            if isinstance(item.gate, RateGate):
                until = model.kept_until.get(memory_key(item, asked))
                expected_until = -2 if until is None else until // 1000
                assert await kept_until(rig.link, item.gate, account) == expected_until, step
    entries = await rig.link.call("XRANGE", keys.stream(0), "-", "+")
    facts = [read_entry(ANYWHERE, dict(zip(fields[::2], fields[1::2], strict=True))).fact for _, fields in entries]
    assert facts == [replace(fact, source=ANYWHERE) for fact in model.facts]


async def forget(link: RedisLink, now: int) -> None:
    """Forget the states of rate limits that Redis would have forgotten by now, if it had that time."""
    for key in await link.call("KEYS", "tg:{0}:l:*"):
        if await link.call("PEXPIRETIME", key) <= now // 1000:
            await link.call("DEL", key)


async def kept_until(link: RedisLink, gate: RateGate, account: str) -> int:
    """When Redis forgets the state of a rate limit, in milliseconds; -2 where there is none."""
    return await link.call("PEXPIRETIME", keys.rate_limit(0, "t", account, gate.limit_key, gate.descriptor))


async def fresh(link: RedisLink, account: str) -> None:
    """Empty the server but for what a call finds published."""
    link.call("FLUSHALL")
    link.call("MSET", keys.epoch(0), "e1", keys.catalog_version(0, "t"), 1)
    await link.call("HSET", keys.account(0, "t", account), "v", 1)

"""One real server and the specification, driven through the same history of calls; they must agree throughout."""

import asyncio
import itertools
from dataclasses import dataclass, replace

from script_time import set_time, timed
from servers import ValkeyServer
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall, EffectContext
from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation
from tallygate.domain.event import FactSource
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.quota import Mode, QuotaGate, ResetGate, Segment
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit
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
TENANTS = ("t", "u")
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
    together: bool = False
    """Whether it leaves in one burst with the one before, at whose instant it is then."""
    who: int = 0
    """Which tenant's account asks."""
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


def segments(base: int, world: dict) -> tuple[Segment, ...]:
    """Periods of 20 s around the base, each with the terms of the world; that at the base is cut in two phases.

    A trial in the period after it, or where the world says so at the start of one, is a period of its own.
    """
    found = []
    for index in range(-3, 12):
        terms = index % 5
        start = base + index * PERIOD
        cuts = [start, start + PERIOD // 3, start + PERIOD] if index == 0 else [start, start + PERIOD]
        trial = (start + PERIOD // 4, start + PERIOD // 2) if index == 1 else None
        if index == world.get("apart"):
            trial = start, start + PERIOD // 3
        cuts = sorted({*cuts, *(trial or ())})
        for part, (begin, end) in enumerate(itertools.pairwise(cuts)):
            own = trial is not None and trial[0] <= begin < trial[1]
            period = trial if own else (start, start + PERIOD)
            limit = world["limits"][(terms + part) % 5]
            denial, room = world["denial"][terms], world.get("room", [None] * 5)[terms]
            found.append(
                Segment(
                    start=begin,
                    end=end,
                    period_start=period[0],
                    period_end=period[1],
                    previous_start=start - PERIOD,
                    keep_until=start + 2 * PERIOD,
                    limit=0 if denial else limit,
                    overage=world["overage"][terms],
                    hard_limit=limit + room if room is not None and limit is not None and not denial else None,
                    denial=denial,
                    absent=world["absent"][terms] and limit == 0 and denial is None,
                    exclusive=world["exclusive"][terms],
                    plan_key=f"plan{terms}",
                    plan_version=terms,
                    subscription_id="sub",
                    trial=own,
                    own=own,
                    apart=own and begin == start,
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


Terms = tuple[tuple[Segment, ...], tuple[Grant, ...]]


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
                segments=terms[0],
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
            reset = ResetGate(feature_key=asked, segments=terms[0], aggregation=FEATURES[asked])
            return reset, payload_hash(quantity=0, mode="RESET", dimensions={}), asked


def call(step: Step, now: int, terms: Terms, account: str, offset: int) -> AdmitCall:
    """The call of one step."""
    tenant = TENANTS[step.who]
    items = []
    request = "" if step.request is None else f"r{step.request}"
    for asked in step.gates:
        made, hashed, key = gate(asked, now, terms)
        digest = b""
        looks = (isinstance(made, QuotaGate) and made.quantity is None) or (
            isinstance(made, RateGate) and made.cost == 0
        )
        if request and not looks:
            digest = effect_digest(tenant_id=tenant, account_id=account, gate_key=key, request_id=request)
        items.append(Identified(gate=made, state_key="", digest=digest, payload_hash=hashed))
    return AdmitCall(
        tenant_id=tenant,
        account_id=account,
        catalog_version=1 + step.who,
        account_version=1 + step.who,
        gates=tuple(items),
        context=EffectContext(request_id=request),
        clock=TenantClock(offset=offset),
        peek=step.peek,
    )


def run_history(rig: Rig, world: dict, history: list[Step]) -> None:
    """Drive script and specification through one history, at the script's own instants; they must agree throughout."""
    rig.runner.run(drive(rig, world, history))


async def drive(rig: Rig, world: dict, history: list[Step]) -> None:
    """As `run_history`, on the rig's loop."""
    account, clock = f"a{next(rig.accounts)}", [0]
    options = GateOptions(partitions=1, replay_window=REPLAY_WINDOW, stream_max=10**9)
    live = world.get("live", False)  # by Redis' own clock, by which it forgets
    script = redis_gates.ADMIT if live else timed(redis_gates.ADMIT)
    gates = RedisGates(rig.link, options, lambda: clock[0], script=script)
    model = MemoryGates(lambda: clock[0], replay_window=REPLAY_WINDOW)
    base = ORIGIN + world["phase"]
    terms = segments(base, world), grants(base, world)
    await fresh(rig.link, account)
    offset = world.get("offset", 0)
    now = base + 5 * SECOND
    if live:
        seconds, micros = await rig.link.call("TIME")
        offset = now - int(seconds) * SECOND - int(micros)
    clock[0] = now - offset
    await set_time(rig.link, clock[0])
    for burst in bursts(history):
        advance = burst[0].advance
        now += advance
        if burst[0].tested or live:
            offset += advance
        elif advance:
            clock[0] += advance
            await set_time(rig.link, clock[0])
            await forget(rig.link, clock[0])
        asked = [call(step, now, terms, account, offset) for step in burst]
        replies = await asyncio.gather(*(ask_once(gates, one) for one in asked))
        for step, one, real in sorted(zip(burst, asked, replies, strict=True), key=lambda found: found[0].who):
            clock[0] = real.now - offset
            expected = await model.admit(one)
            assert real == expected, step
        await compare_kept(rig.link, model, asked)
    entries = await rig.link.call("XRANGE", keys.stream(0), "-", "+")
    found = [read_entry(ANYWHERE, dict(zip(fields[::2], fields[1::2], strict=True))).fact for _, fields in entries]
    assert found == [replace(fact, source=ANYWHERE) for fact in model.facts]


def bursts(history: list[Step]) -> list[list[Step]]:
    """The steps that leave together; those of one tenant come first in the script."""
    found: list[list[Step]] = []
    for step in history:
        if step.together and found:
            found[-1].append(step)
        else:
            found.append([step])
    return [sorted(burst, key=lambda step: step.who) for burst in found]


async def forget(link: RedisLink, now: int) -> None:
    """Forget the states of rate limits that Redis would have forgotten by now, if it had that time."""
    for key in await link.call("KEYS", "tg:{0}:l:*"):
        if await link.call("PEXPIRETIME", key) <= now // 1000:
            await link.call("DEL", key)


async def compare_kept(link: RedisLink, model: MemoryGates, asked: list[AdmitCall]) -> None:
    """The states of rate limits are forgotten when the specification says, to the millisecond."""
    for one, item in [(each, item) for each in asked for item in each.gates]:
        gate, until = item.gate, model.kept_until.get(memory_key(item, one))
        if isinstance(gate, RateGate):
            key = keys.rate_limit(0, one.tenant_id, one.account_id, gate.limit_key, gate.descriptor)
            assert await link.call("PEXPIRETIME", key) == (-2 if until is None else until // 1000)


async def fresh(link: RedisLink, account: str) -> None:
    """Empty the server but for what a call finds published."""
    link.call("FLUSHALL")
    versions = [keys.catalog_version(0, tenant) for tenant in TENANTS]
    await link.call("MSET", keys.epoch(0), "e1", versions[0], 1, versions[1], 2)
    for number, tenant in enumerate(TENANTS, 1):
        await link.call("HSET", keys.account(0, tenant, account), "v", number)

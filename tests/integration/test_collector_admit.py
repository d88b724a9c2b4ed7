"""What the script that admits really writes, collected; and its counters after a late replay."""

from dataclasses import replace

import pytest

from collectors import PARTITIONS, clean_rig, migrated
from links import linked
from servers import ValkeyServer
from stream_entries import JANUARY
from tallygate.app import clock
from tallygate.data_plane.admission import ask_once
from tallygate.data_plane.ports import AdmitCall, EffectContext
from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation
from tallygate.domain.event import FactKind
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.quota import QuotaGate, ResetGate, Segment
from tallygate.storage.redis import keys
from tallygate.storage.redis.gates import GateOptions, RedisGates
from tallygate.storage.sql.metering.tables import fact_of

YEARS_LATER = JANUARY * 4
SEGMENT = Segment(
    start=0,
    end=YEARS_LATER,
    period_start=0,
    period_end=YEARS_LATER,
    previous_start=0,
    keep_until=YEARS_LATER,
    limit=5,
    overage=True,
    plan_key="pro",
    plan_version=3,
    subscription_id="sub-1",
    trial=True,
)
GRANT = Grant(
    grant_id="g1", feature_key="calls", amount=4, priority=0, effective_time=0, expire_time=None, create_time=0
)
HOME = keys.partition_of(PARTITIONS, "t1", "acme")


@pytest.fixture
async def rig(tmp_path):
    with ValkeyServer() as valkey, migrated("sqlite", tmp_path) as url:
        async with clean_rig(valkey, url) as rig:
            for number in range(PARTITIONS):
                await rig.redis.set(keys.catalog_version(number, "t1"), 1)
            await rig.redis.hset(keys.account(HOME, "t1", "acme"), "v", 1)
            yield rig


async def admit(rig, gate, request="r-1", **context):
    call = AdmitCall(
        tenant_id="t1",
        account_id="acme",
        catalog_version=1,
        account_version=1,
        gates=(Identified(gate=gate, state_key="", digest=request.encode(), payload_hash=b"\xfe\x00thesam"),),
        context=EffectContext(request_id=request, **context),
    )
    async with linked(rig.valkey) as link:
        reply = await ask_once(RedisGates(link, GateOptions(partitions=PARTITIONS), clock.now), call)
    assert reply.status is AdmitStatus.DECIDED
    return reply.answers[0]


def take(quantity, aggregation=Aggregation.SUM):
    return QuotaGate(
        feature_key="calls", quantity=quantity, segments=(SEGMENT,), grants=(GRANT,), aggregation=aggregation
    )


async def forget_replays(rig):
    async for key in rig.redis.scan_iter(keys.replays(HOME) + "*"):
        await rig.redis.delete(key)


async def counters(rig):
    found = {}
    async for key in rig.redis.scan_iter(keys.meter(HOME, "t1", "acme", "calls") + "*"):
        found[key] = await rig.redis.hgetall(key)
    return found


async def test_what_is_admitted_is_what_is_recorded(rig):
    answer = await admit(rig, take(11), user_id="u", dimensions={"region": "eu"}, carry_in=True, billable=False)
    await rig.collector().drain()
    (row,) = await rig.rows()
    fact = fact_of(row)
    assert (fact.quantity, fact.pots) == (11, answer.pots)
    assert [pot.quantity for pot in fact.pots] == [5, 4, 2]
    assert (fact.period_start, fact.period_end) == (answer.period_start, answer.period_end)
    assert (fact.user_id, fact.dimensions, fact.carry_in, fact.billable) == ("u", {"region": "eu"}, True, False)
    assert (fact.plan_key, fact.plan_version, fact.subscription_id, fact.trial) == ("pro", 3, "sub-1", True)
    assert fact.payload_hash == b"\xfe\x00thesam"


@pytest.mark.parametrize(
    ("gate", "kind"),
    [
        (take(3), FactKind.CONSUME),
        (take(3, Aggregation.MAX), FactKind.LEVEL),
        (take(0, Aggregation.LATEST), FactKind.LEVEL),
        (take(3, Aggregation.UNIQUE), FactKind.EVENT),
        (ResetGate(feature_key="calls", segments=(SEGMENT,)), FactKind.RESET),
    ],
)
async def test_every_kind_is_read(rig, gate, kind):
    await admit(rig, gate)
    await rig.collector().drain()
    (row,) = await rig.rows()
    assert fact_of(row).kind is kind


@pytest.mark.parametrize("quantity", [11, -7])
async def test_a_late_replay_leaves_the_counters_as_they_were(rig, quantity):
    await admit(rig, take(11), "first")
    await admit(rig, take(11), "second")
    await admit(rig, take(quantity))
    before = await counters(rig)
    await forget_replays(rig)
    await admit(rig, take(quantity))
    assert await counters(rig) != before
    collector = rig.collector()
    await collector.drain()
    assert collector.stats.late_replays == 1
    assert await counters(rig) == before
    assert len(await rig.rows()) == 3


async def test_a_reset_that_is_sent_again_late_opens_no_other_period(rig):
    """Ten pass for one reset, however late its retry comes: once more it would open another allowance."""
    reset = ResetGate(feature_key="calls", segments=(SEGMENT,))
    await admit(rig, take(5), "before")
    opened = await admit(rig, reset, "reset")
    assert (opened.granted, opened.used) == (5, 0)
    await admit(rig, take(5), "after")
    before = await counters(rig)
    await forget_replays(rig)
    again = await admit(rig, reset, "reset")
    assert again == replace(opened, replayed=True)
    assert await counters(rig) == before
    assert (await admit(rig, take(1), "sixth")).used == 6
    collector = rig.collector()
    await collector.drain()
    assert collector.stats.late_replays == 0
    assert [fact_of(row).kind for row in await rig.rows()].count(FactKind.RESET) == 1

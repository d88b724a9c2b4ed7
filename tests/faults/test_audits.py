"""Counters that do not say what the events say are found out, and those that miss something are set right."""

import asyncio
from dataclasses import replace

from collectors import until
from faults.callers import Caller, new_world, reason, written
from faults.installations import PARTITIONS
from faults.planted import fails_without, idle
from tallygate.metering import auditing
from tallygate.metering.auditing import Auditor, Mends
from tallygate.metering.collector import Collector
from tallygate.records.rebuilds import Standing
from tallygate.storage.redis import counters, keys

LIMIT = 1000


def comparing(monkeypatch, _module):
    monkeypatch.setattr(auditing, "difference", lambda *_, **__: None)


def looking_for_strays(monkeypatch, _module):
    monkeypatch.setattr(Auditor, "_strays", idle)


def suspecting(monkeypatch, _module):
    monkeypatch.setattr(Auditor, "notice", lambda *_: None)


def remembering_resets(monkeypatch, _module):
    monkeypatch.setattr(counters, "_resets", lambda *_: ())


def counter_of(valkey, number):
    (name,) = [each for each in valkey.command("KEYS", f"tg:{{{number}}}:m:*") if b"acme" in each]
    return name


@fails_without(comparing)
async def test_counters_that_drifted(installation, key, valkey):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        auditor = process._control.collecting.auditor
        by_hand = replace(auditor)

        async def consume(quantity, name):
            return await written(caller.consume("acme", quantity, request_id=name))

        async def audited(**changes):
            """Sure of every account: on a busy machine its events may wait for longer than an audit does."""
            while (found := await replace(by_hand, **changes).audit(hurry=True)).unsure:
                pass
            return found

        await consume(600, "first")
        await until(lambda: installation.waiting() == 0)
        number = keys.partition_of(PARTITIONS, await tenant_of(auditor), "acme")
        counter = counter_of(valkey, number)

        audit = await audited()
        assert (audit.meters, audit.drifting, audit.mended, audit.unsure) == (1, 0, 0, 0)

        # Too little is counted, and more is counted while that is found out.
        valkey.command("HINCRBY", counter, "u", -100)
        valkey.command("HINCRBY", counter, "i", -100)
        busy = asyncio.gather(*(consume(1, f"busy-{number}") for number in range(50)))
        audit = await audited()
        await busy
        assert (audit.mended, audit.mended_units, audit.drifting) == (1, 100, 0)
        assert (await consume(LIMIT - 650 + 1, "over")).allowed is False
        last = await consume(LIMIT - 650, "last")
        assert (last.allowed, last.used) == (True, LIMIT)

        # A counter that is gone altogether.
        await until(lambda: installation.waiting() == 0)
        valkey.command("DEL", counter)
        audit = await audited()
        assert (audit.mended, audit.mended_units) == (1, LIMIT)
        assert valkey.command("PTTL", counter) > 0
        assert reason(await consume(1, "none left")) == "QUOTA_EXHAUSTED"

        # Too much is counted: it is told of, and left to an operator.
        valkey.command("HINCRBY", counter, "u", 7)
        valkey.command("HINCRBY", counter, "i", 7)
        audit = await audited()
        assert (audit.drifting, audit.surplus, audit.mended) == (1, 7, 0)
        assert by_hand.stats.last == audit
        audit = await audited(mends=Mends.ALL)
        assert (audit.drifting, audit.mended, audit.mended_units) == (0, 1, 7)
        assert valkey.command("HGET", counter, "u") == b"%d" % LIMIT

        # Nobody mends what another has in hand, or what is lost altogether.
        valkey.command("HINCRBY", counter, "i", -1)
        valkey.command("SET", keys.mending(number), "another's")
        audit = await by_hand.audit(hurry=True)
        assert (audit.mended, audit.unsure) == (0, 1)
        valkey.command("DEL", keys.mending(number))
        audit = await replace(by_hand, standing=Standing(lost=[number])).audit(hurry=True)
        assert audit.meters == 0


@fails_without(looking_for_strays)
async def test_a_counter_without_any_event_is_found(installation, key, valkey):
    """Its events were lost, or somebody else wrote it: it is told of, and an operator may have it taken back."""
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        auditor = process._control.collecting.auditor
        tenant = await tenant_of(auditor)
        number = keys.partition_of(PARTITIONS, tenant, "globex")
        counter = f"{keys.meter(number, tenant, 'globex', 'api_calls')}:1767225600000000"
        valkey.command("HSET", counter, "u", 5, "i", 5, "o", 0)
        await written(caller.consume("acme", 2, request_id="counted"))
        await until(lambda: installation.waiting() == 0)
        audit = await auditor.audit(hurry=True)
        assert (audit.accounts, audit.meters, audit.drifting, audit.surplus, audit.mended) == (2, 2, 1, 5, 0)
        audit = await replace(auditor, mends=Mends.ALL).audit(hurry=True)
        assert (audit.drifting, audit.mended, audit.mended_units) == (0, 1, 5)
        assert valkey.command("HGET", counter, "u") == b"0"
        audit = await auditor.audit(hurry=True)
        assert (audit.meters, audit.drifting) == (2, 0)


async def tenant_of(auditor):
    (page,) = [page async for page in auditor.facts.accounts()]
    return page[0][0]


@fails_without(suspecting)
async def test_a_batch_that_was_held_while_its_counts_were_lost(installation, key, valkey, monkeypatch):
    """It reaches SQL after the rebuild has read what was there, uncounted: that is known as it is recorded."""
    holder, let_go = [], asyncio.Event()
    commit = Collector._commit

    async def slow(self, batch):
        if not holder and any(each.fact and each.fact.request_id == "held" for each in batch):
            holder.append(self)
            await let_go.wait()
        return await commit(self, batch)

    monkeypatch.setattr(Collector, "_commit", slow)
    async with installation.role("all") as one, installation.role("all") as two:  # noqa: SIM117 - too long for one
        async with Caller(one.grpc_address, key) as caller:
            await new_world(caller, "acme")
            await written(caller.consume("acme", 400, request_id="held"))
            await until(lambda: holder)
            controls = [one._control.collecting, two._control.collecting]
            (holding,) = [each for each in controls if each.collector is holder[0]]
            (free,) = [each for each in controls if each is not holding]
            valkey.command("FLUSHALL")
            await until(lambda: free.rebuilder.stats.partitions and not free.epochs.standing.lost)
            let_go.set()
            stats = holding.auditor.stats
            await until(lambda: stats.mended)
            assert (stats.mended, stats.mended_units) == (1, 400)
            left = await written(caller.consume("acme", LIMIT - 400, request_id="all that is left"))
            assert (left.allowed, left.used) == (True, LIMIT)


LEVELS = {
    "schema": "tallygate.catalog.v1",
    "features": {
        "latest": {"kind": "metered", "aggregation": "latest"},
        "most": {"kind": "metered", "aggregation": "max"},
    },
    "plans": {"large": {"version": 1, "entitlements": {"latest": {"limit": 50}, "most": {"limit": 50}}}},
}


@fails_without(suspecting)
async def test_a_level_that_is_sent_again_late_does_not_stand(installation, key, valkey):
    """What the facts say stands, whether that is less or more: the counters are set right at once, by no operator."""
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await written(caller.apply(LEVELS))
        await written(caller.account("acme", "large"))
        stats = process._control.collecting.collector.stats

        async def observe(feature, level, name):
            return await written(caller.consume("acme", level, request_id=name, feature=feature))

        async def sent_again_late(feature, level, name):
            await until(lambda: installation.waiting() == 0)
            for number in range(PARTITIONS):
                for kept in valkey.command("KEYS", f"tg:{{{number}}}:e:*"):
                    valkey.command("DEL", kept)
            before = stats.late_replays
            await observe(feature, level, name)
            await until(lambda: stats.late_replays > before)

        async def stands(feature, level):
            async def used():
                return (await written(caller.check("acme", feature))).used

            await settled(used, level)

        await observe("latest", 10, "high")
        await observe("latest", 5, "low")
        await sent_again_late("latest", 10, "high")
        await stands("latest", 5)
        await observe("latest", 12, "higher")
        await sent_again_late("latest", 5, "low")
        await stands("latest", 12)

        # A period that the replay is the only one to observe anything in; without it the last level stands.
        await observe("most", 9, "nine")
        await observe("most", 2, "two")
        await written(caller.reset("acme", "most", request_id="anew"))
        await stands("most", 2)
        await sent_again_late("most", 9, "nine")
        await stands("most", 2)
        audit = await process._control.collecting.auditor.audit(hurry=True)
        assert (audit.drifting, audit.mended) == (0, 0)


async def settled(answer, expected):
    """Wait until a call answers so, as another's doing is waited for."""
    for _ in range(400):
        if await answer() == expected:
            return
        await asyncio.sleep(0.05)
    assert await answer() == expected


@fails_without(remembering_resets)
async def test_a_reset_is_known_after_its_counters_were_lost(installation, key, valkey):
    """Its retry comes when the ids of the replay window are forgotten: one reset gives one allowance."""
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme", plan="small")
        control = process._control.collecting
        await written(caller.consume("acme", 3, request_id="before"))
        await written(caller.reset("acme", "api_calls", request_id="reset"))
        await written(caller.consume("acme", 3, request_id="after"))
        await until(lambda: installation.waiting() == 0)
        valkey.command("FLUSHALL")
        await until(lambda: control.rebuilder.stats.partitions and not control.epochs.standing.lost)
        for number in range(PARTITIONS):
            for kept in valkey.command("KEYS", f"tg:{{{number}}}:e:*"):
                valkey.command("DEL", kept)
        again = await written(caller.reset("acme", "api_calls", request_id="reset"))
        assert again.replayed
        assert reason(await written(caller.consume("acme", 1, request_id="one more"))) == "QUOTA_EXHAUSTED"

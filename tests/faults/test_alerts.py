"""Alerts over what real runs measure: on each trouble the right one fires and no other, on a healthy system none."""

import asyncio
import re
import time
from pathlib import Path

import grpc
import pytest
import yaml
from sqlalchemy import make_url

import patience
from collectors import until
from faults.callers import Caller, Refusal, decided_on, new_world, reason, written
from faults.installations import PARTITIONS, Installation
from faults.scrapes import CONSUMES, RULES, WARM_CHECKS, Seen, look, needs_promtool, traffic, until_collected
from servers import PostgresServer
from stream_entries import entry
from tallygate.app import clock
from tallygate.records.audits import Audit
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate.storage.redis.events import EventStream
from tallygate.storage.sql.metering.events import SqlEventReader
from tallygate.storage.sql.schema import migrate

SECOND = 1_000_000


pytestmark = needs_promtool


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def template(postgres):
    url = postgres.create_database()
    migrate(url)
    return f'TEMPLATE "{make_url(url).database}"'


@pytest.fixture
def installation(valkey, postgres, template):
    yield Installation(valkey, postgres.create_database(template))
    postgres.start()


async def test_nothing_fires_on_a_healthy_system(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "warm")
        seen = Seen(process)
        await traffic(caller, "seen")
        await until_collected(installation)
        await look(process)
        assert 'degraded_decisions_total{decided_on="CACHED"' in process.exposition().decode()
        assert seen.firing(tmp_path) == set()

        # And then its counters drift: they miss something, which is set right, or they do not.
        auditor = process._control.collecting.auditor
        seen = Seen(process)
        auditor.stats.mended += 1
        assert seen.firing(tmp_path) == {"TallygateCountersDrifting"}
        seen = Seen(process)
        auditor.stats.last = Audit(drifting=1)
        assert seen.firing(tmp_path) == {"TallygateCountersDrifting"}


async def test_a_slow_store(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        seen = Seen(process)
        for number in range(CONSUMES):
            installation.valkey.command("CLIENT", "PAUSE", 60, "ALL")
            assert not isinstance(await caller.consume("acme", 1, request_id=f"slow-{number}"), Refusal)
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path, is_slow=True) == {"TallygateSlow"}


async def test_redis_is_gone(installation, key, tmp_path):
    installation.patience = patience.SHORT
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        installation.valkey.kill()
        await caller.check("acme", "api_calls")
        seen = Seen(process)
        await traffic(caller, "gone")
        assert seen.firing(tmp_path) == {"TallygateRedisUnreachable"}


async def test_the_worker_is_gone(installation, key, tmp_path):
    """Events pile up, and the processes that are left tell of it."""
    async with installation.role("all") as worker, Caller(worker.grpc_address, key) as caller:
        await new_world(caller, "acme")
    async with installation.role("data") as process, Caller(process.grpc_address, key) as caller:
        assert (await caller.consume("acme", 1, request_id="one")).allowed
        await look(process)
        seen = Seen(process)
        await traffic(caller, "piling")
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateEventsNotCollected"}


async def test_a_backlog(installation, key, tmp_path, monkeypatch):
    """A worker runs, nothing fails, and events come faster than they are collected: up to the bound, and past it."""
    async with (
        installation.role("all") as worker,
        installation.role("data", stream_max=CONSUMES) as process,
        Caller(worker.grpc_address, key) as owner,
        Caller(process.grpc_address, key) as caller,
    ):
        await new_world(owner, "acme")
        monkeypatch.setattr(EventStream, "read", nothing_to_read)
        await until(lambda: worker._control.collecting.collector.stats.lag_seconds >= 0)
        await caller.consume("acme", 1, request_id="first")
        await look(worker, process)
        seen = Seen(worker, process)

        async def refused():
            answer = await caller.consume("acme", 1, request_id=f"more {time.monotonic()}")
            return isinstance(answer, Refusal) and answer.reason == "EVENT_BACKLOG"

        await traffic(caller, "piling")
        await until(refused)
        await look(worker, process)
        assert worker._control.collecting.collector.stats.failures == 0
        assert seen.firing(tmp_path) == {"TallygateEventsNotCollected"}


async def nothing_to_read(_):
    await asyncio.sleep(0.1)
    return ()


async def test_the_database_is_gone(installation, postgres, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        await until_collected(installation)
        await look(process)
        seen = Seen(process)
        postgres.stop()
        await traffic(caller, "gone")
        failures = process._control.collecting.collector.stats
        async with asyncio.timeout(patience.SECONDS):
            while failures.failures < 3:  # noqa: ASYNC110 - it happens in another task
                await asyncio.sleep(0.01)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateCollectorFailing"}


@pytest.mark.usefixtures("without_rebuilds")
async def test_counters_are_lost(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await written(caller.consume("acme", 1, request_id="before"))
        await until_collected(installation)
        for partition in range(PARTITIONS):
            installation.valkey.command("SET", keys.epoch(partition), "another")
        async with asyncio.timeout(patience.SECONDS):
            while not process._control.collecting.epochs.standing.lost:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        refused = await caller.consume("acme", 1, request_id="after")
        assert refused.code is grpc.StatusCode.UNAVAILABLE
        await look(process)
        seen = Seen(process)
        assert seen.firing(tmp_path) == {"TallygateCountersLost"}


async def test_redis_takes_no_writes(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        await until_collected(installation)
        installation.valkey.command("CONFIG", "SET", "min-replicas-to-write", "3")
        assert not (await process.readiness())["redis"].ok
        seen = Seen(process)
        await traffic(caller, "refused")
        failures = process._control.collecting.collector.stats
        await until(lambda: failures.failures > 2)  # its reads are writes, too: whose trouble that is, is told already
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateRedisTakesNoWrites"}


@pytest.mark.parametrize("off", [5 * SECOND, 60 * SECOND])
async def test_clocks_differ(off, installation, key, tmp_path, monkeypatch):
    """By so much that it is noted, and by so much that nothing is decided any more."""
    now, ahead = clock.now, [0]
    monkeypatch.setattr(clock, "now", lambda: now() + ahead[0])
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        await until_collected(installation)
        ahead[0] = off
        assert (await process.readiness())["clock"].ok is (off < 30 * SECOND)
        seen = Seen(process)
        await traffic(caller, "apart")
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateClockSkew"}


async def test_redis_is_silent_again_and_again(installation, key, tmp_path):
    """It is there, and too slow to be waited for; what calls come to meanwhile is told by this."""
    installation.patience = patience.SHORT
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        seen = Seen(process)
        link = process._redis.link
        for number in range(2):
            installation.valkey.pause()
            answer = await caller.consume("acme", 1, request_id=f"silent-{number}")
            installation.valkey.resume()
            assert isinstance(answer, Refusal)
            await until(lambda: link.connected and link.vouched)
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateRedisSlow"}


async def test_the_connection_is_lost_again_and_again(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await traffic(caller, "before")
        await until_collected(installation)
        seen = Seen(process)
        link = process._redis.link
        for _ in range(2):
            connects = link.generation
            installation.valkey.command("CLIENT", "KILL", "TYPE", "normal")
            await until(lambda connects=connects: link.generation > connects and link.connected and link.vouched)
        await traffic(caller, "after")
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateReconnecting"}


def of_another_type(valkey, words):
    """Keys of this kind are lists from now on: whoever counts on one fails, though the server is well."""
    found = [name for number in range(PARTITIONS) for name in valkey.command("KEYS", f"tg:{{{number}}}:*")]
    broken = [name for name in found if all(word in name for word in words) and name.split(b":")[2] == words[0]]
    assert broken, found
    for name in broken:
        valkey.command("DEL", name)
        valkey.command("RPUSH", name, "a list")


async def test_decisions_by_policy_for_a_cause_of_their_own(installation, key, tmp_path):
    """Where the store fails at some calls alone, the policy's answers are what there is to be seen of it."""
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        await traffic(caller, "before")
        await until_collected(installation)
        of_another_type(installation.valkey, (b"l", b"api_rps"))
        seen = Seen(process)
        for _ in range(CONSUMES):
            limited = await written(caller.rate_limit("acme"))
            assert (limited.allowed, decided_on(limited)) == (True, "FALLBACK")
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateDegradedDecisions"}


async def test_refusals_by_policy_for_a_cause_of_their_own(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        await traffic(caller, "before")
        await until_collected(installation)
        of_another_type(installation.valkey, (b"m", b"acme", b"api_calls"))
        seen = Seen(process)
        for number in range(CONSUMES):
            assert reason(await caller.consume("acme", 1, request_id=f"broken-{number}")) == "STORE_UNAVAILABLE"
        await look(process)
        assert seen.firing(tmp_path) == {"TallygatePolicyRefusing"}


async def test_calls_fail(installation, key, tmp_path, monkeypatch):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        await caller.events()
        seen = Seen(process)

        async def broken(*_, **__):
            msg = "nobody foresaw this"
            raise RuntimeError(msg)

        monkeypatch.setattr(SqlEventReader, "events_after", broken)
        await traffic(caller, "meanwhile")
        for _ in range(CONSUMES):
            assert (await caller.events()).code is grpc.StatusCode.INTERNAL
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateFailing"}


async def test_views_grow_old(installation, key, tmp_path, monkeypatch):
    """Believed for a minute, heard of never: what README allows where it is set so, and says to look at."""
    async with installation.role("all") as owner, Caller(owner.grpc_address, key) as control:
        await new_world(control, "acme")
        monkeypatch.setattr(RedisAnnouncements, "listen", forever)
        async with installation.role("data", max_staleness=60) as process, Caller(process.grpc_address, key) as caller:

            async def old():
                answer = await written(caller.check("acme", "sso"))
                return answer.view_age.ToTimedelta().total_seconds() > 5

            await until(old)
            seen = Seen(process)
            for _ in range(WARM_CHECKS):
                await caller.check("acme", "sso")
            await look(process)
            assert seen.firing(tmp_path) == {"TallygateStaleViews"}


async def forever(*_):
    await asyncio.Event().wait()


async def test_an_event_contradicts_another(installation, key, tmp_path):
    async with installation.role("all") as process, Caller(process.grpc_address, key) as caller:
        await new_world(caller, "acme")
        seen = Seen(process)
        stats = process._control.collecting.collector.stats
        for quantity, payload in ((1, b"one"), (9, b"other")):
            fields = entry(tenant="elsewhere", request="the same", quantity=quantity, payload=payload)
            installation.valkey.command(
                "XADD", keys.stream(0), "*", *(part for pair in fields.items() for part in pair)
            )
        await until(lambda: stats.quarantined)
        await until_collected(installation)
        await look(process)
        assert seen.firing(tmp_path) == {"TallygateEventsQuarantined"}


def test_each_alert_is_shown_to_fire_alone():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*alerts.py")]
    shown = {name for text in sources for name in re.findall(r'== \{"(Tallygate\w+)"\}', text)}
    shown |= {name for text in sources if "== {alert}" in text for name in re.findall(r', "(Tallygate\w+)"\)', text)}
    assert shown == alerts

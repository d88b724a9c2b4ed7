"""Alerts over what real runs measure: on each trouble the right one fires, on a healthy system none.

What two scrapes show is taken to go on for twenty minutes; Prometheus' own promtool evaluates the rules on it.
"""

import asyncio
import math
import shutil
import subprocess
import time
from pathlib import Path

import grpc
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import patience
from faults.callers import Caller, Refusal, new_world, written
from faults.installations import PARTITIONS, Installation
from servers import PostgresServer
from tallygate.records.audits import Audit
from tallygate.storage.redis import keys
from tallygate.storage.sql.schema import migrate

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
STEP, STEPS = 15, 80
WARM_CHECKS, CONSUMES = 50, 10


@pytest.fixture(autouse=True, scope="module")
def promtool():
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: Debian's package `prometheus` has it")
    return found


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        yield server


@pytest.fixture
def installation(valkey, postgres):
    url = postgres.create_database()
    migrate(url)
    yield Installation(valkey, url)
    postgres.start()


class Seen:
    """Two scrapes of the processes, each as an instance of one job."""

    def __init__(self, *processes):
        self._processes = processes
        self._first = self._scrape()
        self._began = time.monotonic()

    def firing(self, directory, *, is_slow=False):
        """The alerts that fire when it goes on like that; a loaded machine is slow whatever a test is about."""
        elapsed = max(time.monotonic() - self._began, 0.001)
        last = self._scrape()
        series = [
            {"series": name, "values": _going_on(self._first.get(name, 0.0), value, elapsed)}
            for name, value in last.items()
            if not math.isnan(value)
        ]
        group = {"interval": f"{STEP}s", "input_series": series, "promql_expr_test": [_nothing()]}
        file = directory / "test.yaml"
        told = {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP}s", "tests": [group]}
        file.write_text(yaml.safe_dump(told))
        done = subprocess.run(
            ["promtool", "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode in {0, 1}, said
        assert "SUCCESS" in said or "got:" in said, said
        found = {part.split('"')[1] for part in said.partition("got:")[2].split("alertname=")[1:]}
        return found if is_slow else found - {"TallygateSlow"}

    def _scrape(self):
        found = {}
        for number, process in enumerate(self._processes):
            for family in text_string_to_metric_families(process.exposition().decode()):
                for sample in family.samples:
                    labels = {"job": "tallygate", "instance": str(number), **sample.labels}
                    shown = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
                    found[f"{sample.name}{{{shown}}}"] = sample.value
        return found


def _going_on(first, last, elapsed):
    return f"{last:.6f}{(last - first) / elapsed * STEP:+.6f}x{STEPS}"


def _nothing():
    """Promtool answers what there was where it expected nothing."""
    expr = 'max by (alertname) (ALERTS{alertstate="firing"})'
    return {"expr": expr, "eval_time": f"{STEP * STEPS}s", "exp_samples": []}


async def traffic(caller, name):
    """What a healthy system is asked: mostly warm checks of a boolean feature, which its cache answers."""
    for number in range(CONSUMES):
        await caller.consume("acme", 1, request_id=f"{name}-{number}")
        await caller.rate_limit("acme")
    for _ in range(WARM_CHECKS):
        await caller.check("acme", "sso")


async def look(*processes):
    """What is otherwise looked at every few seconds."""
    for process in processes:
        await process._redis.backlog.look()


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


async def until_collected(installation):
    async with asyncio.timeout(patience.SECONDS):
        while installation.waiting():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.01)


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
        assert seen.firing(tmp_path) == {"TallygateCollectorFailing", "TallygateEventsNotCollected"}


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

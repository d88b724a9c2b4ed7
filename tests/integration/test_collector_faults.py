"""Collectors, Valkey and PostgreSQL that really die, while facts keep coming."""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import psycopg
import pytest
from redis.exceptions import RedisError

from child_processes import ChildProcess
from collectors import PARTITIONS, clean_rig, gap_free, migrated, until
from servers import PostgresServer, ValkeyServer
from stream_entries import JANUARY, entry
from tallygate.storage.redis import keys
from tallygate.storage.sql.schema import migrate

SCRIPT = Path(__file__).parents[1] / "collector_process.py"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    with migrated(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def valkey():
    with ValkeyServer(append_only=True, append_fsync="always") as server:
        yield server


@pytest.fixture
async def rig(valkey, database):
    async with clean_rig(valkey, database) as rig:
        yield rig


class Process:
    """A collector's process; it answers for nothing but what it commits."""

    def __init__(self, rig, name, directory):
        self.log = directory / f"{name}.log"
        self._argv = [sys.executable, str(SCRIPT), rig.valkey.url, rig.url, name]
        self.start()

    def start(self):
        self.log.unlink(missing_ok=True)
        self.child = ChildProcess(self._argv, log=self.log)

    async def ready(self):
        await until(lambda: "ready" in self.log.read_text())

    async def restart(self):
        self.kill()
        self.start()
        await self.ready()

    def kill(self):
        self.child.end(signal.SIGKILL)

    def stop(self):
        self.child.end(signal.SIGTERM)
        return self.child.popen.returncode


@contextlib.asynccontextmanager
async def processes(rig, directory, *names):
    started = [Process(rig, name, directory) for name in names]
    try:
        for process in started:
            await process.ready()
        yield started
    finally:
        for process in started:
            if process.child.alive:
                process.kill()


async def feed(rig, count, *, replays=0.0, seed=1):
    """Admit `count` effects as the script would, counted and appended at once; some again, long after the window."""
    dice = random.Random(seed)
    admitted = []
    for number in range(count):
        repeat = bool(admitted) and dice.random() < replays
        request = dice.choice(admitted) if repeat else f"r{seed}-{number}"
        tenant, partition = ("t1", 0) if number % 2 else ("t2", number % PARTITIONS)
        if not repeat:
            admitted.append(request)
        elif not request.endswith(("1", "3", "5", "7", "9")):
            tenant, partition = "t2", int(request.split("-")[1]) % PARTITIONS
        else:
            tenant, partition = "t1", 0
        await admit(rig, tenant, partition, request)
        await asyncio.sleep(0)
    return admitted


async def admit(rig, tenant, partition, request):
    meter = keys.meter(partition, tenant, "acme", "api_calls")
    async with rig.redis.pipeline(transaction=True) as pipeline:
        pipeline.hincrby(f"{meter}:{JANUARY}", "u", 3)
        pipeline.hincrby(f"{meter}:{JANUARY}", "i", 1)
        pipeline.hincrby(f"{meter}:{JANUARY}", "g:g1", 2)
        pipeline.hincrby(meter, "g:g1", 2)
        fields = entry(tenant=tenant, request=request, quantity=3, pots=[["I", 1, ""], ["G", 2, "g1"]])
        pipeline.xadd(keys.stream(partition), fields)
        await pipeline.execute()


async def counted(rig):
    """What the counters say: net use, and burnt of the grant over its life."""
    used = burnt = 0
    async for key in rig.redis.scan_iter("*:m:*"):
        counter = await rig.redis.hgetall(key)
        used += int(counter.get(b"u", 0))
        burnt += 0 if b"u" in counter else int(counter[b"g:g1"])
    return used, burnt


async def settled(rig, admitted):
    """Every effect is in SQL once, and the counters hold just those."""
    await until(rig.collected)
    rows = await rig.rows()
    assert sorted(row["request_id"] for row in rows) == sorted(admitted)
    assert gap_free(rows)
    assert await counted(rig) == (3 * len(admitted), 2 * len(admitted))


async def test_kill_9_of_collectors_in_a_loop(rig, tmp_path):
    dice = random.Random(9)
    async with processes(rig, tmp_path, "a", "b") as workers:
        feeding = asyncio.create_task(feed(rig, 1200, replays=0.2))
        for _ in range(4):
            await asyncio.sleep(dice.uniform(0.02, 0.2))
            await dice.choice(workers).restart()
        await settled(rig, await feeding)


async def test_stopping_leaves_nothing_behind(rig, tmp_path):
    async with processes(rig, tmp_path, "a", "b") as workers:
        admitted = await feed(rig, 200)
        await settled(rig, admitted)
        assert [worker.stop() for worker in workers] == [0, 0]
    for number in range(PARTITIONS):
        assert await rig.redis.xinfo_consumers(keys.stream(number), "billing") == []


async def test_kill_9_of_valkey(rig, tmp_path):
    admitted = []
    async with processes(rig, tmp_path, "a", "b"):
        for cycle in range(3):
            admitted += await feed(rig, 300, replays=0.2, seed=cycle)
            await asyncio.to_thread(rig.valkey.restart)
            with contextlib.suppress(RedisError):  # the rig's own connection died, too
                await rig.redis.ping()
        await settled(rig, admitted)


async def test_a_database_that_goes_and_comes_back(valkey, tmp_path):
    with PostgresServer() as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(
                "ALTER ROLE postgres SET synchronous_commit = on"
            )  # a commit survives the server's death
        url = server.create_database()
        migrate(url)
        async with clean_rig(valkey, url) as rig, processes(rig, tmp_path, "a", "b"):
            admitted = await feed(rig, 300, seed=1)
            await asyncio.to_thread(server.kill)
            admitted += await feed(rig, 300, replays=0.2, seed=2)
            assert await rig.waiting() > 0
            await asyncio.to_thread(server.start)
            await rig.engine.dispose()
            await settled(rig, admitted)

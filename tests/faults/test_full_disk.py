"""A disk that is truly full: nobody calls it ready who cannot write to it, and everybody does once there is room."""

import asyncio
import contextlib
import errno
import itertools
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

from child_processes import temporary_directory
from collectors import until
from faults.callers import Caller, Refusal, new_world, reason, written
from faults.installations import Installation, sqlite
from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate.storage.redis.link import link
from tallygate.storage.sql import writes
from tallygate_process import TallygateProcess

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")

KEY = mint_key(b"full".ljust(32, b"."))
MEGABYTES = 24
BLOCK = 1 << 16


class SmallDisk:
    """A file system of its own, of a few megabytes."""

    def __init__(self, directory):
        self.directory = directory

    def fill(self):
        """To the last byte."""
        with (self.directory / "filler").open("ab", buffering=0) as filler:
            for size in (BLOCK, 512, 1):
                with contextlib.suppress(OSError):
                    while filler.write(b"." * size):
                        pass
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            (self.directory / "more").write_bytes(b"." * BLOCK)

    def free(self):
        for name in ("filler", "more"):
            (self.directory / name).unlink()


@contextlib.contextmanager
def mounted(directory):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", directory], check=True, timeout=30)
    try:
        yield SmallDisk(directory)
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True, timeout=30)


@pytest.fixture
def disk():
    with mounted(temporary_directory("tg-disk-")) as found:
        yield found


def asked(address):
    """What /ready says: whether it is, and each check."""
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=30) as reply:
            said = json.loads(reply.read())
    except urllib.error.HTTPError as error:  # 503
        said = json.loads(error.read())
    return said["ready"], said["checks"]


class Site:
    """A server with an account, whose readiness is asked as a balancer would ask."""

    def __init__(self, address, caller):
        self.address, self.caller = address, caller

    async def ready(self):
        return await asyncio.to_thread(asked, self.address)

    async def is_ready(self):
        return (await self.ready())[0]

    async def unready(self, name, *, within):
        """Until it is not ready for this, for a cause that is one of these."""

        async def said():
            fine, checks = await self.ready()
            return not fine and not checks[name]["ok"] and any(words in checks[name]["detail"] for words in within)

        await until(said)

    async def taken(self, request_id):
        """The answer, once there is one."""
        found = []

        async def answered():
            found.append(await self.caller.consume("acme", 1, request_id=request_id))
            return not isinstance(found[-1], Refusal)

        await until(answered)
        return found[-1]


@contextlib.asynccontextmanager
async def site(installation):
    async with installation.role("all") as application, Caller(application.grpc_address, KEY) as caller:
        await new_world(caller, "acme")
        there = Site(application.admin_address, caller)
        await until(there.is_ready)
        yield there


@contextlib.asynccontextmanager
async def on_a_small_redis(tmp_path):
    server = ValkeyServer(append_only=True)
    with mounted(server.directory) as disk, server:
        async with site(installation := Installation(server, sqlite(tmp_path))) as there:
            yield disk, installation, there


async def full_redis(disk, there):
    """Redis finds it out with a command that it has answered already."""

    async def refused():
        answer = await there.caller.consume("acme", 1, request_id="filling")
        return isinstance(answer, Refusal)

    disk.fill()
    await there.caller.consume("acme", 1, request_id="filling")
    await until(refused)


async def test_a_full_disk_below_redis(tmp_path):
    """MISCONF: what Redis reads is true, and it takes no writes."""
    async with on_a_small_redis(tmp_path) as (disk, installation, there):
        assert (await written(there.caller.consume("acme", 1, request_id="before"))).used == 1
        await until(lambda: installation.waiting() == 0)
        await full_redis(disk, there)
        await there.unready("redis", within=["MISCONF"])
        assert reason(await there.caller.consume("acme", 1, request_id="refused")) == "STORE_UNAVAILABLE"
        assert (await there.caller.check("acme", "sso")).allowed
        disk.free()
        await until(there.is_ready)
        for request_id in ("filling", "refused"):
            assert (await there.taken(request_id)).allowed
        assert (await written(there.caller.check("acme", "api_calls"))).used == 3
        await until(lambda: installation.waiting() == 0)
        events = (await written(there.caller.events())).events
        assert sorted(each.data.request_id for each in events) == ["before", "filling", "refused"]


async def test_who_only_reads_calls_a_full_redis_ready(tmp_path, monkeypatch):
    """What finds the full disk is the look's own write."""

    async def reads(call, _tag):
        await call("TIME")
        return ""

    async with on_a_small_redis(tmp_path) as (disk, _, there):
        monkeypatch.setattr(link, "write", reads)
        await full_redis(disk, there)
        fine, checks = await there.ready()
        assert fine, checks
        monkeypatch.undo()
        await there.unready("redis", within=["MISCONF"])


FULL = ["database or disk is full", "disk I/O error"]


async def full_database(disk, there):
    """What SQLite has room for in its files goes on for a while."""
    numbers = itertools.count()
    disk.fill()

    async def refused():
        return isinstance(await there.caller.account(f"another-{next(numbers)}", "large"), Refusal)

    await until(refused)


async def test_a_full_disk_below_sqlite(disk, valkey):
    """The hot path goes on, and its events wait in Redis; what is written to SQL is refused meanwhile."""
    async with site(installation := Installation(valkey, sqlite(disk.directory))) as there:
        await full_database(disk, there)
        await there.unready("database", within=FULL)
        for number in range(5):
            assert (await there.caller.consume("acme", 1, request_id=f"r{number}")).used == number + 1
        refused = await there.caller.account("globex", "large")
        assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
        assert not await there.is_ready()
        disk.free()
        await until(there.is_ready)
        assert not isinstance(await there.caller.account("globex", "large"), Refusal)
        await until(lambda: installation.waiting() == 0)
        events = (await written(there.caller.events())).events
        assert sorted(each.data.request_id for each in events) == [f"r{number}" for number in range(5)]


async def test_who_only_reads_calls_a_full_database_ready(disk, valkey, monkeypatch):
    monkeypatch.setitem(writes._STATEMENTS, "sqlite", "SELECT 1")
    async with site(Installation(valkey, sqlite(disk.directory))) as there:
        await full_database(disk, there)
        assert await there.is_ready()
        monkeypatch.undo()
        await there.unready("database", within=FULL)


async def test_one_full_disk_below_everything(disk):
    """As `tallygate serve` comes: SQLite and an embedded Valkey in one directory."""
    environment = {"TALLYGATE_DATA_DIR": str(disk.directory / "data")}
    with TallygateProcess(environment=environment) as process:
        async with Caller(process.address, KEY) as caller:
            await new_world(caller, "acme")
            there = Site(process.admin_address, caller)
            assert (await written(caller.consume("acme", 1, request_id="before"))).used == 1
            await full_redis(disk, there)
            await full_database(disk, there)
            await there.unready("redis", within=["MISCONF"])
            await there.unready("database", within=FULL)
            disk.free()
            await until(there.is_ready)
            assert (await there.taken("filling")).used == 2
            assert (await there.taken("after")).used == 3

            async def collected():
                events = (await written(caller.events())).events
                return sorted(each.data.request_id for each in events) == ["after", "before", "filling"]

            await until(collected)

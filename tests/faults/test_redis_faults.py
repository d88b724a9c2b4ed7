"""Redis falls silent, is absent or full: calls end in time, as their failure policies say, and count once."""

import asyncio
import re
import time

import grpc
import pytest

import patience
from collectors import until
from faults.callers import Caller, Refusal, decided_on, new_world, reason, timed
from faults.installations import Installation, sqlite
from faults.planted import BRIEF, fails_without, script
from servers import ValkeyServer
from tallygate.app import StartError, application
from tallygate.data_plane.views import Views
from tallygate.settings import Settings
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate_process import TallygateProcess

DEADLINE = 1.0
MARGIN = 1.0  # generous: the machine is shared; without a reply timeout and a breaker it would be the pause itself
RETRY = "retry with the same request_id"


def a_limit_of_silence(monkeypatch, _module):
    monkeypatch.setattr(patience, "SHORT", patience.REDIS)


remembering_what_was_admitted = script(
    "remembering what was admitted",
    ("remember(gate, i, stated .. (left == '' and left or NO_POTS)) end", "recall(gate, i) end"),
)


def an_age_that_is_too_old(monkeypatch, _module):
    monkeypatch.setattr(Views, "holds", lambda _self, view, *_, **__: not view.superseded)


def cancelling_it_again(monkeypatch, _module):
    monkeypatch.setattr(application, "_CANCEL_SECONDS", None)
    monkeypatch.setattr(patience, "SECONDS", BRIEF)


def refusing_to_evict(monkeypatch, module, real=ValkeyServer):
    def evicting(**options):
        options["options"] = [*options.get("options", ()), "--maxmemory-policy", "allkeys-random"]
        return real(**options)

    monkeypatch.setattr(module, "ValkeyServer", evicting)


@pytest.fixture
def installation(installation):
    """One that takes silence for an outage within half a second."""
    installation.patience = patience.SHORT
    return installation


@pytest.fixture
async def server(installation, key):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        yield caller


@pytest.fixture
def paused(valkey):
    """Silence Valkey, and let it go on whatever happens."""
    yield valkey.pause
    valkey.resume()


async def counted(caller):
    """What a look says is used, as soon as the store answers again."""

    async def found():
        return not isinstance(await caller.check("acme", "api_calls"), Refusal)

    await until(found)
    return (await caller.check("acme", "api_calls")).used


@fails_without(a_limit_of_silence)
async def test_silence_is_answered_in_time_by_each_policy(server, valkey, paused):
    assert (await server.check("acme", "sso")).allowed
    assert (await server.consume("acme", 2, request_id="before")).allowed
    await server.rate_limit("acme")
    paused()
    since = time.monotonic()
    slowest = 0.0
    rounds = 0
    while time.monotonic() - since < 2:
        rounds += 1
        calls = (
            server.consume("acme", 1, request_id=f"r{rounds}", deadline=DEADLINE),
            server.rate_limit("acme", deadline=DEADLINE),
            server.rate_limit("acme", "strict_rps", deadline=DEADLINE),
            server.check("acme", "sso", deadline=DEADLINE),
            server.check("acme", "canary", deadline=DEADLINE),
            server.check("acme", "api_calls", deadline=DEADLINE),
        )
        answers = await asyncio.gather(*map(timed, calls))
        slowest = max(slowest, *(seconds for _, seconds in answers))
        consumed, limited, strict, boolean, static, metered = (answer for answer, _ in answers)
        for refused in (consumed, strict, metered):
            assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
            assert RETRY in refused.message
        assert (limited.allowed, reason(limited)) == (True, "STORE_UNAVAILABLE")
        assert decided_on(limited) == "FALLBACK"
        assert (boolean.allowed, reason(boolean), decided_on(boolean)) == (True, "ENTITLED", "CACHED")
        assert (static.value.number_value, decided_on(static)) == (2, "CACHED")
        await asyncio.sleep(0.05)
    assert slowest <= DEADLINE + MARGIN
    assert rounds >= 5
    valkey.resume()
    assert await counted(server) >= 2, "it came back without a restart"
    for number in range(1, rounds + 1):  # whatever of it was admitted while nobody heard the answer
        assert (await server.consume("acme", 1, request_id=f"r{number}")).allowed
    assert await counted(server) == 2 + rounds


@fails_without(remembering_what_was_admitted)
async def test_an_attempt_that_was_admitted_unheard_is_replayed(server, valkey, paused):
    """The command lies in the socket of a stopped server: it is executed after its caller was told UNAVAILABLE."""
    assert (await server.consume("acme", 2, request_id="before")).allowed
    paused()
    answer = await server.consume("acme", 5, request_id="unheard", deadline=DEADLINE)
    assert answer.reason == "STORE_UNAVAILABLE"
    valkey.resume()
    assert await counted(server) == 7, "the first attempt was to be admitted"
    again = await server.consume("acme", 5, request_id="unheard")
    assert (again.allowed, again.replayed, again.used) == (True, True, 7)
    assert await counted(server) == 7
    other = await server.consume("acme", 5, request_id="another id")
    assert (other.replayed, other.used) == (False, 12), "without the id it would have been counted again"


@fails_without(an_age_that_is_too_old)
async def test_a_view_that_grew_too_old_is_not_believed(installation, key, valkey, paused):
    async with (
        installation.role("all", max_staleness=0.5) as application,
        Caller(application.grpc_address, key) as caller,
    ):
        await new_world(caller, "acme")
        assert (await caller.check("acme", "sso")).allowed
        paused()

        async def refused():
            answer = await caller.check("acme", "sso", deadline=DEADLINE)
            return isinstance(answer, Refusal) and answer.reason == "STORE_UNAVAILABLE"

        await until(refused)
        valkey.resume()
        await counted(caller)
        assert (await caller.check("acme", "sso")).allowed


async def test_stopping_while_redis_is_gone_leaves_nothing_open(installation, key, valkey):
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        valkey.kill()
        started = time.monotonic()
        await application.stop()
        assert time.monotonic() - started < 10
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection(*application.admin_address.rsplit(":", 1))


@fails_without(cancelling_it_again)
async def test_a_loop_that_swallows_its_cancellation_does_not_stop_the_stop(installation, monkeypatch):
    """As a client library was seen to do once in a while: the process would have hung until it was killed."""
    swallowed, over = [], asyncio.Event()

    async def listen(_self, _listener):
        while not swallowed:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)
        await over.wait()
        raise asyncio.CancelledError  # late: with the protection off it would be begun again for good

    monkeypatch.setattr(RedisAnnouncements, "listen", listen)
    async with installation.role("all") as application:
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(patience.SECONDS):
                await application.stop()
        finally:
            over.set()  # with the protection off it would hang here for good
    assert swallowed


async def test_an_absent_redis_is_one_line_at_the_start(tmp_path):
    missing = tmp_path / "nobody.sock"
    valkey = ValkeyServer()
    valkey.socket_path = missing
    with pytest.raises(StartError) as caught:
        async with Installation(valkey, sqlite(tmp_path)).role("all"):
            pass
    text = str(caught.value)
    assert "\n" not in text
    assert str(missing) in text
    assert "check redis.url (TALLYGATE_REDIS__URL)" in text


def test_the_command_line_says_it_in_one_line_too(tmp_path):
    process = TallygateProcess(
        directory=tmp_path,
        environment={
            "TALLYGATE_REDIS__URL": f"unix://{tmp_path}/nobody.sock",
            "TALLYGATE_DATABASE__URL": sqlite(tmp_path),
        },
    )
    with pytest.raises(AssertionError):
        process.start()
    lines = process.log.strip().splitlines()
    assert len(lines) == 1, lines
    assert re.search(r"nobody\.sock.*TALLYGATE_REDIS__URL", lines[0])


@pytest.fixture
def small():
    """A Valkey that can be filled up."""
    with ValkeyServer(append_only=True, options=["--maxmemory", "64mb"]) as server:
        yield server


@fails_without(refusing_to_evict)
async def test_a_full_redis_takes_nothing_and_says_so(small, tmp_path, key):
    installation = Installation(small, sqlite(tmp_path))
    async with installation.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        assert (await caller.consume("acme", 2, request_id="before")).allowed
        await until(lambda: installation.waiting() == 0)
        small.command("CONFIG", "SET", "maxmemory", "1mb")
        answer = await caller.consume("acme", 3, request_id="full")
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert RETRY in answer.message
        assert "OOM" not in answer.message, "the driver's text is logged, never sent"
        limited = await caller.rate_limit("acme")
        assert (limited.allowed, decided_on(limited)) == (True, "FALLBACK")
        assert installation.waiting() == 0, "an event without its count"
        small.command("CONFIG", "SET", "maxmemory", "64mb")
        assert await counted(caller) == 2, "a count without its event"
        again = await caller.consume("acme", 3, request_id="full")
        assert (again.allowed, again.replayed, again.used) == (True, False, 5)


@pytest.mark.parametrize(
    ("option", "value", "code"), [("--maxmemory", "1", "OOM"), ("--min-replicas-to-write", "1", "NOREPLICAS")]
)
async def test_a_redis_that_takes_no_writes_at_the_start_is_one_line_with_its_cause(option, value, code, tmp_path):
    with ValkeyServer(options=[option, value]) as server:
        with pytest.raises(StartError, match=code) as caught:
            async with Installation(server, sqlite(tmp_path)).role("all"):
                pass
        assert "\n" not in str(caught.value)


def test_settings_fail_fast_by_default():
    assert Settings().redis.read_timeout <= 0.25
    assert Settings().redis.connect_timeout <= 0.5

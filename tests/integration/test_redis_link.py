import asyncio
import contextlib
import random

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from child_processes import temporary_directory
from servers import ValkeyServer
from tallygate.storage.redis.address import RedisUrlError
from tallygate.storage.redis.link import (
    ConnectError,
    LinkDownError,
    LinkError,
    LinkFullError,
    LinkLostError,
    NotSentError,
    OutcomeUnknownError,
    RedisAddress,
    RedisLink,
    ReplyError,
    ReplyTimeoutError,
    Script,
)
from tallygate.storage.redis.link_commands import pack

GENEROUS = 5.0  # a bound against hanging, not a measurement


@pytest.fixture(params=["unix", "tcp"], scope="module")
def any_server(request):
    with ValkeyServer(tcp=request.param == "tcp") as server:
        yield server


@pytest.fixture(scope="module")
def server():
    with ValkeyServer(append_only=True) as server:
        yield server


@contextlib.asynccontextmanager
async def linked(server, **options):
    # A busy test machine is not what these tests are about.
    link = RedisLink(RedisAddress.parse(server.url), **{"connect_seconds": 2, "reply_seconds": 2} | options)
    await link.connect()
    try:
        yield link
    finally:
        await link.close()


@contextlib.asynccontextmanager
async def fake_server(answer):
    """A server that says what it likes: `answer(command)` are the bytes, None closes the connection."""

    async def serve(reader, writer):
        parser = hiredis.Reader(notEnoughData=...)
        serving.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(65536):
                parser.feed(data)
                while (command := parser.gets()) is not ...:
                    if (reply := answer(command)) is None:
                        return
                    writer.write(reply)

    serving = []
    path = temporary_directory() / "fake.sock"
    async with await asyncio.start_unix_server(serve, path):
        yield RedisAddress(socket_path=str(path))
    await asyncio.gather(*serving)


def polite(command):
    """Answers the greeting as Valkey does."""
    return {b"PING": b"+PONG\r\n", b"INFO": b"$9\r\nrun_id:ab\r\n"}.get(command[0], b"+OK\r\n")


async def test_replies_of_all_types(any_server):
    async with linked(any_server) as link:
        assert await link.call("SET", "key", b"\x00\r\n\xff") == b"OK"
        assert await link.call(b"GET", "key") == b"\x00\r\n\xff"
        assert await link.call("GET", "absent") is None
        assert await link.call("INCRBY", "n", 2**53 - 1) == 2**53 - 1
        assert await link.call("RPUSH", "list", "a", 1, b"") == 3
        assert await link.call("LRANGE", "list", 0, -1) == [b"a", b"1", b""]
        assert await link.call("SET", "big", b"x" * 5_000_000) == b"OK"
        assert await link.call("GET", "big") == b"x" * 5_000_000
        await link.call("FLUSHALL")


async def test_an_error_reply_is_its_callers_alone(any_server):
    async with linked(any_server) as link:
        good, bad, after = link.call("ECHO", "1"), link.call("NONSENSE"), link.call("ECHO", "2")
        with pytest.raises(ReplyError) as error:
            await bad
        assert error.value.code == "ERR"
        assert error.value.text.startswith("ERR unknown command")
        assert (await good, await after) == (b"1", b"2")
        assert link.counters.reconnects == 0


async def test_five_thousand_concurrent_calls_keep_their_order(any_server):
    async with linked(any_server) as link:
        before = link.counters.batches
        replies = await asyncio.gather(*(link.call("ECHO", n) for n in range(5000)))
        assert replies == [b"%d" % n for n in range(5000)]
        assert link.counters.batches == before + 1


async def test_one_write_a_tick_and_a_lone_call_is_not_delayed(server):
    async with linked(server) as link:
        writes = []
        transport = link._connection._transport
        link._connection._transport = Recorder(transport, writes)
        await asyncio.gather(*(link.call("ECHO", n) for n in range(100)))
        assert len(writes) == 1
        waiting = link.call("ECHO", "alone")
        await asyncio.sleep(0)
        assert len(writes) == 2
        assert await waiting == b"alone"
        before = link.counters.batches, link.counters.calls
        await asyncio.gather(*(caller(link, 3) for _ in range(50)))
        assert link.counters.calls == before[1] + 150
        assert link.counters.batches - before[0] < 150
        link._connection._transport = transport


class Recorder:
    def __init__(self, transport, writes):
        self._transport, self._writes = transport, writes

    def write(self, data):
        self._writes.append(data)
        self._transport.write(data)

    def is_closing(self):
        return self._transport.is_closing()


async def caller(link, calls):
    for n in range(calls):
        assert await link.call("ECHO", n) == b"%d" % n


async def test_a_storm_of_cancellations_never_shifts_a_reply(server):
    """OpenAI, March 2023: a cancelled caller's reply went to the next user. 200 callers, a canary each."""
    script = Script("return {ARGV[1], redis.call('INCR', KEYS[1])}")
    seen = {"right": 0, "wrong": 0, "cancelled": 0}

    async def one_call(name, n):
        canary = b"%s:%d" % (name, n)
        echo, _ = await link.eval_sha(script, [b"storm:" + name], [canary])
        seen["right" if echo == canary else "wrong"] += 1

    async def storm_caller(name, chance):
        for n in range(300):
            call = asyncio.ensure_future(one_call(name, n))
            if chance.random() < 0.5:
                asyncio.get_running_loop().call_later(chance.uniform(0.001, 0.02), call.cancel)
            try:
                await call
            except asyncio.CancelledError:
                seen["cancelled"] += 1

    async with linked(server) as link:
        callers = [storm_caller(b"caller-%d" % n, random.Random(n)) for n in range(200)]
        stall = asyncio.ensure_future(stalls(link))
        async with asyncio.timeout(60):  # a reply that went astray leaves its caller waiting
            await asyncio.gather(*callers)
        stall.cancel()
        assert seen["wrong"] == 0
        assert seen["right"] >= 20_000
        assert seen["cancelled"] >= 200
        assert link.counters.reconnects == 0
        assert await link.call("ECHO", "still in step") == b"still in step"


async def stalls(link):
    """Keep the server busy now and then, so that cancellations hit calls that are under way."""
    while True:
        await link.call("EVAL", BUSY, 0)
        await asyncio.sleep(0.02)


BUSY = "local x = 0 for i = 1, 1000000 do x = x + i end return x"


async def test_a_cancelled_call_leaves_the_connection_alone(server):
    async with linked(server) as link:
        first, second = link.call("ECHO", "1"), link.call("ECHO", "2")
        first.cancel()
        assert await second == b"2"
        assert link.counters.failures == 0


async def test_a_paused_server_fails_all_callers_and_recovers_by_itself(server):
    async with linked(server, reply_seconds=0.1, connect_seconds=0.25) as link:
        loop, run_id = asyncio.get_running_loop(), link.run_id
        server.pause()
        started = loop.time()
        results = await asyncio.gather(*(link.call("ECHO", n) for n in range(500)), return_exceptions=True)
        assert all(type(result) is ReplyTimeoutError for result in results)
        assert isinstance(results[0], OutcomeUnknownError)
        with pytest.raises(LinkDownError, match="no reply within 100 ms"):
            link.call("PING")
        assert loop.time() - started < 2
        assert link.counters.timeouts == 1
        assert link.counters.failures == 500
        await asyncio.sleep(0.4)  # attempts that meet the paused server
        assert not link.connected
        server.resume()
        await link.wait_connected(deadline_seconds=GENEROUS)
        assert await link.call("ECHO", "back") == b"back"
        assert link.run_id == run_id


async def test_a_busy_server_that_answers_is_not_timed_out(server):
    """The last of many replies is late, and yet the server is never silent for long."""
    busy = Script("local x = 0 for i = 1, 300000 do x = x + i end return 1")
    one_read = b"x" * 20_000  # Valkey answers what one read brought all at once
    async with linked(server, reply_seconds=0.3) as link:
        await link.eval_sha(busy, [])
        started = asyncio.get_running_loop().time()
        assert set(await asyncio.gather(*(link.eval_sha(busy, [], [one_read]) for _ in range(400)))) == {1}
        assert asyncio.get_running_loop().time() - started > 0.3
        assert link.counters.timeouts == 0


async def test_a_stall_of_our_own_process_is_not_a_timeout(server):
    async with linked(server, reply_seconds=0.05) as link:
        waiting = link.call("ECHO", "x")
        await asyncio.sleep(0)
        deadline = asyncio.get_running_loop().time() + 0.3
        while asyncio.get_running_loop().time() < deadline:
            pass
        assert await waiting == b"x"
        assert link.counters.timeouts == 0


async def test_kill_and_restart_is_survived_and_noticed():
    runs = []
    with ValkeyServer(append_only=True) as server:
        async with linked(server, on_connect=lambda *ids: runs.append(ids)) as link:
            await link.call("SET", "a", "1")
            server.kill()
            with pytest.raises(LinkError):
                await link.call("GET", "a")
            for _ in range(3):
                with pytest.raises(NotSentError):
                    link.call("GET", "a")
            await asyncio.to_thread(server.start)
            await link.wait_connected(deadline_seconds=GENEROUS)
            assert await link.call("GET", "a") == b"1"
            assert link.counters.reconnects == 1
            assert runs == [(None, runs[0][1]), (runs[0][1], link.run_id)]
            assert runs[0][1] != link.run_id


async def test_a_dropped_connection_comes_back_with_the_same_run_id(server):
    async with linked(server) as link:
        run_id = link.run_id
        with contextlib.suppress(LinkError):
            await link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
        await asyncio.sleep(0.01)
        await link.wait_connected(deadline_seconds=GENEROUS)
        assert link.run_id == run_id
        assert await link.call("PING") == b"PONG"


async def test_a_script_is_learnt_by_the_server_and_again_after_a_flush(server):
    script = Script("return {KEYS[1], ARGV[1], ARGV[2]}")
    async with linked(server) as link:
        for _ in range(2):
            await link.call("SCRIPT", "FLUSH")
            loads = link.counters.script_loads
            calls = [link.eval_sha(script, ["k"], [n, b"x"]) for n in range(100)]
            assert await asyncio.gather(*calls) == [[b"k", b"%d" % n, b"x"] for n in range(100)]
            assert link.counters.script_loads == loads + 1
            assert await link.eval_sha(script, [b"k"], [1, "x"]) == [b"k", b"1", b"x"]
            assert link.counters.script_loads == loads + 1


async def test_noscript_executes_once(server):
    script = Script("return redis.call('INCR', KEYS[1])")
    async with linked(server) as link:
        await link.call("SCRIPT", "FLUSH")
        calls = [link.eval_sha(script, [b"once"]) for _ in range(50)]
        calls[7].cancel()  # before the server told that it does not know the script: not sent again
        replies = [await call for call in calls if not call.cancelled()]
        assert sorted(replies) == list(range(1, 50))
        await link.call("DEL", "once")


async def test_a_script_that_does_not_compile_is_its_callers_error(server):
    async with linked(server) as link:
        with pytest.raises(ReplyError, match="NOSCRIPT"):
            await link.eval_sha(Script("this is not Lua"), [])
        assert await link.eval_sha(Script("return 1"), []) == 1


async def test_an_error_in_a_script_is_its_callers(server):
    async with linked(server) as link:
        with pytest.raises(ReplyError) as error:
            await link.eval_sha(Script("return redis.error_reply('STALE_VIEW 7')"), [])
        assert (error.value.code, error.value.text) == ("STALE_VIEW", "STALE_VIEW 7")


async def test_credentials():
    with ValkeyServer(password="right secret") as server:
        socket_path = str(server.socket_path)
        for password, code in (("wrong secret", "WRONGPASS"), (None, "NOAUTH")):
            link = RedisLink(RedisAddress(socket_path=socket_path, password=password), connect_seconds=2)
            with pytest.raises(ConnectError) as refused:
                await link.connect()
            text = str(refused.value)
            assert text.startswith(f"Redis at unix://{socket_path} refused the credentials: {code}")
            assert "\n" not in text
            assert "secret" not in text
        server.command("ACL", "SETUSER", "gate", "on", ">its secret", "~*", "&*", "+@all")
        address = RedisAddress(socket_path=socket_path, username="gate", password="its secret", database=3)
        link = RedisLink(address, connect_seconds=2, reply_seconds=2)
        await link.connect()
        assert await link.call("ACL", "WHOAMI") == b"gate"
        assert b" db=3 " in await link.call("CLIENT", "INFO")
        await link.close()
        assert "secret" not in repr(address)
        assert "secret" not in str(address)


async def test_an_absent_server_is_one_clear_line_at_connect():
    path = temporary_directory() / "absent.sock"
    link = RedisLink(RedisAddress(socket_path=str(path)))
    with pytest.raises(ConnectError, match=f"^cannot connect to Redis at unix://{path}: .*No such file") as refused:
        await link.connect()
    assert "\n" not in str(refused.value)
    with pytest.raises(LinkDownError):
        link.call("PING")
    await link.close()


async def test_a_started_link_waits_for_its_server():
    server = ValkeyServer()
    link = RedisLink(RedisAddress.parse(server.url), connect_seconds=2, reply_seconds=2)
    link.start()
    with pytest.raises(LinkDownError, match="cannot connect"):
        await link.wait_connected(deadline_seconds=0.1)
    server.start()
    await link.wait_connected(deadline_seconds=GENEROUS)
    assert await link.call("PING") == b"PONG"
    await link.close()
    server.close()


async def test_a_silent_server_does_not_hang_connect():
    async with fake_server(lambda _: b"") as address:
        link = RedisLink(address, connect_seconds=0.05, reply_seconds=1)
        with pytest.raises(ConnectError, match="no answer within 50 ms"):
            await link.connect()


async def test_a_loading_server_is_not_connected_yet():
    loading = True
    answer = b"-LOADING Redis is loading the dataset in memory\r\n"
    async with fake_server(lambda command: answer if loading and command[0] == b"PING" else polite(command)) as address:
        link = RedisLink(address)
        with pytest.raises(ConnectError, match="refused: LOADING"):
            await link.connect()
        link.start()
        await asyncio.sleep(0.05)
        assert not link.connected
        loading = False
        await link.wait_connected(deadline_seconds=GENEROUS)
        await link.close()


async def test_never_sent_is_told_from_outcome_unknown(server):
    async with linked(server) as link:
        sent = link.call("ECHO", "sent")
        await asyncio.sleep(0)
        queued = link.call("ECHO", "queued in this tick")
        link._connection.end("pulled the plug")
        with pytest.raises(LinkLostError, match="pulled the plug") as unknown:
            await sent
        assert isinstance(unknown.value, OutcomeUnknownError)
        with pytest.raises(NotSentError, match="pulled the plug"):
            await queued
        with pytest.raises(NotSentError):
            link.call("ECHO", "down")


async def test_too_many_outstanding_calls_are_refused_at_once(server):
    async with linked(server, max_outstanding=10) as link:
        calls = [link.call("ECHO", n) for n in range(10)]
        with pytest.raises(LinkFullError, match="10 commands wait") as full:
            link.call("ECHO", "one too many")
        assert isinstance(full.value, NotSentError)
        assert await asyncio.gather(*calls) == [b"%d" % n for n in range(10)]
        assert await link.call("ECHO", "room again") == b"room again"


async def test_a_callers_deadline_disturbs_nobody(server):
    async with linked(server) as link:
        with pytest.raises(ReplyTimeoutError, match=r"the caller's 0\.1 ms"):
            await link.execute("EVAL", BUSY, 0, deadline_seconds=0.0001)
        assert await link.execute("ECHO", "next", deadline_seconds=GENEROUS) == b"next"
        assert link.counters.reconnects == 0


@pytest.mark.parametrize(
    "noise", [b"nonsense\r\n", b"+OK\r\n+uninvited\r\n", b"$-7\r\n", None], ids=["garbage", "extra", "length", "closed"]
)
async def test_a_server_that_breaks_the_protocol_is_dropped(noise):
    async with fake_server(lambda command: noise if command[0] == b"BREAK" else polite(command)) as address:
        link = RedisLink(address, reply_seconds=2)
        await link.connect()
        broken = link.call("BREAK")
        if noise == b"+OK\r\n+uninvited\r\n":
            assert await broken == b"OK"
        else:
            with pytest.raises(LinkLostError):
                await broken
        assert not link.connected
        await link.wait_connected(deadline_seconds=GENEROUS)
        assert await link.call("FINE") == b"OK"
        await link.close()


async def test_replies_cut_at_any_byte(server):
    async with linked(server) as link:
        chance = random.Random(7)
        sizes = [chance.randrange(200_000) for _ in range(100)]
        replies = await asyncio.gather(*(link.call("ECHO", bytes([n]) * size) for n, size in enumerate(sizes)))
        assert replies == [bytes([n]) * size for n, size in enumerate(sizes)]


async def test_a_failing_hook_is_logged_and_the_link_keeps_trying(server, caplog):
    runs = []

    def hook(*ids):
        runs.append(ids)
        if len(runs) == 1:
            raise RuntimeError

    link = RedisLink(RedisAddress.parse(server.url), connect_seconds=2, reply_seconds=2, on_connect=hook)
    link.start()
    await link.wait_connected(deadline_seconds=GENEROUS)
    assert len(runs) == 2
    assert "connecting to Redis failed" in caplog.text
    await link.close()


async def test_closing_fails_what_waits_and_can_be_repeated(server):
    link = RedisLink(RedisAddress.parse(server.url), connect_seconds=2, reply_seconds=2)
    await link.connect()
    waiting = link.call("BLPOP", "never filled", 60)
    await asyncio.sleep(0)
    await link.close()
    await link.close()
    with pytest.raises(LinkError, match="closed"):
        await waiting
    with pytest.raises(LinkDownError, match="closed"):
        link.call("PING")
    await link.connect()
    assert await link.call("PING") == b"PONG"
    await link.close()


ARGUMENT = st.binary() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**63)


@given(st.lists(ARGUMENT, min_size=1))
def test_commands_are_packed_as_hiredis_packs_them(arguments):
    assert pack(*arguments) == hiredis.pack_command(tuple(arguments))


@given(st.lists(ARGUMENT), st.lists(ARGUMENT))
def test_script_calls_are_packed_as_hiredis_packs_them(keys, arguments):
    script = Script("return 1")
    expected = hiredis.pack_command(("EVALSHA", script.sha1, len(keys), *keys, *arguments))
    assert script.pack_call(keys, arguments) == script.pack_call(keys, arguments) == expected


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", RedisAddress()),
        ("redis://cache", RedisAddress(host="cache")),
        ("valkey://cache:7000/2", RedisAddress(host="cache", port=7000, database=2)),
        ("redis://[::1]:7000", RedisAddress(host="::1", port=7000)),
        ("redis://:p%40ss@cache", RedisAddress(host="cache", password="p@ss")),
        ("redis://user:pass@cache", RedisAddress(host="cache", username="user", password="pass")),
        ("unix:///run/a%20b.sock", RedisAddress(socket_path="/run/a b.sock")),
        ("unix://:pass@/run/a.sock?db=3", RedisAddress(socket_path="/run/a.sock", password="pass", database=3)),
    ],
)
def test_urls(url, address):
    assert RedisAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "rediss://:secret@cache",
        "redis://:sec/ret@cache",
        "redis://:secret@cache/x",
        "unix://:secret@",
    ],
)
def test_a_bad_url_is_one_line_without_its_secret(url):
    with pytest.raises(RedisUrlError) as error:
        RedisAddress.parse(url)
    assert "sec" not in str(error.value)
    assert "\n" not in str(error.value)

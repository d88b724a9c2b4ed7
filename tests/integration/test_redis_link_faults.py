import asyncio
import contextlib
import gc
import time

import pytest

from child_processes import temporary_directory
from links import GENEROUS, fake_server, linked, polite
from servers import ValkeyServer
from tallygate.data_plane.burst import Burst
from tallygate.storage.redis.link.connection import LinkConnection, LinkCounters
from tallygate.storage.redis.link.link import (
    ConnectError,
    LinkDownError,
    LinkError,
    LinkFullError,
    LinkLostError,
    NotSentError,
    OutcomeUnknownError,
    RedisAddress,
    RedisLink,
    ReplyTimeoutError,
)


@pytest.fixture(scope="module")
def server():
    with ValkeyServer(append_only=True) as server:
        yield server


async def test_a_paused_server_fails_all_callers_and_recovers_by_itself(server):
    async with linked(server, reply_seconds=0.1, connect_seconds=0.25) as link:
        loop = asyncio.get_running_loop()
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


class Hands:
    """A clock that is moved by hand, in place of the loop's own; what is due on the way is done at its instant."""

    def __init__(self):
        self.now, self.due = 0.0, []
        self.loop = asyncio.get_running_loop()

    def time(self):
        return self.now

    def call_at(self, when, what):
        self.due.append((when, what))
        return self.loop.call_later(GENEROUS, lambda: None)  # what can be cancelled, and is not heard of

    def __getattr__(self, name):
        return getattr(self.loop, name)

    def move(self, to):
        while ready := sorted((one for one in self.due if one[0] <= to), key=lambda one: one[0]):
            self.due.remove(ready[0])
            self.now = ready[0][0]
            ready[0][1]()
        self.now = to


class Wire(asyncio.Transport):
    """A transport that takes everything."""

    def write(self, data):
        pass

    def is_closing(self):
        return False

    def abort(self):
        pass


async def test_a_busy_server_that_answers_is_not_timed_out():
    """Twenty replies, one each 0.25 s: the last is late by far, and yet the server is never silent for 0.3 s."""
    counters, ended = LinkCounters(), []
    connection = LinkConnection(
        counters=counters,
        reply_seconds=0.3,
        max_outstanding=100,
        on_end=lambda _, why: ended.append(why),
        on_refusal=lambda *_: None,
        burst=Burst(),
    )
    hands = connection._loop = Hands()
    connection.connection_made(Wire())

    def receive(data):
        connection.get_buffer(len(data))[: len(data)] = data
        connection.buffer_updated(len(data))

    waiting = [connection.send(b"PING") for _ in range(21)]
    connection.flush()
    for number in range(20):
        hands.move((number + 1) * 0.25)
        receive(b":%d\r\n" % number)
    assert await asyncio.gather(*waiting[:20]) == list(range(20))
    assert (ended, counters.timeouts) == ([], 0)
    hands.move(5.29)
    assert (ended, counters.timeouts) == ([], 0)
    hands.move(5.31)
    assert (ended, counters.timeouts) == (["no reply within 300 ms"], 1)
    with pytest.raises(ReplyTimeoutError):
        await waiting[20]


async def test_a_stall_of_our_own_process_is_not_a_timeout(server):
    async with linked(server, reply_seconds=1.0) as link:
        waiting = link.call("ECHO", "x")
        await asyncio.sleep(0)
        time.sleep(1.5)  # noqa: ASYNC251 - that is the stall
        assert await waiting == b"x"
        assert link.counters.timeouts == 0


async def test_kill_and_restart_is_survived_and_noticed():
    runs = []
    with ValkeyServer(append_only=True) as server:
        async with linked(server) as link:
            link.at_connect(lambda: runs.append(1))
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
            assert runs == [1]


async def test_a_dropped_connection_comes_back(server):
    async with linked(server) as link:
        with contextlib.suppress(LinkError):
            await link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
        await asyncio.sleep(0.01)
        await link.wait_connected(deadline_seconds=GENEROUS)
        assert await link.call("PING") == b"PONG"


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


async def test_what_nobody_waits_for_any_more_is_not_complained_of(server, caplog):
    async with linked(server) as link:
        for command in (["ECHO", "x"], ["NONSENSE"]):
            for _ in range(63):
                link.call(*command)
        assert await link.call("ECHO", "in step") == b"in step"
        for _ in range(63):
            link.call("ECHO", "x")
        await asyncio.sleep(0)
        link.reset("pulled the plug")
        await link.wait_connected(deadline_seconds=GENEROUS)
        gc.collect()
        await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text


async def test_each_outage_is_one_line_and_its_end_another(server, caplog):
    async with linked(server) as link:
        for _ in range(3):
            link.reset("pulled the plug")
            await link.wait_connected(deadline_seconds=GENEROUS)
    told = [record.getMessage() for record in caplog.records if record.name.startswith("tallygate")]
    assert [("lost" in line, "again" in line) for line in told] == [(True, False), (False, True)] * 3


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


async def test_a_failing_hook_is_logged_and_the_link_keeps_trying(server, caplog):
    runs = []

    def hook():
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError

    link = RedisLink(RedisAddress.parse(server.url), connect_seconds=2, reply_seconds=2)
    link.at_connect(hook)
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

import asyncio
import random

import pytest

from links import BUSY, evaluated, linked
from servers import ValkeyServer
from tallygate.storage.redis.link.link import (
    ReplyError,
    Script,
)


@pytest.fixture(params=["unix", "tcp"], scope="module")
def any_server(request):
    with ValkeyServer(tcp=request.param == "tcp") as server:
        yield server


@pytest.fixture(scope="module")
def server():
    with ValkeyServer(append_only=True) as server:
        yield server


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
        echo, _ = await evaluated(link, script, [b"storm:" + name], [canary])
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


async def test_a_cancelled_call_leaves_the_connection_alone(server):
    async with linked(server) as link:
        first, second = link.call("ECHO", "1"), link.call("ECHO", "2")
        first.cancel()
        assert await second == b"2"
        assert link.counters.failures == 0


async def test_a_script_is_learnt_by_the_server_and_again_after_a_flush(server):
    script = Script("return {KEYS[1], ARGV[1], ARGV[2]}")
    async with linked(server) as link:
        for _ in range(2):
            await link.call("SCRIPT", "FLUSH")
            loads = link.counters.script_loads
            calls = [evaluated(link, script, ["k"], [n, b"x"]) for n in range(100)]
            assert await asyncio.gather(*calls) == [[b"k", b"%d" % n, b"x"] for n in range(100)]
            assert link.counters.script_loads == loads + 1
            assert await evaluated(link, script, [b"k"], [1, "x"]) == [b"k", b"1", b"x"]
            assert link.counters.script_loads == loads + 1


async def test_noscript_executes_once(server):
    script = Script("return redis.call('INCR', KEYS[1])")
    async with linked(server) as link:
        await link.call("SCRIPT", "FLUSH")
        calls = [evaluated(link, script, [b"once"]) for _ in range(50)]
        calls[7].cancel()  # before the server told that it does not know the script: not sent again
        replies = [await call for call in calls if not call.cancelled()]
        assert sorted(replies) == list(range(1, 50))
        await link.call("DEL", "once")


async def test_a_script_that_does_not_compile_is_its_callers_error(server):
    async with linked(server) as link:
        with pytest.raises(ReplyError, match="compiling script"):
            await evaluated(link, Script("this is not Lua"), [])
        assert await evaluated(link, Script("return 1"), []) == 1


async def test_an_error_in_a_script_is_its_callers(server):
    async with linked(server) as link:
        with pytest.raises(ReplyError) as error:
            await evaluated(link, Script("return redis.error_reply('STALE_VIEW 7')"), [])
        assert (error.value.code, error.value.text) == ("STALE_VIEW", "STALE_VIEW 7")


async def test_replies_cut_at_any_byte(server):
    async with linked(server) as link:
        chance = random.Random(7)
        sizes = [chance.randrange(200_000) for _ in range(100)]
        replies = await asyncio.gather(*(link.call("ECHO", bytes([n]) * size) for n, size in enumerate(sizes)))
        assert replies == [bytes([n]) * size for n, size in enumerate(sizes)]

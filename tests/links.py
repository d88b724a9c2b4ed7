"""Links to real and to ill-behaved servers, for the tests of the Redis link."""

import asyncio
import contextlib

import hiredis

from child_processes import temporary_directory
from tallygate.storage.redis.link.commands import pack_arguments
from tallygate.storage.redis.link.link import (
    RedisAddress,
    RedisLink,
)

GENEROUS = 60.0  # a bound against hanging, not a measurement


def evaluated(link, script, keys, arguments=()):
    """The reply of a script to these keys and arguments, to come."""
    packed = script.prefix(len(keys), len(arguments)) + pack_arguments([*keys, *arguments])
    return link.eval_packed(script, packed)


BUSY = "local x = 0 for i = 1, 1000000 do x = x + i end return x"


@contextlib.asynccontextmanager
async def linked(server, **options):
    # A busy test machine is not what these tests are about.
    link = RedisLink(RedisAddress.parse(server.url), **{"connect_seconds": 30, "reply_seconds": 30} | options)
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
    return {b"PING": b"+PONG\r\n", b"EVAL": b"*0\r\n", b"GET": b"$-1\r\n"}.get(command[0], b"+OK\r\n")

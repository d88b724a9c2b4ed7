"""A question to one server on a connection of its own, which ends with the answer: sentinels and nodes are asked so."""

import asyncio
import contextlib
from typing import Any

import hiredis

from tallygate.storage.redis.address import Place, RedisAddress

_READ_BYTES = 1 << 16
_NOT_YET = object()


async def ask(address: RedisAddress, place: Place, *commands: bytes) -> list[Any]:
    """The replies to these packed commands at this place; what the server refuses is an exception among them.

    Raises:
        OSError: nobody answers there, or hangs up before the last reply.
        HiredisError: what answers speaks another language.
    """
    host, port = place
    reader, writer = await asyncio.open_connection(host, port, **address.tls_options(host))
    try:
        writer.write(b"".join(commands))
        parser, replies = hiredis.Reader(notEnoughData=_NOT_YET), list[Any]()
        while len(replies) < len(commands):
            if (reply := parser.gets()) is not _NOT_YET:
                replies.append(reply)
            elif data := await reader.read(_READ_BYTES):
                parser.feed(data)
            else:
                message = f"{host}:{port} hung up"
                raise ConnectionResetError(message)
        return replies
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

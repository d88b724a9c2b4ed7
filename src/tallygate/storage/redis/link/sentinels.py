"""Where the primary is, as sentinels say it: asked at each connect, and again while one lasts.

Knows no more of them than this one question. Whoever they name must still take writes (`greeting.py`): a sentinel that
has not heard of a failover yet names a replica.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import hiredis

from tallygate.storage.redis.address import RedisAddress, Sentinel
from tallygate.storage.redis.link.commands import pack

_Answer = asyncio.Task[tuple[str, int]]
_READ = 4_096
_PARTS = 2


class NoPrimaryError(OSError):
    """No sentinel names a primary; the text is one line."""


async def primary_of(address: RedisAddress, *, seconds: float) -> tuple[str, int]:
    """The host and port of the primary, as soon as most sentinels name it, or as most of those do who answer in time.

    One that was cut off from the others names who was the primary before.

    Raises:
        NoPrimaryError: none of them answers, or none knows such a primary.
    """
    asking = {asyncio.ensure_future(_asked(address, sentinel)) for sentinel in address.sentinels}
    named: Counter[tuple[str, int]] = Counter()
    problems = []
    try:
        async for done in _as_answered(asking, seconds):
            try:
                named[await done] += 1
            except (OSError, EOFError, hiredis.HiredisError) as error:
                problems.append(str(error) or type(error).__name__)
            if named and max(named.values()) * 2 > len(address.sentinels):
                break
    finally:
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    if not named:
        problem = "; ".join(dict.fromkeys(problems)) or f"no sentinel answered within {seconds * 1000:g} ms"
        raise NoPrimaryError(problem)
    return named.most_common(1)[0][0]


async def _as_answered(asking: set[_Answer], seconds: float) -> AsyncIterator[_Answer]:
    loop = asyncio.get_running_loop()
    end, left = loop.time() + seconds, asking
    while left:
        done, left = await asyncio.wait(left, timeout=end - loop.time(), return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return
        for each in done:
            yield each


async def _asked(address: RedisAddress, sentinel: Sentinel) -> tuple[str, int]:
    host, port = sentinel
    reader, writer = await asyncio.open_connection(host, port, **address.tls_options(host))
    try:
        if address.sentinel_password:
            writer.write(pack("AUTH", address.sentinel_password))
        writer.write(pack("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service))
        replies = hiredis.Reader()
        if address.sentinel_password:
            _told(await _reply(reader, replies), sentinel)
        told = _told(await _reply(reader, replies), sentinel)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if not isinstance(told, list) or len(told) != _PARTS:
        message = f"the sentinel at {host}:{port} knows no primary {address.service!r}"
        raise NoPrimaryError(message)
    return told[0].decode(), int(told[1])


async def _reply(reader: asyncio.StreamReader, replies: hiredis.Reader) -> Any:  # noqa: ANN401 - replies differ
    while (reply := replies.gets()) is False:
        data = await reader.read(_READ)
        if not data:
            message = "a sentinel hung up"
            raise NoPrimaryError(message)
        replies.feed(data)
    return reply


def _told(reply: Any, sentinel: Sentinel) -> Any:  # noqa: ANN401 - as above
    if isinstance(reply, Exception):
        message = f"the sentinel at {sentinel[0]}:{sentinel[1]} refused: {reply}"
        raise NoPrimaryError(message)
    return reply

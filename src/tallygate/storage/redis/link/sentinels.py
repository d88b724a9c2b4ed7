"""Where the primary is, as sentinels say it: asked at each connect, and again while one lasts.

Knows no more of them than this one question. Whoever they name must still take writes (`greeting.py`): a sentinel that
has not heard of a failover yet names a replica.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import hiredis

from tallygate.storage.redis.address import Place, RedisAddress
from tallygate.storage.redis.link.asking import ask
from tallygate.storage.redis.link.commands import pack

_Answer = asyncio.Task[Place]
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


async def _asked(address: RedisAddress, sentinel: Place) -> Place:
    secret = [pack("AUTH", address.sentinel_password)] if address.sentinel_password else []
    told: Any = None
    for told in await ask(address, sentinel, *secret, pack("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service)):
        if isinstance(told, Exception):
            message = f"the sentinel at {sentinel[0]}:{sentinel[1]} refused: {told}"
            raise NoPrimaryError(message)
    if not isinstance(told, list) or len(told) != _PARTS:
        message = f"the sentinel at {sentinel[0]}:{sentinel[1]} knows no primary {address.service!r}"
        raise NoPrimaryError(message)
    return told[0].decode(), int(told[1])

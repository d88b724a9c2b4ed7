"""A rest that something may end before its time."""

import asyncio
from collections.abc import Awaitable, Callable


async def rest(sleep: Callable[[float], Awaitable[None]], seconds: float, *until: asyncio.Event) -> None:
    """Sleep for so many seconds, but no longer than until one of these is set."""
    if any(event.is_set() for event in until):
        return
    waits = [asyncio.ensure_future(sleep(seconds)), *(asyncio.ensure_future(event.wait()) for event in until)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

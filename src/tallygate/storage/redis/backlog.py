"""How many events wait in the streams, and for how long: known to every process, so it is told when no worker runs."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable

from tallygate.storage.redis import keys
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.errors import Refusal
from tallygate.storage.redis.link.link import LinkError, ReplyError

_LOOK_SECONDS = 5.0
_MICROSECONDS_PER_MS = 1_000
_log = logging.getLogger(__name__)


class Backlog:
    """`entries` and `seconds` as of the last look; NaN while nothing is known.

    Entries leave a stream when they are collected, so all that is there waits. The age is by Redis' clock alone.
    """

    def __init__(self, link: AnyLink, *, partitions: int, clock: Callable[[], int]) -> None:
        self._link = link
        self._streams = [keys.stream(partition) for partition in range(partitions)]
        self._clock = clock
        self._may_read = True
        self._oldest: int | None = None
        self.entries = math.nan

    @property
    def seconds(self) -> float:
        """How long the oldest has waited by now: it goes on waiting while Redis cannot be asked."""
        if math.isnan(self.entries) or not self._may_read:
            return math.nan
        return 0.0 if self._oldest is None else max(0, self._clock() - self._oldest) / 1_000_000

    async def look(self) -> None:
        """Ask Redis.

        Raises:
            LinkError: it cannot be asked.
            ReplyError: it refuses to say.
        """
        lengths = await asyncio.gather(*(self._link.call("XLEN", stream) for stream in self._streams))
        waiting = [stream for stream, length in zip(self._streams, lengths, strict=True) if length]
        self._oldest = await self._oldest_of(waiting) if self._may_read else None
        self.entries = float(sum(lengths))

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Until cancelled: look every few seconds, if Redis can be asked."""
        while True:
            with contextlib.suppress(LinkError, ReplyError):  # the link tells of that
                await self.look()
            await sleep(_LOOK_SECONDS)

    async def _oldest_of(self, streams: list[str]) -> int | None:
        try:
            firsts = await asyncio.gather(*(self._link.call("XRANGE", s, "-", "+", "COUNT", 1) for s in streams))
        except ReplyError as error:
            if error.refusal is not Refusal.RIGHTS:
                raise
            self._may_read = False
            _log.info("how long events wait is not known here: this Redis user may not run XRANGE")
            return None
        return min((int(first[0][0].split(b"-")[0]) * _MICROSECONDS_PER_MS for first in firsts if first), default=None)

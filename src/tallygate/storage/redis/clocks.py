"""How Redis' clock stands to this process's, and how far ahead partitions' clocks were left.

The script believes no clock that differs from its caller's by more than 30 s; here the difference is known before that.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tallygate.domain.gating.admit import MAX_CLOCK_SKEW
from tallygate.storage.redis import keys
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.greeting import Call
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError

NOTED_SKEW = 1_000_000
"""From here on, in microseconds, a difference is worth a warning."""

_LOOK_SECONDS = 1.0
_log = logging.getLogger(__name__)


class ClockWatch:
    """`skew` in microseconds, as last seen: positive where Redis is ahead. Of several servers, that of the worst."""

    def __init__(self, link: AnyLink, clock: Callable[[], int]) -> None:
        self._link = link
        self._clock = clock
        self.skew = 0

    @property
    def believed(self) -> bool:
        """Whether the scripts decide at all."""
        return abs(self.skew) <= MAX_CLOCK_SKEW

    async def look(self) -> int:
        """Compare both clocks; what the round trip itself took is no difference.

        Raises:
            LinkError: Redis cannot be asked.
            ReplyError: it refuses to say.
        """
        seen = max([await self._compared(node) for _, node in self._link.nodes()], key=abs, default=0)
        if abs(seen) > NOTED_SKEW >= abs(self.skew):
            _log.warning("Redis' clock differs from this machine's by %.1f s", seen / 1_000_000)
        self.skew = seen
        return seen

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Until cancelled: look every second, if Redis can be asked."""
        while True:
            with contextlib.suppress(LinkError, ReplyError):  # the link tells of that
                await self.look()
            await sleep(_LOOK_SECONDS)

    async def _compared(self, node: RedisLink) -> int:
        before = self._clock()
        theirs = await time_of(node.call)
        after = self._clock()
        return theirs - before if theirs < before else max(0, theirs - after)


async def time_of(call: Call) -> int:
    """A server's clock, in microseconds since the Unix epoch."""
    reply = await call("TIME")
    try:
        seconds, micros = map(int, reply if isinstance(reply, list) else ())
    except (TypeError, ValueError) as error:
        problem = "ERR its answer to TIME cannot be read"
        raise ReplyError(problem) from error
    return seconds * 1_000_000 + micros


async def ahead(link: AnyLink, partitions: Sequence[int]) -> Mapping[int, int]:
    """Partitions whose kept clock lies further ahead of Redis' than anybody's may, and by how many microseconds.

    A jump of Redis' clock that both sides followed leaves it there; the next call that takes something sets it back.
    """
    nodes = {link.at(partition) for partition in partitions}
    now = dict(zip(nodes, [await time_of(node.call) for node in nodes], strict=True))
    kept = await asyncio.gather(*[link.call("GET", keys.clock(partition)) for partition in partitions])
    behind = {p: int(raw) - now[link.at(p)] for p, raw in zip(partitions, kept, strict=True) if raw is not None}
    return {partition: lead for partition, lead in behind.items() if lead > MAX_CLOCK_SKEW}

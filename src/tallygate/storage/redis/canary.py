"""A key that expires as a counter does: whether Redis' clock ran so far ahead that it let go of what still counts.

No counter of a running period expires in less than an hour and a half, so a jump by less than an hour loses none.
"""

import logging
from collections.abc import Callable

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis import keys
from tallygate.storage.redis.clocks import server_time
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError

_KEPT = 3_600_000_000
"""How long the key is kept, by Redis' own clock; it is set anew every second."""

_log = logging.getLogger(__name__)


class RedisCanary:
    """`ExpiryWatch` over the link; `clock` is this machine's."""

    def __init__(self, link: RedisLink, clock: Callable[[], int]) -> None:
        self._link = link
        self._clock = clock

    async def outran(self) -> bool:
        """Whether the key is gone although it was set less than half as long ago as it is kept."""
        try:
            lives, set_time = await self._link.call("MGET", keys.CANARY, keys.CANARY_SET)
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error
        gone = lives is None and set_time is not None and 0 <= self._clock() - int(set_time) < _KEPT // 2
        if gone:
            _log.error("Redis' clock ran ahead by an hour or more: counters may have expired before their time")
        return gone

    async def set(self) -> None:
        """Set it anew, and when that was."""
        try:
            until = (await server_time(self._link) + _KEPT) // 1000
            await self._link.call("SET", keys.CANARY, 1, "PXAT", until)
            await self._link.call("SET", keys.CANARY_SET, self._clock())
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error

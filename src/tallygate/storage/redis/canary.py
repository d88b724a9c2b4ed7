"""A key that expires as a counter does: whether Redis' clock ran so far ahead that it let go of what still counts.

No counter of a running period expires in less than an hour and a half, so a jump by less than an hour loses none.
"""

import logging
from collections.abc import Callable

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis import keys
from tallygate.storage.redis.clocks import time_of
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.greeting import Call
from tallygate.storage.redis.link.link import LinkError, ReplyError

_KEPT = 3_600_000_000
"""How long the key is kept, by Redis' own clock; it is set anew every second."""

_log = logging.getLogger(__name__)


class RedisCanary:
    """`ExpiryWatch` over the link; `clock` is this machine's. Each server has one, by its own clock."""

    def __init__(self, link: AnyLink, clock: Callable[[], int]) -> None:
        self._link = link
        self._clock = clock

    async def outran(self) -> bool:
        """Whether one is gone although it was set less than half as long ago as it is kept."""
        try:
            gone = [await self._is_gone(call, next(iter(tags))) for call, tags in self._link.places()]
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error
        if any(gone):
            _log.error("Redis' clock ran ahead by an hour or more: counters may have expired before their time")
        return any(gone)

    async def set(self) -> None:
        """Set them anew, and when that was."""
        try:
            for call, tags in self._link.places():
                tag = next(iter(tags))
                until = (await time_of(call) + _KEPT) // 1000
                await call("SET", keys.canary(tag), 1, "PXAT", until)
                await call("SET", keys.canary_set(tag), self._clock())
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error

    async def _is_gone(self, call: Call, tag: str) -> bool:
        lives, set_time = await call("MGET", keys.canary(tag), keys.canary_set(tag))
        return lives is None and set_time is not None and 0 <= self._clock() - int(set_time) < _KEPT // 2

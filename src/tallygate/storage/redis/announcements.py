"""Pub/sub of what happened elsewhere, over redis-py. A hint: what is missed is found by version or age, only later."""

import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from tallygate.data_plane.ports import Listener, UsageReturned, ViewChange
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcement_codec import read_announcement

_IDLE_SECONDS = 1.0
_RETRY_SECONDS = 0.2

_log = logging.getLogger(__name__)


class RedisAnnouncements:
    """Tells a listener, over a client of its own, which must not retry by itself: it would hide gaps."""

    def __init__(self, redis: Redis, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._redis = redis
        self._sleep = sleep
        self._outlived = False

    def leave(self) -> None:
        """Connect anew within a second: the server that is listened to may not be the one that is written to."""
        self._outlived = True

    async def listen(self, listener: Listener) -> None:
        """Tell the listener until cancelled; a connection that falls silent is left within 2 s."""
        while True:
            try:
                self._outlived = False
                async with self._redis.pubsub() as subscription:
                    try:
                        await subscription.subscribe(keys.CHANGES_CHANNEL)
                        await self._follow(subscription, listener)
                    finally:
                        listener.on_gap()  # before the connection is closed, which may take its time
            except (RedisError, OSError) as error:
                _log.info("not listening to announcements for the moment: %s", error)
            await self._sleep(_RETRY_SECONDS)

    async def _follow(self, subscription: PubSub, listener: Listener) -> None:
        """Read until the connection fails, is to be left or, probed when idle, no longer answers."""
        probed = False
        while not self._outlived:
            message = await subscription.get_message(timeout=_IDLE_SECONDS)
            if message is None:
                if probed:
                    return
                await subscription.ping()
                probed = True
                continue
            probed = False
            if message["type"] == "subscribe":
                listener.on_live()
            elif message["type"] == "message":
                _tell(message["data"], listener)


def _tell(data: bytes, listener: Listener) -> None:
    match read_announcement(data):
        case ViewChange() as change:
            listener.on_change(change)
        case UsageReturned() as returned:
            listener.on_return(returned)
        case None:
            pass

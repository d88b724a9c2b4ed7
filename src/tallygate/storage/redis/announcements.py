"""Pub/sub of published changes, over redis-py. A hint: what is missed is found by version, only later."""

import json
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from tallygate.data_plane.ports import ViewChange
from tallygate.storage.redis import keys

_IDLE_SECONDS = 1.0
_RETRY_SECONDS = 0.2

_log = logging.getLogger(__name__)


class RedisAnnouncements:
    """`ViewAnnouncements` over a client of its own, which must not retry by itself: it would hide gaps."""

    def __init__(self, redis: Redis, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._redis = redis
        self._sleep = sleep

    async def listen(self, on_change: Callable[[ViewChange], None], on_gap: Callable[[], None]) -> None:
        """Call `on_change` for each announcement until cancelled, and `on_gap` whenever some may have been missed."""
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(keys.CHANGES_CHANNEL)
                    await _follow(subscription, on_change, on_gap)
            except (RedisError, OSError) as error:
                _log.info("not listening to announcements for the moment: %s", error)
                on_gap()
            await self._sleep(_RETRY_SECONDS)


async def _follow(subscription: PubSub, on_change: Callable[[ViewChange], None], on_gap: Callable[[], None]) -> None:
    """Read until the connection fails or, probed when idle, no longer answers."""
    probed = False
    while True:
        message = await subscription.get_message(timeout=_IDLE_SECONDS)
        if message is None:
            if probed:
                return
            await subscription.ping()
            probed = True
            continue
        probed = False
        if message["type"] == "subscribe":  # from here on nothing is missed
            on_gap()
        elif message["type"] == "message" and (change := _change(message["data"])) is not None:
            on_change(change)


def _change(data: bytes) -> ViewChange | None:
    try:
        document = json.loads(data)
        return ViewChange(
            tenant_id=document["tenant_id"], account_id=document["account_id"], version=int(document["version"])
        )
    except (ValueError, KeyError, TypeError):  # from a newer release, or from nobody that we know
        return None

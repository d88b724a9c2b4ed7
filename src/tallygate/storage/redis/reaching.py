"""What redis-py raises, as this package's own error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tallygate.domain.errors import StoreUnavailableError


@asynccontextmanager
async def reaching(redis: Redis) -> AsyncIterator[None]:
    """Use this client; after any failure its next use begins with a connection of its own.

    An old connection may lead to a server that has become a replica, while the address leads to the new primary.

    Raises:
        StoreUnavailableError: it did not work.
    """
    try:
        yield
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        await redis.connection_pool.disconnect()
        raise StoreUnavailableError(store="redis") from error

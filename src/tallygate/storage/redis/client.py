"""The redis-py clients of this house: what fails, fails in time, and nothing is tried again behind a caller's back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis.address import RedisAddress


def redis_client(address: RedisAddress, *, connect_seconds: float, reply_seconds: float) -> Redis:
    """A client of this server; redis-py's defaults would wait for many seconds."""
    where: dict[str, Any] = {"host": address.host, "port": address.port}
    if address.socket_path is not None:
        where = {"unix_socket_path": address.socket_path}
    return Redis(
        **where,
        username=address.username,
        password=address.password,
        db=address.database,
        socket_connect_timeout=connect_seconds,
        socket_timeout=reply_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


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

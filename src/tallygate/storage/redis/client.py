"""The redis-py clients of this house: what fails, fails in time, and nothing is tried again behind a caller's back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Connection, ConnectionPool, Redis, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from typing_extensions import override

from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link.errors import LinkError, ReplyError
from tallygate.storage.redis.link.sentinels import primary_of
from tallygate.storage.redis.link.topology import slots_of

_ASKING_SECONDS = 0.25


def redis_client(address: RedisAddress, *, connect_seconds: float, reply_seconds: float) -> Redis:
    """A client of this server; redis-py's defaults would wait for many seconds."""
    kind, where = _place(address)
    pool = ConnectionPool(
        kind,
        **where,
        credential_provider=_Credentials(address) if address.has_credentials else None,
        db=address.database,
        socket_connect_timeout=connect_seconds,
        socket_timeout=reply_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    return Redis.from_pool(pool)


def retime_client(redis: Redis, *, connect_seconds: float, reply_seconds: float) -> None:
    """Have a client wait so long from its next command on, on the connections that it has, too."""
    times = {"socket_connect_timeout": connect_seconds, "socket_timeout": reply_seconds}
    pool = redis.connection_pool
    pool.connection_kwargs.update(times)
    for connection in (*pool._available_connections, *pool._in_use_connections):  # noqa: SLF001 - it has no other way
        for name, seconds in times.items():
            setattr(connection, name, seconds)


def _place(address: RedisAddress) -> tuple[type[Connection | UnixDomainSocketConnection], dict[str, Any]]:
    if address.socket_path is not None:
        return UnixDomainSocketConnection, {"path": address.socket_path}
    return _TcpConnection, {"address": address}


class _TcpConnection(Connection):
    """redis-py's own connection over TLS knows neither SNI nor certificates that were replaced."""

    def __init__(self, *, address: RedisAddress, **options: Any) -> None:  # noqa: ANN401 - redis-py's own
        super().__init__(host=address.host, port=address.port, **options)
        self._address = address

    @override
    async def _connect(self) -> None:
        seconds = float(self.socket_connect_timeout or _ASKING_SECONDS)
        if self._address.sentinels:
            self.host, self.port = await primary_of(self._address, seconds=seconds)
        elif self._address.seeds:
            found = await slots_of(self._address, self._address.seeds, seconds=seconds)
            self.host, self.port = found.told_by
        await super()._connect()  # type: ignore[no-untyped-call] # redis-py left it so

    @override
    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), **self._address.tls_options(self.host)}


class _Credentials(CredentialProvider):
    """Asked at each connect."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address

    @override
    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        try:
            username, password = self._address.credentials()
        except OSError as error:  # any other kind would leave the half-greeted connection in the pool
            raise RedisConnectionError(str(error)) from error
        return (username, password or "") if username else (password or "",)

    @override
    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


@asynccontextmanager
async def reaching(redis: Redis) -> AsyncIterator[None]:
    """Use this client; after any failure its next use begins with a connection of its own.

    An old connection may lead to a server that has become a replica, while the address leads to the new primary.

    Raises:
        StoreUnavailableError: it did not work.
    """
    try:
        yield
    except (RedisError, OSError, LinkError, ReplyError) as error:  # TimeoutError is an OSError
        await redis.connection_pool.disconnect()
        raise StoreUnavailableError(store="redis") from error

"""How a connection comes about: opened, greeted, and known for what its server is, within one deadline."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallygate.storage.redis import keys, tls
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.link.commands import pack
from tallygate.storage.redis.link.connection import LinkConnection
from tallygate.storage.redis.link.errors import ConnectError, LinkError, LinkLostError, ReplyError
from tallygate.storage.redis.link.greeting import Call, greet
from tallygate.storage.redis.link.sentinels import primary_of
from tallygate.storage.redis.link.vouching import is_vouched_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeted:
    """A connection to use; `refusal` says why its server takes no writes, `vouched` whether it was found whole."""

    connection: LinkConnection
    refusal: str
    vouched: bool


def caller(connection: LinkConnection) -> Call:
    """Sends single commands over this connection."""
    return lambda *arguments: connection.send(pack(*arguments))


async def connect(
    address: RedisAddress, made: Callable[[], LinkConnection], *, seconds: float, tags: Sequence[str] | None = None
) -> Greeted:
    """Open a connection and greet the server; `tags` as `greet` takes them.

    Raises:
        ConnectError: nobody answers, or who answers wants none of it; nothing stays behind.
    """
    connection: LinkConnection | None = None
    try:
        async with asyncio.timeout(seconds):
            connection = await _open(address, made, seconds / 2)
            call = caller(connection)
            refusal = await greet(call, address, tags)
            vouched = await is_vouched_for(call, (keys.KEYS_TAG,) if tags is None else tags)
            return Greeted(connection=connection, refusal=refusal, vouched=vouched)
    except (OSError, LinkError, ReplyError) as error:  # TimeoutError is an OSError
        if connection is not None:
            connection.end("greeting failed")
        raise ConnectError(_explain(address, error, seconds)) from error
    except BaseException:
        if connection is not None:
            connection.end("connecting was given up")
        raise


async def _open(address: RedisAddress, made: Callable[[], LinkConnection], seconds: float) -> LinkConnection:
    loop = asyncio.get_running_loop()
    if address.sentinels:
        host, port = await primary_of(address, seconds=seconds)
        _, connection = await loop.create_connection(made, host, port, **address.tls_options(host))
        connection.place = host, port
    elif address.socket_path is not None:
        _, connection = await loop.create_unix_connection(made, address.socket_path)
    else:
        _, connection = await loop.create_connection(made, address.host, address.port, **address.tls_options())
    return connection


def _explain(address: RedisAddress, error: Exception, seconds: float) -> str:
    if isinstance(error, ReplyError):
        cause = "refused the credentials" if error.code in {"WRONGPASS", "NOAUTH"} else "refused"
        return f"Redis at {address} {cause}: {error.text}"
    timed_out = isinstance(error, TimeoutError) and error.errno is None
    reason = f"no answer within {seconds * 1000:g} ms" if timed_out else tls.told(error)
    return f"cannot connect to Redis at {address}: {reason}{_doubt(address, error)}"


def _doubt(address: RedisAddress, error: Exception) -> str:
    """A server that was not spoken to in its way says nothing, or hangs up."""
    if address.tls is not None:
        return "; perhaps it does not speak TLS (redis://)" if isinstance(error, TimeoutError) else ""
    return "; perhaps it speaks TLS only (rediss://)" if isinstance(error, LinkLostError) else ""

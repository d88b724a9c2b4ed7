"""Every connection of a running process takes over how long it shall wait."""

import asyncio

import pytest
from redis.exceptions import RedisError

from servers import ValkeyServer
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.link.link import LinkError, RedisLink

LONG, SHORT = 600.0, 0.2
DEADLINE = 30.0


@pytest.fixture(scope="module")
def valkey():
    with ValkeyServer() as server:
        yield server


@pytest.mark.parametrize("kind", ["link", "client", "stream_client", "listening_client"])
@pytest.mark.parametrize("when", ["connected before", "connected after"])
async def test_what_was_made_before_waits_as_long_as_is_said_now(valkey, kind, when):
    factory = RedisFactory(address=RedisAddress.parse(valkey.url), connect_seconds=LONG, reply_seconds=LONG)
    made = getattr(factory, kind)()

    async def ping():
        await (made.call("PING") if isinstance(made, RedisLink) else made.ping())

    if isinstance(made, RedisLink):
        await made.connect()
    if when == "connected before":
        await ping()
        factory.retime(connect_seconds=SHORT, reply_seconds=SHORT)
    else:
        factory.retime(connect_seconds=SHORT, reply_seconds=SHORT)
        await ping()
    valkey.pause()
    try:
        async with asyncio.timeout(DEADLINE):
            with pytest.raises((LinkError, RedisError)):
                await ping()
    finally:
        valkey.resume()
        await (made.close() if isinstance(made, RedisLink) else made.aclose())


async def test_what_waits_for_replicas_waits_as_long_too(valkey):
    factory = RedisFactory(address=RedisAddress.parse(valkey.url), connect_seconds=LONG, reply_seconds=LONG)
    hot = factory.link()
    await hot.connect()
    confirmations = factory.confirmations(hot, replicas=0, seconds=0.1)

    async def confirmed():
        told = asyncio.get_running_loop().create_future()
        confirmations.confirm(told.set_result)
        return await told

    assert await confirmed()
    factory.retime(connect_seconds=SHORT, reply_seconds=SHORT)
    valkey.pause()
    try:
        async with asyncio.timeout(DEADLINE):
            assert not await confirmed()
    finally:
        valkey.resume()
        await confirmations.close()
        await hot.close()

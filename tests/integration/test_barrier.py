"""The barrier before a close: what was admitted is in SQL, or the close waits."""

import asyncio

import pytest

from servers import ValkeyServer
from tallygate.domain.errors import StoreUnavailableError
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.barrier import RedisBarrier
from tallygate.storage.redis.factory import RedisFactory

PARTITIONS = 4


@pytest.fixture
def valkey():
    with ValkeyServer() as server:
        yield server


@pytest.fixture
async def redis(valkey):
    client = RedisFactory(address=RedisAddress.parse(valkey.url)).stream_client()
    yield client
    await client.aclose()


def home(account_id):
    return keys.stream(keys.partition_of(PARTITIONS, "t", account_id))


async def test_a_partition_is_asked_once_however_many_accounts_live_there(redis):
    accounts = [f"a{number}" for number in range(100)]
    for account_id in accounts:
        await redis.xadd(home(account_id), {"f": "x"}, maxlen=1)
    for account_id in accounts:
        await redis.xtrim(home(account_id), maxlen=0)
    before = (await redis.info("commandstats")).get("cmdstat_xrange", {"calls": 0})["calls"]
    await RedisBarrier(redis, partitions=PARTITIONS, sleep=asyncio.sleep).passed("t", accounts)
    assert (await redis.info("commandstats"))["cmdstat_xrange"]["calls"] - before == PARTITIONS


async def test_it_waits_for_what_was_there_and_not_for_what_comes_later(redis):
    stream = home("acme")
    waiting = await redis.xadd(stream, {"f": "1"})
    barrier = RedisBarrier(redis, partitions=PARTITIONS, sleep=asyncio.sleep)
    passing = asyncio.create_task(barrier.passed("t", ["acme", "globex"]))
    await asyncio.sleep(0.2)
    assert not passing.done()
    await redis.xadd(stream, {"f": "2"})
    await redis.xdel(stream, waiting)  # as the collector does after its commit
    await passing


async def test_events_that_nobody_collects_hold_up_their_own_partition_alone(redis):
    other = next(name for name in map(str, range(99)) if home(name) != home("acme"))
    await redis.xadd(home("acme"), {"f": "1"})
    barrier = RedisBarrier(redis, partitions=PARTITIONS, sleep=asyncio.sleep, patience_seconds=0.1)
    await barrier.passed("t", [other])
    with pytest.raises(StoreUnavailableError, match="waits=to be collected"):
        await barrier.passed("t", [other, "acme"])


async def test_a_store_that_is_gone_proves_nothing(valkey, redis):
    valkey.kill()
    with pytest.raises(StoreUnavailableError):
        await RedisBarrier(redis, partitions=PARTITIONS, sleep=asyncio.sleep).passed("t", ["acme"])

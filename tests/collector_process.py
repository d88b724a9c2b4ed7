"""A collector as a process of its own, to be killed: python collector_process.py REDIS_URL DATABASE_URL CONSUMER."""

import asyncio
import signal
import sys
import time

from collectors import PARTITIONS
from tallygate.metering.collector import Collector, CollectorLimits
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.events import EventStream
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlLedger


def clock() -> int:
    return time.monotonic_ns() // 1000


async def main(redis_url: str, database_url: str, consumer: str) -> None:
    redis, engine = RedisFactory(address=RedisAddress.parse(redis_url)).stream_client(), create_engine(database_url)
    stream = EventStream(
        redis, partitions=PARTITIONS, consumer=consumer, clock=clock, per_partition=7, claim_after_seconds=0.2
    )
    limits = CollectorLimits(batch=10, linger_seconds=0.0, first_backoff_seconds=0.05, most_backoff_seconds=0.2)
    collector = Collector(stream, SqlLedger(engine), clock=clock, limits=limits)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, collector.stop)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    await collector.run()
    await stream.close()
    await redis.aclose()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

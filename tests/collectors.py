"""A collector between a real Valkey and a real database, and what a test looks at on both sides."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

import patience
from servers import PostgresServer, ValkeyServer
from stream_entries import JANUARY, entry
from tallygate.metering.collector import Collector
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.events import EventStream
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.metering.tables import billable_events, event_sequences, quarantined_events
from tallygate.storage.sql.partition_models import PartitionRow
from tallygate.storage.sql.schema import migrate

PARTITIONS = 4


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: int = JANUARY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Rig:
    """One installation: streams, a database, and as many collectors as a test makes."""

    def __init__(self, valkey: ValkeyServer, url: str) -> None:
        self.valkey = valkey
        self.url = url
        self.engine = create_engine(url)
        self._factory = RedisFactory(address=RedisAddress.parse(valkey.url), connect_seconds=15, reply_seconds=15)
        self.redis = self._factory.stream_client()
        self.clock = Clock()
        self._clients: list[Any] = []

    def stream(self, consumer: str = "a", **options: Any) -> EventStream:
        client = self._factory.stream_client()
        self._clients.append(client)
        return EventStream(client, partitions=PARTITIONS, consumer=consumer, clock=self.clock, **options)

    def collector(self, consumer: str = "a", *, stream: Any = None, ledger: Any = None, **options: Any) -> Collector:
        stream = stream or self.stream(consumer)
        return Collector(stream, ledger or SqlLedger(self.engine), clock=self.clock, sleep=short_sleep, **options)

    async def add(self, partition: int = 0, **fact: Any) -> bytes:
        return await self.add_raw(entry(**fact), partition)

    async def add_raw(self, fields: dict[bytes, bytes], partition: int = 0) -> bytes:
        return await self.redis.xadd(keys.stream(partition), fields)

    async def rows(self, table: Any = billable_events) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(select(table))).mappings())

    async def waiting(self) -> int:
        """Entries still in the streams."""
        return sum([await self.redis.xlen(keys.stream(number)) for number in range(PARTITIONS)])

    async def collected(self) -> bool:
        return await self.waiting() == 0

    async def clean(self) -> None:
        await self.redis.flushall()
        for number in range(PARTITIONS):
            await self.redis.set(keys.epoch(number), f"epoch-{number}")
        partitions = PartitionRow.__table__
        async with self.engine.begin() as connection:
            for table in (billable_events, event_sequences, quarantined_events, partitions):
                await connection.execute(delete(table))
            fixed = {"state": "active", "last_entry_id": "0-0", "lease_owner": ""}
            rows = [{"partition": number, "epoch": f"epoch-{number}", **fixed} for number in range(PARTITIONS)]
            await connection.execute(insert(partitions), rows)

    async def close(self) -> None:
        for client in [self.redis, *self._clients]:
            await client.aclose()
        await self.engine.dispose()


async def until(condition: Callable[[], Any], *, seconds: float = patience.SECONDS) -> None:
    """Wait for a condition, which may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:  # what is waited for happens in other processes, too
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.01)


async def short_sleep(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


@contextlib.contextmanager
def migrated(kind: str, directory: Path) -> Iterator[str]:
    """An empty database of the newest schema."""
    if kind == "sqlite":
        url = f"sqlite:///{directory / 'ledger.db'}"
        migrate(url)
        yield url
        return
    with PostgresServer() as server:
        url = server.create_database()
        migrate(url)
        yield url


@contextlib.asynccontextmanager
async def clean_rig(valkey: ValkeyServer, url: str) -> AsyncIterator[Rig]:
    rig = Rig(valkey, url)
    try:
        await rig.clean()
        yield rig
    finally:
        await rig.close()


def gap_free(rows: list[Any]) -> bool:
    """Whether each tenant's sequence is 1, 2, 3, ..."""
    by_tenant: dict[str, list[int]] = {}
    for row in rows:
        by_tenant.setdefault(row["tenant_id"], []).append(row["sequence"])
    return all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in by_tenant.values())

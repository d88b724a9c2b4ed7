"""How long it takes to make the counters of many accounts anew: `python -m load.rebuild [accounts] [sqlite|postgres]`.

Each account has ten events of this month, all within the replay window, so that every one is remembered again.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, update

from servers import PostgresServer, ValkeyServer
from tallygate.app import clock
from tallygate.app.rebuilding import apart_among
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.metering.rebuilding import Rebuilder
from tallygate.records.epochs import EpochKeeper
from tallygate.storage.redis import keys
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.counters import RedisCounters
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.sql.engine import WRITE, connected, create_engine
from tallygate.storage.sql.epochs import SqlEpochs
from tallygate.storage.sql.metering.counts import SqlCountedFacts
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.models import AccountRow, TenantRow
from tallygate.storage.sql.partition_models import PartitionRow
from tallygate.storage.sql.partitions import seed_partitions
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.unit_of_work import SqlStore

EVENTS, PARTITIONS, BATCH = 10, 64, 5_000
SECOND = 1_000_000
MONTH = 30 * 86_400 * SECOND


def facts(first: int, count: int, now: int) -> list[UsageFact]:
    start = now - MONTH // 2
    return [
        UsageFact(
            tenant_id="t",
            account_id=f"a{number}",
            feature_key="api_calls",
            request_id=f"r{event}",
            kind=FactKind.CONSUME,
            quantity=event,
            pots=(Pot(kind=PotKind.INCLUDED, quantity=event),),
            occurred_time=now,
            recorded_time=now,
            period_start=start,
            period_end=start + MONTH,
            used=event * (event + 1) // 2,
            limit=1_000,
            reason=Reason.WITHIN_LIMIT,
            payload_hash=b"12345678",
            source=FactSource(
                partition=keys.partition_of(PARTITIONS, "t", f"a{number}"),
                epoch="e",
                entry_id=f"{now // 1000}-{number * EVENTS + event}",
            ),
        )
        for number in range(first, first + count)
        for event in range(1, EVENTS + 1)
    ]


async def measure(url: str, valkey: ValkeyServer, accounts: int) -> None:
    engine = create_engine(url)
    now = clock.now()
    await seed_partitions(engine, PARTITIONS, clock.new_epoch)
    async with connected(engine, {WRITE: True}) as connection:
        tenant = {"currency": "USD", "time_zone": "UTC", "default_plan": "", "former_zones": [], "former_defaults": []}
        tenant |= {"tenant_id": "t", "create_time": now, "test": False, "clock_offset": 0}
        await connection.execute(insert(TenantRow.__table__), {**tenant, "view_version": 1, "catalog_version": 1})
        await connection.commit()
    for first in range(0, accounts, BATCH):
        count = min(BATCH, accounts - first)
        async with connected(engine, {WRITE: True}) as connection:
            made = [{"tenant_id": "t", "account_id": f"a{n}", "version": 1} for n in range(first, first + count)]
            times = {"create_time": now, "update_time": now, "time_zone": "", "metadata": {}, "former_zones": []}
            await connection.execute(insert(AccountRow.__table__), [{**each, **times} for each in made])
            await connection.commit()
        async with SqlLedger(engine).transaction() as transaction:
            await transaction.lock({"t"})
            await transaction.append(facts(first, count, now))
    factory = RedisFactory(address=RedisAddress.parse(valkey.url))
    link = factory.operator_link()
    await link.connect()
    async with connected(engine, {WRITE: True}) as connection:
        await connection.execute(update(PartitionRow.__table__).values(state="active"))
        await connection.commit()

    async def at_once() -> None:
        return

    keeper = EpochKeeper(ledger=SqlEpochs(engine), board=RedisEpochs(link), new_epoch=clock.new_epoch)
    await keeper.settle()
    store = SqlStore(engine=engine)
    counters = RedisCounters(factory=factory, partitions=PARTITIONS, replay_window=3_600 * SECOND, clock=clock.now)
    rebuilder = Rebuilder(
        ledger=keeper.ledger,
        facts=SqlCountedFacts(engine),
        store=counters,
        apart=lambda trials: apart_among(store, trials),
        standing=keeper.standing,
        clock=clock.now,
        sleep=asyncio.sleep,
        recorded=at_once,
    )
    wall, cpu = time.monotonic(), time.process_time()
    done = await rebuilder.rebuild()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    restored = sum(each.accounts for each in done), sum(each.units for each in done), sum(each.effects for each in done)
    expected = accounts, accounts * EVENTS * (EVENTS + 1) // 2, accounts * EVENTS
    assert restored == expected, (restored, expected)
    print(f"{engine.dialect.name}: {accounts} accounts, {restored[2]} request ids in {wall:.1f} s ({cpu:.1f} s of CPU)")  # noqa: T201 - what it is for
    await link.close()
    await engine.dispose()


def main() -> None:
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    kinds = sys.argv[2:] or ["sqlite", "postgres"]
    for kind in kinds:
        with ValkeyServer(append_only=True) as valkey, tempfile.TemporaryDirectory() as directory:
            if kind == "sqlite":
                url = f"sqlite:///{Path(directory) / 'rebuild.db'}"
                migrate(url)
                asyncio.run(measure(url, valkey, accounts))
                continue
            with PostgresServer() as server:
                url = server.create_database()
                migrate(url)
                asyncio.run(measure(url, valkey, accounts))


if __name__ == "__main__":
    main()

"""How long it takes to make many accounts' counters anew: `python -m load.rebuild [accounts] [sqlite|postgresql]`.

Each account has ten events of this month, all within the replay window, so that every one is remembered again. They are
rebuilt in a process of its own, whose CPU and peak of memory are then its own, too.
"""

import asyncio
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from load.closing import database
from load.figure import Figure
from load.processes import REPOSITORY, cpu_seconds
from servers import ValkeyServer
from tallygate import GARBAGE_THRESHOLDS
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

ACCOUNTS = 100_000
EVENTS, PARTITIONS, BATCH = 10, 64, 5_000
MOST_SECONDS = 30.0
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


def figures(databases: Sequence[str] = ("sqlite", "postgresql"), accounts: int = ACCOUNTS) -> list[Figure]:
    """The seconds of a rebuild on each database."""
    return [_figure(name, accounts) for name in databases]


def _figure(name: str, accounts: int) -> Figure:
    with database(name) as url, ValkeyServer(append_only=True) as valkey:
        address = url()
        migrate(address)
        _said("populate", address, valkey.url, accounts)
        before = cpu_seconds(valkey.pid)
        told = _said("rebuild", address, valkey.url, accounts)
        of_valkey = cpu_seconds(valkey.pid) - before
    verdict = "met" if told["seconds"] <= MOST_SECONDS else "missed"
    note = (
        f"{verdict}; {accounts * EVENTS:,} request ids; CPU: {told['cpu']:.1f} s of the worker, {of_valkey:.1f} s of "
        f"Valkey; peak RSS {told['peak']:.0f} MiB"
    )
    title = f"counters of {accounts:,} accounts with {EVENTS} events each rebuilt"
    return Figure(name=title, unit="s", value=told["seconds"], target=f"<= {MOST_SECONDS:g}", transport=name, note=note)


def _said(order: str, url: str, redis: str, accounts: int) -> dict[str, float]:
    argv = [sys.executable, "-m", "load.rebuild", order, url, redis, str(accounts)]
    done = subprocess.run(argv, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


async def _populate(url: str, accounts: int) -> dict[str, float]:
    engine = create_engine(url)
    now = clock.now()
    await seed_partitions(engine, PARTITIONS, clock.new_epoch)
    async with connected(engine, {WRITE: True}) as connection:
        tenant = {"currency": "USD", "time_zone": "UTC", "default_plan": "", "former_zones": [], "former_defaults": []}
        tenant |= {"tenant_id": "t", "create_time": now, "test": False, "clock_offset": 0}
        await connection.execute(insert(TenantRow.__table__), {**tenant, "view_version": 1, "catalog_version": 1})
        await connection.execute(update(PartitionRow.__table__).values(state="active"))
        await connection.commit()
    for first in range(0, accounts, BATCH):
        await _accounts(engine, range(first, min(first + BATCH, accounts)), now)
    await engine.dispose()
    return {}


async def _accounts(engine: AsyncEngine, numbers: range, now: int) -> None:
    async with connected(engine, {WRITE: True}) as connection:
        made = [{"tenant_id": "t", "account_id": f"a{number}", "version": 1} for number in numbers]
        times = {"create_time": now, "update_time": now, "time_zone": "", "metadata": {}, "former_zones": []}
        await connection.execute(insert(AccountRow.__table__), [{**each, **times} for each in made])
        await connection.commit()
    async with SqlLedger(engine).transaction() as transaction:
        await transaction.lock({"t"})
        await transaction.append(facts(numbers.start, len(numbers), now))


async def _rebuild(url: str, redis: str, accounts: int) -> dict[str, float]:
    gc.set_threshold(*GARBAGE_THRESHOLDS)  # as a worker's process has them
    engine = create_engine(url)
    factory = RedisFactory(address=RedisAddress.parse(redis))
    link = factory.operator_link()
    await link.connect()

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
    told = {"seconds": time.monotonic() - wall, "cpu": time.process_time() - cpu}
    restored = sum(each.accounts for each in done), sum(each.units for each in done), sum(each.effects for each in done)
    expected = accounts, accounts * EVENTS * (EVENTS + 1) // 2, accounts * EVENTS
    assert restored == expected, (restored, expected)
    await link.close()
    await engine.dispose()
    return {**told, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(arguments: list[str]) -> None:
    """Print the figures, or do one part of them and say what it took."""
    match arguments:
        case ["populate", url, _, accounts]:
            _tell(json.dumps(asyncio.run(_populate(url, int(accounts)))))
        case ["rebuild", url, redis, accounts]:
            _tell(json.dumps(asyncio.run(_rebuild(url, redis, int(accounts)))))
        case _:
            databases = tuple(word for word in arguments if not word.isdigit()) or ("sqlite", "postgresql")
            accounts = next((int(word) for word in arguments if word.isdigit()), ACCOUNTS)
            for one in figures(databases, accounts):
                _tell(f"{one.transport:11} {one.name}: {one.value or 0.0:.2f} {one.unit} {one.target}: {one.note}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

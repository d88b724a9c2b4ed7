"""What closing accounts costs: `python -m load.closing` prints the figures of billing on both databases.

Each is measured in a process of its own, whose peak of memory is then its own, too: once on a tenth of the accounts,
once on all. What the month before became income of is posted, too. Behind a real Valkey, whose streams are empty: what
its barrier costs counts.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select

from faults.crashes import (
    DAY,
    DECEMBER,
    NOVEMBER,
    SECOND,
    TENANT,
    Steps,
    World,
    a_fact,
    billed,
    opened,
    published,
)
from load.figure import Figure
from load.processes import REPOSITORY
from load.world import scratch_directory
from servers import PostgresServer, ValkeyServer
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.running import BillingRunner
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import CLOSE
from tallygate.records.ledger import RECOGNISE
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.barrier import RedisBarrier
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.tables import invoices
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.schema import migrate

ACCOUNTS = 10_000
EVENTS = 100_000
PARTITIONS = 64
_TOGETHER = 500


def figures(databases: tuple[str, ...] = ("sqlite", "postgresql"), accounts: int = ACCOUNTS) -> list[Figure]:
    """Those of closing many accounts, and of one month with many events."""
    found: list[Figure] = []
    for name in databases:
        with database(name) as url, ValkeyServer() as valkey:
            small, large = (_closed(url(), valkey.url, number, 3) for number in (accounts // 10, accounts))
            rated = _closed(url(), valkey.url, 10, EVENTS // 10)
        found += [*_close_figures(name, accounts, small, large), _rate_figure(name, rated)]
    return found


def _close_figures(name: str, accounts: int, small: dict[str, float], large: dict[str, float]) -> list[Figure]:
    flat = (large["cpu"] / accounts) / (small["cpu"] / (accounts // 10))
    note = f"{large['cpu']:.0f} s CPU, {1000 * large['cpu'] / accounts:.1f} ms an account; 3 events each"
    return [
        _limited(f"close of {accounts:,} accounts", "s", large["seconds"], 600.0, name, note),
        _limited("the same: CPU an account beside a tenth of them", "x", flat, 1.1, name),
        _limited("the same: peak RSS beside a tenth of them", "x", large["peak"] / small["peak"], 1.1, name),
    ]


def _rate_figure(name: str, rated: dict[str, float]) -> Figure:
    note = f"{rated['cpu']:.1f} s CPU; 10 accounts"
    return _limited(f"{EVENTS:,} events rated and invoiced", "s", rated["seconds"], 60.0, name, note)


def _limited(name: str, unit: str, value: float, most: float, database: str, note: str = "") -> Figure:
    verdict = "met" if value <= most else "missed"
    note = "; ".join(part for part in (verdict, note) if part)
    return Figure(name=name, unit=unit, value=value, target=f"<= {most:g}", transport=database, note=note)


@contextmanager
def database(name: str) -> Iterator[Any]:
    """Gives addresses of empty databases."""
    if name == "sqlite":
        yield lambda: f"sqlite:///{scratch_directory()}/tallygate.db"
        return
    with PostgresServer() as server:
        yield server.create_database


def _closed(url: str, redis: str, accounts: int, events: int) -> dict[str, float]:
    populated(url, redis, accounts, events)
    return _said("close", url, redis, accounts, events)


def populated(url: str, redis: str, accounts: int, events: int = 3) -> None:
    """Fill an empty database with accounts whose month has ended."""
    migrate(url)
    _said("populate", url, redis, accounts, events)


@contextmanager
def started(*order: object) -> Iterator[subprocess.Popen[str]]:
    """A part of the figures in a process of its own, which ends well."""
    argv = [sys.executable, "-m", "load.closing", *map(str, order)]
    with subprocess.Popen(argv, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True) as running:
        yield running
        told, _ = running.communicate()
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, argv, told)


def _said(*order: object) -> dict[str, float]:
    argv = [sys.executable, "-m", "load.closing", *map(str, order)]
    done = subprocess.run(argv, cwd=REPOSITORY / "tests", capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


async def _populate(url: str, accounts: int, events: int) -> dict[str, float]:
    world = World(url, Steps(), now=NOVEMBER - DAY)
    await opened(world)
    await published(world)
    world.now = NOVEMBER
    for first in range(0, accounts, _TOGETHER):
        ids = [f"a{number:06}" for number in range(first, min(first + _TOGETHER, accounts))]
        await world.write(lambda work, now, ids=ids: subscribed(work, ids, now))
    await billed(world)
    for number in range(accounts):
        await _recorded(world, f"a{number:06}", events)
    await world.close()
    return {}


async def subscribed(work: Any, account_ids: list[str], now: int) -> None:
    """Accounts that hold the plan from now on."""
    for account_id in account_ids:
        request = UpsertAccount(account_id=account_id, plan_key="pro", trial_days=0)
        await upsert_account(work, request, now=now, new_id=lambda account_id=account_id: account_id)


async def _recorded(world: World, account_id: str, events: int) -> None:
    for first in range(0, events, 5_000):
        some = range(first, min(first + 5_000, events))
        async with SqlLedger(world.engine).transaction() as transaction:
            await transaction.lock({TENANT})
            await transaction.append([a_fact(account_id, NOVEMBER + number, number, 1) for number in some])


async def _close(url: str, redis: str, accounts: int) -> dict[str, float]:
    world = World(url, Steps(), now=DECEMBER + SECOND, durable=True)
    client = RedisFactory(address=RedisAddress.parse(redis)).stream_client()
    barrier = RedisBarrier(client, partitions=PARTITIONS, sleep=asyncio.sleep)
    runner = BillingRunner(transactions=world.transactions, barrier=barrier, clock=lambda: world.now)
    queue = SqlJobQueue(engine=world.engine)
    income = RecognitionRunner(transactions=world.transactions, clock=lambda: world.now)
    handlers = {CLOSE: runner.handle, RECOGNISE: income.handle}
    worker = Scheduler(queue=queue, handlers=handlers, clock=lambda: world.now)
    begun, cpu = time.monotonic(), time.process_time()
    while await worker.round():
        pass
    told = {"seconds": time.monotonic() - begun, "cpu": time.process_time() - cpu}
    async with world.engine.connect() as connection:
        issued = await connection.scalar(select(func.count()).select_from(invoices))
    assert issued == 2 * accounts, f"{issued} documents of {accounts} accounts"
    await world.close()
    await client.aclose()
    return {**told, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(arguments: list[str]) -> None:
    """Print the figures, or do one part of them and say what it took."""
    match arguments:
        case ["populate", url, _, accounts, events]:
            _tell(json.dumps(asyncio.run(_populate(url, int(accounts), int(events)))))
        case ["close", url, redis, accounts, _]:
            _tell(json.dumps(asyncio.run(_close(url, redis, int(accounts)))))
        case _:
            databases = tuple(word for word in arguments if not word.isdigit()) or ("sqlite", "postgresql")
            accounts = next((int(word) for word in arguments if word.isdigit()), ACCOUNTS)
            for one in figures(databases, accounts):
                value = f"{one.value or 0.0:8.2f} {one.unit:3} {one.target}"
                _tell(f"{one.transport:11} {one.name:50} {value}: {one.note}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

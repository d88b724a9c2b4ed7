"""Sidecars, the collector and Valkey die by kill -9 in turn under load: no overshoot, and each unit exactly once."""

import asyncio
import contextlib
import random
from itertools import count

import grpc
import psycopg
import pytest

import patience
from collectors import migrated, until
from faults.callers import Caller, Refusal, new_world, written
from servers import ValkeyServer
from tallygate.app import Application
from tallygate.domain.credential import mint_key
from tallygate.domain.history.counted import (
    gaps,
    miscounted,
    not_exactly_once,
    not_replayed,
    overshoot,
    overshoot_in_events,
)
from tallygate.domain.history.records import Answered, Event, History, Invoked
from tallygate.settings import DatabaseSettings, RedisSettings, ServerSettings, Settings
from tallygate.storage.redis import keys
from tallygate_process import TallygateProcess

KEY = mint_key(b"kills".ljust(32, b"."))
CALLERS = 32
RETRIABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
PARTITIONS = 8
LIMITS = {"tight": 150, "a1": 1_000, "a2": 2_500, "a3": 1_000_000}
ENOUGH = {"ok": 500, "denied": 20}
WEIGHTS = {"tight": 0.4, "a1": 0.2, "a2": 0.2, "a3": 0.2}


class Installation:
    """Two sidecars and a worker over one Valkey and one PostgreSQL."""

    def __init__(self, valkey, url):
        self.valkey = valkey
        self.url = url
        environment = {
            "TALLYGATE_REDIS__URL": valkey.url,
            "TALLYGATE_REDIS__PARTITIONS": str(PARTITIONS),
            "TALLYGATE_DATABASE__URL": url,
        }
        self.sidecars = [TallygateProcess(role="data", environment=environment) for _ in range(2)]
        self.worker = TallygateProcess(role="worker", environment=environment)

    async def start(self):
        processes = (*self.sidecars, self.worker)
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in processes))

    def stop(self):
        for process in (*self.sidecars, self.worker):
            process.stop()

    async def fill(self):
        """Catalogue and accounts, through a control plane that lives only for that."""
        settings = Settings(
            role="control",
            testing=True,
            server=ServerSettings(grpc_address="127.0.0.1:0", admin_address="127.0.0.1:0", **patience.SERVER),
            redis=RedisSettings(url=self.valkey.url, partitions=PARTITIONS, **patience.REDIS),
            database=DatabaseSettings(url=self.url),
        )
        async with Application(settings) as control, Caller(control.grpc_address, KEY) as caller:
            await new_world(caller, *LIMITS)
            for account, limit in LIMITS.items():
                await written(caller.override(account, "api_calls", {"limit": limit}))

    async def chaos(self):
        """Everything dies, one after the other and then all at once, and is started again on what it left behind."""
        processes = [*self.sidecars, self.worker]
        for process in processes:
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(self.valkey.restart)
            await asyncio.to_thread(process.start)
        for process in (self.valkey, *processes):
            process.kill()
        self.valkey.start()
        await self.start()

    def events(self):
        columns = "account_id, request_id, sequence, entry_id, quantity, period_start, partition, tenant_id"
        with psycopg.connect(self.url.replace("postgresql+psycopg", "postgresql")) as connection:
            return connection.execute(f"SELECT {columns} FROM billable_events").fetchall()  # noqa: S608 - a constant

    def waiting(self):
        return sum(self.valkey.command("XLEN", keys.stream(number)) for number in range(PARTITIONS))


class Load:
    """Callers with stable request ids: each retries on either sidecar until it knows, or gives up for good."""

    def __init__(self, sidecars):
        self.sidecars = sidecars
        self.history = History()
        self.stopping = False
        self._numbers = count()

    async def run(self):
        await asyncio.gather(*(self._caller(number) for number in range(CALLERS)))

    async def _caller(self, number):
        dice = random.Random(number)
        admitted = []
        while not self.stopping:
            account = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if admitted and dice.random() < 0.1:
                await self._settle(dice, *dice.choice(admitted))  # again, to be answered as the first time
                continue
            call = account, -1 if dice.random() < 0.1 else dice.randint(1, 3), f"r{next(self._numbers)}"
            if await self._settle(dice, *call):
                admitted.append(call)
            await asyncio.sleep(dice.random() * 0.3)

    def _note(self, account, request_id, answer):
        if isinstance(answer, Refusal):
            assert answer.code in RETRIABLE, answer
            self.history.add(Answered(account=account, request_id=request_id, outcome="unknown"))
            return "unknown"
        outcome = "ok" if answer.allowed else "denied"
        self.history.add(
            Answered(
                account=account,
                request_id=request_id,
                outcome=outcome,
                granted=answer.granted_quantity,
                used=answer.used,
                replayed=answer.replayed,
            )
        )
        return outcome

    async def _settle(self, dice, account, quantity, request_id):
        """One request until its outcome is known; one in twenty is abandoned at its first failure."""
        abandoned = dice.random() < 0.05
        while True:
            self.history.add(Invoked(account=account, request_id=request_id, quantity=quantity))
            answer = await dice.choice(self.sidecars).consume(account, quantity, request_id=request_id, deadline=1)
            outcome = self._note(account, request_id, answer)
            if outcome != "unknown":
                return outcome == "ok"
            if abandoned:
                return False
            await asyncio.sleep(dice.random() * 0.1)


@pytest.fixture
async def installation(tmp_path):
    with ValkeyServer(append_only=True, append_fsync="always") as valkey, migrated("postgresql", tmp_path) as url:
        installation = Installation(valkey, url)
        try:
            await installation.start()  # a key that is nowhere is unknown only where a worker has published
            await installation.fill()
            yield installation
        finally:
            await asyncio.to_thread(installation.stop)


async def under_chaos(installation):
    """Load while everything dies; what callers saw, and what was collected."""
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(Caller(s.address, KEY)) for s in installation.sidecars]
        load = Load(callers)
        running = asyncio.create_task(load.run())
        try:
            await installation.chaos()
            # A slow machine gets through less while things die: what the checks need to bite on is waited for.
            await until(lambda: all(load.history.count(o) > n for o, n in ENOUGH.items()))
        finally:
            load.stopping = True
            async with asyncio.timeout(patience.SECONDS):
                await running
    await until(lambda: installation.waiting() == 0)
    return load.history, installation.events()


def as_events(rows):
    return [
        Event(
            account=account,
            request_id=request_id,
            sequence=sequence,
            entry=tuple(map(int, entry_id.split("-"))),
            quantity=quantity,
        )
        for account, request_id, sequence, entry_id, quantity, *_ in rows
    ]


def counters(valkey, rows):
    """Each account's counter of the one period in which everything happened."""
    places = {(row[0], row[5], row[6], row[7]) for row in rows}
    assert len(places) == len({place[0] for place in places}), "the test ran over a month's end"
    found = {}
    for account, start, partition, tenant in places:
        meter = keys.meter(partition, tenant, account, "api_calls")
        micros = round(start.timestamp() * 1_000_000) if hasattr(start, "timestamp") else start
        found[account] = int(valkey.command("HGET", f"{meter}:{micros}", "u"))
    return found


async def test_nothing_is_overshot_lost_or_doubled_whatever_dies(installation):
    history, rows = await under_chaos(installation)
    events = as_events(rows)
    assert overshoot(history, LIMITS) == []
    assert overshoot_in_events(events, LIMITS) == []
    assert not_exactly_once(history, events) == []
    assert not_replayed(history) == []
    assert miscounted(counters(installation.valkey, rows), events) == []
    assert gaps(events) == []
    assert history.count("unknown") > 20, "nobody noticed that anything died"
    assert any(isinstance(record, Answered) and record.replayed for record in history.records)

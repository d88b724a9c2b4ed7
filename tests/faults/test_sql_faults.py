"""PostgreSQL dies, or collects too slowly: the hot path goes on until its bound, and every event arrives once."""

import asyncio
import signal

import grpc
import psycopg
import pytest

import patience
from collectors import until
from faults.callers import Caller, new_world, reason, written
from faults.installations import Installation
from faults.planted import fails_without
from servers import PostgresServer
from tallygate.domain.history.counted import gaps
from tallygate.domain.history.records import Event
from tallygate.storage.redis.events import EventStream
from tallygate.storage.sql.metering.events import SqlLedgerTransaction
from tallygate.storage.sql.schema import migrate

GRAIN_SECONDS = 0.1


def knowing_what_was_recorded(monkeypatch, module, real=migrate):
    """Neither is it looked for, nor has an event a key of its own."""

    async def none(*_):
        return {}

    def keyless(url):
        real(url)
        primary = "SELECT conname FROM pg_constraint WHERE conrelid = 'billable_events'::regclass AND contype = 'p'"
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
            (name,) = connection.execute(primary).fetchone()
            connection.execute(f'ALTER TABLE billable_events DROP CONSTRAINT "{name}"')

    monkeypatch.setattr(SqlLedgerTransaction, "known", none)
    monkeypatch.setattr(module, "migrate", keyless)


def keeping_what_is_not_in_sql(monkeypatch, _module):
    """A stream lets go of what was read from it."""
    read = EventStream.read

    async def forgetting(self):
        deliveries = await read(self)
        await self.acknowledge([each.source for each in deliveries])
        return deliveries

    monkeypatch.setattr(EventStream, "read", forgetting)


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        yield server


@pytest.fixture
def on_postgres(valkey, postgres):
    url = postgres.create_database()
    migrate(url)
    yield Installation(valkey, url)
    postgres.start()


def stop_immediately(postgres):
    """What `pg_ctl stop -m immediate` does: nothing is flushed, the next start recovers from the log."""
    postgres._process.end(signal.SIGQUIT)


async def recorded(caller):
    """The events that arrived, as (request id, quantity), in their order; a gap or a double fails."""
    listed = (await written(caller.events())).events
    found = [
        Event(
            account=e.data.account_id,
            request_id=e.data.request_id,
            sequence=e.sequence,
            entry=(0, 0),
            quantity=e.data.quantity,
        )
        for e in listed
    ]
    assert gaps(found) == []
    return [(event.request_id, event.quantity) for event in found]


async def test_the_whole_flow_on_postgresql(on_postgres, key):
    async with on_postgres.role("all") as application, Caller(application.grpc_address, key) as caller:
        version = await new_world(caller, "acme", "globex")
        answer = await caller.consume("acme", 7, request_id="r1", version=version)
        assert (answer.allowed, reason(answer), answer.used) == (True, "WITHIN_LIMIT", 7)
        assert (await caller.check("acme", "sso")).allowed
        assert (await caller.rate_limit("acme")).allowed
        await until(lambda: _arrived(caller, 1))
        assert await recorded(caller) == [("r1", 7)]
        (row,) = (await written(caller.usage("acme"))).rows
        assert (row.feature_key, row.quantity) == ("api_calls", 7)
        await written(caller.change_plan("acme", "small"))
        assert not (await caller.consume("acme", 1, request_id="r2")).allowed


@fails_without(keeping_what_is_not_in_sql)
async def test_without_sql_the_hot_path_goes_on_and_events_wait(on_postgres, key, postgres):
    async with on_postgres.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme", "globex")
        assert (await caller.consume("acme", 1, request_id="before")).allowed
        await until(lambda: _arrived(caller, 1))
        await asyncio.to_thread(stop_immediately, postgres)
        for number in range(50):
            answer = await caller.consume("acme", 1, request_id=f"r{number}")
            assert (answer.allowed, answer.used) == (True, 2 + number)
        assert (await caller.check("globex", "sso")).allowed
        assert (await caller.check("acme", "api_calls")).used == 51
        assert (await caller.rate_limit("acme")).allowed
        for write in (caller.account("newcomer", "large"), caller.change_plan("acme", "small"), caller.apply()):
            refused = await write
            assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
            assert "psycopg" not in refused.message
        assert on_postgres.waiting() == 50, "an event was dropped while nobody could collect it"
        await asyncio.to_thread(postgres.start)
        await until(lambda: on_postgres.waiting() == 0)
        found = await recorded(caller)
        assert sorted(found) == sorted([("before", 1), *((f"r{number}", 1) for number in range(50))])
        await written(caller.account("newcomer", "large"))


@fails_without(knowing_what_was_recorded)
async def test_a_commit_without_its_acknowledgement_is_collected_once(on_postgres, key, monkeypatch):
    """The collector ends between both: what was committed is delivered again, and recorded once."""
    async with on_postgres.role("all") as application, Caller(application.grpc_address, key) as caller:
        await new_world(caller, "acme")
        committed = asyncio.Event()

        async def lost(_self, _sources):
            committed.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patch:
            patch.setattr(EventStream, "acknowledge", lost)
            assert (await caller.consume("acme", 5, request_id="r1")).allowed
            async with asyncio.timeout(patience.SECONDS):
                await committed.wait()
        assert on_postgres.waiting() == 1
        application._control.collecting._running.cancel()
        application._control.collecting.start()
        await until(lambda: on_postgres.waiting() == 0)
        assert await recorded(caller) == [("r1", 5)]
        assert application._control.collecting.collector.stats.redelivered == 1


async def test_past_the_streams_bound_consumes_are_refused_and_nothing_is_dropped(installation, key):
    bound = 20
    async with installation.role("all") as control, Caller(control.grpc_address, key) as owner:
        await new_world(owner, "acme", "globex")
    async with installation.role("data", stream_max=bound) as sidecar, Caller(sidecar.grpc_address, key) as caller:
        for number in range(bound):
            assert (await caller.consume("acme", 1, request_id=f"r{number}")).allowed
        await asyncio.sleep(2 * GRAIN_SECONDS)  # it is found by the first consume of the next grain
        for number in range(bound, bound + 5):
            refused = await caller.consume("acme", 1, request_id=f"r{number}")
            assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "EVENT_BACKLOG")
        assert (await caller.consume("acme", 1, request_id="r0")).replayed, "what was admitted is still answered"
        assert (await caller.check("acme", "api_calls")).used == bound
        assert (await caller.rate_limit("acme")).allowed, "rate limits write no events"
        assert installation.waiting() == bound
        async with installation.role("all") as collecting, Caller(collecting.grpc_address, key) as owner:
            await until(lambda: installation.waiting() == 0)
            for number in range(bound, bound + 5):
                assert (await caller.consume("acme", 1, request_id=f"r{number}")).allowed
            await until(lambda: _arrived(owner, bound + 5))
            assert await recorded(owner) == [(f"r{number}", 1) for number in range(bound + 5)]


async def test_without_the_bound_the_same_stream_would_have_grown(installation, key):
    async with installation.role("all") as control, Caller(control.grpc_address, key) as owner:
        await new_world(owner, "acme")
    async with installation.role("data") as sidecar, Caller(sidecar.grpc_address, key) as caller:
        for number in range(25):
            assert (await caller.consume("acme", 1, request_id=f"r{number}")).allowed
        assert installation.waiting() == 25


async def _arrived(caller, count):
    return len((await written(caller.events())).events) == count

import asyncio
import sqlite3
import sys
import time

import pytest

from servers import PostgresServer
from tallygate.domain.account import PlanTerm, Subscription, SubscriptionState
from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.values import Account, Tenant
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.outbox import SqlOutbox
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.unit_of_work import SqlStore

TENANT = Tenant(tenant_id="t", create_time=0)


@pytest.fixture
async def url(tmp_path) -> str:
    address = f"sqlite:///{tmp_path}/tallygate.db"
    await asyncio.to_thread(migrate, address)
    return address


async def put(store: SqlStore, account_id: str) -> int:
    async with store.write("t") as work:
        await work.tenants.get()  # reads first: without the write lock from the start this could never be upgraded
        await work.accounts.put(Account(account_id=account_id, create_time=0))
        return await work.commit()


async def test_eight_writers_in_one_process_are_never_told_that_the_database_is_locked(url):
    engine = create_engine(url)
    store = SqlStore(engine=engine)
    await store.create_tenant(TENANT)

    async def writer(name: int) -> list[int]:
        return [await put(store, f"{name}-{number}") for number in range(15)]

    versions = [version for found in await asyncio.gather(*map(writer, range(8))) for version in found]
    assert sorted(versions) == list(range(2, 122))
    await engine.dispose()


async def test_writers_in_one_process_take_turns_however_long_the_others_take(url, monkeypatch):
    """The lock is waited for no more than 10 ms; all thirty have their turn nevertheless, first come first served."""
    monkeypatch.setattr("tallygate.storage.sql.engine._BUSY_SECONDS", 0.01)
    engine = create_engine(url)
    store = SqlStore(engine=engine)
    await store.create_tenant(TENANT)

    async def writer(number: int) -> int:
        async with store.write("t") as work:
            await work.accounts.put(Account(account_id=f"a{number}", create_time=0))
            await asyncio.sleep(0.02)
            return await work.commit()

    assert await asyncio.gather(*map(writer, range(30))) == list(range(2, 32))
    await engine.dispose()


WRITER = """
import asyncio, sys
from tallygate.records.values import Account
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.unit_of_work import SqlStore

async def main(url, name):
    engine = create_engine(url)
    for number in range(15):
        async with SqlStore(engine=engine).write("t") as work:
            await work.accounts.put(Account(account_id=f"{name}-{number}", create_time=0))
            print(await work.commit())
    await engine.dispose()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_writers_in_several_processes_are_not_either(url):
    engine = create_engine(url)
    await SqlStore(engine=engine).create_tenant(TENANT)
    await engine.dispose()
    argv = [sys.executable, "-c", WRITER, url]
    others = [
        await asyncio.create_subprocess_exec(*argv, f"p{number}", stdout=asyncio.subprocess.PIPE) for number in range(4)
    ]
    printed = [(await other.communicate())[0].split() for other in others]
    assert sorted(int(version) for found in printed for version in found) == list(range(2, 62))


async def test_sqlite_is_opened_as_documented(url):
    engine = create_engine(url)
    async with engine.connect() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "recursive_triggers")
        }
    kept = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    assert found == {**kept, "busy_timeout": 5_000}
    await engine.dispose()


async def test_a_unit_of_work_that_raises_leaves_nothing(url):
    engine = create_engine(url)
    store = SqlStore(engine=engine)
    await store.create_tenant(TENANT)
    outbox = SqlOutbox(engine=engine)
    await outbox.delete("t", [entry.entry_id for entry in await outbox.pending("t", limit=9)])

    async def fail():
        async with store.write("t") as work:
            await work.accounts.put(Account(account_id="a", create_time=0))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with store.read("t") as work:
        assert await work.accounts.get("a") is None
        assert (await work.tenants.get()).view_version == 1
    assert await outbox.pending("t", limit=9) == []
    await engine.dispose()


async def test_the_database_itself_keeps_one_live_subscription(url):
    engine = create_engine(url)
    store = SqlStore(engine=engine)
    await store.create_tenant(TENANT)
    await put(store, "a")

    async def subscribe(subscription_id: str) -> None:
        term = PlanTerm(plan_key="p", plan_version=1, start_time=0)
        value = Subscription(
            subscription_id=subscription_id, state=SubscriptionState.ACTIVE, start_time=0, terms=(term,)
        )
        async with store.write("t") as work:
            await work.subscriptions.put("a", value)
            await work.commit()

    await subscribe("s1")
    with pytest.raises(SubscriptionConflictError):
        await subscribe("s2")
    await engine.dispose()


async def test_a_locked_database_is_unavailable_in_time(tmp_path, url, monkeypatch):
    monkeypatch.setattr("tallygate.storage.sql.engine._BUSY_SECONDS", 0.2)
    engine = create_engine(url)
    store = SqlStore(engine=engine)
    await store.create_tenant(TENANT)
    holder = sqlite3.connect(f"{tmp_path}/tallygate.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError) as raised:
        await put(store, "a")
    assert "locked" not in str(raised.value)
    async with store.read("t") as work:  # readers do not wait for a writer
        assert await work.accounts.get("a") is None
    holder.execute("ROLLBACK")
    holder.close()
    assert await put(store, "a") == 2
    await engine.dispose()


async def test_a_postgres_that_dies_is_unavailable_in_time_and_used_again_when_back():
    server = PostgresServer()
    await asyncio.to_thread(server.start)
    try:
        url = server.create_database()
        await asyncio.to_thread(migrate, url)
        engine = create_engine(url)
        store = SqlStore(engine=engine)
        await store.create_tenant(TENANT)
        await put(store, "a")
        await asyncio.to_thread(server.stop)
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError) as raised:
            await put(store, "b")
        assert time.monotonic() - started < 5
        assert "connection" not in str(raised.value)
        await asyncio.to_thread(server.start)
        assert await put(store, "b") == 3
        await engine.dispose()
    finally:
        await asyncio.to_thread(server.close)

"""Facts of some accounts among many are looked up, not searched for: a rebuild asks hundreds of times."""

import asyncio

import pytest
from sqlalchemy import event, text

from load.rebuild import facts
from tallygate.app import clock
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.counts import SqlCountedFacts, _of
from tallygate.storage.sql.metering.effects import effects_since, read_effects
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.partitions import seed_partitions
from tallygate.storage.sql.schema import migrate

ACCOUNTS, ASKED = 1_000, 20


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tallygate.db"
    return request.getfixturevalue("postgres").create_database()


async def few_at_once(engine, accounts):
    """The effects of these accounts where the database may write fewer than there are as one text."""
    async with engine.connect() as connection:
        query = _of(connection, effects_since(connection, 0), accounts)
        return await read_effects(connection, query, at_once=7)


async def test_no_table_is_read_whole_for_a_few_accounts(url):
    await asyncio.to_thread(migrate, url)
    engine = create_engine(url)
    await seed_partitions(engine, 64, clock.new_epoch)
    async with SqlLedger(engine).transaction() as transaction:
        await transaction.lock({"t"})
        await transaction.append(facts(0, ACCOUNTS, clock.now()))
    some = [("t", f"a{number}") for number in range(0, ACCOUNTS, ACCOUNTS // ASKED)]
    plans = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def planned(_connection, cursor, statement, parameters, *_):
        if "billable_events" in statement:
            explain = "EXPLAIN QUERY PLAN" if url.startswith("sqlite") else "EXPLAIN"
            cursor.execute(f"{explain} {statement}", parameters)
            plans.append("\n".join(str(row) for row in cursor.fetchall()))

    source = SqlCountedFacts(engine)
    found, effects = await source.facts(some), await source.effects(some, 0)
    assert {(paid.meter[1], paid.pot.quantity) for paid in found.paid} == {(account, 55) for _, account in some}
    assert len(effects) == ASKED * 10
    assert len(plans) == 3
    for plan in plans:
        assert "Seq Scan on billable_events" not in plan, plan
        assert "SCAN billable_events" not in plan, plan
    in_rows = await few_at_once(engine, some)
    assert sorted(in_rows) == sorted(effects), "however many there are"
    first = next(each for each in effects if (each.meter, each.request_id) == (("t", "a0", "api_calls"), "r3"))
    assert (first.payload_hash, first.granted, first.used, first.limit) == (b"12345678", 3, 6, 1_000)
    assert (first.period_end - first.period_start, first.resets) == (30 * 86_400_000_000, False)
    assert first.pots == (Pot(kind=PotKind.INCLUDED, quantity=3),)
    async with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            assert (await connection.scalar(text("SHOW enable_seqscan"))) == "on", "for this transaction alone"
    await engine.dispose()

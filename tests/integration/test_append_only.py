"""What is append-only in the database never changes, whoever asks; the list of it is here, and is all of it."""

import itertools

import pytest
from sqlalchemy import Boolean, Integer, LargeBinary, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import JSON

from billed_worlds import KINDS
from tallygate.storage.sql.engine import create_engine, create_migration_engine
from tallygate.storage.sql.models import Base, Instant

APPEND_ONLY = {
    # documents, and what they are made of
    "invoices",
    "invoice_lines",
    "invoice_taxes",
    "fees",
    "unrated_facts",
    # what accounts held, and who changed it
    "quantity_changes",
    "subscription_changes",
    "price_overrides",
    # money
    "wallet_entries",
    "ledger_transfers",
    "recognitions",
    "payments",
    "payment_allocations",
    "gateway_events",
    # reductions
    "coupon_redemptions",
    "coupon_uses",
    "coupon_returns",
    # others' terms, and what others are told
    "share_terms",
    "charge_limits",
    "outbox_messages",
    # who did what: personal values may be emptied, and nothing else (test_audit_log.py)
    "audit_log",
    "audit_chain",
    "audit_anchors",
}
INSTANT = 1_793_491_200_000_000
numbers = itertools.count(1)


@pytest.fixture(scope="module", params=KINDS)
def url(request, places):
    return places.new(request.param)


@pytest.fixture(scope="module")
async def database(url):
    engine = create_engine(url)
    yield engine
    await engine.dispose()


def _value(column, number):
    kinds = (Instant, INSTANT), (Boolean, False), (Integer, number), (JSON, {}), (LargeBinary, b"x")
    return next((value for kind, value in kinds if isinstance(column.type, kind)), f"x{number}")


async def stored(engine, name):
    """A row of this table, and its primary key as a condition."""
    table, number = Base.metadata.tables[name], next(numbers)
    columns = [column for column in table.columns if column.computed is None and column.identity is None]
    row = {column.name: _value(column, number) for column in columns}
    async with engine.begin() as connection:
        await connection.execute(table.insert(), row)
    return row, [table.c[column.name] == row[column.name] for column in table.primary_key]


async def kept(engine, name, key):
    table = Base.metadata.tables[name]
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(table.select().where(*key))]


async def refused(engine, name, statement, parameters=None):
    with pytest.raises(IntegrityError, match=f"{name} is append-only"):
        async with engine.begin() as connection:
            await connection.execute(statement, *([parameters] if parameters else []))


def test_the_list_is_all_of_what_never_changes(url):
    """A table with a part of the triggers is in it: the tests below say that it has all."""
    asked = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
    if not url.startswith("sqlite"):
        asked = "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        found = set(connection.execute(text(asked)).scalars())
        assert found == APPEND_ONLY
        assert set(inspect(connection).get_table_names()) > APPEND_ONLY
    engine.dispose()


@pytest.mark.parametrize("name", sorted(APPEND_ONLY))
async def test_no_row_is_changed_or_deleted(database, name):
    table = Base.metadata.tables[name]
    row, key = await stored(database, name)
    before = await kept(database, name, key)
    assert len(before) == 1
    await refused(database, name, table.update().where(*key).values(row))
    await refused(database, name, table.delete().where(*key))
    await refused(database, name, table.delete())
    assert await kept(database, name, key) == before


@pytest.mark.parametrize("name", sorted(APPEND_ONLY))
async def test_no_row_is_replaced_and_no_table_is_emptied(database, name):
    """SQLite deletes by an insert, too, and PostgreSQL past the triggers of rows; both change a row by an upsert."""
    table = Base.metadata.tables[name]
    row, key = await stored(database, name)
    before = await kept(database, name, key)
    make = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[database.dialect.name](table)
    await refused(database, name, make.on_conflict_do_update(index_elements=[*table.primary_key], set_=row), row)
    if database.dialect.name == "sqlite":
        await refused(database, name, table.insert().prefix_with("OR REPLACE"), row)
    else:
        await refused(database, name, text(f"TRUNCATE {name} CASCADE"))
    assert await kept(database, name, key) == before

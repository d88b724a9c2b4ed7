import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, insert, inspect, select, table, text

from tallygate.domain.errors import InvalidFieldError, StoreUnavailableError
from tallygate.storage.documents import HELD_SUBSCRIPTION
from tallygate.storage.sql.billing import (
    app_charge_tables,
    coupon_tables,
    discount_tables,
    drafts,
    findings,
    ledger_tables,
    message_tables,
    order_tables,
    partner_tables,
    payment_tables,
)
from tallygate.storage.sql.billing import tables as billing_tables
from tallygate.storage.sql.engine import create_engine, create_migration_engine
from tallygate.storage.sql.metering import tables as event_tables
from tallygate.storage.sql.models import Base
from tallygate.storage.sql.partitions import load_partitions, seed_partitions
from tallygate.storage.sql.schema import configuration, head, migrate, schema_version


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tallygate.db"
    return request.getfixturevalue("postgres").create_database()


def test_an_empty_database_has_no_version_and_migrates_to_the_newest(url):
    assert schema_version(url) == ""
    migrate(url)
    assert schema_version(url) == head() != ""
    migrate(url)
    assert schema_version(url) == head()


def test_the_newest_version_is_known_without_loading_alembic():
    assert ScriptDirectory.from_config(configuration()).get_heads() == [head()]
    loads = "import sys, tallygate.storage.sql.schema; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads], check=True, timeout=30)


def test_the_models_say_what_the_migrations_made(url):
    billing = billing_tables.invoices, ledger_tables.recognitions, payment_tables.payments, coupon_tables.coupons
    billing = *billing, findings.billing_findings, message_tables.outbox_messages, order_tables.orders
    billing = (
        *billing,
        discount_tables.referrals,
        drafts.invoice_drafts,
        partner_tables.bills,
        app_charge_tables.charge_runs,
    )
    for known in (event_tables.billable_events, *billing):
        assert known.name in Base.metadata.tables
    migrate(url)
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _known})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def _known(name, kind, _parents):
    return kind != "table" or not name.startswith("billable_events_")  # PostgreSQL's hash partitions


def test_migrating_down_leaves_nothing_behind(url):
    migrate(url)
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    engine.dispose()


def test_servers_that_start_together_migrate_once(url):
    code = f"from tallygate.storage.sql.schema import migrate; migrate({url!r})"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(migrate, url) for _ in range(2)]:
            done.result()
    assert [other.wait(30) for other in others] == [0, 0, 0]
    assert schema_version(url) == head()


def test_a_failed_migration_leaves_the_database_as_it_was(url, monkeypatch):
    def fail(*_, **__):
        raise sqlite3.OperationalError

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(sqlite3.OperationalError):
        migrate(url)
    monkeypatch.undo()
    assert schema_version(url) == ""
    migrate(url)
    assert schema_version(url) == head()


async def test_partitions_are_seeded_once_and_their_number_stays(url):
    await asyncio.to_thread(migrate, url)
    engine = create_engine(url)
    epochs = iter(f"e{number}" for number in range(100))
    seeded = await asyncio.gather(*(seed_partitions(engine, 4, lambda: next(epochs)) for _ in range(3)))
    assert seeded[0] == seeded[1] == seeded[2] == await load_partitions(engine)
    assert [partition.partition for partition in seeded[0]] == [0, 1, 2, 3]
    assert len({partition.epoch for partition in seeded[0]}) == 4
    with pytest.raises(InvalidFieldError):
        await seed_partitions(engine, 8, lambda: "x")
    await engine.dispose()


async def test_instants_are_readable_in_the_tables(url):
    await asyncio.to_thread(migrate, url)
    engine = create_engine(url)
    instant = 1_793_491_200_000_001
    async with engine.connect() as connection:
        await connection.execute(
            Base.metadata.tables["tenants"].insert(),
            {
                "tenant_id": "t",
                "create_time": instant,
                "currency": "USD",
                "time_zone": "UTC",
                "default_plan": "",
                "test": False,
                "clock_offset": 0,
                "view_version": 1,
                "catalog_version": 1,
            },
        )
        found = (await connection.execute(Base.metadata.tables["tenants"].select())).one()
        raw = (await connection.execute(text("SELECT CAST(create_time AS TEXT) FROM tenants"))).scalar_one()
    assert found.create_time == instant
    assert raw.startswith("2026-11-01 00:00:00.000001")
    await engine.dispose()


async def test_a_database_that_was_never_migrated_is_unavailable(url):
    engine = create_engine(url)
    with pytest.raises(StoreUnavailableError):
        await load_partitions(engine)
    await engine.dispose()


def test_events_that_are_older_than_what_billable_says_are_told_by_trial_and_pots(url):
    trial_included = [(True, ["INCLUDED"]), (True, [])]
    granted = [(False, ["GRANT"]), (False, ["GRANT", "GRANT"])]
    charged = [(False, ["INCLUDED"]), (False, ["GRANT", "OVERAGE"]), (False, [])]
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0003")
    events, instant = event_tables.billable_events, 1_793_491_200_000_001
    kinds = [*trial_included, *granted, *charged, *charged]
    texts = ["tenant_id", "account_id", "feature_key", "epoch", "entry_id", "kind", "user_id", "subscription_id"]
    with engine.begin() as connection:
        for number, (trial, pots) in enumerate(kinds):
            row = dict.fromkeys(texts, "") | {
                "request_id": str(number), "trial": trial, "billable": number < len(kinds) - len(charged),
                "pots": [{"kind": kind, "quantity": 1, "grant_id": ""} for kind in pots], "dimensions": {},
                "sequence": number, "partition": 0, "quantity": len(pots), "plan_version": 1, "carry_in": False,
                "view_version": 1, "payload_hash": b"", "occurred_time": instant, "recorded_time": instant,
                "period_start": instant, "period_end": instant, "plan_key": "p",
            }  # fmt: skip
            stored = table(events.name, *(column(name, events.columns[name].type) for name in row))
            connection.execute(insert(stored).values(row))
    migrate(url)
    with engine.connect() as connection:
        found = connection.execute(select(events.c.billable).order_by(events.c.sequence)).scalars().all()
    assert found == [False] * 4 + [True] * 3 + [False] * 3
    engine.dispose()


def test_rows_that_are_older_than_their_stamps_get_the_nearest_instant_known(url):
    first, later = "2026-01-01 00:00:00.000000", "2026-02-03 04:05:06.000000"
    rows = {
        "tenants": {
            "tenant_id": "t", "currency": "USD", "time_zone": "UTC", "default_plan": "", "clock_offset": 0,
            "view_version": 1, "catalog_version": 1, "create_time": first, "test": False,
        },
        "catalog_items": {"tenant_id": "t", "kind": "plan", "key": "p", "version": 1, "doc": "{}", "archived": False},
        "accounts": {
            "tenant_id": "t", "account_id": "a", "version": 1, "create_time": later, "time_zone": "", "metadata": "{}",
        },
        "subscriptions": {
            "tenant_id": "t", "subscription_id": "s", "account_id": "a", "state": "active", "live": True,
            "start_time": later,
        },
        "subscription_terms": {
            "tenant_id": "t", "subscription_id": "s", "start_time": later, "plan_key": "p", "plan_version": 1,
        },
        "overrides": {
            "tenant_id": "t", "account_id": "a", "override_id": "o", "feature_key": "f", "entitlement": "{}",
            "start_time": later,
        },
    }  # fmt: skip
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0002")
    with engine.begin() as connection:
        for name, row in rows.items():
            connection.execute(insert(table(name, *map(column, row))).values(row))
    migrate(url)
    wanted = {
        "accounts": ("update_time", later),
        "catalog_items": ("publish_time", first),
        "subscriptions": ("create_time", later),
        "overrides": ("create_time", later),
    }
    with engine.connect() as connection:
        for name, (stamp, instant) in wanted.items():
            stored = connection.execute(select(column(stamp)).select_from(table(name))).scalar_one()
            assert str(stored).startswith(instant[:19]), name
        assert connection.execute(text("SELECT cancel_time FROM subscriptions")).scalar_one() is None
        changes = billing_tables.subscription_changes.c
        (opening,) = connection.execute(select(*changes)).all()
        assert (opening.account_id, opening.sequence, opening.method, opening.before) == ("a", 1, "Opening", {})
        held = HELD_SUBSCRIPTION.validate_python(opening.after)
        (term,) = held.subscription.terms
        assert (held.create_time, held.subscription.start_time, term.start_time) == (opening.change_time,) * 3
        assert (held.subscription.subscription_id, term.plan_key, term.proration) == ("s", "p", "prorate")
        always_so = "SELECT s.anchor_time, s.former, a.former_zones, t.former_zones, t.former_defaults, t.clock_time"
        found = connection.execute(text(f"{always_so} FROM subscriptions s, accounts a, tenants t")).one()
        none = (list, str)  # JSON, as the driver of each database gives it
        assert (found[0], bool(found[1]), found[5]) == (None, False, None)
        assert all(isinstance(each, none) and each in ([], "[]") for each in found[2:5])
    engine.dispose()

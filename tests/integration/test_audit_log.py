"""The audit log on both databases: an entry in the write's own transaction, chained; what is tampered with is named."""

import asyncio
import contextlib
import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.audit_log import anchor, chain, verify
from tallygate.domain.audit_log import ERASE, Fault
from tallygate.domain.errors import ConflictError
from tallygate.records.audit_log import EntryQuery, Origin
from tallygate.records.values import Tenant
from tallygate.storage.sealing import AesSealing
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.unit_of_work import SqlStore

NOW = 1_793_491_200_000_000
SEALING = AesSealing(keys=(b"k" * 32,))
TABLES = "audit_log", "audit_chain", "audit_anchors"
CHANGED = "UPDATE audit_log SET method = 'x' WHERE place = 2"
REFUSED = (
    CHANGED,
    "UPDATE audit_log SET personal = 'y' WHERE place = 2",
    "UPDATE audit_log SET personal = '{}' WHERE place = 1",
    "UPDATE audit_log SET entry_time = entry_time, personal = '{}', actor = 'x' WHERE place = 2",
    "DELETE FROM audit_log WHERE place = 2",
    "DELETE FROM audit_chain WHERE place = 2",
    "UPDATE audit_chain SET hash = 'x' WHERE place = 2",
    "DELETE FROM audit_anchors",
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def migrated(request, tmp_path_factory):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('audit')}/tallygate.db"
    else:
        url = request.getfixturevalue("postgres").create_database()
    migrate(url)
    return url


@pytest.fixture
async def store(migrated):
    """A store whose audit log is empty, and two tenants."""
    engine = create_engine(migrated)
    found = SqlStore(engine=engine)
    for tenant in ("t", "u"):
        with contextlib.suppress(ConflictError):
            await found.create_tenant(Tenant(tenant_id=tenant, create_time=0))
    yield found
    await tamper(found, *(f"DELETE FROM {each}" for each in (*TABLES, "accounts")))  # noqa: S608 - names of this file
    await engine.dispose()


def origin(number=1, **asked):
    return Origin(
        method="AccountService/UpsertAccount",
        key_id="key-1",
        key_name="back office",
        actor="ann@shop.example",
        source="api",
        request_id=f"req-{number}",
        asked=lambda: asked,
    )


async def upsert(store, account="acme", number=1, *, tenant="t", zone="UTC", **metadata):
    asked = {"account_id": account, "metadata": metadata} if metadata else {"account_id": account}
    async with store.write(tenant, now=NOW, origin=origin(number, **asked)) as work:
        request = UpsertAccount(account_id=account, time_zone=zone, metadata=metadata)
        await upsert_account(work, request, now=NOW, new_id=lambda: "x")
        await work.commit()


async def chained(store, tenant="t"):
    async with store.write(tenant, now=NOW) as work:
        await chain(work)
        await work.commit()


async def five_chained(store):
    for number in range(1, 6):
        metadata = {"crm": f"person {number}"} if number > 1 else {}
        await upsert(store, number=number, zone="UTC" if number % 2 else "Europe/Zurich", **metadata)
    await chained(store)


async def verdict(store, tenant="t", sealing=SEALING, **options):
    async with store.read(tenant) as work:
        return await verify(work, sealing, **options)


async def entries(store, tenant="t"):
    async with store.read(tenant) as work:
        return list(await work.audit_log.list(EntryQuery()))


async def run(store, *statements):
    async with store.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def tamper(store, *statements):
    """As whoever owns the database does it: without its triggers."""
    if store.engine.dialect.name == "postgresql":
        await run(store, "SET LOCAL session_replication_role = replica", *statements)
        return
    names = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'"
    async with store.engine.begin() as connection:
        triggers = (await connection.execute(text(names))).all()
        for name, _ in triggers:
            await connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            await connection.execute(text(statement))
        for _, sql in triggers:
            await connection.execute(text(sql))


async def test_a_write_leaves_one_entry_that_says_who_what_when_and_from_where(store):
    await upsert(store)
    await upsert(store, number=2, zone="Europe/Zurich")
    second, first = await entries(store)
    assert (first.place, second.place) == (1, 2)
    assert (second.method, second.account_id, second.resource) == (
        "AccountService/UpsertAccount",
        "acme",
        "accounts/acme",
    )
    assert (second.key_id, second.key_name, second.actor) == ("key-1", "back office", "ann@shop.example")
    assert (second.source, second.request_id, second.entry_time) == ("api", "req-2", NOW)
    (change,) = [each for each in json.loads(second.details)["changes"] if each["of"] == "accounts"]
    assert change["key"] == {"account_id": "acme"}
    assert change["before"]["time_zone"] == "UTC"
    assert change["after"]["time_zone"] == "Europe/Zurich"
    assert await entries(store, "u") == []


async def test_what_is_not_committed_leaves_none(store):
    with contextlib.suppress(ZeroDivisionError):
        async with store.write("t", now=NOW, origin=origin(account_id="acme")) as work:
            await upsert_account(work, UpsertAccount(account_id="acme"), now=NOW, new_id=lambda: "x")
            raise ZeroDivisionError
    assert await entries(store) == []


async def test_what_was_chained_verifies_and_new_entries_wait(store):
    await five_chained(store)
    await upsert(store, number=6)
    found = await verdict(store)
    assert (found.entries, found.waiting, found.place, found.fault) == (5, 1, 0, None)
    await chained(store)
    assert (await verdict(store)).entries == 6
    assert (await verdict(store, after=2)).head == (await verdict(store)).head


@pytest.mark.parametrize("statement", REFUSED)
async def test_the_database_refuses_to_change_what_was_written(store, statement):
    await five_chained(store)
    async with store.write("t", now=NOW) as work:
        await anchor(work, SEALING, now=NOW)
        await work.commit()
    before = await entries(store)
    with pytest.raises(DBAPIError, match="append-only"):
        await run(store, statement)
    assert await entries(store) == before
    assert (await verdict(store)).fault is None


@pytest.mark.parametrize("table", TABLES)
async def test_postgresql_refuses_to_truncate_and_sqlite_to_replace(store, table):
    await five_chained(store)
    async with store.write("t", now=NOW) as work:
        await anchor(work, SEALING, now=NOW)
        await work.commit()
    postgres = store.engine.dialect.name == "postgresql"
    with pytest.raises(DBAPIError, match="append-only"):
        await run(store, f"TRUNCATE {table}" if postgres else f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608 - names of this file


HASHED = "audit_log", "audit_chain"


def deleted(place, *tables):
    return [f"DELETE FROM {table} WHERE place = {place}" for table in tables]  # noqa: S608 - names of this file


def moved(*places):
    """Entries with their hashes, from one place to another."""
    return [
        f"UPDATE {table} SET place = {new} WHERE place = {old}"  # noqa: S608 - as above
        for table in HASHED
        for old, new in places
    ]


def forged(place):
    names = "account_id, resource, key_id, key_name, actor, source, request_id, reason, details, personal"
    return (
        f"INSERT INTO audit_log SELECT tenant_id, {place}, entry_time, 'forged', {names}, personal_digest"  # noqa: S608 - as above
        " FROM audit_log WHERE place = 1"
    )


EMPTIED = "UPDATE audit_log SET personal = '{}' WHERE place = 4"
ROOM = moved((5, 6), (4, 5), (3, 4))
HASH = "INSERT INTO audit_chain SELECT tenant_id, 3, hash FROM audit_chain WHERE place = 2"
TAMPERED = {
    "edited": ([CHANGED], 2, Fault.CHANGED),
    "edited at the head": (["UPDATE audit_log SET actor = 'bob' WHERE place = 5"], 5, Fault.CHANGED),
    "edited in what is personal": (["UPDATE audit_log SET personal = 'y' WHERE place = 4"], 4, Fault.PERSONAL),
    "erased by nobody": ([EMPTIED], 4, Fault.PERSONAL),
    "deleted": (deleted(3, "audit_log"), 3, Fault.MISSING),
    "deleted with its hash": (deleted(3, *HASHED), 3, Fault.MISSING),
    "deleted at the start": (deleted(1, *HASHED), 1, Fault.MISSING),
    "deleted at the head": (deleted(5, "audit_log"), 5, Fault.MISSING),
    "deleted and closed up": ([*deleted(3, *HASHED), *moved((4, 3), (5, 4))], 3, Fault.CHANGED),
    "its hash deleted": (deleted(3, "audit_chain"), 3, Fault.UNCHAINED),
    "inserted": ([*ROOM, forged(3)], 3, Fault.UNCHAINED),
    "inserted with a hash": ([*ROOM, forged(3), HASH], 3, Fault.CHANGED),
    "inserted before the first": ([forged(0)], 1, Fault.MISSING),
    "two exchanged": (moved((2, 90), (3, 2), (90, 3)), 2, Fault.CHANGED),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_verifying_names_what_was_tampered_with(store, how):
    statements, place, fault = TAMPERED[how]
    await five_chained(store)
    await tamper(store, *statements)
    found = await verdict(store)
    assert (found.place, found.fault) == (place, fault)


async def _anchored(store):
    await five_chained(store)
    async with store.write("t", now=NOW) as work:
        await anchor(work, SEALING, now=NOW)
        await work.commit()
    assert (await verdict(store)).anchored == 5


async def test_who_rewrites_the_whole_chain_is_found_by_the_anchor(store):
    await _anchored(store)
    await tamper(store, CHANGED, "DELETE FROM audit_chain")
    await chained(store)
    found = await verdict(store)
    assert (found.place, found.fault) == (5, Fault.ANCHOR)


async def test_who_cuts_off_the_end_is_found_by_the_anchor(store):
    await _anchored(store)
    await tamper(store, *deleted(5, *HASHED))
    found = await verdict(store)
    assert (found.place, found.fault) == (5, Fault.MISSING)


async def test_a_forged_anchor_is_none_and_without_the_key_nobody_can_say(store):
    await _anchored(store)
    assert (await verdict(store, sealing=AesSealing())).anchored == 0
    other = await verdict(store, sealing=AesSealing(keys=(b"x" * 32,)))
    assert (other.place, other.fault) == (5, Fault.ANCHOR)


async def test_erasing_is_allowed_behind_its_own_entry_alone(store):
    await five_chained(store)
    erasing = Origin(method=ERASE, asked=lambda: {"account_id": "acme"})
    async with store.write("t", now=NOW, origin=erasing) as work:
        assert await work.audit_log.erase("acme") == 4
        await work.commit()
    await chained(store)
    found = await verdict(store)
    assert (found.entries, found.fault) == (6, None)
    assert "person " not in " ".join(f"{each.details} {each.personal}" for each in await entries(store))


async def test_two_workers_chain_the_same_entries_once(store):
    for number in range(1, 6):
        await upsert(store, number=number)
    await asyncio.gather(*(chained(store) for _ in range(3)))
    assert (await verdict(store)).entries == 5

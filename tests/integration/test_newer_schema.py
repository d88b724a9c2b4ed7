"""A program on a schema that a later one has migrated: it runs where that only added, and not where it took away."""

import asyncio
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import grpc
import pytest

from child_processes import temporary_directory
from command_line import one_clear_line, tallygate
from conftest import testing_settings
from schemas import shapes, taken_away, unsaid, upgrade
from tallygate.app import installation
from tallygate.app.diagnosis import diagnose
from tallygate.app.errors import StartError
from tallygate.domain.credential import mint_key
from tallygate.storage.sql.schema import head, migrate, read_schema, schema_version
from tallygate_process import TallygateProcess
from tenants import Tenant

RELEASED = "0003"
"""The schema of the version before."""
FIRST = "0055"
"""From here on the schema says which programs may run on it."""
NEXT = "9001"
RAISES = "UPDATE oldest_program SET revision = '{}'"
ADDS = """
    op.add_column("accounts", sa.Column("nickname", sa.Text()))
    op.add_column("overrides", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.create_table("later", sa.Column("number", sa.Integer(), primary_key=True))
    op.create_index("ix_later", "accounts", ["tenant_id", "nickname"])
"""
TAKES = {
    'op.drop_table("replaced_claims")': "replaced_claims is gone",
    'op.drop_column("subscriptions", "bookings")': "subscriptions.bookings is gone",
    'op.add_column("fees", sa.Column("batch", sa.Text(), nullable=False, server_default="x"))\n'
    '    with op.batch_alter_table("fees") as table:\n'
    '        table.alter_column("batch", server_default=None)': "fees.batch must be given",
    'op.create_index("one", "accounts", ["tenant_id", "time_zone"], unique=True)': "accounts has a unique one",
}


def migration(directory, revision, before, body, oldest=False):
    says = f"op.execute({RAISES.format(revision)!r})" if oldest else "pass"
    Path(directory, f"{revision}_later.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = '{revision}'\ndown_revision = '{before}'\n"
        f"branch_labels = depends_on = None\n\n\ndef upgrade():\n    {body.strip()}\n    {says}\n"
    )
    return directory


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tallygate.db"
    return request.getfixturevalue("postgres").create_database()


def test_what_the_version_before_writes_can_still_be_written(url):
    upgrade(url, RELEASED)
    before = shapes(url)
    migrate(url)
    assert taken_away(before, shapes(url)) == []


def test_each_migration_only_adds_or_says_which_programs_are_too_old(url):
    assert unsaid(url, FIRST) == {}


def test_a_migration_that_takes_something_away_is_found_unless_it_says_so(url, tmp_path):
    migration(tmp_path, NEXT, head(), ADDS)
    before, expected = NEXT, {}
    for number, (body, found) in enumerate(TAKES.items(), start=9002):
        migration(tmp_path, f"{number}", before, body)
        expected[f"{number}"] = [found]
        before = f"{number}"
    migration(tmp_path, "9100", before, 'op.drop_table("gateway_events")', oldest=True)
    assert unsaid(url, head(), tmp_path) == expected
    assert read_schema(url).oldest == "9100"


async def test_a_server_runs_on_a_schema_to_which_a_later_version_has_added(tmp_path):
    home = TallygateProcess(directory=temporary_directory("tg-newer-"))
    data = home.directory / "data"
    data.mkdir(mode=0o700)
    url = f"sqlite:///{data}/tallygate.db"
    migrate(url)
    upgrade(url, NEXT, migration(tmp_path, NEXT, head(), ADDS))
    run = {"environment": home.environment, "directory": home.directory}
    assert "the database is at schema 9001" in tallygate("migrate", **run).stdout
    with home:
        assert f"schema 9001, newer than this version's {head()}, which may run on it still" in home.log
        owner = Tenant(grpc.aio.insecure_channel(home.address), mint_key(b"n" * 32))
        await owner.apply({
            "currency": "USD",
            "features": {"calls": {"kind": "metered"}},
            "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 10}}}},
        })  # fmt: skip
        await owner.call("UpsertAccount", account_id="acme", plan_key="p")
        assert (await owner.consume("acme", "calls", 3, request_id="r")).used == 3
        assert await owner.usage_reaches("acme", "calls", 3)
    assert schema_version(url) == NEXT
    settings = testing_settings(data)
    found = {each.name: each for each in await diagnose(settings)}["schema version"]
    assert (found.ok, found.detail) == (True, f"9001, newer than this version's {head()}, which may run on it still")
    with closing(connect(data / "tallygate.db")) as database:
        database.execute(RAISES.format(NEXT))
        database.commit()
    why = rf"has schema 9001, newer than this version's {head()}, and needs a program of 9001 or later: run the version"
    for refused in (installation.migrate, installation.require_schema):
        with pytest.raises(StartError, match=why):
            await asyncio.to_thread(refused, settings)
    found = {each.name: each for each in await diagnose(settings)}["schema version"]
    assert (found.ok, found.fix) == (
        False,
        "it is newer than this version: run the version of Tallygate that made it, or a later one",
    )
    assert read_schema(url).oldest == NEXT
    said = one_clear_line(tallygate("tenant", "create", "a", **run, code=3))
    assert "needs a program of 9001 or later" in said

import random
import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from collectors import clean_rig, migrated
from servers import ValkeyServer
from tallygate.storage.sql.engine import create_migration_engine
from tallygate.storage.sql.metering.tables import PARTITIONS, billable_events, event_sequences, quarantined_events
from tallygate.storage.sql.models import Base

OURS = {table.name for table in (billable_events, event_sequences, quarantined_events)}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request, tmp_path_factory):
    with migrated(request.param, tmp_path_factory.mktemp("tables")) as url:
        yield url


def ours(_object, name, kind, _reflected, _other):
    return kind != "table" or name in OURS


def test_the_migration_and_the_tables_say_the_same(url):
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
    engine.dispose()


def test_postgresql_has_hash_partitions_and_a_brin_index(url):
    engine = create_migration_engine(url)
    names = sa.inspect(engine).get_table_names()
    partitions = [name for name in names if re.fullmatch(r"billable_events_\d+", name)]
    if engine.dialect.name != "postgresql":
        assert partitions == []
    else:
        assert len(partitions) == PARTITIONS
        with engine.connect() as connection:
            kind = connection.scalar(
                sa.text(
                    "SELECT am.amname FROM pg_class c JOIN pg_am am ON am.oid = c.relam "
                    "WHERE c.relname = 'ix_billable_events_recorded'"
                )
            )
        assert kind == "brin"
    engine.dispose()


async def test_the_longest_identities_fit_the_index(url):
    dice = random.Random(3)

    def longest():
        return "".join(chr(dice.randrange(0x10000, 0x1F000)) for _ in range(255))

    with ValkeyServer() as valkey:
        async with clean_rig(valkey, url) as rig:
            await rig.add(tenant="t" * 64, account=longest(), request=longest(), user=longest(), feature="f" * 255)
            collector = rig.collector()
            await collector.drain()
            assert (collector.stats.collected, collector.stats.quarantined) == (1, 0)


async def test_identities_past_the_index_are_set_aside_and_block_nothing(url):
    dice = random.Random(4)
    far_too_long = ["".join(chr(dice.randrange(0x10000, 0x1F000)) for _ in range(255)) for _ in range(3)]
    with ValkeyServer() as valkey:
        async with clean_rig(valkey, url) as rig:
            await rig.add(account=far_too_long[0], request=far_too_long[1], feature=far_too_long[2])
            await rig.add()
            collector = rig.collector()
            await collector.drain()
            stats = collector.stats
            assert (stats.collected, stats.quarantined) == ((2, 0) if "sqlite" in url else (1, 1))

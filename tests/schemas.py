"""What a schema asks of who writes to it, and what a later one takes from programs that know the earlier one."""

from dataclasses import dataclass, field

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Inspector, inspect, text

from tallygate.storage.sql.engine import create_migration_engine
from tallygate.storage.sql.schema import configuration, read_schema

_TRIGGERS = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT event_object_table, trigger_name FROM information_schema.triggers",
}


@dataclass(frozen=True)
class Shape:
    """A table: of each column its type, and whether it may be left out; and what else refuses a row."""

    types: dict = field(default_factory=dict)
    optional: dict = field(default_factory=dict)
    nullable: dict = field(default_factory=dict)
    refusals: frozenset = frozenset()


def upgrade(url, revision, versions=None):
    """Migrate up to this revision; `versions` is a directory of further migrations."""
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        settings = further(versions)
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
    engine.dispose()


def further(versions=None):
    settings = configuration()
    if versions is not None:
        ours = f"{settings.get_main_option('script_location')}/versions"
        settings.set_main_option("version_locations", f"{ours}:{versions}")
    return settings


def shapes(url):
    engine = create_migration_engine(url)
    with engine.connect() as connection:
        inspector = inspect(connection)
        triggers = connection.execute(text(_TRIGGERS[connection.dialect.name])).all()
        names = [name for name in inspector.get_table_names() if not name.startswith("billable_events_")]
        found = {name: _shape(inspector, name, triggers) for name in names}
    engine.dispose()
    return found


def _shape(inspector: Inspector, name, triggers):
    columns = inspector.get_columns(name)
    unique = [("unique", each["name"]) for each in inspector.get_indexes(name) if each["unique"]]
    unique += [("unique", each["name"]) for each in inspector.get_unique_constraints(name)]
    checks = [("check", each["name"]) for each in inspector.get_check_constraints(name)]
    foreign = [("foreign key", *each["constrained_columns"]) for each in inspector.get_foreign_keys(name)]
    fires = [("trigger", trigger) for table, trigger in triggers if table == name]
    return Shape(
        types={each["name"]: str(each["type"]) for each in columns},
        nullable={each["name"]: each["nullable"] for each in columns},
        optional={
            each["name"]: each["nullable"] or each["default"] is not None or bool(each.get("autoincrement") is True)
            for each in columns
        },
        refusals=frozenset([*unique, *checks, *foreign, *fires]),
    )


def taken_away(before, after):
    """What programs that know `before` cannot do any more on `after`; nothing where it only adds."""
    found = [f"{table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        found += [f"{table}.{name} is gone" for name in old.types.keys() - new.types.keys()]
        for name, optional in new.optional.items():
            if name not in old.types:
                found += [] if optional else [f"{table}.{name} must be given"]
            elif old.types[name] != new.types[name]:
                found.append(f"{table}.{name} is {new.types[name]}")
            elif (old.optional[name] and not optional) or (old.nullable[name] and not new.nullable[name]):
                found.append(f"{table}.{name} must be given")
        found += [f"{table} has a {' '.join(each)}" for each in new.refusals - old.refusals]
    return sorted(found)


def unsaid(url, since, versions=None):
    """Migrations after `since` that take something away and do not name themselves the oldest program's, and what."""
    upgrade(url, since, versions)
    steps = [
        script.revision
        for script in ScriptDirectory.from_config(further(versions)).walk_revisions("base", "heads")
        if script.revision > since
    ]
    found, before = {}, shapes(url)
    for revision in sorted(steps):
        upgrade(url, revision, versions)
        after = shapes(url)
        lost = taken_away(before, after)
        if lost and read_schema(url).oldest != revision:
            found[revision] = lost
        before = after
    return found

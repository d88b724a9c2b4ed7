"""Triggers by which a database refuses to change or delete what was issued, whoever asks."""

from collections.abc import Iterator

_FUNCTION = """
CREATE OR REPLACE FUNCTION tallygate_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""


def statements(table: str, *, dialect: str) -> Iterator[str]:
    """What makes a table append-only. SQLite needs `PRAGMA recursive_triggers=ON`, else INSERT OR REPLACE passes."""
    if dialect == "postgresql":
        yield _FUNCTION
        yield (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION tallygate_append_only()"
        )
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION tallygate_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        yield (
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def undone(*, dialect: str) -> Iterator[str]:
    """What takes away what tables with their triggers leave behind."""
    if dialect == "postgresql":
        yield "DROP FUNCTION IF EXISTS tallygate_append_only()"

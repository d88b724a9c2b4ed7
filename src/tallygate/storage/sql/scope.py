"""One tenant's share of a transaction: its connection, whose rows it may touch, and what it changed so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Executable, Row, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.storage.sql.models import Base

_ROWS_AT_ONCE = 500
"""Rows of one INSERT: with the widest table within SQLite's 32,766 parameters."""


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a transaction changed: of what is published, and accounts of which something else changed."""

    catalog: bool = False
    accounts: dict[str, None] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)

    def any(self) -> bool:
        """Whether there is anything to publish."""
        return self.catalog or bool(self.accounts) or bool(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Every statement of a repository goes through here, bound to one tenant; `now` is its time in a write."""

    connection: AsyncConnection
    tenant_id: str
    now: int = 0
    changes: Changes = field(default_factory=Changes)

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """All rows of a query."""
        return (await self.connection.execute(statement)).all()

    async def execute(self, statement: Executable) -> int:
        """Run a statement; how many rows it touched."""
        result: CursorResult[Any] = await self.connection.execute(statement)
        return result.rowcount

    async def upsert(self, model: type[Base], rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()) -> None:
        """Insert rows of this tenant, by column name, or replace those with the same key but for columns to `keep`."""
        sqlite = self.connection.dialect.name == "sqlite"
        table = table_of(model)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            values = [{"tenant_id": self.tenant_id, **row} for row in rows[start : start + _ROWS_AT_ONCE]]
            insert = (sqlite_insert if sqlite else postgres_insert)(table).values(values)
            key = [column.name for column in table.primary_key]
            other = {name: insert.excluded[name] for name in values[0] if name not in {*key, *keep}}
            await self.execute(insert.on_conflict_do_update(index_elements=key, set_=other))

    def own(self, model: type[Base]) -> ColumnElement[bool]:
        """The condition that a row is this tenant's."""
        return table_of(model).c.tenant_id == self.tenant_id


def table_of(model: type[Base]) -> Table:
    """The table that a model describes."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows a type that SQLAlchemy leaves open
    return table

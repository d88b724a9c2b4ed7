"""Facts as rows of `billable_events`, made as the driver takes them.

SQLAlchemy's own work for a row costs more than SQLite's, and a statement a row more than PostgreSQL's COPY. Each value
still goes through its column's type, but what comes back row after row is converted once.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.domain.event import UsageFact
from tallygate.domain.gating.decision import Pot
from tallygate.storage.sql.metering.tables import billable_events

_CONVERTED = ("kind", "reason", "dimensions", "pots", "occurred_time", "recorded_time", "period_start", "period_end")
_WHERE = ("partition", "epoch", "entry_id")
_PLAIN = tuple(each.name for each in fields(UsageFact) if each.name not in {"source", *_CONVERTED})
_COLUMNS = (*_PLAIN, *_WHERE, *_CONVERTED, "sequence")
_KEPT = 4_096


class FactRows:
    """Rows for the driver of one database, and how they are inserted."""

    __slots__ = ("_copies", "_document", "_instant", "_no_dimensions", "_plain", "_pots", "_statement")

    def __init__(self, dialect: Dialect) -> None:
        self._copies = dialect.name == "postgresql"
        names = ", ".join(dialect.identifier_preparer.quote(name) for name in _COLUMNS)
        if self._copies:
            self._statement = f"COPY {billable_events.name} ({names}) FROM STDIN"
            self._document: Callable[[Any], Any] = json.dumps  # COPY takes a document's text
        else:
            marks = ", ".join("?" for _ in _COLUMNS)
            self._statement = f"INSERT INTO {billable_events.name} ({names}) VALUES ({marks})"  # noqa: S608 - names are the table's own, values are bound
            self._document = _converter("dimensions", dialect)
        self._instant = lru_cache(_KEPT)(_converter("occurred_time", dialect))
        self._pots = lru_cache(_KEPT)(lambda pots: self._document([_pot(pot) for pot in pots]))
        self._no_dimensions = self._document({})
        self._plain = attrgetter(*_PLAIN, *(f"source.{name}" for name in _WHERE))

    def row(self, fact: UsageFact, sequence: int) -> tuple[Any, ...]:
        """A fact under its sequence number."""
        instant = self._instant
        return (
            *self._plain(fact),
            fact.kind.value,
            fact.reason.value if fact.reason is not None else None,
            self._document(dict(fact.dimensions)) if fact.dimensions else self._no_dimensions,
            self._pots(fact.pots),
            instant(fact.occurred_time),
            instant(fact.recorded_time),
            instant(fact.period_start),
            instant(fact.period_end),
            sequence,
        )

    async def insert(self, connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert all of them, or none where one is refused: as SQLAlchemy's errors, whichever way they went."""
        if not self._copies:
            await connection.exec_driver_sql(self._statement, list(rows))
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        failures: Any = connection.dialect.loaded_dbapi.Error
        try:
            async with driver.cursor() as cursor, cursor.copy(self._statement) as copy:
                for row in rows:
                    await copy.write_row(row)
        except failures as error:
            raise DBAPIError.instance(self._statement, None, error, failures, hide_parameters=True) from error


def _pot(pot: Pot) -> dict[str, Any]:
    told = {"kind": pot.kind.value, "quantity": pot.quantity, "grant_id": pot.grant_id}
    return {**told, "uncharged": pot.uncharged} if pot.uncharged else told


def _converter(column: str, dialect: Dialect) -> Callable[[Any], Any]:
    """How the column's type gives a value to the driver."""
    convert = billable_events.c[column].type.dialect_impl(dialect).bind_processor(dialect)
    return convert or _as_it_is


def _as_it_is(value: object) -> object:
    return value

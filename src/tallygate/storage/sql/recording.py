"""What a transaction reads and writes, seen at its connection: what changed, how it was, whoever's statement it is.

Nothing is asked for: a row's former values are known where the use-case has read it before, which it does wherever it
matters to it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Delete, Insert, Row, Select, Table, Update, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.domain.instants import rfc3339
from tallygate.storage.sql.models import Instant

MOST = 64
"""So many rows are told of, each way; the rest is counted."""
_UNTOLD = frozenset(
    {"jobs", "outbox", "outbox_messages", "deliveries", "invoice_drafts", "billing_accounts", "usage_cursors"}
    | {"audit_log", "audit_chain", "audit_anchors", "subscriptions", "subscription_terms", "subscription_add_ons"}
    | {"quantity_changes", "recognitions", "ledger_transfers", "number_series"}
    | {"invoice_lines", "invoice_taxes", "invoice_parties"}
)
"""What follows from other rows, or says when to look at what; changes of subscriptions have a row of their own."""
_OF_NO_INTEREST = frozenset({"tenant_id", "sequence", "version", "view_version", "catalog_version", "partition"})
_DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call] # untyped there
_BOUND = re.compile(r"_(?:m?\d+|\d+_\d+)$")


@dataclass(frozen=True, slots=True)
class _Write:
    table: Table
    key: Mapping[str, Any]
    values: Mapping[str, Any] | None
    """None: the row is gone."""


@dataclass(slots=True)
class Recorder:
    """Of one transaction."""

    reads: list[tuple[Any, Sequence[Row[Any]]]] = field(default_factory=list)
    writes: list[_Write] = field(default_factory=list)
    more: int = 0

    @classmethod
    def watching(cls, connection: AsyncConnection) -> "Recorder":
        """Looks at what is executed from now on; it ends with the connection's use."""
        recorder = cls()
        if connection.sync_connection is not None:
            event.listen(connection.sync_connection, "before_execute", recorder.executed)
        return recorder

    def read(self, statement: object, rows: Sequence[Row[Any]]) -> None:
        """These were read."""
        if isinstance(statement, Select) and rows and len(self.reads) < MOST:
            self.reads.append((statement, rows))

    def changes(self) -> list[dict[str, Any]]:
        """What changed, in order."""
        return [told for write in self.writes if (told := self._told(write)) is not None]

    def account_ids(self) -> set[str]:
        """Whose rows were written."""
        found = {write.key.get("account_id") or (write.values or {}).get("account_id") for write in self.writes}
        return {each for each in found if isinstance(each, str) and each}

    def executed(
        self, connection: Connection, statement: object, rows: Sequence[Any], row: Mapping[str, Any], _options: object
    ) -> None:
        """A statement is about to be, with the values of many rows, or of one."""
        if not isinstance(statement, Insert | Update | Delete):
            return
        table = statement.table
        if not isinstance(table, Table) or table.name in _UNTOLD:
            return
        bound = rows or ([row] if row else [])
        if isinstance(statement, Insert):
            self._note_rows(table, bound or _values(_compiled(connection, statement), table))
        elif not bound:  # many at once, by bound names, are marks that follow from what is told of
            named = _compiled(connection, statement)
            key = {_BOUND.sub("", name): value for name, value in named.items() if name not in table.c}
            values = {name: value for name, value in named.items() if name in table.c}
            told = {name: value for name, value in key.items() if name in table.c}
            if isinstance(statement, Delete):
                self._note(_Write(table, told, None))
            elif values.keys() - _OF_NO_INTEREST - {"update_time"}:
                self._note(_Write(table, told, values))

    def _note_rows(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        names = [column.name for column in table.primary_key]
        for row in rows:
            self._note(_Write(table, {name: row[name] for name in names if name in row}, row))

    def _note(self, write: _Write) -> None:
        if len(self.writes) < MOST:
            self.writes.append(write)
        else:
            self.more += 1

    def _told(self, write: _Write) -> dict[str, Any] | None:
        name = write.table.name
        if name == "subscription_changes":
            values = write.values or {}
            key = {each: values[each] for each in ("account_id", "subscription_id")}
            return {"of": "subscriptions", "key": key, "before": values["before"] or None, "after": values["after"]}
        told: dict[str, Any] = {"of": name, "key": _shown(write.table, write.key)}
        after = None if write.values is None else _shown(write.table, write.values)
        former = self._former(write)
        if former is not None:
            before = _shown(write.table, former)
            if after is None:
                told["before"] = before
                return told
            changed = {each for each in after if each not in before or before[each] != after[each]}
            if not changed - {"update_time"}:
                return None
            told["before"] = {each: before[each] for each in after if each in before and each in changed}
            after = {each: after[each] for each in after if each in changed}
        if after is not None:
            told["after"] = {each: value for each, value in after.items() if each not in write.key}
        return told

    def _former(self, write: _Write) -> Mapping[str, Any] | None:
        """The row as it was read first, if it was."""
        key = {name: value for name, value in write.key.items() if name != "tenant_id"}
        if not key:
            return None
        for statement, rows in self.reads:
            if statement.get_final_froms() != [write.table]:
                continue
            for row in rows:
                found = row._mapping  # noqa: SLF001 - a Row's public view of itself, in spite of its name
                if all(name in found and _is(found[name], value) for name, value in key.items()):
                    return dict(found)
        return None


def _is(found: object, wanted: object) -> bool:
    return found in wanted if isinstance(wanted, list | tuple) else found == wanted


def _compiled(connection: Connection, statement: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any of three kinds
    """The values in a statement, by their bound names."""
    found: Mapping[str, Any] = statement.compile(dialect=_DIALECTS[connection.dialect.name]).params
    return found


def _values(named: Mapping[str, Any], table: Table) -> list[dict[str, Any]]:
    """The rows of an insert that holds them itself."""
    rows: dict[str, dict[str, Any]] = {}
    for name, value in named.items():
        number = re.search(r"_m(\d+)$", name)
        column = name[: number.start()] if number else name
        if column in table.c:
            rows.setdefault(number.group(1) if number else "0", {})[column] = value
    return list(rows.values())


def _shown(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: rfc3339(value) if isinstance(value, int) and isinstance(table.c[name].type, Instant) else value
        for name, value in row.items()
        if name in table.c and name not in _OF_NO_INTEREST
    }

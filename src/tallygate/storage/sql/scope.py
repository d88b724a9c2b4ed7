"""One tenant's share of a transaction: its connection, whose rows it may touch, and what it changed so far."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, CursorResult, Executable, Row, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.domain.billing.messages import Message
from tallygate.domain.catalog import Catalog
from tallygate.records.audit_log import Origin
from tallygate.records.billing import BillingAccount
from tallygate.records.history import NOBODY, Author, SubscriptionChange
from tallygate.records.values import Tenant
from tallygate.storage.sql.models import Base
from tallygate.storage.sql.recording import Recorder

T = TypeVar("T")
OfMany = Callable[["Scope", Sequence[str]], Awaitable[Mapping[str, T]]]
"""Reads something of many accounts at once; of each that it was asked for there is an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """When a job is looked at: at `due_time`, None: never again; `sooner`: or as it was planned, if that is before."""

    due_time: int | None
    retry_time: int = 0
    sooner: bool = False


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a transaction changed: of what is published, accounts of which something else did, and how is billed.

    `noticed` are accounts that may have something to be told; `messages` is what it tells of that, `moments` when by
    its own word something of an account took effect last, `jobs` when to look at what, by kind and subject, `billed`
    how far accounts are billed now; these two are written as it commits.
    """

    catalog: bool = False
    billing: bool = False
    accounts: dict[str, None] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    quantities: dict[tuple[str, str], None] = field(default_factory=dict)
    charged: dict[str, None] = field(default_factory=dict)
    history: list[SubscriptionChange] = field(default_factory=list)
    noticed: dict[str, None] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    moments: dict[str, int] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Wanted] = field(default_factory=dict)
    billed: dict[str, BillingAccount] = field(default_factory=dict)

    def copy(self) -> "Changes":
        """As it stands."""
        return replace(
            self,
            accounts={**self.accounts},
            keys={**self.keys},
            touched={**self.touched},
            quantities={**self.quantities},
            charged={**self.charged},
            history=[*self.history],
            noticed={**self.noticed},
            messages=[*self.messages],
            moments={**self.moments},
            jobs={**self.jobs},
            billed={**self.billed},
        )

    def restore(self, before: "Changes") -> None:
        """As it stood."""
        self.catalog, self.billing, self.accounts = before.catalog, before.billing, before.accounts
        self.keys, self.touched, self.quantities = before.keys, before.touched, before.quantities
        self.charged, self.history = before.charged, before.history
        self.noticed, self.messages, self.moments = before.noticed, before.messages, before.moments
        self.jobs, self.billed = before.jobs, before.billed

    def any(self) -> bool:
        """Whether there is anything to publish."""
        return self.catalog or bool(self.accounts) or bool(self.keys)


@dataclass(slots=True, kw_only=True)
class Known:
    """What this transaction has read and not changed since: many use-cases in one ask for the same.

    `head` is how far the log of events is read, `gateways` are those of the tenant; `absent` are accounts that are not
    there, `empty` those that were made just now and hold nothing yet; `ahead` is what was read of many accounts at
    once, by what reads it.
    """

    tenant: Tenant | None = None
    catalog: Catalog | None = None
    head: int | None = None
    gateways: Sequence[Any] | None = None
    absent: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    ahead: dict[OfMany[Any], dict[str, Any]] = field(default_factory=dict)

    def made(self, account_id: str) -> None:
        """An account was added, or replaced: it holds nothing yet where it was not there."""
        if account_id in self.absent:
            self.absent.discard(account_id)
            self.empty.add(account_id)

    def forget(self) -> None:
        """What was done in between is undone."""
        self.tenant = self.catalog = self.gateways = None
        self.absent.clear()
        self.empty.clear()
        self.ahead.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Every statement of a repository goes through here, bound to one tenant; `now` and `author` are of a write.

    Where the write is a call's, `origin` tells which, and `recorder` sees what it reads and changes.
    """

    connection: AsyncConnection
    tenant_id: str
    now: int = 0
    author: Author = NOBODY
    changes: Changes = field(default_factory=Changes)
    known: Known = field(default_factory=Known)
    origin: Origin | None = None
    recorder: Recorder | None = None

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """All rows of a query."""
        found = (await self.connection.execute(statement)).all()
        if self.recorder is not None:
            self.recorder.read(statement, found)
        return found

    async def execute(self, statement: Executable) -> int:
        """Run a statement; how many rows it touched."""
        result: CursorResult[Any] = await self.connection.execute(statement)
        return result.rowcount

    async def upsert(self, model: type[Base], rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()) -> None:
        """Insert rows of this tenant, by column name, or replace those with the same key but for columns to `keep`."""
        await self.upsert_into(table_of(model), rows, keep=keep)

    async def upsert_into(self, table: Table, rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()) -> None:
        """The same, into a table that no model describes."""
        if not rows:
            return
        values = [{"tenant_id": self.tenant_id, **row} for row in rows]
        sqlite = self.connection.dialect.name == "sqlite"
        await self.connection.execute(_upsert(table, tuple(values[0]), frozenset(keep), sqlite=sqlite), values)

    async def read_ahead(self, what: OfMany[Any], account_ids: Sequence[str]) -> None:
        """Read something of many accounts, for whoever asks for one of them later."""
        self.known.ahead.setdefault(what, {}).update(await what(self, account_ids))

    async def of_one(self, what: OfMany[T], account_id: str) -> T:
        """Something of one account: as it was read ahead, else as it is now."""
        ahead: Mapping[str, T] = self.known.ahead.get(what, {})
        return ahead[account_id] if account_id in ahead else (await what(self, [account_id]))[account_id]

    def holds(self, account_id: str) -> None:
        """Something that the account holds is changed: to be published, and known no longer."""
        self.changes.accounts[account_id] = None
        self.known.empty.discard(account_id)
        self.changed(account_id)

    def changed(self, account_id: str, *, but: Collection[OfMany[Any]] = ()) -> None:
        """Something of an account is written: what was read ahead of it is known no longer, `but` for these."""
        for what, found in self.known.ahead.items():
            if what not in but:
                found.pop(account_id, None)

    def own(self, model: type[Base]) -> ColumnElement[bool]:
        """The condition that a row is this tenant's."""
        return self.owns(table_of(model))

    def owns(self, table: Table) -> ColumnElement[bool]:
        """The same of a table that no model describes."""
        owner: ColumnElement[str] = table.c.tenant_id
        return owner == self.tenant_id


def columns_of(row: Row[Any], *left_out: str) -> Mapping[str, Any]:
    """What a row tells by its columns, but for those that no record has, and for some."""
    names = row._mapping  # noqa: SLF001 - a Row's public view of itself, in spite of its name
    return {name: names[name] for name in names if name not in {"tenant_id", "sequence", *left_out}}


@cache
def _upsert(table: Table, names: tuple[str, ...], keep: frozenset[str], *, sqlite: bool) -> Executable:
    """Made once, as making it costs more than running it; `names` are the columns that the rows hold."""
    insert = (sqlite_insert if sqlite else postgres_insert)(table)
    key = [column.name for column in table.primary_key]
    other = {name: insert.excluded[name] for name in names if name not in {*key, *keep}}
    return insert.on_conflict_do_update(index_elements=key, set_=other)


def table_of(model: type[Base]) -> Table:
    """The table that a model describes."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows a type that SQLAlchemy leaves open
    return table

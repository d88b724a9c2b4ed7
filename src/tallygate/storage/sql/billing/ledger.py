"""Transfers of the ledger, which never change, and what they sum to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, literal, select, tuple_, union_all, update

from tallygate.domain.billing.posting import Balance, Transfer, entry_of
from tallygate.records.ledger import TransferQuery
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers
from tallygate.storage.sql.billing.tables import invoices
from tallygate.storage.sql.catalog.catalog import SqlTenantRepository
from tallygate.storage.sql.models import TenantRow
from tallygate.storage.sql.newest import oldest_first
from tallygate.storage.sql.scope import Scope, table_of

_tenants = table_of(TenantRow)
_columns = ledger_transfers.c
_ADD = insert(ledger_transfers)
_SAME = tuple(each.name for each in fields(Transfer) if each.name != "time")
_PLACE = (_columns.effective_time, _columns.entry_id, _columns.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLedgerRepository:
    """Transfers of one tenant."""

    scope: Scope

    async def post(self, transfers: Sequence[Transfer]) -> None:
        """Add transfers; an entry that was posted before fails the transaction.

        What would take effect before the books were closed takes effect then.
        """
        closed = (await SqlTenantRepository(scope=self.scope).get()).books_closed_time or 0
        for one in transfers:
            self.scope.changes.moments.setdefault(one.account_id, one.time)
        moved = [one if one.time >= closed else replace(one, time=closed) for one in transfers]
        rows = [{"tenant_id": self.scope.tenant_id, **_row(one)} for one in moved]
        if rows:
            await self.scope.connection.execute(_ADD, rows)

    async def close(self, time: int) -> None:
        """Let nothing take effect before an instant any more."""
        self.scope.known.tenant = None
        await self.scope.execute(update(_tenants).where(self.scope.own(TenantRow)).values(books_closed_time=time))

    async def list(self, wanted: TransferQuery) -> Sequence[Transfer]:
        """Those asked for, by time, entry and line."""
        query = select(ledger_transfers).where(self._own(), *_conditions(wanted))
        order = _PLACE if wanted.oldest_first else [column.desc() for column in _PLACE]
        return [transfer_of(row) for row in await self.scope.rows(query.order_by(*order).limit(wanted.limit))]

    async def balances(self, *, at: int, account_id: str = "") -> Sequence[Balance]:
        """What every ledger account stands at with all that took effect by an instant, by name and currency."""
        conditions = [self._own(), _columns.effective_time <= at]
        if account_id:
            conditions.append(_columns.account_id == account_id)
        none = literal(0)
        total = func.sum(_columns.amount)
        debits = select(_columns.debit.label("name"), _columns.currency, total.label("debits"), none.label("credits"))
        credits_ = select(_columns.credit, _columns.currency, none, total)
        both = union_all(
            debits.where(*conditions).group_by(_columns.debit, _columns.currency),
            credits_.where(*conditions).group_by(_columns.credit, _columns.currency),
        ).subquery()
        sums = func.sum(both.c.debits).label("debits"), func.sum(both.c.credits).label("credits")
        query = select(both.c.name, both.c.currency, *sums).group_by(both.c.name, both.c.currency)
        rows = await self.scope.rows(query.order_by(both.c.name, both.c.currency))
        return [
            Balance(ledger_account=row.name, currency=row.currency, debits=int(row.debits), credits=int(row.credits))
            for row in rows
        ]

    async def stands(self, ledger_account: str, currency: str, *, at: int) -> int:
        """What one ledger account stands at in a currency: debits less credits by an instant."""
        until = bindparam(None, at, _columns.effective_time.type)
        here = self._own(), _columns.currency == currency, _columns.effective_time <= until
        total = func.coalesce(func.sum(_columns.amount), 0)
        sides = [
            select(total.label("amount")).where(*here, side == ledger_account)
            for side in (_columns.debit, _columns.credit)
        ]
        came, went = [(await self.scope.rows(query))[0].amount for query in sides]
        return int(came) - int(went)

    async def with_unposted(self, account_ids: Sequence[str]) -> Sequence[str]:
        """Those of some accounts that have an issued document that no entry was posted of, in order."""
        own = invoices.c.tenant_id == self.scope.tenant_id, invoices.c.account_id.in_(account_ids)
        query = select(invoices.c.account_id).where(*own, ~self._posted()).distinct()
        return [row.account_id for row in await self.scope.rows(query.order_by(invoices.c.account_id))]

    async def unposted(self, account_id: str, *, limit: int) -> Sequence[str]:
        """Issued documents of an account that no entry was posted of, oldest first."""
        own = invoices.c.tenant_id == self.scope.tenant_id, invoices.c.account_id == account_id
        query = select(invoices.c.invoice_id).where(*own, ~self._posted())
        rows = await self.scope.rows(
            query.order_by(*oldest_first(invoices.c.issue_time, invoices.c.invoice_id)).limit(limit)
        )
        return [row.invoice_id for row in rows]

    def _posted(self) -> ColumnElement[bool]:
        """Whether an entry was posted of a document."""
        entry = literal(entry_of("")).concat(invoices.c.invoice_id)
        return select(_columns.line).where(self._own(), _columns.entry_id == entry).exists()

    def _own(self) -> ColumnElement[bool]:
        return _columns.tenant_id == self.scope.tenant_id


def _conditions(wanted: TransferQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.account_id:
        found.append(_columns.account_id == wanted.account_id)
    if wanted.document_id:
        found.append(_columns.document_id == wanted.document_id)
    if wanted.ledger_account:
        found.append((_columns.debit == wanted.ledger_account) | (_columns.credit == wanted.ledger_account))
    if wanted.start is not None:
        found.append(_columns.effective_time >= wanted.start)
    if wanted.end is not None:
        found.append(_columns.effective_time < wanted.end)
    if wanted.beyond is not None:
        last = tuple_(
            *(bindparam(None, value, column.type) for value, column in zip(wanted.beyond, _PLACE, strict=True))
        )
        found.append(tuple_(*_PLACE) > last if wanted.oldest_first else tuple_(*_PLACE) < last)
    return found


def _row(one: Transfer) -> Mapping[str, Any]:
    return {"effective_time": one.time, **{name: getattr(one, name) for name in _SAME}}


def transfer_of(row: Row[Any]) -> Transfer:
    """A transfer as it was posted."""
    return Transfer(
        entry_id=row.entry_id,
        line=row.line,
        time=row.effective_time,
        account_id=row.account_id,
        debit=row.debit,
        credit=row.credit,
        currency=row.currency,
        amount=row.amount,
        document_id=row.document_id,
    )

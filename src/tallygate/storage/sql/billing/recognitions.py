"""Parts of lines that become income later; the transfer of one says that it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, insert, literal, select

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.posting import RECOGNITION
from tallygate.domain.billing.recognition import Part
from tallygate.records.ledger import PlannedPart
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers, recognitions
from tallygate.storage.sql.billing.tables import invoice_balances
from tallygate.storage.sql.scope import Scope

_columns = recognitions.c
_ADD = insert(recognitions)
_taken = recognitions.alias("taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRecognitionRepository:
    """Planned parts of one tenant."""

    scope: Scope

    async def plan(self, parts: Sequence[PlannedPart]) -> None:
        """Add parts; one that was added before fails the transaction."""
        rows = [
            {
                "tenant_id": self.scope.tenant_id,
                "line_key": one.part.line_key,
                "part": one.part.number,
                "source": one.source,
                "account_id": one.account_id,
                "document_id": one.document_id,
                "currency": one.part.currency,
                "amount": one.part.amount,
                "recognise_time": one.part.time,
            }
            for one in parts
        ]
        if rows:
            await self.scope.connection.execute(_ADD, rows)

    async def due(self, account_ids: Sequence[str], *, now: int) -> Sequence[PlannedPart]:
        """Parts of accounts whose time has come and that are not posted, less what credits took from them."""
        query = pending(self.scope).where(_columns.account_id.in_(account_ids), _columns.recognise_time <= now)
        rows = await self.scope.rows(query.order_by(_columns.account_id, _columns.recognise_time, _columns.line_key))
        return [
            PlannedPart(
                part=Part(
                    line_key=row.line_key,
                    number=row.part,
                    currency=row.currency,
                    amount=int(row.left),
                    time=row.recognise_time,
                ),
                account_id=row.account_id,
                document_id=row.document_id,
                source=row.source,
            )
            for row in rows
            if row.left
        ]

    async def next_times(self, account_ids: Sequence[str], *, after: int) -> Mapping[str, int]:
        """When the next one of each account is due after an instant, where there is one."""
        first = func.min(_columns.recognise_time, type_=_columns.recognise_time.type).label("first")
        query = (
            select(_columns.account_id, first)
            .where(_own(self.scope), _columns.account_id.in_(account_ids), _columns.recognise_time > after)
            .group_by(_columns.account_id)
        )
        return {row.account_id: row.first for row in await self.scope.rows(query)}

    async def left(self, source: str, *, after: int) -> Sequence[Part]:
        """What is left of a line's parts that become income after an instant."""
        query = (
            select(_columns.part, _columns.currency, _columns.recognise_time, func.sum(_columns.amount).label("left"))
            .where(_own(self.scope), _columns.source == source, _columns.recognise_time > after)
            .group_by(_columns.part, _columns.currency, _columns.recognise_time)
            .order_by(_columns.part)
        )
        return [
            Part(line_key=source, number=row.part, currency=row.currency, amount=int(row.left), time=row.recognise_time)
            for row in await self.scope.rows(query)
        ]


def pending(scope: Scope) -> Select[Any]:
    """Parts that are not posted, and what is `left` of each; nothing of a document that is void becomes income."""
    left = (
        select(func.sum(_taken.c.amount))
        .where(_taken.c.tenant_id == _columns.tenant_id, _taken.c.source == _columns.source)
        .where(_taken.c.part == _columns.part)
        .scalar_subquery()
    )
    entry = literal(RECOGNITION).concat(_columns.line_key).concat("/").concat(cast(_columns.part, Text))
    posted = (
        select(ledger_transfers.c.line)
        .where(ledger_transfers.c.tenant_id == _columns.tenant_id, ledger_transfers.c.entry_id == entry)
        .exists()
    )
    void = (
        select(invoice_balances.c.state)
        .where(invoice_balances.c.tenant_id == _columns.tenant_id)
        .where(invoice_balances.c.invoice_id == _columns.document_id)
        .where(invoice_balances.c.state == InvoiceState.VOID.value)
        .exists()
    )
    own = _columns.line_key == _columns.source
    return select(recognitions, left.label("left")).where(_own(scope), own, ~posted, ~void)


def _own(scope: Scope) -> ColumnElement[bool]:
    return _columns.tenant_id == scope.tenant_id

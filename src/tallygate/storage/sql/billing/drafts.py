"""Which documents are under review."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
)

from tallygate.domain.billing.documents import InvoiceKind
from tallygate.records.drafts import Draft, DraftQuery
from tallygate.storage.sql.models import Base, CatalogItemRow, Instant
from tallygate.storage.sql.scope import Scope, table_of

invoice_drafts = Table(
    "invoice_drafts",
    Base.metadata,
    Column("tenant_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("cut_time", Instant(), nullable=False),
    PrimaryKeyConstraint("tenant_id", "invoice_id"),
    UniqueConstraint("tenant_id", "account_id", "kind", "cause", name="uq_invoice_drafts_cause"),
    Index("ix_invoice_drafts_cut", "tenant_id", "cut_time", "invoice_id"),
)
_column = invoice_drafts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDraftRepository:
    """Drafts of one tenant."""

    scope: Scope

    async def replace(self, account_id: str, drafts: Sequence[Draft]) -> None:
        """These are all drafts of an account."""
        own = _column.tenant_id == self.scope.tenant_id
        await self.scope.execute(delete(invoice_drafts).where(own, _column.account_id == account_id))
        rows = [
            {
                "tenant_id": self.scope.tenant_id,
                "invoice_id": draft.invoice_id,
                "account_id": draft.account_id,
                "kind": draft.kind.value,
                "cause": draft.cause,
                "cut_time": draft.cut_time,
            }
            for draft in drafts
        ]
        if rows:
            await self.scope.connection.execute(insert(invoice_drafts), rows)

    async def get(self, invoice_id: str) -> Draft | None:
        """One draft."""
        own = _column.tenant_id == self.scope.tenant_id, _column.invoice_id == invoice_id
        rows = await self.scope.rows(select(invoice_drafts).where(*own))
        return _draft(rows[0]) if rows else None

    async def list(self, wanted: DraftQuery) -> Sequence[Draft]:
        """Those asked for, the last cuts first."""
        query = select(invoice_drafts).where(_column.tenant_id == self.scope.tenant_id)
        if wanted.account_id:
            query = query.where(_column.account_id == wanted.account_id)
        if wanted.kind is not None:
            query = query.where(_column.kind == wanted.kind.value)
        if wanted.before is not None:
            bound = (
                bindparam(None, value, column.type)
                for value, column in zip(wanted.before, (_column.cut_time, _column.invoice_id), strict=True)
            )
            query = query.where(tuple_(_column.cut_time, _column.invoice_id) < tuple_(*bound))
        query = query.order_by(_column.cut_time.desc(), _column.invoice_id.desc()).limit(wanted.limit)
        return [_draft(row) for row in await self.scope.rows(query)]


async def forget_drafts(scope: Scope) -> None:
    """Let no draft of a tenant be known where nothing is reviewed any more: what waited is issued."""
    items = table_of(CatalogItemRow)
    section = select(items.c.doc).where(scope.own(CatalogItemRow), items.c.kind == "billing")
    if not any(row.doc.get("review") for row in await scope.rows(section)):
        await scope.execute(delete(invoice_drafts).where(_column.tenant_id == scope.tenant_id))


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        invoice_id=row.invoice_id,
        account_id=row.account_id,
        kind=InvoiceKind(row.kind),
        cause=row.cause,
        cut_time=row.cut_time,
    )

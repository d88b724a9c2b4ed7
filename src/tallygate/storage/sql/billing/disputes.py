"""Disputes of one tenant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, select

from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import Share
from tallygate.records.payments import MoneyQuery
from tallygate.storage.sql.billing.payment_tables import disputes, payment_allocations
from tallygate.storage.sql.newest import newest_first, oldest_first
from tallygate.storage.sql.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDisputeRecords:
    """Payments that payers had taken back."""

    scope: Scope

    async def get(self, gateway: str, dispute_id: str) -> Dispute | None:
        """One dispute, by its gateway's id."""
        own = disputes.c
        query = select(disputes).where(
            own.tenant_id == self.scope.tenant_id, own.gateway == gateway, own.dispute_id == dispute_id
        )
        rows = await self.scope.rows(query)
        return _dispute(rows[0]) if rows else None

    async def put(self, dispute: Dispute) -> None:
        """Add or replace one."""
        row = asdict(dispute)
        row |= {"state": dispute.state.value, "shares": list(row["shares"])}
        await self.scope.upsert_into(disputes, [row])

    async def of(self, payment_id: str) -> Sequence[Dispute]:
        """Those of a payment."""
        own = disputes.c
        query = select(disputes).where(own.tenant_id == self.scope.tenant_id, own.payment_id == payment_id)
        return [
            _dispute(row)
            for row in await self.scope.rows(query.order_by(*oldest_first(own.create_time, own.dispute_id)))
        ]

    async def list(self, wanted: MoneyQuery) -> Sequence[Dispute]:
        """Those asked for, newest first."""
        own, of = disputes.c, payment_allocations.c
        query = select(disputes).where(own.tenant_id == self.scope.tenant_id)
        if wanted.account_id:
            query = query.where(own.account_id == wanted.account_id)
        if wanted.invoice_id:
            paid = select(of.payment_id).where(of.tenant_id == self.scope.tenant_id, of.invoice_id == wanted.invoice_id)
            query = query.where(own.payment_id.in_(paid))
        query = newest_first(
            query,
            own.create_time,
            own.gateway,
            own.dispute_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [_dispute(row) for row in await self.scope.rows(query)]


def _dispute(row: Row[Any]) -> Dispute:
    return Dispute(
        dispute_id=row.dispute_id,
        gateway=row.gateway,
        payment_id=row.payment_id,
        account_id=row.account_id,
        currency=row.currency,
        amount=row.amount,
        fee=row.fee,
        state=DisputeState(row.state),
        reason=row.reason,
        shares=tuple(Share(**share) for share in row.shares),
        create_time=row.create_time,
        end_time=row.end_time,
    )

"""Money of one tenant that goes back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from tallygate.domain.billing.payments import UNRESOLVED, Advice, AttemptState
from tallygate.domain.billing.refunds import Refund, RefundKind
from tallygate.records.payments import MoneyQuery
from tallygate.storage.sql.billing.payment_tables import refunds
from tallygate.storage.sql.newest import newest_first, oldest_first
from tallygate.storage.sql.scope import Scope, columns_of

_own = refunds.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRefundRecords:
    """Parts of what was asked back, by the way that each goes."""

    scope: Scope

    async def get(self, refund_id: str) -> Refund | None:
        """One part of what was asked back."""
        return next(iter(await self._where(_own.refund_id == refund_id)), None)

    async def put(self, refund: Refund) -> None:
        """Add or replace one."""
        row = asdict(refund)
        row |= {"kind": refund.kind.value, "state": refund.state.value}
        row["advice"] = refund.advice.value if refund.advice is not None else ""
        await self.scope.upsert_into(refunds, [row])

    async def of_credit(self, credit_id: str) -> Sequence[Refund]:
        """The parts of what was asked back under an id, in order."""
        found = await self._where(_own.credit_id == credit_id)
        return sorted(found, key=lambda one: (len(one.refund_id), one.refund_id))

    async def of_invoice(self, invoice_id: str) -> Sequence[Refund]:
        """All that went back of what was paid for an invoice."""
        return await self._where(_own.invoice_id == invoice_id)

    async def on_their_way(self, currency: str) -> int:
        """What gateways were asked to give back, and may not have yet."""
        query = select(func.coalesce(func.sum(_own.amount), 0).label("amount")).where(
            self._mine(), _own.currency == currency, _own.state.in_([state.value for state in UNRESOLVED])
        )
        return int((await self.scope.rows(query))[0].amount)

    async def list(self, wanted: MoneyQuery) -> Sequence[Refund]:
        """Those asked for, newest first."""
        query = select(refunds).where(self._mine())
        if wanted.account_id:
            query = query.where(_own.account_id == wanted.account_id)
        if wanted.invoice_id:
            query = query.where(_own.invoice_id == wanted.invoice_id)
        query = newest_first(
            query,
            _own.create_time,
            _own.refund_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [_refund(row) for row in await self.scope.rows(query)]

    async def _where(self, condition: ColumnElement[bool]) -> Sequence[Refund]:
        query = select(refunds).where(self._mine(), condition).order_by(*oldest_first(_own.create_time, _own.refund_id))
        return [_refund(row) for row in await self.scope.rows(query)]

    def _mine(self) -> ColumnElement[bool]:
        return _own.tenant_id == self.scope.tenant_id


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        **columns_of(row, "kind", "state", "advice"),
        kind=RefundKind(row.kind),
        state=AttemptState(row.state),
        advice=Advice(row.advice) if row.advice else None,
    )

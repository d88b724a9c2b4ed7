"""Fees, which never change; the line that names one says that it was invoiced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, Select, and_, exists, insert, literal, select

from tallygate.domain.billing.fees import Fee
from tallygate.domain.money import exact_text
from tallygate.domain.period import UsagePeriod
from tallygate.storage.sql.billing.partner_tables import bills
from tallygate.storage.sql.billing.tables import fees, invoice_lines
from tallygate.storage.sql.newest import oldest_first
from tallygate.storage.sql.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFeeRepository:
    """Fees of one tenant."""

    scope: Scope

    async def add(self, fee: Fee) -> None:
        """Add a fee, and let billing look at its account."""
        row = {
            "tenant_id": self.scope.tenant_id,
            "fee_id": fee.fee_id,
            "account_id": fee.account_id,
            "create_time": fee.create_time,
            "currency": fee.currency,
            "text": fee.text,
            "exact": exact_text(fee.exact),
            "quantity": exact_text(fee.quantity),
            "unit_amount": fee.unit_amount,
            "offsets": fee.offsets,
            "order_id": fee.order_id,
            "subscriber": fee.subscriber,
            "price": fee.price,
            "tax_category": fee.tax_category,
            "period_start": fee.period.start if fee.period is not None else None,
            "period_end": fee.period.end if fee.period is not None else None,
        }
        await self.scope.connection.execute(insert(fees), [row])
        self.scope.changed(fee.account_id)
        self.scope.changes.charged[fee.account_id] = None

    async def get(self, fee_id: str) -> Fee | None:
        """One fee."""
        return await self._one(self._own().where(fees.c.fee_id == fee_id))

    async def offset_of(self, fee_id: str) -> Fee | None:
        """The fee that takes this one back."""
        return await self._one(self._own().where(fees.c.offsets == fee_id))

    async def uninvoiced(self, account_id: str) -> Sequence[Fee]:
        """Those of an account that no line charges yet, oldest first."""
        return await self.scope.of_one(uninvoiced_fees, account_id)

    def _own(self) -> Select[Any]:
        return select(fees).where(fees.c.tenant_id == self.scope.tenant_id)

    async def _one(self, query: Select[Any]) -> Fee | None:
        rows = await self.scope.rows(query.limit(1))
        return _fee(rows[0]) if rows else None


async def uninvoiced_fees(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[Fee]]:
    """Fees of accounts that no line charges yet, oldest first; those of cancelled bills never are."""
    lines, billed = invoice_lines.c, bills.c
    cancelled = and_(
        billed.tenant_id == fees.c.tenant_id, billed.bill_id == fees.c.fee_id, billed.cancel_time.is_not(None)
    )
    charged = and_(lines.tenant_id == fees.c.tenant_id, lines.line_key == literal("fee/").concat(fees.c.fee_id))
    query = (
        select(fees)
        .outerjoin(invoice_lines, charged)
        .where(fees.c.tenant_id == scope.tenant_id, fees.c.account_id.in_(account_ids), lines.line_key.is_(None))
        .where(~exists().where(cancelled))
    )
    found: dict[str, list[Fee]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query.order_by(fees.c.account_id, *oldest_first(fees.c.create_time, fees.c.fee_id))):
        found[row.account_id].append(_fee(row))
    return found


def _fee(row: Row[Any]) -> Fee:
    return Fee(
        fee_id=row.fee_id,
        account_id=row.account_id,
        create_time=row.create_time,
        currency=row.currency,
        text=row.text,
        exact=Fraction(row.exact),
        quantity=Fraction(row.quantity),
        unit_amount=row.unit_amount,
        offsets=row.offsets,
        order_id=row.order_id or "",
        subscriber=row.subscriber or "",
        price=row.price or "",
        tax_category=row.tax_category or "",
        period=UsagePeriod(row.period_start, row.period_end) if row.period_start is not None else None,
    )

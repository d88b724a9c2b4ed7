"""Bills that come again, over SQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Row, select

from tallygate.domain.billing.recurring_bills import BillPeriod, RecurringBill
from tallygate.storage.sql.billing.partner_tables import recurring_bills
from tallygate.storage.sql.scope import Scope

_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRecurringBills:
    """Bills that come again, of one tenant's providers."""

    scope: Scope

    async def put(self, bill: RecurringBill) -> None:
        """Add one, or replace it."""
        await self.scope.upsert_into(recurring_bills, [{**asdict(bill), "period": bill.period.value}])

    async def get(self, recurring_bill_id: str) -> RecurringBill | None:
        """One of them."""
        own = recurring_bills.c
        query = select(recurring_bills).where(
            self.scope.owns(recurring_bills), own.recurring_bill_id == recurring_bill_id
        )
        rows = await self.scope.rows(query)
        return _bill(rows[0]) if rows else None

    async def list(self, *, provider: str, account_id: str) -> Sequence[RecurringBill]:
        """Those of a provider for an account, newest first."""
        own = recurring_bills.c
        query = select(recurring_bills).where(self.scope.owns(recurring_bills))
        for column, value in ((own.provider, provider), (own.account_id, account_id)):
            query = query.where(column == value) if value else query
        rows = await self.scope.rows(query.order_by(own.create_time.desc(), own.recurring_bill_id).limit(_MOST))
        return [_bill(row) for row in rows]


def _bill(row: Row[Any]) -> RecurringBill:
    columns = {each.name: getattr(row, each.name) for each in fields(RecurringBill)}
    return RecurringBill(**{**columns, "period": BillPeriod(row.period)})

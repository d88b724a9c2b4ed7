"""What reports sum up, over SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from tallygate.domain.billing.balances import InvoiceState
from tallygate.storage.sql.billing.tables import invoice_balances, invoices
from tallygate.storage.sql.metering.tables import billable_events
from tallygate.storage.sql.scope import Scope

_EVENTS, _AT_ONCE = billable_events.c, 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlReports:
    """Sums over one tenant."""

    scope: Scope

    async def last_activity(self, account_ids: Sequence[str]) -> Mapping[str, int]:
        """When the newest event of accounts occurred, of those that have any."""
        found: dict[str, int] = {}
        newest = func.max(_EVENTS.occurred_time, type_=_EVENTS.occurred_time.type).label("newest")
        for first in range(0, len(account_ids), _AT_ONCE):
            ids = account_ids[first : first + _AT_ONCE]
            query = select(_EVENTS.account_id, newest).where(
                self.scope.owns(billable_events), _EVENTS.account_id.in_(ids)
            )
            found |= {row.account_id: row.newest for row in await self.scope.rows(query.group_by(_EVENTS.account_id))}
        return found

    async def invoiced(self, *, start: int, end: int) -> Mapping[str, int]:
        """What documents that were issued in a time and are not void come to, by currency."""
        query = self._issued(start, end).group_by(invoices.c.currency)
        return {row.currency: int(row.total) for row in await self.scope.rows(query)}

    async def invoiced_to(self, account_ids: Sequence[str], *, start: int, end: int) -> Mapping[str, Mapping[str, int]]:
        """The same by account, of some of them, and currency."""
        query = self._issued(start, end).add_columns(invoices.c.account_id)
        query = query.where(invoices.c.account_id.in_(account_ids))
        found: dict[str, dict[str, int]] = {}
        for row in await self.scope.rows(query.group_by(invoices.c.account_id, invoices.c.currency)):
            found.setdefault(row.account_id, {})[row.currency] = int(row.total)
        return found

    def _issued(self, start: int, end: int) -> Select[Any]:
        same = and_(
            invoice_balances.c.tenant_id == invoices.c.tenant_id, invoice_balances.c.invoice_id == invoices.c.invoice_id
        )
        return (
            select(invoices.c.currency, func.sum(invoices.c.total).label("total"))
            .select_from(invoices.join(invoice_balances, same))
            .where(
                self.scope.owns(invoices),
                invoices.c.issue_time >= start,
                invoices.c.issue_time < end,
                invoice_balances.c.state != InvoiceState.VOID.value,
            )
        )

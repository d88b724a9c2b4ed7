"""How far accounts are billed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    select,
)

from tallygate.records.billing import BillingAccount
from tallygate.storage.documents import FORMER_ZONES
from tallygate.storage.sql.billing.tables import (
    billing_accounts,
)
from tallygate.storage.sql.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBillingAccounts:
    """How far accounts are billed."""

    scope: Scope

    async def get(self, account_id: str) -> BillingAccount | None:
        """One account; a write holds its tenant's lock."""
        return await self.scope.of_one(billing_accounts_of, account_id)

    async def put(self, account: BillingAccount) -> None:
        """Add or replace one."""
        self.scope.changes.billed[account.account_id] = account
        self.scope.changed(account.account_id)


async def billing_accounts_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, BillingAccount | None]:
    """How far accounts are billed; None of one that never was looked at."""
    query = select(billing_accounts).where(scope.owns(billing_accounts), billing_accounts.c.account_id.in_(account_ids))
    found = {
        row.account_id: BillingAccount(
            account_id=row.account_id,
            closed_until=row.closed_until,
            zone=row.zone,
            former_zones=FORMER_ZONES.validate_python(row.former_zones),
        )
        for row in await scope.rows(query)
    }
    found |= scope.changes.billed
    return {account_id: found.get(account_id) for account_id in account_ids}


async def note_billed(scope: Scope) -> None:
    """Write how far accounts are billed, all that this transaction billed at once."""
    billed, scope.changes.billed = scope.changes.billed, {}
    rows = [
        {
            "account_id": account.account_id,
            "closed_until": account.closed_until,
            "zone": account.zone,
            "former_zones": FORMER_ZONES.dump_python(account.former_zones, mode="json"),
        }
        for account in billed.values()
    ]
    await scope.upsert_into(billing_accounts, rows)

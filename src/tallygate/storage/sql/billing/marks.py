"""How much an account had at an instant of a transaction: by these counts what was known then is found again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, func, select

from tallygate.records.billing import Mark
from tallygate.storage.sql.billing.tables import invoices, subscription_changes
from tallygate.storage.sql.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMarks:
    """The counts of one tenant's accounts."""

    scope: Scope

    async def of(self, account_id: str) -> Mark:
        """Of one account, with what this transaction has added."""
        noted = sum(change.account_id == account_id for change in self.scope.changes.history)
        stored = await self.scope.of_one(marks_of, account_id)
        return Mark(documents=stored.documents, changes=stored.changes + noted)


async def marks_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Mark]:
    """Of accounts, as they are stored."""
    documents = await _counted(scope, invoices, account_ids)
    changes = await _counted(scope, subscription_changes, account_ids)
    return {
        account_id: Mark(documents=documents.get(account_id, 0), changes=changes.get(account_id, 0))
        for account_id in account_ids
    }


async def _counted(scope: Scope, table: Table, account_ids: Sequence[str]) -> Mapping[str, int]:
    column = table.c.account_id
    own = table.c.tenant_id == scope.tenant_id, column.in_(account_ids)
    rows = await scope.rows(select(column, func.count().label("many")).where(*own).group_by(column))
    return {row.account_id: row.many for row in rows}

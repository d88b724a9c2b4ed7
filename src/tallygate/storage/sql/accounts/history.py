"""What was changed of subscriptions: written when the unit of work commits, for all of its accounts at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, func, insert, select

from tallygate.records.history import Author, SubscriptionChange
from tallygate.storage.documents import HELD_SUBSCRIPTION
from tallygate.storage.sql.billing.tables import subscription_changes
from tallygate.storage.sql.scope import Scope

_CHANGES = subscription_changes.c
_ACCOUNTS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSubscriptionHistory:
    """The changes of one tenant's subscriptions."""

    scope: Scope

    def note(self, change: SubscriptionChange) -> None:
        """Note a change by the author of this unit of work, now or when it says; it is written when that commits."""
        time = change.change_time or self.scope.now
        self.scope.changes.history.append(replace(change, change_time=time, author=self.scope.author))

    async def list(self, account_id: str, *, before: int | None, limit: int) -> Sequence[SubscriptionChange]:
        """An account's changes, newest first, those before a sequence number."""
        query = select(subscription_changes).where(
            _CHANGES.tenant_id == self.scope.tenant_id, _CHANGES.account_id == account_id
        )
        if before is not None:
            query = query.where(_CHANGES.sequence < before)
        return [_change(row) for row in await self.scope.rows(query.order_by(_CHANGES.sequence.desc()).limit(limit))]


async def note_history(scope: Scope) -> Sequence[SubscriptionChange]:
    """Write the changes that this transaction noted, numbered on from each account's last; with their numbers."""
    changes = scope.changes.history
    if not changes:
        return []
    last: dict[str, int] = defaultdict(int)
    ids = list({change.account_id for change in changes})
    for first in range(0, len(ids), _ACCOUNTS_AT_ONCE):
        own = _CHANGES.tenant_id == scope.tenant_id, _CHANGES.account_id.in_(ids[first : first + _ACCOUNTS_AT_ONCE])
        query = select(_CHANGES.account_id, func.max(_CHANGES.sequence).label("last")).where(*own)
        last.update({row.account_id: row.last for row in await scope.rows(query.group_by(_CHANGES.account_id))})
    numbered: list[SubscriptionChange] = []
    for change in changes:
        last[change.account_id] += 1
        numbered.append(replace(change, sequence=last[change.account_id]))
    rows = [_row(scope.tenant_id, change) for change in numbered]
    await scope.connection.execute(insert(subscription_changes), rows)
    return numbered


def _row(tenant_id: str, change: SubscriptionChange) -> dict[str, Any]:
    before = change.before
    return {
        "tenant_id": tenant_id,
        "account_id": change.account_id,
        "sequence": change.sequence,
        "subscription_id": change.subscription_id,
        "change_time": change.change_time,
        "actor_id": change.author.key_id,
        "actor_name": change.author.key_name,
        "method": change.method,
        "reason": change.author.reason,
        "before": {} if before is None else HELD_SUBSCRIPTION.dump_python(before, mode="json", exclude_defaults=True),
        "after": HELD_SUBSCRIPTION.dump_python(change.after, mode="json", exclude_defaults=True),
    }


def _change(row: Row[Any]) -> SubscriptionChange:
    return SubscriptionChange(
        account_id=row.account_id,
        sequence=row.sequence,
        subscription_id=row.subscription_id,
        change_time=row.change_time,
        author=Author(key_id=row.actor_id, key_name=row.actor_name, reason=row.reason),
        method=row.method,
        before=HELD_SUBSCRIPTION.validate_python(row.before) if row.before else None,
        after=HELD_SUBSCRIPTION.validate_python(row.after),
    )

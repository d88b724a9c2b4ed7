"""Which facts came after the close of their period: told by their place in the log, never by a clock.

Every close first looks through what the log holds since the last look, under its tenant's lock. So a fact was either
there when its period was closed, or is found here once it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tallygate.domain.billing.late import LateFact, Unrated
from tallygate.records.jobs import CLOSE
from tallygate.records.late_usage import Uncharged, UnratedFact
from tallygate.storage.sql.billing.billed_accounts import note_billed
from tallygate.storage.sql.billing.jobs import planned
from tallygate.storage.sql.billing.tables import billing_accounts, jobs
from tallygate.storage.sql.billing.usage_tables import late_usage, unrated_facts, usage_cursors
from tallygate.storage.sql.metering.tables import billable_events, event_sequences
from tallygate.storage.sql.scope import Scope

_EVENTS, _ACCOUNTS, _LATE, _UNRATED = billable_events.c, billing_accounts.c, late_usage.c, unrated_facts.c
_COLUMNS = ("tenant_id", "sequence", "account_id", "feature_key", "occurred_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLateUsage:
    """Late facts of one tenant, and those that are charged nowhere."""

    scope: Scope

    async def catch_up(self) -> None:
        """Note what came late since the last look, and let billing look at accounts that it would not look at again."""
        await note_billed(self.scope)
        last, head = await self._ends()
        if last == head:
            return
        found = insert(late_usage).from_select(_COLUMNS, self._arrived(last, head))
        await self.scope.execute(found)
        await self._look_at(last)
        await self.scope.upsert_into(usage_cursors, [{"last_sequence": head}])

    async def of(self, account_id: str) -> Sequence[LateFact]:
        """Those of an account that no close has settled, in the order of the log."""
        return await self.scope.of_one(late_facts_of, account_id)

    async def unrated(self, *, account_id: str, before: tuple[int, str] | None, limit: int) -> Sequence[UnratedFact]:
        """Those that are charged nowhere, of one account where it is named: the newest in the log first."""
        same = (_UNRATED.tenant_id == _EVENTS.tenant_id) & (_UNRATED.sequence == _EVENTS.sequence)
        query = (
            select(unrated_facts, _EVENTS.request_id, _EVENTS.quantity)
            .join(billable_events, same, isouter=True)
            .where(_UNRATED.tenant_id == self.scope.tenant_id)
        )
        if account_id:
            query = query.where(_UNRATED.account_id == account_id)
        if before is not None:
            query = query.where(tuple_(_UNRATED.sequence, _UNRATED.price_key) < tuple_(*map(literal, before)))
        rows = await self.scope.rows(query.order_by(_UNRATED.sequence.desc(), _UNRATED.price_key.desc()).limit(limit))
        return [
            UnratedFact(
                sequence=row.sequence,
                account_id=row.account_id,
                feature_key=row.feature_key,
                price_key=row.price_key,
                reason=Unrated(row.reason),
                occurred_time=row.occurred_time,
                note_time=row.note_time,
                request_id=row.request_id or "",
                quantity=row.quantity or 0,
            )
            for row in rows
        ]

    async def note(self, account_id: str, uncharged: Sequence[Uncharged], *, now: int) -> None:
        """A close charges these nowhere; those that were noted before stay as they are."""
        make = sqlite_insert if self.scope.connection.dialect.name == "sqlite" else postgres_insert
        rows = [
            {
                "tenant_id": self.scope.tenant_id,
                "sequence": each.fact.sequence,
                "account_id": account_id,
                "feature_key": each.feature_key,
                "occurred_time": each.fact.occurred_time,
                "price_key": each.price_key,
                "reason": each.reason.value,
                "note_time": now,
            }
            for each in uncharged
        ]
        if rows:
            await self.scope.connection.execute(make(unrated_facts).on_conflict_do_nothing(), rows)

    async def settle(self, account_id: str, reasons: Mapping[int, Unrated], *, now: int) -> None:
        """A close has charged them, but for those with a reason not to."""
        own = _LATE.tenant_id == self.scope.tenant_id, _LATE.account_id == account_id
        if reasons:
            rows = await self.scope.rows(select(late_usage).where(*own, _LATE.sequence.in_(reasons)))
            noted = [
                {**row._mapping, "price_key": "", "reason": reasons[row.sequence].value, "note_time": now}  # noqa: SLF001 - public in spite of its name
                for row in rows
            ]
            await self.scope.connection.execute(insert(unrated_facts), noted)
        await self.scope.execute(delete(late_usage).where(*own))
        self.scope.changed(account_id)

    async def _ends(self) -> tuple[int, int]:
        """The last sequence number that was looked at, and the log's last."""
        cursor = select(usage_cursors.c.last_sequence).where(usage_cursors.c.tenant_id == self.scope.tenant_id)
        head = select(event_sequences.c.last_sequence).where(event_sequences.c.tenant_id == self.scope.tenant_id)
        last = await self.scope.rows(cursor)
        newest = await self.scope.rows(head)
        return (last[0].last_sequence if last else 0), (newest[0].last_sequence if newest else 0)

    def _arrived(self, last: int, head: int) -> Select[Any]:
        same = (_ACCOUNTS.tenant_id == _EVENTS.tenant_id) & (_ACCOUNTS.account_id == _EVENTS.account_id)
        return (
            select(*(_EVENTS[name] for name in _COLUMNS))
            .join(billing_accounts, same)
            .where(
                _EVENTS.tenant_id == self.scope.tenant_id,
                _EVENTS.sequence > last,
                _EVENTS.sequence <= head,
                _EVENTS.billable.is_(True),
                _EVENTS.trial.is_(False),
                _EVENTS.carry_in.is_(False),
                _EVENTS.occurred_time < _ACCOUNTS.closed_until,
            )
        )

    async def _look_at(self, last: int) -> None:
        query = select(_LATE.account_id).where(_LATE.tenant_id == self.scope.tenant_id, _LATE.sequence > last)
        ids = [row.account_id for row in await self.scope.rows(query.distinct())]
        own = {"tenant_id": self.scope.tenant_id, "kind": CLOSE}
        make = sqlite_insert if self.scope.connection.dialect.name == "sqlite" else postgres_insert
        rows = [{**own, "subject": account_id, **planned(self.scope.now)} for account_id in ids]
        if rows:
            await self.scope.connection.execute(make(jobs).on_conflict_do_nothing(), rows)


async def late_facts_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[LateFact]]:
    """Late facts of accounts that no close has settled, in the order of the log."""
    query = select(late_usage).where(_LATE.tenant_id == scope.tenant_id, _LATE.account_id.in_(account_ids))
    found: dict[str, list[LateFact]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query.order_by(_LATE.sequence)):
        late = LateFact(sequence=row.sequence, feature_key=row.feature_key, occurred_time=row.occurred_time)
        found[row.account_id].append(late)
    return found

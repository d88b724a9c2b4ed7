"""Overrides and grants, with what is known of them beside what they entitle to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, delete, func, not_, or_, select, update

from tallygate.domain.account import Grant, Override
from tallygate.records.values import StoredGrant, StoredOverride
from tallygate.storage.documents import ENTITLEMENT, FIGURES
from tallygate.storage.sql.models import AccountRow, Base, GrantRow, OverrideRow
from tallygate.storage.sql.scope import Scope, table_of

_accounts, _overrides, _grants = table_of(AccountRow), table_of(OverrideRow), table_of(GrantRow)
_DELETED = "\n"
"""Stands in the ids of overrides that were deleted, and in no other."""
_Value = TypeVar("_Value")
_grant_columns = (
    _grants.c.grant_id,
    _grants.c.feature_key,
    _grants.c.amount,
    _grants.c.priority,
    _grants.c.effective_time,
    _grants.c.expire_time,
    _grants.c.create_time,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOverrideRepository:
    """Overrides."""

    scope: Scope

    async def put(self, account_id: str, stored: StoredOverride) -> None:
        """Add an override; one that was deleted stands beside another one of its id."""
        self.scope.holds(account_id)
        override = stored.override
        row = {
            "account_id": account_id,
            "override_id": override.override_id if stored.delete_time is None else _deleted_id(override),
            "feature_key": override.feature_key,
            "entitlement": _document(ENTITLEMENT, override.entitlement),
            "start_time": override.start_time,
            "end_time": override.end_time,
            "create_time": stored.create_time,
            "limit_key": override.limit_key,
            "rate_limit": _document(FIGURES, override.rate_limit),
            "retired": False,
            "delete_time": stored.delete_time,
        }
        await self.scope.upsert(OverrideRow, [row])

    async def delete(self, account_id: str, override_id: str) -> bool:
        """Forget an override; whether it was there."""
        where = self.scope.own(OverrideRow), _overrides.c.account_id == account_id
        query = delete(_overrides).where(*where, _overrides.c.override_id == override_id)
        gone = await self.scope.rows(query.returning(_overrides.c.limit_key))
        if gone:
            self.scope.holds(account_id)
        if any(row.limit_key for row in gone):
            of = self.scope.own(AccountRow), _accounts.c.account_id == account_id
            await self.scope.execute(update(_accounts).where(*of).values(limits_time=self.scope.now))
        return bool(gone)

    async def forget(self, account_id: str, *, ended_by: int, most: int) -> None:
        """Forget those deleted ones that had ended by then, and of more than `most` the oldest, too."""
        where = (
            self.scope.own(OverrideRow),
            _overrides.c.account_id == account_id,
            _overrides.c.delete_time.is_not(None),
        )
        newest = select(_overrides.c.override_id).where(*where).order_by(_overrides.c.end_time.desc()).limit(most)
        over = or_(_overrides.c.end_time <= ended_by, _overrides.c.override_id.not_in(newest))
        await self.scope.execute(delete(_overrides).where(*where, over))

    async def get(self, account_id: str, override_id: str) -> StoredOverride | None:
        """The account's override with this id, unless it was deleted."""
        found = await self._where(account_id, _overrides.c.override_id == override_id)
        return found[0] if found else None

    async def count(self, account_id: str) -> int:
        """How many stand in the account's record, without those deleted."""
        return await _count(self.scope, OverrideRow, account_id, _overrides.c.delete_time.is_(None))

    async def retire(self, account_id: str, *, ended_by: int) -> None:
        """Leave those out of the account's record that had ended by then."""
        await _retire(self.scope, OverrideRow, account_id, _overrides.c.end_time <= ended_by)

    async def list(self, account_id: str) -> Sequence[StoredOverride]:
        """All of an account's, those deleted included."""
        return await self._where(account_id)

    async def _where(self, account_id: str, *more: ColumnElement[bool]) -> Sequence[StoredOverride]:
        where = self.scope.own(OverrideRow), _overrides.c.account_id == account_id, *more
        rows = await self.scope.rows(select(_overrides).where(*where))
        return [
            StoredOverride(override=override_of(row), create_time=row.create_time, delete_time=row.delete_time)
            for row in rows
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlGrantRepository:
    """Grants."""

    scope: Scope

    async def put(self, account_id: str, stored: StoredGrant) -> None:
        """Add or replace a grant."""
        self.scope.holds(account_id)
        columns = {name: getattr(stored.grant, name) for name in Grant.__slots__}
        await self.scope.upsert(
            GrantRow, [{"account_id": account_id, **columns, "revoke_time": stored.revoke_time, "retired": False}]
        )

    async def get(self, account_id: str, grant_id: str) -> StoredGrant | None:
        """The account's grant with this id."""
        found = await self._where(account_id, _grants.c.grant_id == grant_id)
        return found[0] if found else None

    async def count(self, account_id: str) -> int:
        """How many stand in the account's record."""
        return await _count(self.scope, GrantRow, account_id)

    async def retire(self, account_id: str, *, ended_by: int) -> None:
        """Leave those out of the account's record that had ended by then."""
        await _retire(self.scope, GrantRow, account_id, _grants.c.expire_time <= ended_by)

    async def list(self, account_id: str) -> Sequence[StoredGrant]:
        """All of an account's."""
        return await self._where(account_id)

    async def _where(self, account_id: str, *more: ColumnElement[bool]) -> Sequence[StoredGrant]:
        where = self.scope.own(GrantRow), _grants.c.account_id == account_id, *more
        rows = await self.scope.rows(select(*_grant_columns, _grants.c.revoke_time).where(*where))
        return [StoredGrant(grant=_grant(row[:-1]), revoke_time=row.revoke_time) for row in rows]


def override_of(row: Row[Any]) -> Override:
    """An override from its row."""
    return Override(
        override_id=row.override_id.partition(_DELETED)[0],
        start_time=row.start_time,
        end_time=row.end_time,
        feature_key=row.feature_key,
        entitlement=ENTITLEMENT.validate_python(row.entitlement) if row.feature_key else None,
        limit_key=row.limit_key,
        rate_limit=FIGURES.validate_python(row.rate_limit) if row.limit_key else None,
    )


def _deleted_id(override: Override) -> str:
    """What was in force at the same time under the same id is told once: a test's clock may stand."""
    return f"{override.override_id}{_DELETED}{override.start_time}-{override.end_time}-{override.feature_key}"


def _document(adapter: TypeAdapter[_Value], value: _Value | None) -> dict[str, Any]:
    return adapter.dump_python(value, mode="json", exclude_defaults=True) if value is not None else {}


async def _count(scope: Scope, model: type[Base], account_id: str, *more: ColumnElement[bool]) -> int:
    table = table_of(model)
    where = scope.own(model), table.c.account_id == account_id, not_(table.c.retired), *more
    return int((await scope.rows(select(func.count()).select_from(table).where(*where)))[0][0])


async def _retire(scope: Scope, model: type[Base], account_id: str, ended: ColumnElement[bool]) -> None:
    table = table_of(model)
    where = scope.own(model), table.c.account_id == account_id, not_(table.c.retired), ended
    if await scope.execute(update(table).where(*where).values(retired=True)):
        scope.holds(account_id)


async def grants_of(scope: Scope, account_ids: Sequence[str]) -> dict[str, list[Grant]]:
    """The grants of each of the accounts, by id."""
    where = scope.own(GrantRow), _grants.c.account_id.in_(account_ids), not_(_grants.c.retired)
    query = select(_grants.c.account_id, *_grant_columns).where(*where).order_by(*_grants.primary_key)
    found: dict[str, list[Grant]] = defaultdict(list)
    if not account_ids:
        return found
    for row in await scope.rows(query):
        found[row.account_id].append(_grant(row[1:]))
    return found


def _grant(values: Sequence[Any]) -> Grant:
    """A grant from `_grant_columns` of its row: by position, as an account may hold a thousand."""
    grant_id, feature_key, amount, priority, effective_time, expire_time, create_time = values
    return Grant(
        grant_id=grant_id,
        feature_key=feature_key,
        amount=amount,
        priority=priority,
        effective_time=effective_time,
        expire_time=expire_time,
        create_time=create_time,
    )

"""Overrides and grants, with what is known of them beside what they entitle to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select

from tallygate.domain.account import Grant, Override
from tallygate.records.values import StoredGrant, StoredOverride
from tallygate.storage.documents import ENTITLEMENT
from tallygate.storage.sql.models import GrantRow, OverrideRow
from tallygate.storage.sql.scope import Scope, table_of

_overrides, _grants = table_of(OverrideRow), table_of(GrantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOverrideRepository:
    """Overrides."""

    scope: Scope

    async def put(self, account_id: str, stored: StoredOverride) -> None:
        """Add an override."""
        self.scope.changes.accounts[account_id] = None
        override = stored.override
        row = {
            "account_id": account_id,
            "override_id": override.override_id,
            "feature_key": override.feature_key,
            "entitlement": ENTITLEMENT.dump_python(override.entitlement, mode="json", exclude_defaults=True),
            "start_time": override.start_time,
            "end_time": override.end_time,
            "create_time": stored.create_time,
        }
        await self.scope.upsert(OverrideRow, [row])

    async def delete(self, account_id: str, override_id: str) -> bool:
        """Delete an override; whether it was there."""
        where = self.scope.own(OverrideRow), _overrides.c.account_id == account_id
        gone = await self.scope.execute(delete(_overrides).where(*where, _overrides.c.override_id == override_id)) > 0
        if gone:
            self.scope.changes.accounts[account_id] = None
        return gone

    async def list(self, account_id: str) -> Sequence[StoredOverride]:
        """All of an account's."""
        query = select(_overrides).where(self.scope.own(OverrideRow), _overrides.c.account_id == account_id)
        rows = await self.scope.rows(query)
        return [StoredOverride(override=override_of(row), create_time=row.create_time) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlGrantRepository:
    """Grants."""

    scope: Scope

    async def put(self, account_id: str, stored: StoredGrant) -> None:
        """Add or replace a grant."""
        self.scope.changes.accounts[account_id] = None
        columns = {name: getattr(stored.grant, name) for name in Grant.__slots__}
        await self.scope.upsert(GrantRow, [{"account_id": account_id, **columns, "revoke_time": stored.revoke_time}])

    async def list(self, account_id: str) -> Sequence[StoredGrant]:
        """All of an account's."""
        query = select(_grants).where(self.scope.own(GrantRow), _grants.c.account_id == account_id)
        return [StoredGrant(grant=grant_of(row), revoke_time=row.revoke_time) for row in await self.scope.rows(query)]


def override_of(row: Row[Any]) -> Override:
    """An override from its row."""
    return Override(
        override_id=row.override_id,
        feature_key=row.feature_key,
        entitlement=ENTITLEMENT.validate_python(row.entitlement),
        start_time=row.start_time,
        end_time=row.end_time,
    )


def grant_of(row: Row[Any]) -> Grant:
    """A grant from its row."""
    return Grant(**{name: row._mapping[name] for name in Grant.__slots__})  # noqa: SLF001 - columns by name

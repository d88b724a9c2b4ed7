"""Accounts, their users, seats, overrides and grants; and the record that all of it is published as."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tallygate.control_plane.records import Account, AccountUser, SeatHolder
from tallygate.domain.account import AccountRecord, Grant, Override
from tallygate.storage.documents import ENTITLEMENT
from tallygate.storage.sql.models import AccountRow, AccountUserRow, Base, GrantRow, OverrideRow, SeatRow
from tallygate.storage.sql.scope import Scope, table_of
from tallygate.storage.sql.subscription_repository import live_subscriptions

_accounts, _users, _seats = table_of(AccountRow), table_of(AccountUserRow), table_of(SeatRow)
_overrides, _grants = table_of(OverrideRow), table_of(GrantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAccountRepository:
    """Accounts and their whole records."""

    scope: Scope

    async def get(self, account_id: str) -> Account | None:
        """The account's profile."""
        query = select(_accounts).where(self.scope.own(AccountRow), _accounts.c.account_id == account_id)
        rows = await self.scope.rows(query)
        return _account(rows[0]) if rows else None

    async def put(self, account: Account) -> None:
        """Add or replace the profile."""
        self.scope.changes.accounts[account.account_id] = None
        row = {
            "account_id": account.account_id,
            "version": account.version,
            "create_time": account.create_time,
            "time_zone": account.time_zone,
            "metadata": dict(account.metadata),
        }
        await self.scope.upsert(AccountRow, [row])

    async def list(self, *, after: str, limit: int) -> Sequence[Account]:
        """Profiles by account_id, those behind `after`."""
        query = select(_accounts).where(self.scope.own(AccountRow), _accounts.c.account_id > after)
        return [_account(row) for row in await self.scope.rows(query.order_by(_accounts.c.account_id).limit(limit))]

    async def records(self, account_ids: Sequence[str]) -> Sequence[AccountRecord]:
        """The whole records of those of the accounts that exist, in six queries however many they are."""
        own = self.scope.own(AccountRow), _accounts.c.account_id.in_(account_ids)
        accounts = await self.scope.rows(select(_accounts).where(*own).order_by(_accounts.c.account_id))
        subscriptions = await live_subscriptions(self.scope, account_ids)
        overrides = await _held(self.scope, OverrideRow, account_ids)
        grants = await _held(self.scope, GrantRow, account_ids)
        seats = await _held(self.scope, SeatRow, account_ids)
        return [
            AccountRecord(
                tenant_id=self.scope.tenant_id,
                account_id=row.account_id,
                version=row.version,
                create_time=row.create_time,
                time_zone=row.time_zone,
                subscription=subscriptions.get(row.account_id),
                overrides=tuple(_override(held) for held in overrides[row.account_id]),
                grants=tuple(_grant(held) for held in grants[row.account_id]),
                seats=_by_feature(seats[row.account_id]),
            )
            for row in accounts
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUserRepository:
    """Users of accounts; they are no part of what is published."""

    scope: Scope

    async def add(self, account_id: str, user: AccountUser) -> None:
        """Add a user; one who is there already stays as they are."""
        sqlite = self.scope.connection.dialect.name == "sqlite"
        row = {"tenant_id": self.scope.tenant_id, "account_id": account_id, "user_id": user.user_id}
        insert = (sqlite_insert if sqlite else postgres_insert)(_users).values(create_time=user.create_time, **row)
        await self.scope.execute(insert.on_conflict_do_nothing())

    async def remove(self, account_id: str, user_id: str) -> bool:
        """Remove a user; whether they were there."""
        where = self.scope.own(AccountUserRow), _users.c.account_id == account_id, _users.c.user_id == user_id
        return await self.scope.execute(delete(_users).where(*where)) > 0

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[AccountUser]:
        """Users by user_id, those behind `after`."""
        where = self.scope.own(AccountUserRow), _users.c.account_id == account_id, _users.c.user_id > after
        rows = await self.scope.rows(select(_users).where(*where).order_by(_users.c.user_id).limit(limit))
        return [AccountUser(user_id=row.user_id, create_time=row.create_time) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSeatRepository:
    """Named seats."""

    scope: Scope

    async def assign(self, account_id: str, holder: SeatHolder) -> None:
        """Give the user a seat that they do not hold yet."""
        self.scope.changes.accounts[account_id] = None
        row = {"account_id": account_id, "feature_key": holder.feature_key}
        await self.scope.upsert(SeatRow, [{**row, "user_id": holder.user_id, "assign_time": holder.assign_time}])

    async def unassign(self, account_id: str, feature_key: str, user_id: str) -> bool:
        """Free the user's seat (every seat, where `feature_key` is empty); whether they held one."""
        where = [self.scope.own(SeatRow), _seats.c.account_id == account_id, _seats.c.user_id == user_id]
        where += [_seats.c.feature_key == feature_key] if feature_key else []
        freed = await self.scope.execute(delete(_seats).where(*where)) > 0
        if freed:
            self.scope.changes.accounts[account_id] = None
        return freed

    async def list(self, account_id: str, feature_key: str, *, after: str, limit: int) -> Sequence[SeatHolder]:
        """Who holds seats of one feature, by user_id, those behind `after`."""
        where = self.scope.own(SeatRow), _seats.c.account_id == account_id, _seats.c.feature_key == feature_key
        query = select(_seats).where(*where, _seats.c.user_id > after).order_by(_seats.c.user_id).limit(limit)
        return [
            SeatHolder(feature_key=row.feature_key, user_id=row.user_id, assign_time=row.assign_time)
            for row in await self.scope.rows(query)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAllowanceRepository:
    """Overrides and grants."""

    scope: Scope

    async def put_override(self, account_id: str, override: Override) -> None:
        """Add an override."""
        self.scope.changes.accounts[account_id] = None
        row = {
            "account_id": account_id,
            "override_id": override.override_id,
            "feature_key": override.feature_key,
            "entitlement": ENTITLEMENT.dump_python(override.entitlement, mode="json", exclude_defaults=True),
            "start_time": override.start_time,
            "end_time": override.end_time,
        }
        await self.scope.upsert(OverrideRow, [row])

    async def delete_override(self, account_id: str, override_id: str) -> bool:
        """Delete an override; whether it was there."""
        where = self.scope.own(OverrideRow), _overrides.c.account_id == account_id
        gone = await self.scope.execute(delete(_overrides).where(*where, _overrides.c.override_id == override_id)) > 0
        if gone:
            self.scope.changes.accounts[account_id] = None
        return gone

    async def put_grant(self, account_id: str, grant: Grant) -> None:
        """Add or replace a grant."""
        self.scope.changes.accounts[account_id] = None
        row = {"account_id": account_id, **{name: getattr(grant, name) for name in Grant.__slots__}}
        await self.scope.upsert(GrantRow, [row])


async def _held(scope: Scope, model: type[Base], account_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """The model's rows of each of the accounts, in the order of their key."""
    table = table_of(model)
    query = select(table).where(scope.own(model), table.c.account_id.in_(account_ids))
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await scope.rows(query.order_by(*table.primary_key)):
        found[row.account_id].append(row)
    return found


def _account(row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        create_time=row.create_time,
        time_zone=row.time_zone,
        metadata=row.metadata,
        version=row.version,
    )


def _override(row: Row[Any]) -> Override:
    return Override(
        override_id=row.override_id,
        feature_key=row.feature_key,
        entitlement=ENTITLEMENT.validate_python(row.entitlement),
        start_time=row.start_time,
        end_time=row.end_time,
    )


def _grant(row: Row[Any]) -> Grant:
    return Grant(**{name: row._mapping[name] for name in Grant.__slots__})  # noqa: SLF001 - columns by name


def _by_feature(rows: Sequence[Row[Any]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row.feature_key] = (*found.get(row.feature_key, ()), row.user_id)
    return found

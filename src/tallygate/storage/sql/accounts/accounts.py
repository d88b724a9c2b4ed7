"""Accounts, their users and seats; and the record that they and all that they hold are published as."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tallygate.domain.account import AccountRecord, Standing
from tallygate.records.values import Account, AccountUser, SeatHolder
from tallygate.storage.documents import FORMER_ZONES
from tallygate.storage.sql.accounts.allowances import grants_of, override_of
from tallygate.storage.sql.accounts.subscriptions import counting_subscriptions, served_accounts
from tallygate.storage.sql.models import AccountRow, AccountUserRow, Base, OverrideRow, SeatRow
from tallygate.storage.sql.scope import Scope, table_of

_accounts, _users, _seats = table_of(AccountRow), table_of(AccountUserRow), table_of(SeatRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAccountRepository:
    """Accounts and their whole records."""

    scope: Scope

    async def get(self, account_id: str) -> Account | None:
        """The account's profile."""
        row = await self.scope.of_one(account_rows, account_id)
        if row is None:
            self.scope.known.absent.add(account_id)
        return self._account(row) if row is not None else None

    async def put(self, account: Account) -> None:
        """Add or replace the profile."""
        self.scope.changes.accounts[account.account_id] = None
        self.scope.changed(account.account_id)
        row = {
            "account_id": account.account_id,
            "version": account.version,
            "create_time": account.create_time,
            "update_time": self.scope.now,
            "time_zone": account.time_zone,
            "metadata": dict(account.metadata),
            "former_zones": FORMER_ZONES.dump_python(account.former_zones, mode="json"),
        }
        await self.scope.upsert(AccountRow, [row])
        self.scope.known.made(account.account_id)

    async def list(self, *, after: str, limit: int, plan_key: str = "", now: int = 0) -> Sequence[Account]:
        """Profiles by account_id, those behind `after`; with `plan_key` only those whom that plan serves now."""
        query = select(_accounts).where(self.scope.own(AccountRow), _accounts.c.account_id > after)
        if plan_key:
            query = query.where(_accounts.c.account_id.in_(served_accounts(self.scope, plan_key, now)))
        rows = await self.scope.rows(query.order_by(_accounts.c.account_id).limit(limit))
        return [self._account(row) for row in rows]

    async def records(self, account_ids: Sequence[str]) -> Sequence[AccountRecord]:
        """The whole records of those of the accounts that exist, in a handful of queries however many they are."""
        own = self.scope.own(AccountRow), _accounts.c.account_id.in_(account_ids)
        accounts = await self.scope.rows(select(_accounts).where(*own).order_by(_accounts.c.account_id))
        holders = [account_id for account_id in account_ids if account_id not in self.scope.known.empty]
        subscriptions = await counting_subscriptions(self.scope, holders)
        overrides = await _held(self.scope, OverrideRow, holders, not_(table_of(OverrideRow).c.retired))
        grants = await grants_of(self.scope, holders)
        seats = await _held(self.scope, SeatRow, holders)
        return [
            AccountRecord(
                tenant_id=self.scope.tenant_id,
                account_id=row.account_id,
                version=row.version,
                create_time=row.create_time,
                time_zone=row.time_zone,
                subscription=subscriptions[row.account_id].live,
                former_subscriptions=subscriptions[row.account_id].former,
                former_zones=FORMER_ZONES.validate_python(row.former_zones),
                overrides=tuple(override_of(held) for held in overrides[row.account_id]),
                grants=tuple(grants.get(row.account_id, ())),
                seats=_by_feature(seats[row.account_id]),
                limits_time=row.limits_time or 0,
                standing=Standing(row.standing),
            )
            for row in accounts
        ]

    async def standings(self, account_ids: Sequence[str]) -> Mapping[str, Standing]:
        """What those of the accounts that exist are for what they did not pay."""
        own = self.scope.own(AccountRow), _accounts.c.account_id.in_(account_ids)
        rows = await self.scope.rows(select(_accounts.c.account_id, _accounts.c.standing).where(*own))
        return {row.account_id: Standing(row.standing) for row in rows}

    async def set_standing(self, account_id: str, standing: Standing) -> None:
        """Say what an account is for what it did not pay, where it is anything else."""
        mine = self.scope.own(AccountRow), _accounts.c.account_id == account_id
        other = update(_accounts).where(*mine, _accounts.c.standing != standing.value)
        if await self.scope.execute(other.values(standing=standing.value)):
            self.scope.holds(account_id)

    def _account(self, row: Row[Any]) -> Account:
        changes = self.scope.changes
        changed = row.account_id in changes.accounts or row.account_id in changes.touched
        return Account(
            account_id=row.account_id,
            create_time=row.create_time,
            update_time=self.scope.now if changed else row.update_time,
            time_zone=row.time_zone,
            metadata=row.metadata,
            version=row.version,
            former_zones=FORMER_ZONES.validate_python(row.former_zones),
        )


async def account_rows(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Row[Any] | None]:
    """The profiles of accounts, of which some may not be there."""
    query = select(_accounts).where(scope.own(AccountRow), _accounts.c.account_id.in_(account_ids))
    found = {row.account_id: row for row in await scope.rows(query)}
    return {account_id: found.get(account_id) for account_id in account_ids}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUserRepository:
    """Users of accounts; they are no part of what is published."""

    scope: Scope

    async def add(self, account_id: str, user_ids: Sequence[str], *, now: int) -> Sequence[AccountUser]:
        """Add users; those there already stay as they are. Answers all that are named, by id."""
        sqlite = self.scope.connection.dialect.name == "sqlite"
        row = {"tenant_id": self.scope.tenant_id, "account_id": account_id, "create_time": now}
        rows = [{**row, "user_id": user_id} for user_id in sorted(set(user_ids))]
        insert = (sqlite_insert if sqlite else postgres_insert)(_users).values(rows).on_conflict_do_nothing()
        if await self.scope.rows(insert.returning(_users.c.user_id)):
            self.scope.changes.touched[account_id] = None
            self.scope.changes.quantities[account_id, ""] = None
        found = await self.scope.rows(select(_users).where(*self._named(account_id, user_ids)))
        users = [AccountUser(user_id=row.user_id, create_time=row.create_time) for row in found]
        return sorted(users, key=lambda user: user.user_id)

    async def remove(self, account_id: str, user_ids: Sequence[str]) -> int:
        """Remove users; how many were there."""
        removed = await self.scope.execute(delete(_users).where(*self._named(account_id, user_ids)))
        if removed:
            self.scope.changes.touched[account_id] = None
            self.scope.changes.quantities[account_id, ""] = None
        return removed

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[AccountUser]:
        """Users by user_id, those behind `after`."""
        where = self.scope.own(AccountUserRow), _users.c.account_id == account_id, _users.c.user_id > after
        rows = await self.scope.rows(select(_users).where(*where).order_by(_users.c.user_id).limit(limit))
        return [AccountUser(user_id=row.user_id, create_time=row.create_time) for row in rows]

    def _named(self, account_id: str, user_ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
        return self.scope.own(AccountUserRow), _users.c.account_id == account_id, _users.c.user_id.in_(user_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSeatRepository:
    """Named seats."""

    scope: Scope

    async def get(self, account_id: str, feature_key: str, user_id: str) -> SeatHolder | None:
        """The seat of this feature that the user holds."""
        where = _seats.c.account_id == account_id, _seats.c.feature_key == feature_key, _seats.c.user_id == user_id
        rows = await self.scope.rows(select(_seats).where(self.scope.own(SeatRow), *where))
        return _holder(rows[0]) if rows else None

    async def assign(self, account_id: str, holder: SeatHolder) -> None:
        """Give the user a seat that they do not hold yet."""
        self.scope.holds(account_id)
        self.scope.changes.quantities[account_id, holder.feature_key] = None
        row = {"account_id": account_id, "feature_key": holder.feature_key}
        await self.scope.upsert(SeatRow, [{**row, "user_id": holder.user_id, "assign_time": holder.assign_time}])

    async def unassign(self, account_id: str, feature_key: str, user_ids: Sequence[str]) -> bool:
        """Free the users' seats (of every feature, where `feature_key` is empty); whether they held any."""
        where = [self.scope.own(SeatRow), _seats.c.account_id == account_id, _seats.c.user_id.in_(user_ids)]
        where += [_seats.c.feature_key == feature_key] if feature_key else []
        freed = await self.scope.rows(delete(_seats).where(*where).returning(_seats.c.feature_key))
        for row in freed:
            self.scope.changes.quantities[account_id, row.feature_key] = None
        if freed:
            self.scope.holds(account_id)
        return bool(freed)

    async def list(
        self, account_id: str, feature_key: str, *, after: tuple[str, str], limit: int
    ) -> Sequence[SeatHolder]:
        """Who holds seats, of one feature or of all, by feature and user, those behind `after`."""
        feature, user = _seats.c.feature_key, _seats.c.user_id
        where = [self.scope.own(SeatRow), _seats.c.account_id == account_id]
        where += [feature == feature_key] if feature_key else []
        where += [or_(feature > after[0], and_(feature == after[0], user > after[1]))]
        query = select(_seats).where(*where).order_by(feature, user).limit(limit)
        return [_holder(row) for row in await self.scope.rows(query)]


def _holder(row: Row[Any]) -> SeatHolder:
    return SeatHolder(feature_key=row.feature_key, user_id=row.user_id, assign_time=row.assign_time)


async def _held(
    scope: Scope, model: type[Base], account_ids: Sequence[str], *more: ColumnElement[bool]
) -> dict[str, list[Row[Any]]]:
    """The model's rows of each of the accounts, in the order of their key."""
    table = table_of(model)
    query = select(table).where(scope.own(model), table.c.account_id.in_(account_ids), *more)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    if not account_ids:
        return found
    for row in await scope.rows(query.order_by(*table.primary_key)):
        found[row.account_id].append(row)
    return found


def _by_feature(rows: Sequence[Row[Any]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.feature_key].append(row.user_id)
    return {feature_key: tuple(user_ids) for feature_key, user_ids in found.items()}

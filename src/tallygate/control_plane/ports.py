"""What the control plane needs from the outside: a unit of work over one tenant's rows, an outbox, and publishers.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tallygate.control_plane.records import (
    Account,
    AccountUser,
    CatalogUse,
    Change,
    Held,
    OutboxEntry,
    SeatHolder,
    StoredKey,
    Tenant,
)
from tallygate.domain.account import AccountRecord, Grant, Override, Subscription
from tallygate.domain.catalog import AddOn, Catalog, CatalogSnapshot, Feature, Plan, RateLimitRule

NewId = Callable[[], str]
"""Mints an id that was never used."""


class TenantRepository(Protocol):
    """The tenant's own row."""

    async def get(self) -> Tenant:
        """The tenant as it stands in this unit of work."""
        ...

    async def update(self, tenant: Tenant) -> None:
        """Replace its settings and clock; its versions are the unit of work's business."""
        ...


class CatalogRepository(Protocol):
    """The tenant's catalogue, all versions."""

    async def load(self) -> Catalog:
        """Everything published, archived items included."""
        ...

    async def put(self, item: Feature | RateLimitRule | Plan | AddOn) -> None:
        """Add or replace one item, by kind, key and version."""
        ...


class AccountRepository(Protocol):
    """Accounts and their whole records."""

    async def get(self, account_id: str) -> Account | None:
        """The account's profile."""
        ...

    async def put(self, account: Account) -> None:
        """Add or replace the profile."""
        ...

    async def list(self, *, after: str, limit: int) -> Sequence[Account]:
        """Profiles by account_id, those behind `after`."""
        ...

    async def records(self, account_ids: Sequence[str]) -> Sequence[AccountRecord]:
        """The whole records of those of the accounts that exist."""
        ...


class UserRepository(Protocol):
    """Users of accounts."""

    async def add(self, account_id: str, user: AccountUser) -> None:
        """Add a user; one who is there already stays as they are."""
        ...

    async def remove(self, account_id: str, user_id: str) -> bool:
        """Remove a user; whether they were there."""
        ...

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[AccountUser]:
        """Users by user_id, those behind `after`."""
        ...


class SeatRepository(Protocol):
    """Named seats."""

    async def assign(self, account_id: str, holder: SeatHolder) -> None:
        """Give the user a seat that they do not hold yet."""
        ...

    async def unassign(self, account_id: str, feature_key: str, user_id: str) -> bool:
        """Free the user's seat (every seat, where `feature_key` is empty); whether they held one."""
        ...

    async def list(self, account_id: str, feature_key: str, *, after: str, limit: int) -> Sequence[SeatHolder]:
        """Who holds seats of one feature, by user_id, those behind `after`."""
        ...


class SubscriptionRepository(Protocol):
    """Subscriptions; the one that counts is `live`, and an account has at most one."""

    async def put(self, account_id: str, subscription: Subscription, *, live: bool = True) -> None:
        """Add or replace a subscription.

        Raises:
            SubscriptionConflictError: another one of the account is live.
        """
        ...

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[Subscription]:
        """An account's subscriptions by subscription_id, those behind `after`."""
        ...

    async def behind(self, plan_key: str, version: int, *, now: int) -> Sequence[Held]:
        """The live ones that are served by an older version of the plan, now or later."""
        ...

    async def use(self, *, now: int) -> CatalogUse:
        """What of the catalogue is held, now or later."""
        ...


class AllowanceRepository(Protocol):
    """Overrides and grants; both are read in the account's record."""

    async def put_override(self, account_id: str, override: Override) -> None:
        """Add an override."""
        ...

    async def delete_override(self, account_id: str, override_id: str) -> bool:
        """Delete an override; whether it was there."""
        ...

    async def put_grant(self, account_id: str, grant: Grant) -> None:
        """Add or replace a grant."""
        ...


class KeyRepository(Protocol):
    """The tenant's API keys."""

    async def get(self, key_id: str) -> StoredKey | None:
        """The key with this id."""
        ...

    async def put(self, key: StoredKey) -> None:
        """Add or replace a key."""
        ...

    async def list(self, *, after: str, limit: int) -> Sequence[StoredKey]:
        """Keys by key_id, those behind `after`."""
        ...


class UnitOfWork(Protocol):
    """One transaction over one tenant's rows; when writing, under the lock of the tenant's row from its start."""

    @property
    def tenants(self) -> TenantRepository:
        """The tenant's own row."""
        ...

    @property
    def catalog(self) -> CatalogRepository:
        """The tenant's catalogue."""
        ...

    @property
    def accounts(self) -> AccountRepository:
        """The tenant's accounts."""
        ...

    @property
    def users(self) -> UserRepository:
        """Users of the tenant's accounts."""
        ...

    @property
    def seats(self) -> SeatRepository:
        """Named seats of the tenant's accounts."""
        ...

    @property
    def subscriptions(self) -> SubscriptionRepository:
        """Subscriptions of the tenant's accounts."""
        ...

    @property
    def allowances(self) -> AllowanceRepository:
        """Overrides and grants of the tenant's accounts."""
        ...

    @property
    def keys(self) -> KeyRepository:
        """The tenant's API keys."""
        ...

    async def commit(self) -> int:
        """Commit, and answer the tenant's view version: a new one if anything changed that is published.

        What changed is noted in the outbox in the same transaction. Left without a commit, nothing happened.
        """
        ...


class Store(Protocol):
    """Where tenants live. `read` and `write` raise TenantNotFoundError for an unknown tenant."""

    def read(self, tenant_id: str) -> AbstractAsyncContextManager[UnitOfWork]:
        """A consistent snapshot to read from."""
        ...

    def write(self, tenant_id: str) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that waits its turn among the tenant's writers."""
        ...

    async def create_tenant(self, tenant: Tenant) -> None:
        """Add a tenant with an empty catalogue, to be published.

        Raises:
            ConflictError: there is one with this id.
        """
        ...

    async def tenant_ids(self, *, after: str, limit: int) -> Sequence[str]:
        """Every tenant, by id, those behind `after`."""
        ...


class Outbox(Protocol):
    """Committed changes that wait to be published."""

    async def tenants(self) -> Sequence[str]:
        """The tenants that have some."""
        ...

    async def pending(self, tenant_id: str, *, limit: int) -> Sequence[OutboxEntry]:
        """The tenant's oldest entries, in the order of their versions."""
        ...

    async def delete(self, tenant_id: str, entry_ids: Sequence[int]) -> None:
        """Forget entries that were published."""
        ...


class ViewPublisher(Protocol):
    """Where the view is published; an older version never replaces a newer."""

    async def publish_catalog(self, snapshot: CatalogSnapshot) -> None:
        """Publish a tenant's catalogue, and its version wherever gates are decided."""
        ...

    async def publish_accounts(self, records: Sequence[AccountRecord]) -> None:
        """Publish account records."""
        ...

    async def finish(self, tenant_id: str, applied: int, changes: Sequence[Change]) -> None:
        """Say that the tenant's log is published up to `applied`, then announce the changes."""
        ...


class KeyPublisher(Protocol):
    """Where the key table is published, and where it shows that what was published may be gone."""

    async def publish_keys(self, keys: Sequence[StoredKey]) -> None:
        """Publish key records, and raise the table's version."""
        ...

    async def is_intact(self) -> bool:
        """Whether everything published is certainly still there: same server, never emptied."""
        ...

    async def mark_intact(self) -> None:
        """Remember that everything is published on this server."""
        ...

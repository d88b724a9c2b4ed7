"""The repositories of a unit of work: what use-cases read and write of one tenant.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tallygate.domain.account import AccountRecord, Standing, Subscription
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import AddOn, Catalog, Feature, Plan
from tallygate.domain.limits import RateLimitRule
from tallygate.domain.products import ExchangeRate, Product
from tallygate.records.values import (
    Account,
    AccountUser,
    CatalogUse,
    SeatHolder,
    StoredGrant,
    StoredKey,
    StoredOverride,
    StoredSubscription,
    SubscriptionQuery,
    Tenant,
)


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

    async def put(self, item: Feature | RateLimitRule | Plan | AddOn | Product | ExchangeRate | BillingPolicy) -> None:
        """Add or replace one item, by kind, key and version; the tenant's billing is one."""
        ...

    async def publish_times(self) -> Mapping[tuple[str, int], int]:
        """When each version of each plan was published, by plan key and version."""
        ...


class AccountRepository(Protocol):
    """Accounts and their whole records."""

    async def get(self, account_id: str) -> Account | None:
        """The account's profile."""
        ...

    async def put(self, account: Account) -> None:
        """Add or replace the profile."""
        ...

    async def list(self, *, after: str, limit: int, plan_key: str = "", now: int = 0) -> Sequence[Account]:
        """Profiles by account_id, those behind `after`; with `plan_key` only those whom that plan serves now."""
        ...

    async def records(self, account_ids: Sequence[str]) -> Sequence[AccountRecord]:
        """The whole records of those of the accounts that exist."""
        ...

    async def standings(self, account_ids: Sequence[str]) -> Mapping[str, Standing]:
        """What those of the accounts that exist are for what they did not pay."""
        ...

    async def set_standing(self, account_id: str, standing: Standing) -> None:
        """Say what an account is for what it did not pay, where it is anything else."""
        ...


class UserRepository(Protocol):
    """Users of accounts."""

    async def add(self, account_id: str, user_ids: Sequence[str], *, now: int) -> Sequence[AccountUser]:
        """Add users; those there already stay as they are. Answers all that are named, by id."""
        ...

    async def remove(self, account_id: str, user_ids: Sequence[str]) -> int:
        """Remove users; how many were there."""
        ...

    async def list(self, account_id: str, *, after: str, limit: int) -> Sequence[AccountUser]:
        """Users by user_id, those behind `after`."""
        ...


class SeatRepository(Protocol):
    """Named seats."""

    async def get(self, account_id: str, feature_key: str, user_id: str) -> SeatHolder | None:
        """The seat of this feature that the user holds."""
        ...

    async def assign(self, account_id: str, holder: SeatHolder) -> None:
        """Give the user a seat that they do not hold yet."""
        ...

    async def unassign(self, account_id: str, feature_key: str, user_ids: Sequence[str]) -> bool:
        """Free the users' seats (of every feature, where `feature_key` is empty); whether they held any."""
        ...

    async def list(
        self, account_id: str, feature_key: str, *, after: tuple[str, str], limit: int
    ) -> Sequence[SeatHolder]:
        """Who holds seats, of one feature or of all, by feature and user, those behind `after`."""
        ...


class SubscriptionRepository(Protocol):
    """Subscriptions; the one that counts is `live`, and an account has at most one."""

    async def put(
        self,
        account_id: str,
        subscription: Subscription,
        *,
        live: bool = True,
        former: bool = False,
        cancel_time: int | None = None,
    ) -> None:
        """Add or replace a subscription; what is replaced keeps when it was created.

        One that no longer counts stays in the account's record where it is `former`.

        Raises:
            SubscriptionConflictError: another one of the account is live.
        """
        ...

    async def list(self, wanted: SubscriptionQuery) -> Sequence[StoredSubscription]:
        """Those asked for, newest first."""
        ...

    async def of(self, account_id: str) -> Sequence[StoredSubscription]:
        """All that one account ever had, oldest first."""
        ...

    async def ending(
        self, *, now: int, until: int, after: tuple[int, str] | None, limit: int, plan_key: str = ""
    ) -> Sequence[StoredSubscription]:
        """Live ones that end before an instant, by end and id, those behind an end and id; served by a plan now."""
        ...

    async def behind(self, plan_key: str, version: int, *, now: int) -> Sequence[StoredSubscription]:
        """The live ones that are served by an older version of the plan, now or later."""
        ...

    async def use(self, *, now: int) -> CatalogUse:
        """What of the catalogue is held, now or later."""
        ...


class OverrideRepository(Protocol):
    """Overrides of accounts."""

    async def put(self, account_id: str, stored: StoredOverride) -> None:
        """Add an override; one that was deleted stands beside another one of its id."""
        ...

    async def delete(self, account_id: str, override_id: str) -> bool:
        """Forget an override; whether it was there."""
        ...

    async def forget(self, account_id: str, *, ended_by: int, most: int) -> None:
        """Forget those deleted ones that had ended by then, and of more than `most` the oldest, too."""
        ...

    async def get(self, account_id: str, override_id: str) -> StoredOverride | None:
        """The account's override with this id, unless it was deleted."""
        ...

    async def count(self, account_id: str) -> int:
        """How many stand in the account's record, without those deleted."""
        ...

    async def retire(self, account_id: str, *, ended_by: int) -> None:
        """Leave those out of the account's record that had ended by then; they stay in lists."""
        ...

    async def list(self, account_id: str) -> Sequence[StoredOverride]:
        """All of an account's, those deleted included."""
        ...


class GrantRepository(Protocol):
    """Grants of accounts."""

    async def put(self, account_id: str, stored: StoredGrant) -> None:
        """Add or replace a grant."""
        ...

    async def get(self, account_id: str, grant_id: str) -> StoredGrant | None:
        """The account's grant with this id."""
        ...

    async def count(self, account_id: str) -> int:
        """How many stand in the account's record."""
        ...

    async def retire(self, account_id: str, *, ended_by: int) -> None:
        """Leave those out of the account's record that had ended by then; they stay in lists."""
        ...

    async def list(self, account_id: str) -> Sequence[StoredGrant]:
        """All of an account's."""
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

    async def newest(self, *, before: tuple[int, str] | None, limit: int) -> Sequence[StoredKey]:
        """Keys by creation, newest first, those behind `before`: an instant and an id."""
        ...

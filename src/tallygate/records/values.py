"""What is kept besides the domain's values: tenants, profiles, users, keys, and the outbox.

Instants are microseconds since the Unix epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.account import Grant, Override, Subscription, SubscriptionState
from tallygate.domain.catalog import FormerDefault, FormerZone, Plan
from tallygate.domain.credential import KeyRecord
from tallygate.domain.tenant_clock import TenantClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A platform owner. A test tenant's clock runs `clock_offset` ahead of real time, or stands at `clock_time`.

    Nothing is posted any more that takes effect before `books_closed_time`.
    """

    tenant_id: str
    create_time: int
    currency: str = "USD"
    time_zone: str = "UTC"
    default_plan: str = ""
    test: bool = False
    clock_offset: int = 0
    clock_time: int | None = None
    books_closed_time: int | None = None
    former_zones: tuple[FormerZone, ...] = ()
    former_defaults: tuple[FormerDefault, ...] = ()
    view_version: int = 1
    catalog_version: int = 1

    @property
    def clock(self) -> TenantClock:
        """What time it is for the tenant."""
        return TenantClock(offset=self.clock_offset, standing=self.clock_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its owner describes it; what it holds is in its `AccountRecord`.

    `update_time` is when it or anything that it holds was last changed; the unit of work keeps it.
    """

    account_id: str
    create_time: int
    update_time: int = 0
    time_zone: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    former_zones: tuple[FormerZone, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUser:
    """A user of an account."""

    user_id: str
    create_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatHolder:
    """A user who holds a named seat."""

    feature_key: str
    user_id: str
    assign_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubscription:
    """A subscription, whose it is, when it was created, and when it was cancelled."""

    account_id: str
    subscription: Subscription
    create_time: int = 0
    cancel_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionQuery:
    """Which subscriptions, newest first; what is left out restricts nothing.

    `plan_key` asks for those that this plan serves at `now`, `state` for those that read so at `now`, `live` for those
    that have not ended, `trial_of` for those that began with a trial, of this plan or where it is empty of any,
    `before` for those behind an instant of creation and an id.
    """

    now: int
    limit: int
    account_ids: Sequence[str] = ()
    subscription_id: str = ""
    plan_key: str = ""
    state: SubscriptionState | None = None
    live: bool = False
    trial_of: str | None = None
    before: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOverride:
    """An override, when it was created, and when it was deleted: it ended then, and its id is free for another one."""

    override: Override
    create_time: int
    delete_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrant:
    """A grant, and when it was revoked; one that was expires then at the latest."""

    grant: Grant
    revoke_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPlan:
    """One version of a plan: when it was published, whether it is the newest, how many subscriptions it serves now."""

    plan: Plan
    publish_time: int
    newest: bool
    subscription_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """An API key at rest: its digest, and the few characters of it that lists may show."""

    record: KeyRecord
    digest: str
    shown: str
    create_time: int
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogUse:
    """What of the catalogue is held now or later.

    Subscriptions by (plan key, version), add-ons by key, features by overrides and grants, rate limits by overrides.
    `serving` counts only the subscriptions that a version serves now.
    """

    plans: Mapping[tuple[str, int], int] = field(default_factory=dict)
    serving: Mapping[tuple[str, int], int] = field(default_factory=dict)
    add_ons: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    rate_limits: frozenset[str] = frozenset()


class ChangeKind(StrEnum):
    """What a committed write changed, and so what is to be published."""

    CATALOG = "catalog"
    ACCOUNT = "account"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A committed change that waits to be published; `key` is the account or key id, empty for the catalogue."""

    entry_id: int
    version: int
    kind: ChangeKind
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An announcement that something was published; an empty `account_id` means the tenant's catalogue."""

    tenant_id: str
    account_id: str
    version: int

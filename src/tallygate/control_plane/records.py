"""What the control plane keeps besides the domain's values: tenants, profiles, users, keys, and the outbox.

Instants are microseconds since the Unix epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.account import Subscription
from tallygate.domain.credential import KeyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A platform owner; `clock_offset` is how far a test tenant's clock runs ahead of the real one."""

    tenant_id: str
    create_time: int
    currency: str = "USD"
    time_zone: str = "UTC"
    default_plan: str = ""
    test: bool = False
    clock_offset: int = 0
    view_version: int = 1
    catalog_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as its owner describes it; what it holds is in its `AccountRecord`."""

    account_id: str
    create_time: int
    time_zone: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: int = 0


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
class Held:
    """A subscription and whose it is."""

    account_id: str
    subscription: Subscription


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

    Subscriptions by (plan key, version), add-ons by key, features by overrides and grants.
    """

    plans: Mapping[tuple[str, int], int] = field(default_factory=dict)
    add_ons: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()


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

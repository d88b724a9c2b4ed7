"""One account's view, as it was last seen."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.gating.quota import Segment
from tallygate.domain.gating.resolve import EntitlementSet


@dataclass(slots=True, kw_only=True)
class View:
    """What one account holds, as last seen; `entitlements` is None for an account that does not exist.

    `verified_time` is when its versions were last compared with the store's, `applied` how far the log was then;
    `gap` counts the gaps in the announcements until then; `checked_announcements` those heard when it was compared;
    `superseded` that a newer view of the account has taken its place; `asked_time` when it was last asked for ahead;
    `programs` what questions were compiled to on it, `near` what is known of its quotas: both end with it.
    """

    snapshot: CatalogSnapshot
    record: AccountRecord | None
    entitlements: EntitlementSet | None
    verified_time: int
    applied: int
    gap: int = 0
    checked_announcements: int = -1
    superseded: bool = False
    asked_time: int = 0
    segments: dict[str, tuple[Segment, ...]] = field(default_factory=dict)
    programs: dict[Hashable, Any] = field(default_factory=dict)
    near: dict[str, Any] = field(default_factory=dict)

    @property
    def account_version(self) -> int:
        """The record's version; 0 where there is none."""
        return self.record.version if self.record else 0

    @property
    def version(self) -> int:
        """The newest version that contributed."""
        return max(self.snapshot.version, self.account_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """Bounds of the cache; `max_staleness` and `wait_limit` in microseconds."""

    max_staleness: int = 5_000_000
    wait_limit: int = 2_000_000
    accounts: int = 50_000
    tenants: int = 1_000


@dataclass(slots=True)
class ViewCounts:
    """How the cache fares, for metrics."""

    hits: int = 0
    misses: int = 0
    revalidations: int = 0

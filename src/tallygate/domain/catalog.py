"""What is sold: features, plans, add-ons, limits and prices, each an immutable value.

Knows no account and no clock. Instants are microseconds since the Unix epoch, durations microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.billing_terms import AdvanceDiscount, BillingPolicy, BillingRule
from tallygate.domain.limits import OnUnavailable, RateLimit, RateLimitRule
from tallygate.domain.period import PeriodRule
from tallygate.domain.prices import Price
from tallygate.domain.products import ChargeRule, ExchangeRate, Product
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock


class FeatureKind(StrEnum):
    """How a feature is gated."""

    BOOLEAN = "boolean"
    STATIC = "static"
    METERED = "metered"
    SEAT = "seat"


class ValueType(StrEnum):
    """What a static feature's value is; an enum's values are ordered, the most generous last."""

    NUMBER = "number"
    ENUM = "enum"
    TEXT = "text"


class Aggregation(StrEnum):
    """How a meter counts: deltas (sum, count), observed levels (max, latest), or from events (the rest)."""

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    UNIQUE = "unique"
    LATEST = "latest"
    TIME_WEIGHTED = "time_weighted"


class Overage(StrEnum):
    """Whether use may pass a limit: denied, or allowed and billed."""

    DENY = "deny"
    ALLOW = "allow"


class Durability(StrEnum):
    """When what was taken is answered: when the store has it, or when its replicas do."""

    FAST = "fast"
    STRICT = "strict"


class TrialPer(StrEnum):
    """How often an account may start a plan's trial: once each plan, once in all, or with each subscription."""

    PLAN = "plan"
    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"


class TrialEnd(StrEnum):
    """What follows a trial: its plan goes on, the plan that it ends in serves, or it is over."""

    CONVERT = "convert"
    DOWNGRADE = "downgrade"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRule:
    """A rule of usage periods that held until `end_time`."""

    rule: PeriodRule
    end_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerZone:
    """A time zone that held until `end_time`; of an account empty where it was the tenant's."""

    time_zone: str
    end_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerDefault:
    """A default plan that served until `end_time`; empty where there was none."""

    plan_key: str
    end_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that can be gated; `dimensions` are those of its events that prices may ask for.

    Rules of usage periods that it had before are kept with their ends, in order.
    """

    feature_key: str
    kind: FeatureKind
    name: str = ""
    value_type: ValueType = ValueType.NUMBER
    values: tuple[str, ...] = ()
    unit: str = ""
    aggregation: Aggregation = Aggregation.SUM
    unique_by: str = ""
    dimensions: tuple[str, ...] = ()
    usage_period: PeriodRule = field(default_factory=PeriodRule)
    billable: bool = True
    on_unavailable: OnUnavailable = OnUnavailable.CLOSED
    durability: Durability = Durability.FAST
    archived: bool = False
    former_rules: tuple[FormerRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """The right to one feature, with its value; which fields count depends on the feature's kind.

    `hard_limit` is where the overage beyond `limit` ends; None: it does not end, or there is none.
    """

    enabled: bool | None = None
    number: int | None = None
    text: str | None = None
    values: tuple[str, ...] = ()
    limit: int | None = None
    unlimited: bool = False
    overage: Overage = Overage.DENY
    hard_limit: int | None = None

    @property
    def end(self) -> int | None:
        """Where use is denied, without grants: the limit, or the hard end of the overage beyond it; None: nowhere."""
        if self.unlimited:
            return None
        return self.hard_limit if self.overage is Overage.ALLOW else self.limit or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A free start of `days` x 24 h, and what follows it.

    Where `on_end` was not said, the plan `ends_in` follows, or the plan itself where that is empty. With CONVERT it is
    the plan itself if it can be charged, and `ends_in` if not.
    """

    days: int
    ends_in: str = ""
    per: TrialPer = TrialPer.PLAN
    on_end: TrialEnd | None = None

    def __post_init__(self) -> None:
        if self.on_end is None:
            object.__setattr__(self, "on_end", TrialEnd.DOWNGRADE if self.ends_in else TrialEnd.CONVERT)


class Activation(StrEnum):
    """When a subscription that was ordered begins to serve: at once, or when its first invoice is paid."""

    AT_ONCE = "at_once"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A versioned bundle of entitlements, limits and prices; a published version never changes.

    Its `provider` earns from it; empty is the tenant. It may be one of an app, `product`; a `usage_based` one is its
    only one, and says in `charges` what for.

    `publish_time` is 0 in a document that is to be published.
    """

    plan_key: str
    version: int
    name: str = ""
    upgrades_to: tuple[str, ...] = ()
    trial: Trial | None = None
    entitlements: Mapping[str, Entitlement] = field(default_factory=dict)
    rate_limits: Mapping[str, RateLimit] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    billing: BillingRule | None = None
    advance_discounts: tuple[AdvanceDiscount, ...] = ()
    activation: Activation = Activation.AT_ONCE
    provider: str = ""
    product: str = ""
    usage_based: bool = False
    charges: tuple[ChargeRule, ...] = ()
    archived: bool = False
    publish_time: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """A versioned, optional bundle on top of a plan; metered and seat limits count once per quantity held."""

    add_on_key: str
    version: int
    name: str = ""
    offered_on: tuple[str, ...] = ()
    max_quantity: int | None = None
    entitlements: Mapping[str, Entitlement] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One tenant's catalogue: every published version of every plan and add-on, by key and version.

    Time zones and default plans that it had before are kept with their ends, in order.
    """

    currency: str = "USD"
    time_zone: str = "UTC"
    default_plan: str = ""
    billing: BillingPolicy | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    rate_limits: Mapping[str, RateLimitRule] = field(default_factory=dict)
    plans: Mapping[str, Mapping[int, Plan]] = field(default_factory=dict)
    add_ons: Mapping[str, Mapping[int, AddOn]] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    exchange_rates: Mapping[str, ExchangeRate] = field(default_factory=dict)
    former_zones: tuple[FormerZone, ...] = ()
    former_defaults: tuple[FormerDefault, ...] = ()

    def plan(self, plan_key: str, version: int | None = None) -> Plan | None:
        """The plan's given version, or its newest one."""
        versions = self.plans.get(plan_key)
        if not versions:
            return None
        return versions.get(max(versions) if version is None else version)

    def add_on(self, add_on_key: str, version: int | None = None) -> AddOn | None:
        """The add-on's given version, or its newest one."""
        versions = self.add_ons.get(add_on_key)
        if not versions:
            return None
        return versions.get(max(versions) if version is None else version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSnapshot:
    """A tenant's catalogue as published: its version, and a test tenant's clock: its offset, or where it stands."""

    tenant_id: str
    version: int
    catalog: Catalog
    clock_offset: int = 0
    clock_time: int | None = None

    @property
    def clock(self) -> TenantClock:
        """The tenant's clock."""
        if not self.clock_offset and self.clock_time is None:
            return REAL_TIME
        return TenantClock(offset=self.clock_offset, standing=self.clock_time)

    def time(self, real: int) -> int:
        """What time it is for the tenant: as `clock.at`, which every check would have to make first."""
        return real + self.clock_offset if self.clock_time is None else self.clock_time

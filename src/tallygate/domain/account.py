"""Who holds what, since when: one account's record, from which its entitlements are folded.

Knows no catalogue and no clock. Instants are microseconds since the Unix epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.catalog import Entitlement, FormerZone
from tallygate.domain.limits import RateLimit


class SubscriptionState(StrEnum):
    """Where a subscription stands; trial end and period end are read from its instants, not from here."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Standing(StrEnum):
    """What an account is for what it did not pay, beside the states that its owner sets."""

    GOOD = ""
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"


_BEFORE_SUSPENSION = (
    SubscriptionState.TRIALING,
    SubscriptionState.ACTIVE,
    SubscriptionState.PAST_DUE,
    SubscriptionState.CANCELED,
)


def shown_state(state: SubscriptionState, standing: Standing) -> SubscriptionState:
    """The worse of a subscription's own state and its account's standing: neither changes the other."""
    if standing is Standing.SUSPENDED and state in _BEFORE_SUSPENSION:
        return SubscriptionState.SUSPENDED
    if standing is Standing.PAST_DUE and state in {SubscriptionState.TRIALING, SubscriptionState.ACTIVE}:
        return SubscriptionState.PAST_DUE
    return state


class ChangeProration(StrEnum):
    """How a change within an invoice period is charged: by the rest of the period, or not before its end."""

    PRORATE = "prorate"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerm:
    """The plan version that serves from `start_time` until the next term starts; how the change to it is charged."""

    plan_key: str
    plan_version: int
    start_time: int
    proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnHolding:
    """An add-on held in some quantity over [start_time, end_time), and how its start and end are charged."""

    add_on_key: str
    version: int
    quantity: int
    start_time: int
    end_time: int | None = None
    proration: ChangeProration = ChangeProration.PRORATE
    end_proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stretch [start_time, end_time) over which a subscription grants and costs nothing; None: until resumed."""

    start_time: int
    end_time: int | None = None

    def holds(self, at: int) -> bool:
        """Whether an instant lies in it."""
        return self.start_time <= at and (self.end_time is None or at < self.end_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """How many seats or users are paid from `start_time` on, taken or not, until the next booking of its source.

    `source` is a seat feature's key, empty for users; `proration` is how the change to it is charged.
    """

    source: str
    quantity: int
    start_time: int
    proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An account's hold on a plan.

    `terms` are sorted by start; a trial serves [start_time, trial_end_time); nothing is granted from `end_time` on, nor
    in `pauses`, which are sorted and lie apart. Usage periods are anchored to its start from `anchor_time` on, None:
    since ever. `bookings` are sorted by start.
    """

    subscription_id: str
    state: SubscriptionState
    start_time: int
    terms: tuple[PlanTerm, ...]
    trial_end_time: int | None = None
    end_time: int | None = None
    add_ons: tuple[AddOnHolding, ...] = ()
    anchor_time: int | None = None
    pauses: tuple[Pause, ...] = ()
    bookings: tuple[Booking, ...] = ()

    def booked_at(self, at: int) -> dict[str, int]:
        """How many seats, by feature, and users (an empty key) are booked at an instant."""
        return {each.source: each.quantity for each in self.bookings if each.start_time <= at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A dated exception: while in force it is the account's whole entitlement to the feature, or its rate limit.

    Either `feature_key` and `entitlement` are set, or `limit_key` and `rate_limit`.
    """

    override_id: str
    start_time: int
    end_time: int | None = None
    feature_key: str = ""
    entitlement: Entitlement | None = None
    limit_key: str = ""
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A dated allowance on top of a metered entitlement, burnt once over its whole life."""

    grant_id: str
    feature_key: str
    amount: int
    priority: int
    effective_time: int
    expire_time: int | None
    create_time: int

    def burn_order(self) -> tuple[int, int, int, str]:
        """Total order of burning: priority, sooner expiry, creation, id."""
        expiry = self.expire_time if self.expire_time is not None else 2**62
        return (self.priority, expiry, self.create_time, self.grant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """All that an account holds; `version` is the tenant's view version of its last change.

    `limits_time` is when an override of a rate limit was last deleted; 0 if none ever was.
    What usage periods still hang on is kept besides: subscriptions that have ended, by anchor_time, and time zones.
    """

    tenant_id: str
    account_id: str
    version: int
    create_time: int
    time_zone: str = ""
    subscription: Subscription | None = None
    overrides: tuple[Override, ...] = ()
    grants: tuple[Grant, ...] = ()
    seats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limits_time: int = 0
    former_subscriptions: tuple[Subscription, ...] = ()
    former_zones: tuple[FormerZone, ...] = ()
    standing: Standing = Standing.GOOD

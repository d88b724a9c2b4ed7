"""Orders: what is put together, priced and sold at once, and how far that is. No clock, no I/O."""

from dataclasses import dataclass, replace
from enum import StrEnum

HOUR = 3_600_000_000
PAYABLE = 23 * HOUR
"""How long what waits for a first payment waits: less than a day, for which gateways keep their keys."""


class OrderState(StrEnum):
    """Where an order stands: `unpaid` is completed, but what it sells waits for its invoice to be paid."""

    OPEN = "open"
    UNPAID = "unpaid"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedAddOn:
    """An add-on to hold from the start on, in some quantity."""

    add_on_key: str
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSubscription:
    """A subscription to begin when the order is completed; None of `trial_days` is what the plan gives then.

    `seats` are booked by feature, and `users`: paid from the start on, and taken later.
    """

    plan_key: str
    plan_version: int | None = None
    trial_days: int | None = None
    add_ons: tuple[OrderedAddOn, ...] = ()
    advance_length: int = 0
    seats: tuple[tuple[str, int], ...] = ()
    users: int = 0

    @property
    def quantities(self) -> dict[str, int]:
        """How many are booked, by seat feature; users under an empty key."""
        return {key: count for key, count in (*self.seats, ("", self.users)) if count}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedRenewal:
    """Another period of the live subscription, paid now; `approved` where its plan wants that."""

    approved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedQuota:
    """Units of a metered feature, paid now, and burnt before any that would be charged; None: what is left stays."""

    feature_key: str
    quantity: int
    expire_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One thing that is ordered: a subscription, a renewal or quota, for an account (empty: who pays) or an e-mail.

    Who is known by an e-mail alone redeems a claim for it. `subscription_id` is the subscription that it is of.
    """

    subscription: OrderedSubscription | None = None
    renewal: OrderedRenewal | None = None
    quota: OrderedQuota | None = None
    account_id: str = ""
    email: str = ""
    subscription_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What an order's invoice charges: by its id what was bought outright, and these subscriptions."""

    order_id: str
    subscription_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A basket of an account that pays it.

    `terms_version` is which terms were accepted, `actor_id` the key by which that was told. What was not paid by
    `pay_until` expires; None: nothing waits for a payment.
    """

    order_id: str
    account_id: str
    items: tuple[OrderItem, ...]
    codes: tuple[str, ...] = ()
    state: OrderState = OrderState.OPEN
    create_time: int = 0
    complete_time: int | None = None
    terms_version: str = ""
    actor_id: str = ""
    invoice_ids: tuple[str, ...] = ()
    pay_until: int | None = None

    @property
    def sold(self) -> Sold:
        """What it sold: what is charged as subscriptions of who pays, and what was bought outright."""
        own = frozenset(item.subscription_id for item in self.items if self.is_own(item))
        return Sold(order_id=self.order_id, subscription_ids=own)

    @property
    def plan_keys(self) -> tuple[str, ...]:
        """The plans that it sells."""
        return tuple(item.subscription.plan_key for item in self.items if item.subscription is not None)

    def holder(self, item: OrderItem) -> str:
        """Whose something of it is to be; empty: who redeems its claim."""
        return "" if item.email else item.account_id or self.account_id

    def is_own(self, item: OrderItem) -> bool:
        """Whether it is a subscription of who pays, which is charged as any other."""
        return item.subscription is not None and self.holder(item) == self.account_id

    def asks_for(self, other: "Order") -> bool:
        """Whether it was put together as another one."""
        return self._as_asked() == other._as_asked()  # noqa: SLF001 - another of its own kind

    def _as_asked(self) -> tuple[object, ...]:
        return self.account_id, tuple(replace(item, subscription_id="") for item in self.items), self.codes

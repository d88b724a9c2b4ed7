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
    """A subscription to begin when the order is completed; None of `trial_days` is what the plan gives then."""

    plan_key: str
    plan_version: int | None = None
    trial_days: int | None = None
    add_ons: tuple[OrderedAddOn, ...] = ()
    advance_length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One thing that is ordered, and the subscription that it became."""

    subscription: OrderedSubscription
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
        """What it sold."""
        subscriptions = frozenset(item.subscription_id for item in self.items) - {""}
        return Sold(order_id=self.order_id, subscription_ids=subscriptions)

    def asks_for(self, other: "Order") -> bool:
        """Whether it was put together as another one."""
        return self._as_asked() == other._as_asked()  # noqa: SLF001 - another of its own kind

    def _as_asked(self) -> tuple[object, ...]:
        return self.account_id, tuple(replace(item, subscription_id="") for item in self.items), self.codes

"""The desk at which orders change subscriptions: in their own unit of work, by the rules of whoever keeps those."""

from typing import Protocol

from tallygate.domain.account import Subscription
from tallygate.domain.billing.orders import OrderedSubscription
from tallygate.domain.billing.timeline import PriceOverride
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.values import StoredSubscription


class SubscriptionDesk(Protocol):
    """What orders ask of subscriptions."""

    async def proposed(
        self, work: BillingWork, account_id: str, ordered: OrderedSubscription, *, now: int
    ) -> tuple[Subscription, tuple[PriceOverride, ...]]:
        """The subscription that an order would make, with the own prices that it would have; nothing is written.

        Raises:
            TallygateError: it cannot be had now.
        """
        ...

    async def subscribe(
        self, work: BillingWork, account_id: str, ordered: OrderedSubscription, *, now: int, new_id: NewId
    ) -> StoredSubscription:
        """Make it; raises as `proposed`."""
        ...

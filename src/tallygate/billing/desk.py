"""The desk at which orders change what accounts hold: in their own unit of work, by the rules of whoever keeps that."""

from typing import Protocol

from tallygate.domain.account import Subscription
from tallygate.domain.billing.orders import OrderedQuota, OrderedRenewal, OrderedSubscription
from tallygate.domain.billing.timeline import PriceOverride
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.values import StoredSubscription


class SubscriptionDesk(Protocol):
    """What orders ask of subscriptions and grants."""

    async def proposed(
        self, work: BillingWork, account_id: str, ordered: OrderedSubscription, *, now: int
    ) -> tuple[Subscription, tuple[PriceOverride, ...]]:
        """The subscription that an order would make, with the own prices that it would have; nothing is written.

        Without an account it is that of one that is created now.

        Raises:
            TallygateError: it cannot be had now.
        """
        ...

    async def subscribe(
        self,
        work: BillingWork,
        account_id: str,
        ordered: OrderedSubscription,
        *,
        waits: bool,
        now: int,
        new_id: NewId,
    ) -> StoredSubscription:
        """Make it; one that `waits` serves only when it is paid, where its plan says so. Raises as `proposed`."""
        ...

    async def renewal(
        self, work: BillingWork, account_id: str, ordered: OrderedRenewal, *, now: int, make: bool
    ) -> tuple[StoredSubscription, StoredSubscription]:
        """The live subscription before and after another period; made, or only told.

        Raises:
            TallygateError: it cannot be renewed now.
        """
        ...

    async def grant(
        self, work: BillingWork, account_id: str, ordered: OrderedQuota, *, grant_id: str, now: int
    ) -> None:
        """Give an account units that were bought.

        Raises:
            TallygateError: it cannot have them.
        """
        ...

"""Where billing changes subscriptions: the control plane's own use-cases, in billing's unit of work."""

from dataclasses import dataclass, replace

from tallygate.control_plane.add_ons import AddOnChoice
from tallygate.control_plane.advance import pay_in_advance, proposed_advance
from tallygate.control_plane.proposals import CancelSubscription
from tallygate.control_plane.subscription_changes import cancel_subscription
from tallygate.control_plane.subscriptions import (
    CreateSubscription,
    check_free,
    create_subscription,
    new_subscription,
)
from tallygate.domain.account import Subscription
from tallygate.domain.billing.orders import OrderedSubscription
from tallygate.domain.billing.timeline import PriceOverride
from tallygate.domain.errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.values import StoredSubscription

_PROPOSED = "sub_proposed/"
"""How the id of a subscription begins that is not there; the account's follows."""


async def end_subscription(work: BillingWork, account_id: str, now: int) -> None:
    """End an account's subscription where it has one; what was charged for the rest of its period is credited."""
    try:
        await cancel_subscription(work, CancelSubscription(account_id=account_id), now=now)
    except (SubscriptionNotFoundError, SubscriptionConflictError):
        return


@dataclass(frozen=True, slots=True)
class Desk:
    """What orders ask of subscriptions."""

    async def proposed(
        self, work: BillingWork, account_id: str, ordered: OrderedSubscription, *, now: int
    ) -> tuple[Subscription, tuple[PriceOverride, ...]]:
        """The subscription that an order would make, with the own prices that it would have; nothing is written."""
        request = _request(account_id, ordered)
        await check_free(work, request, now=now)
        proposed = replace(request, subscription_id=f"{_PROPOSED}{account_id}"[:255])
        subscription = await new_subscription(work, proposed, now=now)
        if not ordered.advance_length:
            return subscription, ()
        length = ordered.advance_length
        subscription, own = await proposed_advance(work, account_id, subscription, length, open_end=True)
        return subscription, (own,)

    async def subscribe(
        self, work: BillingWork, account_id: str, ordered: OrderedSubscription, *, now: int, new_id: NewId
    ) -> StoredSubscription:
        """Make it."""
        held = await create_subscription(work, _request(account_id, ordered), now=now, new_id=new_id)
        return (
            await pay_in_advance(work, held, ordered.advance_length, open_end=True) if ordered.advance_length else held
        )


def _request(account_id: str, ordered: OrderedSubscription) -> CreateSubscription:
    return CreateSubscription(
        account_id=account_id,
        plan_key=ordered.plan_key,
        plan_version=ordered.plan_version,
        trial_days=ordered.trial_days,
        add_ons=[AddOnChoice(add_on_key=each.add_on_key, quantity=each.quantity) for each in ordered.add_ons],
    )

"""Where billing changes subscriptions: the control plane's own use-cases, in billing's unit of work."""

from tallygate.control_plane.proposals import CancelSubscription
from tallygate.control_plane.subscription_changes import cancel_subscription
from tallygate.domain.errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.ports import BillingWork


async def end_subscription(work: BillingWork, account_id: str, now: int) -> None:
    """End an account's subscription where it has one; what was charged for the rest of its period is credited."""
    try:
        await cancel_subscription(work, CancelSubscription(account_id=account_id), now=now)
    except (SubscriptionNotFoundError, SubscriptionConflictError):
        return

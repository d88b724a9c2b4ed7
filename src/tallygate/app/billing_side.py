"""Where billing changes subscriptions: the control plane's own use-cases, in billing's unit of work."""

from dataclasses import dataclass, replace

from tallygate.control_plane.add_ons import AddOnChoice
from tallygate.control_plane.advance import pay_in_advance, proposed_advance
from tallygate.control_plane.allowances import CreateGrant, create_grant
from tallygate.control_plane.proposals import CancelSubscription
from tallygate.control_plane.renewals import RenewSubscription, proposed_renewal
from tallygate.control_plane.subscription_changes import cancel_subscription
from tallygate.control_plane.subscription_changes import make as make_change
from tallygate.control_plane.subscriptions import (
    CreateSubscription,
    check_free,
    create_subscription,
    new_subscription,
)
from tallygate.domain.account import Subscription
from tallygate.domain.billing.orders import OrderedQuota, OrderedRenewal, OrderedSubscription
from tallygate.domain.billing.timeline import PriceOverride
from tallygate.domain.catalog import Activation
from tallygate.domain.subscription_errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.lookup import plan_on_sale
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
        if account_id:
            await check_free(work, request, now=now)
        proposed = replace(request, subscription_id=f"{_PROPOSED}{account_id}"[:255])
        subscription = await new_subscription(work, proposed, now=now)
        if not ordered.advance_length:
            return subscription, ()
        length = ordered.advance_length
        subscription, own = await proposed_advance(work, account_id, subscription, length, open_end=True)
        return subscription, (own,)

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
        """Make it."""
        plan = plan_on_sale(await work.catalog.load(), ordered.plan_key, ordered.plan_version)
        request = replace(_request(account_id, ordered), incomplete=waits and plan.activation is Activation.PAYMENT)
        held = await create_subscription(work, request, now=now, new_id=new_id)
        return (
            await pay_in_advance(work, held, ordered.advance_length, open_end=True) if ordered.advance_length else held
        )

    async def renewal(
        self, work: BillingWork, account_id: str, ordered: OrderedRenewal, *, now: int, make: bool
    ) -> tuple[StoredSubscription, StoredSubscription]:
        """The live subscription before and after another period; made, or only told."""
        request = RenewSubscription(account_id=account_id, approved=ordered.approved)
        proposal = await proposed_renewal(work, request, now=now)
        return proposal.before, (await make_change(work, proposal)) if make else proposal.after

    async def grant(
        self, work: BillingWork, account_id: str, ordered: OrderedQuota, *, grant_id: str, now: int
    ) -> None:
        """Give an account units that were bought."""
        wanted = CreateGrant(
            account_id=account_id,
            feature_key=ordered.feature_key,
            amount=ordered.quantity,
            expire_time=ordered.expire_time,
            grant_id=grant_id,
        )
        await create_grant(work, wanted, now=now, new_id=lambda: grant_id)


def _request(account_id: str, ordered: OrderedSubscription) -> CreateSubscription:
    return CreateSubscription(
        account_id=account_id,
        plan_key=ordered.plan_key,
        plan_version=ordered.plan_version,
        trial_days=ordered.trial_days,
        add_ons=[AddOnChoice(add_on_key=each.add_on_key, quantity=each.quantity) for each in ordered.add_ons],
        quantities=ordered.quantities,
    )

"""Renewals by hand: another period for a subscription whose plan gives it an end."""

from dataclasses import dataclass, replace

from tallygate.control_plane.proposals import Proposal, live
from tallygate.control_plane.subscription_terms import planned_end, renewal_of, term_at
from tallygate.domain.account import SubscriptionState
from tallygate.domain.billing_terms import Renewal
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.instants import rfc3339
from tallygate.domain.subscription_errors import ApprovalRequiredError, SubscriptionConflictError
from tallygate.records.lookup import billing_calendar, known_account
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSubscription:
    """Another period for the live subscription.

    `end_time` is the end that it has, so that a repeated call renews once.
    """

    account_id: str
    approved: bool = False
    end_time: int | None = None


async def proposed_renewal(work: BillingWork, request: RenewSubscription, *, now: int) -> Proposal:
    """The live subscription with another period from its end; one that was renewed from `end_time` already as it is.

    Raises:
        SubscriptionNotFoundError: there is none, or it has ended.
        SubscriptionConflictError: it has no end, or its plan is not renewed by hand.
        ApprovalRequiredError: the plan wants an approval.
    """
    account = await known_account(work, request.account_id)
    held = await live(work, account, now)
    subscription, catalog = held.subscription, await work.catalog.load()
    end = subscription.end_time
    if end is None:
        raise SubscriptionConflictError(account_id=account.account_id, expected="a subscription that has an end")
    unchanged = Proposal(method="RenewSubscription", before=held, after=held, change_time=now)
    if request.end_time is not None and request.end_time != end:
        if request.end_time < end:
            return unchanged
        raise InvalidFieldError(field="end_time", expected=f"its end, {rfc3339(end)}", got=rfc3339(request.end_time))
    endless = replace(subscription, end_time=None)
    term = term_at(endless, end)
    plan = catalog.plan(term.plan_key, term.plan_version)
    if renewal_of(plan) is not Renewal.REPEAT:
        expected = "a plan that is renewed by hand (billing.renewal: repeat)"
        raise SubscriptionConflictError(account_id=account.account_id, plan_key=term.plan_key, expected=expected)
    if plan is not None and plan.billing is not None and plan.billing.renewal_approval and not request.approved:
        raise ApprovalRequiredError(account_id=account.account_id, plan_key=term.plan_key, expected="approved")
    later = planned_end(endless, catalog, await billing_calendar(work, account, catalog), at=end)
    state = SubscriptionState.ACTIVE if subscription.state is SubscriptionState.CANCELED else subscription.state
    renewed = replace(held, cancel_time=None, subscription=replace(subscription, end_time=later, state=state))
    return replace(unchanged, after=renewed)

"""Trials that go on to be charged only if there is something to charge: with a payment method their plan follows them.

Else the plan that the trial names does. Which of both it is stands in the terms, so no job makes it happen; a method
that comes or goes while the trial runs writes them anew.
"""

from dataclasses import replace

from tallygate.control_plane.chargeable import can_be_charged, converts_if_paid
from tallygate.control_plane.proposals import Proposal
from tallygate.control_plane.subscription_changes import make
from tallygate.control_plane.subscription_terms import is_trialing, opening_terms
from tallygate.control_plane.subscriptions import live_ones
from tallygate.domain.account import Subscription
from tallygate.domain.catalog import Plan
from tallygate.records.ports import BillingWork


async def follow_methods(work: BillingWork, account_id: str, *, method: str, now: int) -> None:
    """Let the running trial of an account be followed by what its methods allow now; `method` is the call that asks.

    A plan that was chosen to follow it stays chosen.
    """
    held = (await live_ones(work, [account_id], now=now)).get(account_id)
    if held is None or not is_trialing(held.subscription, now):
        return
    subscription, catalog = held.subscription, await work.catalog.load()
    end, first = subscription.trial_end_time, subscription.terms[0]
    plan = catalog.plan(first.plan_key, first.plan_version)
    if plan is None or end is None or not converts_if_paid(plan) or not _as_opened(subscription, plan):
        return
    usable = await can_be_charged(work, account_id, at=end)
    other = catalog.plan(plan.trial.ends_in) if plan.trial is not None else None
    terms = opening_terms(plan, plan if usable or other is None else other, start=first.start_time, trial_end=end)
    if [term.plan_key for term in terms] == [term.plan_key for term in subscription.terms]:
        return  # a newer version of the plan that follows is whom `migrate` moves
    after = replace(held, subscription=replace(subscription, terms=terms))
    await make(work, Proposal(method=method, before=held, after=after, change_time=now))


def _as_opened(subscription: Subscription, plan: Plan) -> bool:
    """Whether nothing follows the trial but what its plan says."""
    later = subscription.terms[1:]
    own = plan.trial.ends_in if plan.trial is not None else ""
    return all(term.plan_key == own and term.start_time == subscription.trial_end_time for term in later)

"""Pauses: for a while a subscription grants nothing and is charged nothing, and then goes on as it was."""

from dataclasses import dataclass, replace

from tallygate.control_plane.proposals import Proposal, live
from tallygate.control_plane.subscription_terms import pause_at, state_at
from tallygate.domain.account import Pause, SubscriptionState
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.fields import check_instant
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork

_MOST = 100
"""Pauses of one subscription: all of them are part of its account's record."""
_PAUSABLE = {SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSubscription:
    """A pause from now on, until `resume_time` or, None, until it is resumed."""

    account_id: str
    resume_time: int | None = None


async def proposed_pause(work: BillingWork, request: PauseSubscription, *, now: int) -> Proposal:
    """The live subscription paused from now on; of one that is paused already only the end changes.

    Raises:
        SubscriptionNotFoundError: there is none.
        SubscriptionConflictError: it is on trial, cancelled, suspended or incomplete, or was paused too often.
    """
    held = await live(work, await known_account(work, request.account_id), now)
    subscription = held.subscription
    if request.resume_time is not None:
        check_instant("resume_time", request.resume_time, after=now)
    running = pause_at(subscription, now)
    if running is not None:
        pauses = (*subscription.pauses[:-1], replace(running, end_time=request.resume_time))
    else:
        state = state_at(subscription, now)
        if state not in _PAUSABLE or subscription.start_time > now:
            expected = "one that has begun, and is active or past due"
            raise SubscriptionConflictError(account_id=request.account_id, state=state, expected=expected)
        if len(subscription.pauses) >= _MOST:
            raise SubscriptionConflictError(account_id=request.account_id, expected=f"at most {_MOST} pauses")
        pauses = (*subscription.pauses, Pause(start_time=now, end_time=request.resume_time))
    after = replace(held, subscription=replace(subscription, pauses=pauses))
    return Proposal(method="PauseSubscription", before=held, after=after, change_time=now)


async def proposed_resumption(work: BillingWork, account_id: str, *, now: int) -> Proposal:
    """The live subscription going on from now on.

    Raises:
        SubscriptionNotFoundError: there is none.
        SubscriptionConflictError: it is not paused.
    """
    held = await live(work, await known_account(work, account_id), now)
    subscription = held.subscription
    running = pause_at(subscription, now)
    if running is None:
        state = state_at(subscription, now)
        raise SubscriptionConflictError(account_id=account_id, state=state, expected="a paused subscription")
    before = subscription.pauses[:-1]
    pauses = (*before, replace(running, end_time=now)) if running.start_time < now else before
    after = replace(held, subscription=replace(subscription, pauses=pauses))
    return Proposal(method="ResumeSubscription", before=held, after=after, change_time=now)

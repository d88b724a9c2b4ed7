"""Changes of the live subscription: plan, add-ons, trial, end and state."""

from dataclasses import replace

from tallygate.control_plane.advance import move_advance
from tallygate.control_plane.period_ends import given_end
from tallygate.control_plane.proposals import (
    CancelSubscription,
    ChangePlan,
    Proposal,
    SetAddOn,
    live,
    proposed_add_on,
    proposed_end,
    proposed_plan,
)
from tallygate.control_plane.renewals import RenewSubscription, proposed_renewal
from tallygate.control_plane.subscription_terms import ends_by_plan, is_trialing, with_trial_until
from tallygate.domain.account import SubscriptionState
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.subscription_errors import SubscriptionConflictError
from tallygate.records.fields import check_instant
from tallygate.records.history import SubscriptionChange
from tallygate.records.lookup import known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork, UnitOfWork
from tallygate.records.values import StoredSubscription

_STATES = SubscriptionState
_SETTABLE = (_STATES.INCOMPLETE, _STATES.ACTIVE, _STATES.PAST_DUE, _STATES.SUSPENDED)


async def change_plan(work: BillingWork, request: ChangePlan, *, now: int) -> StoredSubscription:
    """Move the live subscription to another plan; what was to come before no longer comes."""
    return await make(work, await proposed_plan(work, request, now=now))


async def set_add_on(work: BillingWork, request: SetAddOn, *, now: int) -> StoredSubscription:
    """Hold an add-on in some quantity from now on."""
    return await make(work, await proposed_add_on(work, request, now=now))


async def cancel_subscription(work: BillingWork, request: CancelSubscription, *, now: int) -> StoredSubscription:
    """Give the live subscription an end; until then it grants as before. One that grants nothing ends at once."""
    return await make(work, await proposed_end(work, request, now=now))


async def extend_trial(work: BillingWork, account_id: str, trial_end_time: int, *, now: int) -> StoredSubscription:
    """Move the end of a running trial: later, or earlier down to now.

    Raises:
        SubscriptionConflictError: it is not on trial.
    """
    held = await live(work, await known_account(work, account_id), now)
    subscription = held.subscription
    if not is_trialing(subscription, now):
        raise SubscriptionConflictError(account_id=account_id, expected="a running trial")
    end = check_instant("trial_end_time", trial_end_time, least=max(now, subscription.start_time))
    moved, catalog = with_trial_until(subscription, end), await work.catalog.load()
    if held.cancel_time is None and ends_by_plan(subscription, catalog, now):
        moved = replace(moved, end_time=await given_end(work, account_id, moved, at=now))
    after = await move_advance(work, held, replace(held, subscription=moved))
    return await make(work, Proposal(method="ExtendTrial", before=held, after=after, change_time=now))


async def extend_subscription(
    work: BillingWork, account_id: str, end_time: int | None, *, now: int
) -> StoredSubscription:
    """Move the end of the live subscription, None: without end; a cancellation is taken back."""
    held = await live(work, await known_account(work, account_id), now)
    subscription = held.subscription
    if end_time is not None:
        check_instant("end_time", end_time, after=max(now, subscription.start_time))
    state = SubscriptionState.ACTIVE if subscription.state is SubscriptionState.CANCELED else subscription.state
    after = replace(held, cancel_time=None, subscription=replace(subscription, end_time=end_time, state=state))
    return await make(work, Proposal(method="ExtendSubscription", before=held, after=after, change_time=now))


async def renew_subscription(work: BillingWork, request: RenewSubscription, *, now: int) -> StoredSubscription:
    """Give the live subscription another period from its end; a cancellation is taken back."""
    return await make(work, await proposed_renewal(work, request, now=now))


async def set_state(work: BillingWork, account_id: str, state: SubscriptionState, *, now: int) -> StoredSubscription:
    """Set the state that billing decides on; the others follow from the instants.

    Raises:
        InvalidFieldError: this one does.
        SubscriptionConflictError: it is cancelled.
    """
    if state not in _SETTABLE:
        expected = ", ".join(each.name for each in _SETTABLE)
        raise InvalidFieldError(field="state", expected=f"one of {expected}", got=state.name)
    held = await live(work, await known_account(work, account_id), now)
    if held.subscription.state is SubscriptionState.CANCELED:
        raise SubscriptionConflictError(account_id=account_id, state=held.subscription.state)
    after = replace(held, subscription=replace(held.subscription, state=state))
    return await make(work, Proposal(method="SetSubscriptionState", before=held, after=after, change_time=now))


async def make(work: UnitOfWork, proposal: Proposal) -> StoredSubscription:
    """Make a change, and note who made it; one that changes nothing writes nothing."""
    before, after = proposal.before, proposal.after
    if after.subscription != before.subscription:
        await work.subscriptions.put(after.account_id, after.subscription, cancel_time=after.cancel_time)
        subscription_id = after.subscription.subscription_id
        work.subscription_history.note(
            SubscriptionChange(
                account_id=after.account_id,
                subscription_id=subscription_id,
                method=proposal.method,
                before=before,
                after=after,
            )
        )
    return after


async def list_changes(work: UnitOfWork, account_id: str, page: PageRequest = FIRST_PAGE) -> Page[SubscriptionChange]:
    """The changes of an account's subscriptions, newest first.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    await known_account(work, account_id)
    return await newest_of(
        page,
        lambda before, limit: work.subscription_history.list(
            account_id, before=None if before is None else before[0], limit=limit
        ),
        lambda change: (change.sequence, change.subscription_id),
    )

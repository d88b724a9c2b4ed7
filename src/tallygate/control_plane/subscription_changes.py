"""Changes of the live subscription: plan, add-ons, trial, end and state."""

from dataclasses import dataclass, replace
from enum import StrEnum

from tallygate.control_plane.add_ons import AddOnChoice, check_add_on, known_add_on
from tallygate.control_plane.subscription_terms import (
    held_add_on,
    is_trialing,
    period_end,
    state_at,
    term_at,
    with_add_on,
    with_plan_from,
    with_trial_until,
    without_trial,
)
from tallygate.control_plane.subscriptions import live_ones
from tallygate.domain.account import Subscription, SubscriptionState
from tallygate.domain.errors import InvalidFieldError, SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.domain.instants import rfc3339
from tallygate.records.fields import check_instant, check_quantity
from tallygate.records.lookup import known_account, plan_on_sale
from tallygate.records.ports import UnitOfWork
from tallygate.records.values import Account, StoredSubscription

_STATES = SubscriptionState
_SETTABLE = (_STATES.INCOMPLETE, _STATES.ACTIVE, _STATES.PAST_DUE, _STATES.SUSPENDED)
_GRANTING_NOTHING = {_STATES.INCOMPLETE, _STATES.SUSPENDED}
_CHANGEABLE = {_STATES.TRIALING, _STATES.ACTIVE, _STATES.PAST_DUE}


class When(StrEnum):
    """When a change takes effect: at once, when the billing period (or the trial) ends, or at a given instant."""

    NOW = "now"
    PERIOD_END = "period_end"
    AT = "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """A change to another plan (or version), NOW or at PERIOD_END; NOW ends a trial."""

    account_id: str
    plan_key: str
    plan_version: int | None = None
    when: When = When.NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAddOn:
    """The quantity of an add-on to hold from now on; zero removes it, None leaves it and is one where none is held."""

    account_id: str
    add_on_key: str
    quantity: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """An end for the live subscription, which grants until then; `end_time` goes with AT."""

    account_id: str
    when: When = When.NOW
    end_time: int | None = None


async def change_plan(work: UnitOfWork, request: ChangePlan, *, now: int) -> StoredSubscription:
    """Move the live subscription to another plan; what was to come before no longer comes."""
    account = await known_account(work, request.account_id)
    plan = plan_on_sale(await work.catalog.load(), request.plan_key, request.plan_version)
    held = await _changeable(work, account, now)
    live = held.subscription
    if request.when is When.AT:
        raise InvalidFieldError(field="when", expected="now or period_end", got=request.when)
    if request.when is When.PERIOD_END:
        return await _put(work, held, with_plan_from(live, plan, await _period_end(work, account, live, now)))
    return await _put(work, held, with_plan_from(without_trial(live, now), plan, max(now, live.start_time)))


async def set_add_on(work: UnitOfWork, request: SetAddOn, *, now: int) -> StoredSubscription:
    """Hold an add-on in some quantity from now on."""
    account = await known_account(work, request.account_id)
    catalog = await work.catalog.load()
    held = await _changeable(work, account, now)
    live, start = held.subscription, max(now, held.subscription.start_time)
    before = held_add_on(live, request.add_on_key, start)
    kept = 1 if before is None else before.quantity
    quantity = kept if request.quantity is None else check_quantity("quantity", request.quantity)
    if quantity == 0:
        known_add_on(catalog, request.add_on_key)
        return held if before is None else await _put(work, held, with_add_on(live, request.add_on_key, 0, 0, start))
    choice = AddOnChoice(add_on_key=request.add_on_key, quantity=quantity, version=request.version)
    add_on = check_add_on(catalog, term_at(live, now).plan_key, choice)
    if before is not None and (before.quantity, before.version) == (quantity, add_on.version):
        return held
    return await _put(work, held, with_add_on(live, request.add_on_key, add_on.version, quantity, start))


async def cancel_subscription(work: UnitOfWork, request: CancelSubscription, *, now: int) -> StoredSubscription:
    """Give the live subscription an end; until then it grants as before. One that grants nothing ends at once.

    An end that it has already never moves later by this.
    """
    account = await known_account(work, request.account_id)
    held = await _live(work, account, now)
    live, end = held.subscription, now
    if request.when is When.PERIOD_END:
        end = await _period_end(work, account, live, now)
        end = end if live.end_time is None else min(end, live.end_time)
    elif request.when is When.AT:
        end = check_instant("end_time", request.end_time or 0, least=now)
        if live.end_time is not None and end > live.end_time:
            expected = "not after the present end; ExtendSubscription moves that"
            raise InvalidFieldError(field="end_time", expected=expected, got=rfc3339(end))
    present = state_at(live, now)
    if present in _GRANTING_NOTHING:
        end = now
    # One that never granted anything stays known as that: it laid down no usage period, and its trial was not had.
    state = present if present is SubscriptionState.INCOMPLETE else SubscriptionState.CANCELED
    canceled = replace(live, state=state, end_time=end)
    return await _put(work, replace(held, cancel_time=held.cancel_time or now), canceled)


async def extend_trial(work: UnitOfWork, account_id: str, trial_end_time: int, *, now: int) -> StoredSubscription:
    """Move the end of a running trial: later, or earlier down to now.

    Raises:
        SubscriptionConflictError: it is not on trial.
    """
    held = await _live(work, await known_account(work, account_id), now)
    live = held.subscription
    if not is_trialing(live, now):
        raise SubscriptionConflictError(account_id=account_id, expected="a running trial")
    end = check_instant("trial_end_time", trial_end_time, least=max(now, live.start_time))
    return await _put(work, held, with_trial_until(live, end))


async def extend_subscription(
    work: UnitOfWork, account_id: str, end_time: int | None, *, now: int
) -> StoredSubscription:
    """Move the end of the live subscription, None: without end; a cancellation is taken back."""
    held = await _live(work, await known_account(work, account_id), now)
    live = held.subscription
    if end_time is not None:
        check_instant("end_time", end_time, after=max(now, live.start_time))
    state = SubscriptionState.ACTIVE if live.state is SubscriptionState.CANCELED else live.state
    return await _put(work, replace(held, cancel_time=None), replace(live, end_time=end_time, state=state))


async def set_state(work: UnitOfWork, account_id: str, state: SubscriptionState, *, now: int) -> StoredSubscription:
    """Set the state that billing decides on; the others follow from the instants.

    Raises:
        InvalidFieldError: this one does.
        SubscriptionConflictError: it is cancelled.
    """
    if state not in _SETTABLE:
        expected = ", ".join(each.name for each in _SETTABLE)
        raise InvalidFieldError(field="state", expected=f"one of {expected}", got=state.name)
    held = await _live(work, await known_account(work, account_id), now)
    if held.subscription.state is SubscriptionState.CANCELED:
        raise SubscriptionConflictError(account_id=account_id, state=held.subscription.state)
    if held.subscription.state is state:
        return held
    return await _put(work, held, replace(held.subscription, state=state))


async def _put(work: UnitOfWork, held: StoredSubscription, changed: Subscription) -> StoredSubscription:
    if changed != held.subscription:
        await work.subscriptions.put(held.account_id, changed, cancel_time=held.cancel_time)
    return replace(held, subscription=changed)


async def _live(work: UnitOfWork, account: Account, now: int) -> StoredSubscription:
    held = (await live_ones(work, [account.account_id], now=now)).get(account.account_id)
    if held is None:
        raise SubscriptionNotFoundError(account_id=account.account_id)
    return held


async def _changeable(work: UnitOfWork, account: Account, now: int) -> StoredSubscription:
    held = await _live(work, account, now)
    state = state_at(held.subscription, now)
    if state not in _CHANGEABLE:
        raise SubscriptionConflictError(account_id=account.account_id, state=state)
    return held


async def _period_end(work: UnitOfWork, account: Account, live: Subscription, now: int) -> int:
    catalog, term = await work.catalog.load(), term_at(live, now)
    plan = catalog.plan(term.plan_key, term.plan_version)
    return period_end(live, plan, zone=account.time_zone or catalog.time_zone, now=now)

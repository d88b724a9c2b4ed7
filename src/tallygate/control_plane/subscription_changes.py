"""Changes of the live subscription: plan, add-ons, trial, end and standing."""

from dataclasses import dataclass, replace
from enum import StrEnum

from tallygate.control_plane.fields import check_instant, check_quantity
from tallygate.control_plane.lookup import account_record, plan_on_sale
from tallygate.control_plane.ports import UnitOfWork
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
from tallygate.control_plane.subscriptions import live_subscription
from tallygate.domain.account import AccountRecord, Subscription, SubscriptionState
from tallygate.domain.catalog import AddOn, Catalog
from tallygate.domain.errors import (
    AddOnNotFoundError,
    InvalidFieldError,
    SubscriptionConflictError,
    SubscriptionNotFoundError,
)

_STATES = SubscriptionState
_SETTABLE = {
    _STATES.INCOMPLETE: {_STATES.ACTIVE},
    _STATES.TRIALING: {_STATES.PAST_DUE, _STATES.SUSPENDED},
    _STATES.ACTIVE: {_STATES.PAST_DUE, _STATES.SUSPENDED},
    _STATES.PAST_DUE: {_STATES.ACTIVE, _STATES.SUSPENDED},
    _STATES.SUSPENDED: {_STATES.ACTIVE, _STATES.PAST_DUE},
    _STATES.CANCELED: set[SubscriptionState](),
    _STATES.EXPIRED: set[SubscriptionState](),
}
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
    """The quantity of an add-on to hold from now on; zero removes it."""

    account_id: str
    add_on_key: str
    quantity: int = 1
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """An end for the live subscription, which grants until then; `at_time` goes with AT."""

    account_id: str
    when: When = When.NOW
    at_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendSubscription:
    """A later end, of the trial or of the subscription."""

    account_id: str
    trial_end_time: int | None = None
    end_time: int | None = None


async def change_plan(work: UnitOfWork, request: ChangePlan, *, now: int) -> Subscription:
    """Move the live subscription to another plan; what was to come before no longer comes."""
    record = await account_record(work, request.account_id)
    catalog = await work.catalog.load()
    plan = plan_on_sale(catalog, request.plan_key, request.plan_version)
    live = _changeable(record, now)
    if request.when is When.AT:
        raise InvalidFieldError(field="when", expected="now or period_end", got=request.when)
    if request.when is When.PERIOD_END:
        return await _put(work, request.account_id, with_plan_from(live, plan, _period_end(catalog, record, live, now)))
    changed = with_plan_from(without_trial(live, now), plan, max(now, live.start_time))
    return await _put(work, request.account_id, changed)


async def set_add_on(work: UnitOfWork, request: SetAddOn, *, now: int) -> Subscription:
    """Hold an add-on in some quantity from now on."""
    record = await account_record(work, request.account_id)
    catalog = await work.catalog.load()
    live = _changeable(record, now)
    check_quantity("quantity", request.quantity)
    held = held_add_on(live, request.add_on_key, now)
    if request.quantity == 0:
        if held is None:
            raise AddOnNotFoundError(account_id=request.account_id, add_on_key=request.add_on_key)
        return await _put(work, request.account_id, with_add_on(live, request.add_on_key, held.version, 0, now))
    add_on = _add_on(catalog, request.add_on_key, request.version)
    _check_offer(add_on, term_at(live, now).plan_key, request.quantity)
    if held is not None and (held.quantity, held.version) == (request.quantity, add_on.version):
        return live
    changed = with_add_on(live, request.add_on_key, add_on.version, request.quantity, now)
    return await _put(work, request.account_id, changed)


async def cancel_subscription(work: UnitOfWork, request: CancelSubscription, *, now: int) -> Subscription:
    """Give the live subscription an end; until then it grants as before. One that grants nothing ends at once."""
    record = await account_record(work, request.account_id)
    live = _required(record, now)
    end = now
    if request.when is When.PERIOD_END:
        end = _period_end(await work.catalog.load(), record, live, now)
    elif request.when is When.AT:
        end = check_instant("at_time", request.at_time or 0, after=now)
    if state_at(live, now) in _GRANTING_NOTHING:
        end = now
    end = max(end, live.start_time)
    return await _put(work, request.account_id, replace(live, state=SubscriptionState.CANCELED, end_time=end))


async def extend_subscription(work: UnitOfWork, request: ExtendSubscription, *, now: int) -> Subscription:
    """Move the end of a running trial, or the end of a subscription that has one, to later."""
    record = await account_record(work, request.account_id)
    live = _required(record, now)
    if request.trial_end_time is None and request.end_time is None:
        raise InvalidFieldError(field="end_time", expected="a later end of the trial or of the subscription")
    if request.trial_end_time is not None:
        if not is_trialing(live, now):
            raise SubscriptionConflictError(account_id=request.account_id, expected="a running trial")
        later = check_instant("trial_end_time", request.trial_end_time, after=live.trial_end_time or now)
        live = with_trial_until(live, later)
    if request.end_time is not None:
        if live.end_time is None:
            raise SubscriptionConflictError(account_id=request.account_id, expected="a subscription that ends")
        live = replace(live, end_time=check_instant("end_time", request.end_time, after=live.end_time))
    return await _put(work, request.account_id, live)


async def set_state(work: UnitOfWork, account_id: str, state: SubscriptionState, *, now: int) -> Subscription:
    """Mark the live subscription active, past due or suspended.

    Raises:
        SubscriptionConflictError: its state does not lead there.
    """
    live = _required(await account_record(work, account_id), now)
    standing = state_at(live, now)
    if state is standing:
        return live
    if state not in _SETTABLE[standing]:
        raise SubscriptionConflictError(account_id=account_id, state=standing, wanted=state)
    return await _put(work, account_id, replace(live, state=state))


async def _put(work: UnitOfWork, account_id: str, subscription: Subscription) -> Subscription:
    await work.subscriptions.put(account_id, subscription)
    return subscription


def _required(record: AccountRecord, now: int) -> Subscription:
    live = live_subscription(record, now)
    if live is None:
        raise SubscriptionNotFoundError(account_id=record.account_id)
    return live


def _changeable(record: AccountRecord, now: int) -> Subscription:
    live = _required(record, now)
    standing = state_at(live, now)
    if standing not in _CHANGEABLE:
        raise SubscriptionConflictError(account_id=record.account_id, state=standing)
    return live


def _period_end(catalog: Catalog, record: AccountRecord, live: Subscription, now: int) -> int:
    term = term_at(live, now)
    plan = catalog.plan(term.plan_key, term.plan_version)
    return period_end(live, plan, zone=record.time_zone or catalog.time_zone, now=now)


def _add_on(catalog: Catalog, add_on_key: str, version: int | None) -> AddOn:
    add_on = catalog.add_on(add_on_key, version)
    if add_on is None or add_on.archived:
        raise AddOnNotFoundError(add_on_key=add_on_key, **({} if version is None else {"version": version}))
    return add_on


def _check_offer(add_on: AddOn, plan_key: str, quantity: int) -> None:
    if add_on.offered_on and plan_key not in add_on.offered_on:
        offered = ", ".join(add_on.offered_on)
        raise SubscriptionConflictError(add_on_key=add_on.add_on_key, plan_key=plan_key, expected=f"one of {offered}")
    if add_on.max_quantity is not None and quantity > add_on.max_quantity:
        raise InvalidFieldError(field="quantity", expected=f"at most {add_on.max_quantity}", got=quantity)

"""Changes of the live subscription before they are made: the subscription before and after, read and checked only.

Whoever makes a change and whoever only shows what it would cost ask the same functions.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from tallygate.control_plane.add_ons import AddOnChoice, check_add_on, known_add_on
from tallygate.control_plane.period_ends import given_end, running_period_end
from tallygate.control_plane.subscription_terms import (
    ends_by_plan,
    held_add_on,
    is_trialing,
    renewal_of,
    state_at,
    term_at,
    with_add_on,
    with_plan_from,
    without_trial,
)
from tallygate.control_plane.subscriptions import live_ones
from tallygate.domain.account import ChangeProration, Subscription, SubscriptionState
from tallygate.domain.billing.recurring_rate import is_lower, per_30_days
from tallygate.domain.billing.runs import billing_rule
from tallygate.domain.billing.timeline import QuantityChange
from tallygate.domain.billing_terms import Renewal
from tallygate.domain.catalog import FeatureKind, Plan
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.instants import rfc3339
from tallygate.domain.product_errors import UsagePlanKeptError
from tallygate.domain.subscription_errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.fields import check_instant, check_quantity
from tallygate.records.lookup import feature_of, known_account, plan_on_sale
from tallygate.records.ports import BillingWork
from tallygate.records.values import Account, StoredSubscription, SubscriptionQuery

_GRANTING_NOTHING = {SubscriptionState.INCOMPLETE, SubscriptionState.SUSPENDED}
_EXPECTED = "one that is active, on trial or past due; a cancellation is taken back by ExtendSubscription"
_CHANGEABLE = {SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE}


class When(StrEnum):
    """When a change takes effect: at once, when the billing period (or the trial) ends, or at a given instant."""

    NOW = "now"
    PERIOD_END = "period_end"
    AT = "at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """A change to another plan (or version), NOW or at PERIOD_END; NOW ends a trial.

    Without `when` it is NOW, but for a downgrade, to lower recurring fees, PERIOD_END. What a plan names among its
    upgrades is no downgrade, whatever it costs.
    """

    account_id: str
    plan_key: str
    plan_version: int | None = None
    when: When | None = None
    proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAddOn:
    """The quantity of an add-on to hold from now on; zero removes it, None leaves it and is one where none is held."""

    account_id: str
    add_on_key: str
    quantity: int | None = None
    version: int | None = None
    proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """An end for the live subscription, which grants until then; `end_time` goes with AT."""

    account_id: str
    when: When = When.NOW
    end_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change that was not made yet: the subscription before and after it, and the instant from which on it shows.

    `method` is the call that asks for it; `quantity` is of seats or users, where it is they that change.
    """

    method: str
    before: StoredSubscription
    after: StoredSubscription
    change_time: int
    quantity: QuantityChange | None = None


async def proposed_plan(work: BillingWork, request: ChangePlan, *, now: int) -> Proposal:
    """The live subscription moved to another plan; what was to come before no longer comes."""
    account = await known_account(work, request.account_id)
    plan = plan_on_sale(await work.catalog.load(), request.plan_key, request.plan_version)
    held = await changeable(work, account, now)
    subscription = held.subscription
    await _check_kept(work, held, plan, now)
    when = request.when or await _usual_time(work, held, plan, now)
    if when is When.AT:
        raise InvalidFieldError(field="when", expected="now or period_end", got=when)
    if when is When.PERIOD_END:
        at = await running_period_end(work, account, subscription, now=now)
    else:
        at, subscription = max(now, subscription.start_time), without_trial(subscription, now)
        await _check_proration(work, subscription, plan, request.proration, now)
    changed = with_plan_from(subscription, plan, at, proration=request.proration)
    if held.cancel_time is None:
        changed = replace(changed, end_time=await _new_end(work, held, changed, now=now, at=at))
    return _proposal("ChangePlan", held, changed, at)


async def proposed_add_on(work: BillingWork, request: SetAddOn, *, now: int) -> Proposal:
    """The live subscription holding an add-on in some quantity from now on."""
    account = await known_account(work, request.account_id)
    catalog = await work.catalog.load()
    held = await changeable(work, account, now)
    live, start = held.subscription, max(now, held.subscription.start_time)
    before = held_add_on(live, request.add_on_key, start)
    kept = 1 if before is None else before.quantity
    quantity = kept if request.quantity is None else check_quantity("quantity", request.quantity)
    if quantity == 0:
        known_add_on(catalog, request.add_on_key)
        key, how = request.add_on_key, request.proration
        without = live if before is None else with_add_on(live, key, 0, 0, start, proration=how)
        return _proposal("SetAddOn", held, without, start)
    choice = AddOnChoice(add_on_key=request.add_on_key, quantity=quantity, version=request.version)
    add_on = check_add_on(catalog, term_at(live, now).plan_key, choice)
    if before is not None and (before.quantity, before.version) == (quantity, add_on.version):
        return _proposal("SetAddOn", held, live, start)
    after = with_add_on(live, request.add_on_key, add_on.version, quantity, start, proration=request.proration)
    return _proposal("SetAddOn", held, after, start)


async def proposed_end(work: BillingWork, request: CancelSubscription, *, now: int) -> Proposal:
    """The live subscription with an end; until then it grants as before. One that grants nothing ends at once.

    An end that it has already never moves later by this.
    """
    account = await known_account(work, request.account_id)
    held = await live(work, account, now)
    end = await _end(work, account, held.subscription, request, now)
    present = state_at(held.subscription, now)
    if present in _GRANTING_NOTHING:
        end = now
    # One that never granted anything stays known as that: it laid down no usage period, and its trial was not had.
    state = present if present is SubscriptionState.INCOMPLETE else SubscriptionState.CANCELED
    canceled = replace(held.subscription, state=state, end_time=end)
    proposal = _proposal("CancelSubscription", held, canceled, end)
    return replace(proposal, after=replace(proposal.after, cancel_time=held.cancel_time or now))


async def proposed_quantity(
    work: BillingWork, account_id: str, feature_key: str, quantity: int, *, proration: ChangeProration, now: int
) -> Proposal:
    """The live subscription with so many seats of a feature, or where none is named so many users, from now on.

    Raises:
        FeatureNotFoundError: there is no such feature.
        InvalidFieldError: it has no seats.
    """
    account = await known_account(work, account_id)
    if feature_key:
        feature = feature_of(await work.catalog.load(), feature_key)
        if feature.kind is not FeatureKind.SEAT:
            raise InvalidFieldError(field="feature_key", expected="a seat feature", got=feature_key)
    held = await changeable(work, account, now)
    change = QuantityChange(source=feature_key, change_time=now, quantity=quantity, proration=proration)
    method = "AssignSeat" if feature_key else "AddUsers"
    return Proposal(method=method, before=held, after=held, change_time=now, quantity=change)


async def live(work: BillingWork, account: Account, now: int) -> StoredSubscription:
    """The live subscription of an account.

    Raises:
        SubscriptionNotFoundError: there is none.
    """
    held = (await live_ones(work, [account.account_id], now=now)).get(account.account_id)
    if held is None:
        raise SubscriptionNotFoundError(account_id=account.account_id, **await _ended(work, account, now))
    return held


async def _ended(work: BillingWork, account: Account, now: int) -> dict[str, str]:
    """What to say of an account without a live subscription that had one."""
    last = await work.subscriptions.list(SubscriptionQuery(now=now, limit=1, account_ids=[account.account_id]))
    end = last[0].subscription.end_time if last else None
    return {} if end is None else {"expected": "a live one", "ended": rfc3339(end)}


async def changeable(work: BillingWork, account: Account, now: int) -> StoredSubscription:
    """The live subscription of an account, where what it holds may change.

    Raises:
        SubscriptionNotFoundError: there is none.
        SubscriptionConflictError: it is cancelled, suspended or incomplete.
    """
    held = await live(work, account, now)
    state = state_at(held.subscription, now)
    if state not in _CHANGEABLE:
        raise SubscriptionConflictError(account_id=account.account_id, state=state, expected=_EXPECTED)
    return held


def _proposal(method: str, held: StoredSubscription, changed: Subscription, at: int) -> Proposal:
    return Proposal(method=method, before=held, after=replace(held, subscription=changed), change_time=at)


async def _new_end(
    work: BillingWork, held: StoredSubscription, after: Subscription, *, now: int, at: int
) -> int | None:
    """The end after a change of plan: an end that the old plan gave goes, and the new plan's comes."""
    before, catalog = held.subscription, await work.catalog.load()
    if before.end_time is not None:
        if not ends_by_plan(before, catalog, now):
            return before.end_time
        serving = after.terms[-1]
        renewed = renewal_of(catalog.plan(serving.plan_key, serving.plan_version)) is not Renewal.AUTO
        if renewed and before.end_time <= at and not is_trialing(before, now):
            return before.end_time  # the new plan is what the next renewal gives
    return await given_end(work, held.account_id, after, at=at)


async def _end(work: BillingWork, account: Account, held: Subscription, request: CancelSubscription, now: int) -> int:
    if request.when is When.PERIOD_END:
        end = await running_period_end(work, account, held, now=now)
        return end if held.end_time is None else min(end, held.end_time)
    if request.when is When.NOW:
        return now
    end = check_instant("end_time", request.end_time or 0, least=now)
    if held.end_time is not None and end > held.end_time:
        expected = "not after the present end; ExtendSubscription moves that"
        raise InvalidFieldError(field="end_time", expected=expected, got=rfc3339(end))
    return end


async def _usual_time(work: BillingWork, held: StoredSubscription, plan: Plan, now: int) -> When:
    """At once, but at the period's end for a downgrade; what the plan names among its upgrades is none."""
    term = term_at(held.subscription, now)
    before = (await work.catalog.load()).plan(term.plan_key, term.plan_version)
    if before is None or plan.plan_key in before.upgrades_to:
        return When.NOW
    quantities = {change.source: change.quantity for change in await work.quantities.of(held.account_id)}
    for source, booked in held.subscription.booked_at(now).items():
        quantities[source] = max(booked, quantities.get(source, 0))
    lower = is_lower(per_30_days(plan.prices, quantities), per_30_days(before.prices, quantities))
    return When.PERIOD_END if lower else When.NOW


async def _check_kept(work: BillingWork, held: StoredSubscription, plan: Plan, now: int) -> None:
    """A plan that charges for usage has no downgrade, now or later: only its own versions, and its upgrades."""
    term = term_at(held.subscription, now)
    before = (await work.catalog.load()).plan(term.plan_key, term.plan_version)
    if before is not None and before.usage_based and plan.plan_key not in {before.plan_key, *before.upgrades_to}:
        expected = "a plan among its upgrades, or CancelSubscription"
        raise UsagePlanKeptError(account_id=held.account_id, plan_key=before.plan_key, expected=expected)


async def _check_proration(
    work: BillingWork, held: Subscription, plan: Plan, proration: ChangeProration, now: int
) -> None:
    """Without proration the running invoice period goes on to its end, so the new plan must be invoiced alike."""
    term = term_at(held, now)
    before = (await work.catalog.load()).plan(term.plan_key, term.plan_version)
    if proration is ChangeProration.NONE and billing_rule(before) != billing_rule(plan):
        expected = "prorate, or when: period_end, as the plan is invoiced by other periods"
        raise InvalidFieldError(field="proration", expected=expected, got=proration)

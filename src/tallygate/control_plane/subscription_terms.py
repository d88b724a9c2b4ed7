"""How a subscription changes: pure steps from value to value.

Nothing here happens later: what is to come is written down as terms and instants, and read at its time.
"""

from dataclasses import replace

from tallygate.domain.account import AddOnHolding, ChangeProration, Pause, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing_terms import Renewal
from tallygate.domain.catalog import Catalog, Plan, TrialEnd
from tallygate.domain.period import Anchor, PeriodRule, usage_period
from tallygate.records.values import StoredSubscription

DAY = 86_400_000_000
_RUNNING = {SubscriptionState.TRIALING, SubscriptionState.ACTIVE}
_STOPPED_BY_PAUSES = {*_RUNNING, SubscriptionState.PAST_DUE, SubscriptionState.CANCELED}


def state_at(subscription: Subscription, now: int) -> SubscriptionState:
    """The state as it reads at an instant: trials and ends come by themselves."""
    if subscription.end_time is not None and subscription.end_time <= now:
        return SubscriptionState.EXPIRED
    if subscription.state in _STOPPED_BY_PAUSES and pause_at(subscription, now) is not None:
        return SubscriptionState.SUSPENDED
    if subscription.state in _RUNNING:
        return SubscriptionState.TRIALING if is_trialing(subscription, now) else SubscriptionState.ACTIVE
    return subscription.state


def pause_at(subscription: Subscription, now: int) -> Pause | None:
    """The pause that an instant lies in."""
    return next((pause for pause in subscription.pauses if pause.holds(now)), None)


def is_trialing(subscription: Subscription, now: int) -> bool:
    """Whether the trial is still to end, whatever the state says."""
    return subscription.trial_end_time is not None and now < subscription.trial_end_time


def term_at(subscription: Subscription, now: int) -> PlanTerm:
    """The term in force at an instant; before any is the first one, and after the end the last one that was."""
    last = now if subscription.end_time is None else min(now, subscription.end_time - 1)
    serving = [term for term in subscription.terms if term.start_time <= last]
    return serving[-1] if serving else subscription.terms[0]


def as_it_will_be(held: StoredSubscription, catalog: Catalog) -> Subscription:
    """A subscription without the terms and bookings that its end keeps from coming, as what was to follow a cancelling.

    They are kept, for whoever takes the end back. What begins at an end that somebody may renew is what that gives.
    """
    subscription, end = held.subscription, held.subscription.end_time
    if end is None:
        return subscription
    beyond = term_at(replace(subscription, end_time=None), end)
    renewal = renewal_of(catalog.plan(beyond.plan_key, beyond.plan_version))
    limit = end if held.cancel_time is None and renewal is Renewal.REPEAT else end - 1
    first, *later = subscription.terms
    return replace(
        subscription,
        terms=(first, *(term for term in later if term.start_time <= limit)),
        bookings=tuple(booking for booking in subscription.bookings if booking.start_time <= limit),
    )


def had_trial(subscription: Subscription, plan_key: str) -> bool:
    """Whether it began with a trial of this plan, or where it is empty of any; none that never granted anything did."""
    begun = subscription.end_time is None or subscription.end_time >= subscription.start_time
    granted = begun and subscription.state is not SubscriptionState.INCOMPLETE
    return granted and subscription.trial_end_time is not None and plan_key in {"", subscription.terms[0].plan_key}


def opening_terms(plan: Plan, ends_in: Plan, *, start: int, trial_end: int | None) -> tuple[PlanTerm, ...]:
    """The terms of a new subscription: its plan, and where a trial ends in another one, that plan behind it."""
    first = PlanTerm(plan_key=plan.plan_key, plan_version=plan.version, start_time=start)
    if trial_end is None or ends_in.plan_key == plan.plan_key:
        return (first,)
    return first, PlanTerm(plan_key=ends_in.plan_key, plan_version=ends_in.version, start_time=trial_end)


def with_plan_from(
    subscription: Subscription, plan: Plan, at: int, *, proration: ChangeProration = ChangeProration.PRORATE
) -> Subscription:
    """The subscription with this plan from an instant on; what was to come after it no longer comes."""
    before = tuple(term for term in subscription.terms if term.start_time < at)
    term = PlanTerm(plan_key=plan.plan_key, plan_version=plan.version, start_time=at, proration=proration)
    return replace(subscription, terms=(*before, term))


def without_trial(subscription: Subscription, now: int) -> Subscription:
    """The subscription with its trial ended now; one that ends as it starts never was."""
    if not is_trialing(subscription, now):
        return subscription
    end = now if now > subscription.start_time else None
    return replace(subscription, trial_end_time=end, state=SubscriptionState.ACTIVE)


def renewal_of(plan: Plan | None) -> Renewal:
    """How a plan is renewed."""
    return Renewal.AUTO if plan is None or plan.billing is None else plan.billing.renewal


def is_only_told(subscription: Subscription, catalog: Catalog, at: int) -> bool:
    """Whether it is on a trial after which nothing serves."""
    first = subscription.terms[0]
    plan = catalog.plan(first.plan_key, first.plan_version)
    trial = plan.trial if plan is not None else None
    return is_trialing(subscription, at) and trial is not None and trial.on_end is TrialEnd.NOTIFY


def ends_by_plan(subscription: Subscription, catalog: Catalog, at: int) -> bool:
    """Whether the plan that serves at an instant gives it an end."""
    term = term_at(subscription, at)
    renewed = renewal_of(catalog.plan(term.plan_key, term.plan_version))
    return renewed is not Renewal.AUTO or is_only_told(subscription, catalog, at)


def planned_end(subscription: Subscription, catalog: Catalog, calendar: Calendar, *, at: int) -> int | None:
    """The end that its plan gives a subscription as it stands at an instant; None where it is renewed by itself.

    That of the trial, where nothing serves after it, else of the invoice period around the instant: the first one's,
    while a trial runs.
    """
    if is_only_told(subscription, catalog, at):
        return subscription.trial_end_time
    endless = replace(subscription, end_time=None)
    timeline = Timeline(subscription=endless, catalog=catalog)
    inside = max(at, timeline.origin)
    term = term_at(endless, inside)
    if renewal_of(catalog.plan(term.plan_key, term.plan_version)) is Renewal.AUTO:
        return None
    around = [run for run in runs(timeline, calendar) if run.start <= inside < run.end]
    return around[0].stretch(around[0].period(inside)).end if around else None


def with_version_from(subscription: Subscription, plan: Plan, at: int) -> Subscription:
    """The subscription with the plan's newest version wherever an older one would serve from an instant on."""
    ends = [*(term.start_time for term in subscription.terms[1:]), None]
    terms: list[PlanTerm] = []
    for term, end in zip(subscription.terms, ends, strict=True):
        later = term.start_time >= at
        newer = PlanTerm(
            plan_key=plan.plan_key,
            plan_version=plan.version,
            start_time=max(at, term.start_time),
            proration=term.proration if later else ChangeProration.PRORATE,
        )
        if term.plan_key != plan.plan_key or term.plan_version >= plan.version or (end is not None and end <= at):
            terms.append(term)
        elif later:
            terms.append(newer)
        else:
            terms += [term, newer]
    return replace(subscription, terms=tuple(terms))


def with_trial_until(subscription: Subscription, trial_end: int) -> Subscription:
    """The subscription with its trial, and the plan that follows it, moved to another end.

    A trial that ends as it starts never was, and neither was its plan.
    """
    moved = [
        replace(term, start_time=trial_end) if term.start_time == subscription.trial_end_time else term
        for term in subscription.terms
    ]
    starts = [*(term.start_time for term in moved[1:]), None]
    terms = tuple(term for term, end in zip(moved, starts, strict=True) if end is None or term.start_time < end)
    end = trial_end if trial_end > subscription.start_time else None
    return replace(subscription, trial_end_time=end, terms=terms)


def with_add_on(
    subscription: Subscription,
    add_on_key: str,
    version: int,
    quantity: int,
    now: int,
    *,
    proration: ChangeProration = ChangeProration.PRORATE,
) -> Subscription:
    """The subscription holding an add-on in this quantity from now on; zero ends it. What was held stays on record."""
    holdings: list[AddOnHolding] = []
    for holding in subscription.add_ons:
        if holding.add_on_key != add_on_key or (holding.end_time is not None and holding.end_time <= now):
            holdings.append(holding)
        elif holding.start_time < now:
            holdings.append(replace(holding, end_time=now, end_proration=proration))
    if quantity:
        holdings.append(
            AddOnHolding(add_on_key=add_on_key, version=version, quantity=quantity, start_time=now, proration=proration)
        )
    return replace(subscription, add_ons=tuple(holdings))


def held_add_on(subscription: Subscription, add_on_key: str, now: int) -> AddOnHolding | None:
    """How an add-on is held at an instant."""
    held = [
        holding
        for holding in subscription.add_ons
        if holding.add_on_key == add_on_key
        and holding.start_time <= now
        and (holding.end_time is None or now < holding.end_time)
    ]
    return held[-1] if held else None


def period_end(subscription: Subscription, plan: Plan | None, *, zone: str, now: int) -> int:
    """When the running period ends: the trial, else the billing period of the plan's recurring price.

    Billing periods are anchored to the subscription's start; a plan without a recurring price counts months.
    """
    if is_trialing(subscription, now) and subscription.trial_end_time is not None:
        return subscription.trial_end_time
    rule = _billing_rule(plan)
    return usage_period(rule, zone=zone, origin=subscription.start_time, at=max(now, subscription.start_time)).end


def _billing_rule(plan: Plan | None) -> PeriodRule:
    for price in plan.prices if plan is not None else ():
        if price.recurring is not None:
            return PeriodRule(every=price.recurring.every, count=price.recurring.count, anchor=Anchor.SUBSCRIPTION)
    return PeriodRule(anchor=Anchor.SUBSCRIPTION)

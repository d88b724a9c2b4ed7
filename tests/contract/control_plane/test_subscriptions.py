import asyncio

import pytest

from control_planes import DAY, NOW
from tallygate.control_plane.subscription_changes import (
    CancelSubscription,
    ChangePlan,
    ExtendSubscription,
    SetAddOn,
    When,
    cancel_subscription,
    change_plan,
    extend_subscription,
    set_add_on,
    set_state,
)
from tallygate.control_plane.subscriptions import (
    CreateSubscription,
    create_subscription,
    get_subscription,
    list_subscriptions,
)
from tallygate.domain.account import SubscriptionState
from tallygate.domain.errors import (
    AddOnNotFoundError,
    InvalidFieldError,
    SubscriptionConflictError,
    SubscriptionNotFoundError,
)
from tallygate.domain.period import PeriodUnit, add_calendar

S = SubscriptionState
NEXT_MONTH = add_calendar(NOW, PeriodUnit.MONTH, 1, zone="UTC")


@pytest.fixture
async def acme(plane):
    """An account without a subscription."""
    await plane.upsert("acme")
    return plane


async def create(plane, plan_key="pro", **options):
    request = CreateSubscription(account_id="acme", plan_key=plan_key, **options)
    return await plane.write(lambda work, now: create_subscription(work, request, now=now, new_id=plane.new_id))


async def run(plane, use_case, request):
    return await plane.write(lambda work, now: use_case(work, request, now=now))


async def current(plane):
    return await plane.read(lambda work, now: get_subscription(work, "acme", now=now))


def plans(subscription):
    return [(term.plan_key, term.start_time) for term in subscription.terms]


async def test_an_account_has_one_live_subscription(acme):
    await create(acme)
    with pytest.raises(SubscriptionConflictError):
        await create(acme, "enterprise")
    results = await asyncio.gather(*(create(acme) for _ in range(4)), return_exceptions=True)
    assert all(isinstance(result, SubscriptionConflictError) for result in results)


async def test_of_concurrent_creations_one_wins(acme):
    results = await asyncio.gather(*(create(acme) for _ in range(5)), return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert sum(isinstance(result, SubscriptionConflictError) for result in results) == 4


async def test_after_its_end_another_may_start_and_both_are_on_record(acme):
    first = await create(acme, end_time=NOW + DAY)
    acme.now += DAY
    assert (await current(acme)).state is S.EXPIRED
    second = await create(acme, "enterprise")
    assert (await current(acme)).subscription_id == second.subscription_id
    page = await acme.read(lambda work, now: list_subscriptions(work, "acme", now=now))
    assert [(item.subscription_id, item.state) for item in page.items] == [
        (first.subscription_id, S.EXPIRED),
        (second.subscription_id, S.ACTIVE),
    ]
    old = await acme.read(lambda work, now: get_subscription(work, "acme", first.subscription_id, now=now))
    assert old.end_time == NOW + DAY


async def test_a_trial_is_read_from_its_instants(acme):
    await create(acme, trial=True)
    assert (await current(acme)).state is S.TRIALING
    acme.now = NOW + 14 * DAY - 1
    assert (await current(acme)).state is S.TRIALING
    acme.now += 1
    assert (await current(acme)).state is S.ACTIVE
    assert plans(await current(acme)) == [("pro", NOW), ("free", NOW + 14 * DAY)]


async def test_a_plan_without_a_trial_has_none_to_start(acme):
    with pytest.raises(SubscriptionConflictError):
        await create(acme, "enterprise", trial=True)


async def test_changing_now_ends_the_trial(acme):
    await create(acme, trial=True)
    acme.now += DAY
    changed = await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="enterprise"))
    assert plans(changed) == [("pro", NOW), ("enterprise", NOW + DAY)]
    assert (changed.trial_end_time, changed.state) == (NOW + DAY, S.ACTIVE)


async def test_changing_at_the_very_start_replaces_the_plan(acme):
    await create(acme, trial=True)
    changed = await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free"))
    assert (plans(changed), changed.trial_end_time) == ([("free", NOW)], None)


async def test_changing_at_period_end_waits_for_it_and_for_a_trials(acme):
    await create(acme)
    acme.now += DAY
    request = ChangePlan(account_id="acme", plan_key="free", when=When.PERIOD_END)
    assert plans(await run(acme, change_plan, request)) == [("pro", NOW), ("free", NEXT_MONTH)]
    back = ChangePlan(account_id="acme", plan_key="enterprise", when=When.PERIOD_END)
    assert plans(await run(acme, change_plan, back)) == [("pro", NOW), ("enterprise", NEXT_MONTH)]


async def test_a_trials_period_ends_with_it(acme):
    await create(acme, trial=True)
    request = ChangePlan(account_id="acme", plan_key="enterprise", when=When.PERIOD_END)
    assert plans(await run(acme, change_plan, request)) == [("pro", NOW), ("enterprise", NOW + 14 * DAY)]


async def test_add_ons_are_held_in_a_quantity_from_now_on(acme):
    await create(acme)
    await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=2))
    acme.now += DAY
    await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=3))
    acme.now += DAY
    held = (await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=0))).add_ons
    assert [(h.quantity, h.start_time, h.end_time) for h in held] == [
        (2, NOW, NOW + DAY),
        (3, NOW + DAY, NOW + 2 * DAY),
    ]
    assert (await current(acme)).add_ons == held
    with pytest.raises(AddOnNotFoundError):
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=0))


async def test_add_ons_are_held_as_offered(acme):
    await create(acme, "enterprise")
    with pytest.raises(SubscriptionConflictError):
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack"))
    await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="pro"))
    with pytest.raises(InvalidFieldError):
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="sso-addon", quantity=2))
    with pytest.raises(AddOnNotFoundError):
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="nothing"))


async def test_canceling_grants_to_the_end(acme):
    await create(acme)
    acme.now += DAY
    request = CancelSubscription(account_id="acme", when=When.PERIOD_END)
    canceled = await run(acme, cancel_subscription, request)
    assert (canceled.state, canceled.end_time) == (S.CANCELED, NEXT_MONTH)
    with pytest.raises(SubscriptionConflictError):
        await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free"))
    acme.now = NEXT_MONTH
    assert (await current(acme)).state is S.EXPIRED
    with pytest.raises(SubscriptionNotFoundError):
        await run(acme, cancel_subscription, request)


async def test_canceling_what_grants_nothing_never_makes_it_grant(acme):
    await create(acme)
    await acme.write(lambda work, now: set_state(work, "acme", S.SUSPENDED, now=now))
    acme.now += DAY
    canceled = await run(acme, cancel_subscription, CancelSubscription(account_id="acme", when=When.PERIOD_END))
    assert canceled.end_time == NOW + DAY


async def test_canceling_at_an_instant(acme):
    await create(acme)
    request = CancelSubscription(account_id="acme", when=When.AT, at_time=NOW + 3 * DAY)
    assert (await run(acme, cancel_subscription, request)).end_time == NOW + 3 * DAY
    for wrong in (None, NOW - 1):
        request = CancelSubscription(account_id="acme", when=When.AT, at_time=wrong)
        with pytest.raises(InvalidFieldError):
            await run(acme, cancel_subscription, request)


async def test_extending_a_trial_moves_what_follows(acme):
    await create(acme, trial=True)
    request = ExtendSubscription(account_id="acme", trial_end_time=NOW + 20 * DAY)
    extended = await run(acme, extend_subscription, request)
    assert plans(extended) == [("pro", NOW), ("free", NOW + 20 * DAY)]
    acme.now = NOW + 20 * DAY
    with pytest.raises(SubscriptionConflictError):
        await run(acme, extend_subscription, ExtendSubscription(account_id="acme", trial_end_time=NOW + 30 * DAY))


async def test_extending_an_end_moves_it_later_only(acme):
    await create(acme, end_time=NOW + 5 * DAY)
    extended = await run(acme, extend_subscription, ExtendSubscription(account_id="acme", end_time=NOW + 9 * DAY))
    assert extended.end_time == NOW + 9 * DAY
    with pytest.raises(InvalidFieldError):
        await run(acme, extend_subscription, ExtendSubscription(account_id="acme", end_time=NOW + 6 * DAY))


@pytest.mark.parametrize(
    ("path", "legal"),
    [
        ([S.PAST_DUE, S.ACTIVE, S.SUSPENDED, S.PAST_DUE, S.SUSPENDED, S.ACTIVE], True),
        ([S.CANCELED], False),
        ([S.EXPIRED], False),
        ([S.INCOMPLETE], False),
    ],
)
async def test_states_follow_their_transitions(acme, path, legal):
    await create(acme)
    for state in path:
        if legal:
            moved = await acme.write(lambda work, now, state=state: set_state(work, "acme", state, now=now))
            assert moved.state is state
        else:
            with pytest.raises(SubscriptionConflictError):
                await acme.write(lambda work, now, state=state: set_state(work, "acme", state, now=now))


async def test_an_incomplete_subscription_becomes_active(acme):
    await create(acme, incomplete=True)
    assert (await current(acme)).state is S.INCOMPLETE
    await acme.write(lambda work, now: set_state(work, "acme", S.ACTIVE, now=now))
    assert (await current(acme)).state is S.ACTIVE

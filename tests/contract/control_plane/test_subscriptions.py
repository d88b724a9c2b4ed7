import asyncio
from dataclasses import replace

import pytest

from control_planes import DAY, NOW
from tallygate.control_plane.add_ons import AddOnChoice
from tallygate.control_plane.proposals import CancelSubscription, ChangePlan, SetAddOn, When
from tallygate.control_plane.subscription_changes import (
    cancel_subscription,
    change_plan,
    extend_subscription,
    extend_trial,
    set_add_on,
    set_state,
)
from tallygate.control_plane.subscription_terms import term_at
from tallygate.control_plane.subscriptions import (
    CreateSubscription,
    create_subscription,
    get_subscription,
    list_subscriptions,
)
from tallygate.domain.account import SubscriptionState
from tallygate.domain.catalog_errors import AddOnNotFoundError
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import PeriodUnit, add_calendar
from tallygate.domain.subscription_errors import SubscriptionConflictError, SubscriptionNotFoundError
from tallygate.records.paging import PageRequest

S = SubscriptionState
NEXT_MONTH = add_calendar(NOW, PeriodUnit.MONTH, 1, zone="UTC")


@pytest.fixture
async def acme(plane):
    """An account without a subscription."""
    await plane.upsert("acme")
    return plane


async def create(plane, plan_key="pro", *, trial=False, trial_days=0, **options):
    days = None if trial else trial_days
    request = CreateSubscription(account_id="acme", plan_key=plan_key, trial_days=days, **options)
    held = await plane.write(lambda work, now: create_subscription(work, request, now=now, new_id=plane.new_id))
    return held.subscription


async def held_after(plane, use_case, *request):
    """What an account holds after a use-case, which reads the same afterwards."""
    held = await plane.write(lambda work, now: use_case(work, *request, now=now))
    found = await plane.read(
        lambda work, now: get_subscription(work, "acme", held.subscription.subscription_id, now=now)
    )
    assert replace(found, subscription=held.subscription) == held
    assert replace(found.subscription, state=held.subscription.state) == held.subscription
    return held


async def run(plane, use_case, *request):
    return (await held_after(plane, use_case, *request)).subscription


async def current(plane, subscription_id=""):
    return (await plane.read(lambda work, now: get_subscription(work, "acme", subscription_id, now=now))).subscription


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
    with pytest.raises(SubscriptionNotFoundError):
        await current(acme)
    assert (await current(acme, first.subscription_id)).state is S.EXPIRED
    second = await create(acme, "enterprise")
    assert (await current(acme)).subscription_id == second.subscription_id
    page = await acme.read(lambda work, now: list_subscriptions(work, "acme", now=now))
    assert [(held.subscription.subscription_id, held.subscription.state) for held in page.items] == [
        (second.subscription_id, S.ACTIVE),
        (first.subscription_id, S.EXPIRED),
    ]
    assert (await current(acme, first.subscription_id)).end_time == NOW + DAY


async def test_a_trial_is_read_from_its_instants(acme):
    await create(acme, trial=True)
    assert (await current(acme)).state is S.TRIALING
    acme.now = NOW + 14 * DAY - 1
    assert (await current(acme)).state is S.TRIALING
    acme.now += 1
    assert (await current(acme)).state is S.ACTIVE
    assert plans(await current(acme)) == [("pro", NOW), ("free", NOW + 14 * DAY)]


async def test_a_trial_is_the_plans_or_as_long_as_is_said(acme):
    assert (await create(acme, "enterprise", trial=True)).trial_end_time is None
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    assert (await create(acme, "enterprise", trial_days=3)).trial_end_time == NOW + 3 * DAY
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    told = await create(acme, trial_days=3)
    assert (plans(told), told.state) == ([("pro", NOW), ("free", NOW + 3 * DAY)], S.TRIALING)
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    for wrong in (-1, 3_651):
        with pytest.raises(InvalidFieldError) as raised:
            await create(acme, trial_days=wrong)
        assert raised.value.metadata["field"] == "trial_days"


async def test_add_ons_come_with_a_subscription_from_its_start(acme):
    pack = AddOnChoice(add_on_key="api-pack", quantity=2)
    made = await create(acme, start_time=NOW + DAY, add_ons=[pack])
    assert [(h.add_on_key, h.quantity, h.start_time) for h in made.add_ons] == [("api-pack", 2, NOW + DAY)]
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    wrong = {
        "add_ons[1].add_on_key": [pack, pack],
        "add_ons[0].quantity": [AddOnChoice(add_on_key="sso-addon", quantity=2)],
    }
    for field, add_ons in wrong.items():
        with pytest.raises(InvalidFieldError) as raised:
            await create(acme, add_ons=add_ons)
        assert raised.value.metadata["field"] == field
    with pytest.raises(InvalidFieldError):
        await create(acme, "enterprise", add_ons=[pack])


async def test_changing_now_ends_the_trial(acme):
    await create(acme, trial=True)
    acme.now += DAY
    changed = await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="enterprise"))
    assert plans(changed) == [("pro", NOW), ("enterprise", NOW + DAY)]
    assert (changed.trial_end_time, changed.state) == (NOW + DAY, S.ACTIVE)


async def test_changing_at_the_very_start_replaces_the_plan(acme):
    await create(acme, trial=True)
    changed = await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free", when=When.NOW))
    assert (plans(changed), changed.trial_end_time) == ([("free", NOW)], None)


async def test_a_downgrade_waits_for_the_periods_end_unless_it_is_asked_for_at_once(acme):
    await create(acme)
    acme.now += DAY
    assert plans(await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free"))) == [
        ("pro", NOW),
        ("free", NEXT_MONTH),
    ]
    request = ChangePlan(account_id="acme", plan_key="free", when=When.NOW)
    assert plans(await run(acme, change_plan, request)) == [("pro", NOW), ("free", NOW + DAY)]
    assert plans(await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="pro"))) == [
        ("pro", NOW),
        ("pro", NOW + DAY),
    ]


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
    again = await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack", quantity=0))
    assert again.add_ons == held
    with pytest.raises(AddOnNotFoundError):
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="nothing", quantity=0))


async def test_add_ons_are_held_as_offered(acme):
    await create(acme, "enterprise")
    with pytest.raises(InvalidFieldError) as raised:
        await run(acme, set_add_on, SetAddOn(account_id="acme", add_on_key="api-pack"))
    assert raised.value.metadata["field"] == "add_on_key"
    await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="pro", when=When.NOW))
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
    assert (await current(acme, canceled.subscription_id)).state is S.EXPIRED
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
    request = CancelSubscription(account_id="acme", when=When.AT, end_time=NOW + 3 * DAY)
    assert (await run(acme, cancel_subscription, request)).end_time == NOW + 3 * DAY
    for wrong in (None, NOW - 1, NOW + 4 * DAY):
        request = CancelSubscription(account_id="acme", when=When.AT, end_time=wrong)
        with pytest.raises(InvalidFieldError) as raised:
            await run(acme, cancel_subscription, request)
        assert raised.value.metadata["field"] == "end_time"
    request = CancelSubscription(account_id="acme", when=When.PERIOD_END)
    assert (await run(acme, cancel_subscription, request)).end_time == NOW + 3 * DAY
    request = CancelSubscription(account_id="acme", when=When.AT, end_time=NOW)
    assert (await run(acme, cancel_subscription, request)).end_time == NOW
    with pytest.raises(SubscriptionNotFoundError):
        await current(acme)


async def test_it_is_known_when_a_subscription_was_created_and_cancelled(acme):
    await create(acme)
    acme.now += DAY
    request = CancelSubscription(account_id="acme", when=When.PERIOD_END)
    held = await held_after(acme, cancel_subscription, request)
    assert (held.create_time, held.cancel_time) == (NOW, NOW + DAY)
    acme.now += DAY
    sooner = CancelSubscription(account_id="acme", when=When.AT, end_time=NOW + 3 * DAY)
    held = await held_after(acme, cancel_subscription, sooner)
    assert (held.create_time, held.cancel_time) == (NOW, NOW + DAY)
    held = await held_after(acme, extend_subscription, "acme", None)
    assert (held.create_time, held.cancel_time, held.subscription.end_time) == (NOW, None, None)
    held = await held_after(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    assert held.cancel_time == NOW + 2 * DAY
    await create(acme)
    page = await acme.read(lambda work, now: list_subscriptions(work, "acme", now=now))
    assert [(each.create_time, each.cancel_time) for each in page.items] == [
        (NOW + 2 * DAY, None),
        (NOW, NOW + 2 * DAY),
    ]


async def test_one_that_has_not_started_is_live_and_ends_at_once_when_it_is_cancelled(acme):
    await create(acme, start_time=NOW + 5 * DAY)
    assert (await current(acme)).start_time == NOW + 5 * DAY
    canceled = await run(acme, cancel_subscription, CancelSubscription(account_id="acme"))
    assert canceled.end_time == NOW
    await create(acme)


async def test_after_its_end_a_subscription_shows_the_plan_that_served_last(acme):
    made = await create(acme)
    await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free", when=When.PERIOD_END))
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme", when=When.AT, end_time=NOW + DAY))
    acme.now = NEXT_MONTH + DAY
    assert term_at(await current(acme, made.subscription_id), acme.now).plan_key == "pro"


async def test_extending_a_trial_moves_what_follows(acme):
    await create(acme, trial=True)
    extended = await run(acme, extend_trial, "acme", NOW + 20 * DAY)
    assert plans(extended) == [("pro", NOW), ("free", NOW + 20 * DAY)]
    acme.now = NOW + 20 * DAY
    with pytest.raises(SubscriptionConflictError):
        await run(acme, extend_trial, "acme", NOW + 30 * DAY)


async def test_a_trial_may_end_earlier_down_to_now(acme):
    await create(acme, trial=True)
    acme.now += DAY
    with pytest.raises(InvalidFieldError) as raised:
        await run(acme, extend_trial, "acme", NOW + DAY - 1)
    assert raised.value.metadata["field"] == "trial_end_time"
    sooner = await run(acme, extend_trial, "acme", NOW + 2 * DAY)
    assert plans(sooner) == [("pro", NOW), ("free", NOW + 2 * DAY)]
    ended = await run(acme, extend_trial, "acme", NOW + DAY)
    assert (plans(ended), ended.trial_end_time) == ([("pro", NOW), ("free", NOW + DAY)], NOW + DAY)
    assert (await current(acme)).state is S.ACTIVE


async def test_a_trial_that_ends_as_it_starts_never_was(acme):
    await create(acme, trial=True)
    ended = await run(acme, extend_trial, "acme", NOW)
    assert (plans(ended), ended.trial_end_time) == ([("free", NOW)], None)
    assert (await current(acme)).state is S.ACTIVE


async def test_an_end_moves_later_or_earlier_or_away(acme):
    await create(acme, end_time=NOW + 5 * DAY)
    for end in (NOW + 9 * DAY, NOW + 6 * DAY, None):
        assert (await run(acme, extend_subscription, "acme", end)).end_time == end
    with pytest.raises(InvalidFieldError):
        await run(acme, extend_subscription, "acme", NOW)


async def test_extending_takes_a_cancellation_back(acme):
    await create(acme)
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme", when=When.PERIOD_END))
    assert (await run(acme, extend_subscription, "acme", NOW + 5 * DAY)).state is S.ACTIVE
    await run(acme, change_plan, ChangePlan(account_id="acme", plan_key="free"))


async def test_billing_sets_any_state_but_those_that_follow_from_instants(acme):
    await create(acme)
    for state in (S.PAST_DUE, S.ACTIVE, S.SUSPENDED, S.PAST_DUE, S.INCOMPLETE, S.SUSPENDED, S.ACTIVE, S.ACTIVE):
        assert (await run(acme, set_state, "acme", state)).state is state
    for state in (S.TRIALING, S.CANCELED, S.EXPIRED):
        with pytest.raises(InvalidFieldError):
            await run(acme, set_state, "acme", state)
    await run(acme, cancel_subscription, CancelSubscription(account_id="acme", when=When.PERIOD_END))
    with pytest.raises(SubscriptionConflictError):
        await run(acme, set_state, "acme", S.ACTIVE)


async def test_during_a_trial_active_reads_as_trialing(acme):
    await create(acme, trial=True)
    await run(acme, set_state, "acme", S.PAST_DUE)
    assert (await current(acme)).state is S.PAST_DUE
    await run(acme, set_state, "acme", S.ACTIVE)
    assert (await current(acme)).state is S.TRIALING


async def test_an_incomplete_subscription_becomes_active(acme):
    await create(acme, incomplete=True)
    assert (await current(acme)).state is S.INCOMPLETE
    await acme.write(lambda work, now: set_state(work, "acme", S.ACTIVE, now=now))
    assert (await current(acme)).state is S.ACTIVE


async def test_a_tenants_subscriptions_are_listed_newest_first_by_plan_and_state_in_full_pages(plane):
    kinds = ["pro", "free", "pro", "pro", "free", "pro"]
    for number, plan_key in enumerate(kinds):
        await plane.upsert(f"a{number}", plan_key, trial=number == 2)
        plane.now += DAY
    await plane.write(lambda work, now: set_state(work, "a3", S.SUSPENDED, now=now))
    await plane.write(lambda work, now: cancel_subscription(work, CancelSubscription(account_id="a5"), now=now))

    async def listed(**wanted):
        found, token = [], ""
        while True:
            page = PageRequest(page_size=2, page_token=token)
            answer = await plane.read(
                lambda work, now, page=page: list_subscriptions(work, "", page, now=now, **wanted)
            )
            found += [held.account_id for held in answer.items]
            token = answer.next_page_token
            if not token:
                return found
            assert len(answer.items) == 2

    assert await listed() == ["a5", "a4", "a3", "a2", "a1", "a0"]
    assert await listed(plan_key="pro") == ["a3", "a2", "a0"]
    assert await listed(plan_key="pro", state=S.ACTIVE) == ["a0"]
    assert await listed(state=S.TRIALING) == ["a2"]
    assert await listed(state=S.SUSPENDED) == ["a3"]
    assert await listed(state=S.EXPIRED) == ["a5"]
    assert await listed(state=S.ACTIVE) == ["a4", "a1", "a0"]
    plane.now = NOW + 30 * DAY
    assert await listed(plan_key="free") == ["a4", "a2", "a1"]
    assert await listed(state=S.TRIALING) == []


@pytest.mark.parametrize("token", ["YQ", "YR9i", "LTEfYQ", "!"])
async def test_a_token_of_another_list_is_refused(plane, token):
    page = PageRequest(page_token=token)
    with pytest.raises(InvalidFieldError) as raised:
        await plane.read(lambda work, now: list_subscriptions(work, "", page, now=now))
    assert raised.value.metadata["field"] == "page_token"

"""What usage periods hang on is written down when it changes, for as long as one may hang on it, and no longer."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from control_planes import DAY, NOW, SECOND, demo_catalog
from tallygate.control_plane import formers
from tallygate.control_plane.proposals import CancelSubscription, When
from tallygate.control_plane.subscription_changes import cancel_subscription, set_state
from tallygate.control_plane.subscriptions import CreateSubscription, create_subscription
from tallygate.domain.account import SubscriptionState
from tallygate.domain.catalog import Trial, TrialPer
from tallygate.domain.gating.resolve import resolve
from tallygate.domain.gating.usage_periods import period_at
from tallygate.domain.period import Anchor, PeriodRule, PeriodUnit, from_datetime

MONTHLY = PeriodRule(every=PeriodUnit.MONTH, anchor=Anchor.SUBSCRIPTION)


async def subscribe(plane, plan_key="pro", **options):
    request = CreateSubscription(account_id="acme", plan_key=plan_key, **options)
    held = await plane.write(lambda work, now: create_subscription(work, request, now=now, new_id=plane.new_id))
    return held.subscription


async def cancel(plane, when=When.NOW):
    request = CancelSubscription(account_id="acme", when=when)
    await plane.write(lambda work, now: cancel_subscription(work, request, now=now))


async def period(plane, feature_key="api_calls"):
    record, catalog = await plane.record("acme"), await plane.read(lambda work, _: work.catalog.load())
    found = period_at(resolve(catalog, record), catalog.features[feature_key], plane.now)
    return found.start, found.end


def document(rule=None, **changes):
    demo = demo_catalog()
    feature = demo.features["api_calls"]
    return replace(demo, features={**demo.features, "api_calls": replace(feature, usage_period=rule)}, **changes)


def local(zone, *when):
    return from_datetime(datetime(*when, tzinfo=ZoneInfo(zone)))


async def test_zones_of_account_and_tenant_leave_the_period_that_runs_alone(plane):
    await plane.upsert("acme", "pro")
    plane.now = NOW + 9 * DAY
    november = (local("UTC", 2026, 11, 1), local("UTC", 2026, 12, 1))
    assert await period(plane) == november
    await plane.upsert("acme", time_zone="America/New_York")
    assert await period(plane) == november
    await plane.upsert("acme", time_zone="")
    await plane.apply(replace(demo_catalog(), time_zone="Asia/Kolkata"))
    assert await period(plane) == november
    plane.now = november[1]
    assert await period(plane) == (november[1], local("Asia/Kolkata", 2027, 1, 1))
    record = await plane.record("acme")
    assert [former.time_zone for former in record.former_zones] == [""]  # "New_York" held for no time at all


async def test_a_zone_that_is_set_before_anything_can_be_used_counts_as_always_so(plane):
    plane.now = NOW + 9 * DAY
    await plane.apply(replace(demo_catalog(), default_plan=""), remove_default_plan=True)
    await plane.upsert("acme")
    plane.now += SECOND
    await plane.upsert("acme", time_zone="America/New_York")
    await plane.upsert("acme", "pro")
    assert (await plane.record("acme")).former_zones == ()
    start, end = await period(plane)
    assert start == local("America/New_York", 2026, 11, 1)
    assert end == local("America/New_York", 2026, 12, 1)


async def test_a_rule_holds_from_the_end_of_the_period_that_runs_and_export_says_the_present_one(plane):
    await plane.upsert("acme", "pro")
    plane.now = NOW + 9 * DAY
    diff = await plane.apply(document(PeriodRule(every=PeriodUnit.DAY)))
    assert [(change.path, change.fields) for change in diff.changes] == [("features.api_calls", ("usage_period",))]
    assert await period(plane) == (NOW, local("UTC", 2026, 12, 1))
    assert (await plane.apply(document(PeriodRule(every=PeriodUnit.DAY)))).changes == ()
    plane.now = local("UTC", 2026, 12, 1)
    assert await period(plane) == (plane.now, plane.now + DAY)


async def test_a_second_subscription_carries_the_period_and_a_first_one_starts_its_own(plane):
    await plane.apply(document(MONTHLY, default_plan=""), remove_default_plan=True)
    await plane.upsert("acme")
    plane.now = NOW + 2 * DAY
    await subscribe(plane, trial_days=0)
    first = (plane.now, local("UTC", 2026, 12, 3))
    assert await period(plane) == first
    for day in (5, 6, 7):
        plane.now = NOW + day * DAY
        await cancel(plane)
        await subscribe(plane, trial_days=0)
        assert await period(plane) == first
    plane.now = first[1]
    assert await period(plane) == (first[1], local("UTC", 2027, 1, 8))  # 8 December is five days away


async def test_only_so_many_former_subscriptions_stay_and_none_that_nothing_hangs_on(plane, monkeypatch):
    monkeypatch.setattr(formers, "MOST", 12)
    monkeypatch.setattr(formers, "_OLDEST", 3)
    await plane.apply(document(MONTHLY, default_plan=""), remove_default_plan=True)
    await plane.upsert("acme")
    await subscribe(plane, trial_days=0)
    began = await period(plane)
    for _ in range(18):
        plane.now += 60 * SECOND
        await cancel(plane)
        await subscribe(plane, trial_days=0)
        assert await period(plane) == began
    assert len((await plane.record("acme")).former_subscriptions) == 12
    await cancel(plane)
    plane.now += 100 * DAY
    await subscribe(plane, trial_days=0)
    assert (await plane.record("acme")).former_subscriptions == ()


async def test_what_stands_at_the_migration_counts_as_always_so(plane):
    await plane.apply(document(MONTHLY))  # the default plan entitles to it, too
    plane.now += SECOND
    await plane.upsert("acme")
    plane.now = NOW + 9 * DAY
    await subscribe(plane, trial_days=0)
    async with plane.engine.begin() as connection:  # as it was before anchors were written down
        for change in ("subscriptions SET anchor_time = NULL, former = false", "tenants SET former_defaults = '[]'"):
            await connection.execute(text(f"UPDATE {change} WHERE tenant_id = :t"), {"t": plane.tenant_id})
    natural = (plane.now, local("UTC", 2026, 12, 10))
    assert await period(plane) == natural
    plane.now += DAY
    await cancel(plane)
    await subscribe(plane, trial_days=0)
    assert await period(plane) == natural


@pytest.mark.parametrize(
    ("per", "same", "other"),
    [
        (TrialPer.PLAN, False, True),
        (TrialPer.ACCOUNT, False, False),
        (TrialPer.SUBSCRIPTION, True, True),
    ],
)
async def test_how_often_an_account_may_have_a_trial(plane, per, same, other):
    demo = demo_catalog()
    on_trial = {key: replace(demo.plans[key][1], version=2, trial=Trial(days=7, per=per)) for key in ("pro", "free")}
    await plane.apply(replace(demo, plans={key: {2: plan} for key, plan in on_trial.items()}))
    await plane.upsert("acme")
    assert (await subscribe(plane)).trial_end_time == NOW + 7 * DAY
    plane.now += DAY
    await cancel(plane)
    assert ((await subscribe(plane)).trial_end_time is not None) is same
    await cancel(plane)
    assert ((await subscribe(plane, "free")).trial_end_time is not None) is other
    await cancel(plane)
    assert (await subscribe(plane, trial_days=3)).trial_end_time == plane.now + 3 * DAY  # the operator's word


async def test_a_subscription_that_never_granted_anything_had_no_trial_and_no_period(plane):
    await plane.apply(document(MONTHLY, default_plan=""), remove_default_plan=True)
    await plane.upsert("acme")
    await subscribe(plane, incomplete=True)
    plane.now += DAY
    await cancel(plane)
    later = await subscribe(plane, start_time=plane.now + 5 * DAY)
    plane.now += DAY
    await cancel(plane)  # before it began
    plane.now += DAY
    assert later.trial_end_time is not None
    third = await subscribe(plane)
    assert third.trial_end_time == plane.now + 14 * DAY
    plane.now = third.trial_end_time
    assert (await period(plane))[0] == third.trial_end_time


async def test_a_suspended_one_carries_its_period(plane):
    await plane.apply(document(MONTHLY, default_plan=""), remove_default_plan=True)
    await plane.upsert("acme")
    await subscribe(plane, trial_days=0)
    began = await period(plane)
    plane.now += DAY
    await plane.write(lambda work, now: set_state(work, "acme", SubscriptionState.SUSPENDED, now=now))
    await cancel(plane)
    await subscribe(plane, trial_days=0)
    assert await period(plane) == began
    assert began[1] - began[0] == 30 * DAY
    assert datetime.fromtimestamp(began[0] / SECOND, UTC).day == 1

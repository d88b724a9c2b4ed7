"""Rows about the life of a subscription: how trials end, and how what was paid is renewed. Figures by hand."""

import asyncio
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from invoicing import DAY, at, catalog, dollars, invoices, run
from tallygate_api.v1 import subscription_pb2
from tenants import failure, reason_name, reason_of

ACME = {"account_id": "acme"}
YEARLY = {"recurring": {"amount": "100.00", "every": "year"}}
SECOND = 1


async def stand(tenant, text):
    await tenant.call("SetTestClock", time=at(text), standing=True)


async def subscribed(tenant, **fields):
    await tenant.call("UpsertAccount", **ACME)
    return (await tenant.call("CreateSubscription", **ACME, plan_key="pro", **fields)).subscription


async def subscription(tenant):
    found = (await tenant.call("ListSubscriptions", **ACME)).subscriptions
    return found[0]


async def state(tenant):
    return subscription_pb2.SubscriptionState.Name((await subscription(tenant)).state).removeprefix(
        "SUBSCRIPTION_STATE_"
    )


async def allowed(tenant):
    return (await tenant.check("acme", "calls")).allowed


async def totals(tenant):
    await run(tenant)
    return [dollars(each.total) for each in await invoices(tenant, **ACME)]


def day(stamp: Timestamp) -> str:
    return datetime.fromtimestamp(stamp.seconds, UTC).strftime("%Y-%m-%d %H:%M")


ENDS = [
    pytest.param({"on_end": "convert"}, True, "pro", [29.00], id="convert"),
    pytest.param({"on_end": "downgrade", "ends_in": "free"}, True, "free", [], id="downgrade"),
    pytest.param({"ends_in": "free"}, True, "free", [], id="ends_in alone downgrades"),
    pytest.param({"on_end": "notify"}, False, "", [], id="notify"),
]


@pytest.mark.parametrize(("trial", "served", "plan", "charged"), ENDS)
async def test_ar_27_a_trial_ends_in_one_of_three_ways_at_its_second(tenant, trial, served, plan, charged):
    await stand(tenant, "2024-03-01 09:00:00")
    document = catalog({"recurring": {"amount": "29.00"}}, trial={"days": 14, **trial})
    document["plans"]["free"] = {"version": 1, "name": "Free", "entitlements": {"calls": {"limit": 5}}}
    await tenant.apply(document)
    await subscribed(tenant)
    await tenant.advance(14 * DAY - SECOND)
    assert (await allowed(tenant), await state(tenant), await totals(tenant)) == (True, "TRIALING", [])
    await tenant.advance(SECOND)
    after = await tenant.check("acme", "calls")
    assert after.allowed == served
    if served:
        assert ((await subscription(tenant)).plan_key, await state(tenant)) == (plan, "ACTIVE")
    else:
        assert (reason_name(after), await state(tenant)) == ("SUBSCRIPTION_EXPIRED", "EXPIRED")
    assert [await totals(tenant) for _ in range(2)] == [charged] * 2  # once, however often it is looked


async def test_a_trial_that_is_only_told_ends_as_its_trial_moves_and_goes_on_by_a_change_of_plan(tenant):
    await stand(tenant, "2024-03-01 00:00:00")
    document = catalog({"recurring": {"amount": "29.00"}}, trial={"days": 14, "on_end": "notify"})
    document["plans"]["big"] = {**document["plans"]["pro"], "trial": None}
    del document["plans"]["big"]["trial"]
    await tenant.apply(document)
    assert day((await subscribed(tenant)).end_time) == "2024-03-15 00:00"
    longer = await tenant.call("ExtendTrial", **ACME, trial_end_time=at("2024-03-20"))
    assert day(longer.subscription.end_time) == "2024-03-20 00:00"
    changed = await tenant.call("ChangePlan", **ACME, plan_key="big", when="CHANGE_WHEN_PERIOD_END")
    assert not changed.subscription.HasField("end_time")
    await tenant.advance_to(at("2024-03-21"))
    assert (await allowed(tenant), (await subscription(tenant)).plan_key) == (True, "big")
    assert await totals(tenant) == [29.00]


async def test_dj_08_four_years_on_29_february_end_without_a_charge(tenant):
    await stand(tenant, "2024-02-29 00:00:00")
    rule = {"every": "year", "count": 4, "renewal": "repeat"}
    await tenant.apply(catalog({"recurring": {"amount": "400.00", "every": "year", "count": 4}}, billing_rule=rule))
    created = await subscribed(tenant)
    assert day(created.end_time) == "2028-02-29 00:00"
    assert await totals(tenant) == [400.00]
    await tenant.advance_to(at("2028-02-28 23:59:59"))
    assert await allowed(tenant)
    await tenant.advance_to(at("2028-03-15"))
    assert (await totals(tenant), await state(tenant)) == ([400.00], "EXPIRED")


RENEWALS = [
    pytest.param("auto", "ACTIVE", [100.00, 100.00], id="auto"),
    pytest.param("repeat", "EXPIRED", [100.00], id="repeat"),
    pytest.param("one_time", "EXPIRED", [100.00], id="one_time"),
]


@pytest.mark.parametrize(("renewal", "ends_as", "charged"), RENEWALS)
async def test_dj_10_what_the_end_of_a_period_does(tenant, renewal, ends_as, charged):
    await stand(tenant, "2024-03-10 12:00:00")
    await tenant.apply(catalog(YEARLY, billing_rule={"every": "year", "renewal": renewal}))
    await subscribed(tenant)
    await tenant.advance_to(at("2025-03-10 12:00:00"))
    assert (await state(tenant), await totals(tenant)) == (ends_as, charged)
    assert await allowed(tenant) == (renewal == "auto")


async def test_dj_12_a_repeat_is_renewed_by_hand_without_a_card_and_with_an_approval(tenant):
    await stand(tenant, "2024-03-10 12:00:00")
    rule = {"every": "year", "renewal": "repeat", "renewal_approval": True}
    await tenant.apply(catalog(YEARLY, billing_rule=rule))
    first = (await subscribed(tenant)).end_time
    await tenant.advance_to(at("2025-03-01"))
    refused = await failure(tenant.call("RenewSubscription", **ACME))
    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "APPROVAL_REQUIRED")
    asked = {**ACME, "approved": True, "end_time": first}
    for _ in range(2):  # a call that is repeated renews once
        renewed = (await tenant.call("RenewSubscription", **asked)).subscription
        assert day(renewed.end_time) == "2026-03-10 12:00"
    assert await totals(tenant) == [100.00]  # charged when it begins
    await tenant.advance_to(at("2025-03-10 12:00:00"))
    assert (await state(tenant), await totals(tenant)) == ("ACTIVE", [100.00, 100.00])
    await tenant.advance_to(at("2026-03-10 12:00:00"))
    assert (await state(tenant), await totals(tenant)) == ("EXPIRED", [100.00, 100.00])
    over = await failure(tenant.call("RenewSubscription", **ACME, approved=True))
    assert over == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")


async def test_what_is_renewed_by_itself_or_not_at_all_is_not_renewed_by_hand(tenant):
    await stand(tenant, "2024-03-10 12:00:00")
    document = catalog(YEARLY)
    once = {**document["plans"]["pro"], "billing": {"every": "year", "renewal": "one_time"}}
    again = {**once, "billing": {"every": "year", "renewal": "repeat"}}
    document["plans"] |= {"once": once, "again": again}
    await tenant.apply(document)
    await subscribed(tenant)
    conflict = (grpc.StatusCode.FAILED_PRECONDITION, "SUBSCRIPTION_CONFLICT")
    assert await failure(tenant.call("RenewSubscription", **ACME)) == conflict
    changed = (await tenant.call("ChangePlan", **ACME, plan_key="once", when="CHANGE_WHEN_NOW")).subscription
    assert day(changed.end_time) == "2025-03-10 12:00"
    assert await failure(tenant.call("RenewSubscription", **ACME)) == conflict
    later = (await tenant.call("ChangePlan", **ACME, plan_key="again", when="CHANGE_WHEN_PERIOD_END")).subscription
    assert day(later.end_time) == "2025-03-10 12:00"  # of what the next renewal gives
    assert terms(later)[-1] == ("again", "2025-03-10 12:00")
    assert day((await tenant.call("RenewSubscription", **ACME)).subscription.end_time) == "2026-03-10 12:00"
    endless = (await tenant.call("ChangePlan", **ACME, plan_key="pro", when="CHANGE_WHEN_NOW")).subscription
    assert not endless.HasField("end_time")


def terms(subscription):
    return [(term.plan_key, day(term.start_time)) for term in subscription.terms]


@pytest.mark.parametrize("when", ["CHANGE_WHEN_PERIOD_END", "CHANGE_WHEN_NOW"])
async def test_what_was_to_follow_does_not_come_once_it_is_cancelled(tenant, when):
    """Taking the end back brings it again."""
    await stand(tenant, "2024-03-01 00:00:00")
    document = catalog({"recurring": {"amount": "29.00"}})
    document["plans"]["big"] = {**document["plans"]["pro"], "prices": [{"recurring": {"amount": "59.00"}}]}
    await tenant.apply(document)
    pro, big = ("pro", "2024-03-01 00:00"), ("big", "2024-04-01 00:00")
    await subscribed(tenant)
    await tenant.call("ChangePlan", **ACME, plan_key="big", when="CHANGE_WHEN_PERIOD_END")
    assert terms(await subscription(tenant)) == [pro, big]
    canceled = (await tenant.call("CancelSubscription", **ACME, when=when)).subscription
    seen = (await tenant.call("GetSubscription", **ACME)).subscription if when.endswith("END") else canceled
    assert [terms(each) for each in (canceled, seen, await subscription(tenant))] == [[pro]] * 3
    changes = (await tenant.call("ListChanges", **ACME)).changes
    assert [terms(changes[0].before), terms(changes[0].after)] == [[pro, big], [pro]]
    if when.endswith("END"):
        back = (await tenant.call("ExtendSubscription", **ACME, without_end=True)).subscription
        assert terms(back) == [pro, big]
        ended = (await tenant.call("ExtendSubscription", **ACME, end_time=at("2024-04-01"))).subscription
        assert terms(ended) == [pro]
        await tenant.call("ExtendSubscription", **ACME, end_time=at("2024-04-02"))
    await tenant.advance_to(at("2024-04-01"))
    assert (await subscription(tenant)).plan_key == ("big" if when.endswith("END") else "pro")


async def test_a_trial_that_is_cancelled_leads_to_no_plan(tenant):
    await stand(tenant, "2024-03-01 00:00:00")
    document = catalog({"recurring": {"amount": "29.00"}}, trial={"days": 14, "ends_in": "free"})
    document["plans"]["free"] = {"version": 1, "name": "Free", "entitlements": {"calls": {"limit": 5}}}
    await tenant.apply(document)
    assert [key for key, _ in terms(await subscribed(tenant))] == ["pro", "free"]
    canceled = (await tenant.call("CancelSubscription", **ACME)).subscription
    assert (terms(canceled), day(canceled.end_time)) == ([("pro", "2024-03-01 00:00")], "2024-03-15 00:00")
    await tenant.advance_to(at("2024-03-15"))
    assert await state(tenant) == "EXPIRED"


async def test_ar_27_a_trial_converts_only_where_it_can_be_charged(tenant):
    """A card comes, goes, and comes again while the trial runs; at its second the plan follows what there is then."""
    await stand(tenant, "2031-03-01 00:00:00")
    trial = {"days": 14, "on_end": "convert", "ends_in": "free"}
    document = catalog({"recurring": {"amount": "31.00"}}, trial=trial)
    document["plans"]["free"] = {"version": 1, "name": "Free", "entitlements": {"calls": {"limit": 5}}}
    await tenant.apply(document)
    await tenant.call("SetGateway", name="fake")
    for account, does in (("none", ""), ("card", "a"), ("gone", "ad"), ("again", "ada"), ("late", "")):
        await tenant.call("UpsertAccount", account_id=account)
        await tenant.call("CreateSubscription", account_id=account, plan_key="pro")
        for number, step in enumerate(does):
            name = f"{account}-{number // 2}"
            if step == "a":
                await tenant.call("AttachMethod", account_id=account, method_id=name, token="fake_ok")
            else:
                await tenant.call("DetachMethod", account_id=account, method_id=f"{account}-0")
    changes = (await tenant.call("ListChanges", account_id="again")).changes
    assert [one.method for one in changes] == ["AttachMethod", "DetachMethod", "AttachMethod", "CreateSubscription"]
    await tenant.advance(14 * DAY)
    await tenant.call("AttachMethod", account_id="late", method_id="too-late", token="fake_ok")
    await run(tenant)
    for account, plan, paid in (
        ("none", "free", []),
        ("card", "pro", [31.00]),
        ("gone", "free", []),
        ("again", "pro", [31.00]),
        ("late", "free", []),
    ):
        held = (await tenant.call("GetSubscription", account_id=account)).subscription
        assert (account, held.plan_key) == (account, plan)
        assert [dollars(one.total) for one in await invoices(tenant, account_id=account)] == paid


async def test_ar_27_whatever_comes_in_the_last_second_of_a_trial_it_ends_one_way(tenant):
    """Ten cards come, five are taken away and five trials are extended while the clock strikes and workers look.

    Each account is served by pro and was charged its 31.00 once, or by free and was charged nothing, or is on trial.
    """
    await stand(tenant, "2031-03-01 00:00:00")
    trial = {"days": 14, "on_end": "convert", "ends_in": "free"}
    document = catalog({"recurring": {"amount": "31.00"}}, trial=trial)
    document["plans"]["free"] = {"version": 1, "name": "Free", "entitlements": {"calls": {"limit": 5}}}
    await tenant.apply(document)
    await tenant.call("SetGateway", name="fake")
    names = [f"a{number:02}" for number in range(20)]
    for number, account in enumerate(names):
        await tenant.call("UpsertAccount", account_id=account)
        await tenant.call("CreateSubscription", account_id=account, plan_key="pro")
        if number >= 10:
            await tenant.call("AttachMethod", account_id=account, method_id=account, token="fake_ok")
    await tenant.advance_to(at("2031-03-14 23:59:59"))

    async def last(number, account):
        named = {"account_id": account}
        if number < 10:
            await tenant.call("AttachMethod", **named, method_id=account, token="fake_ok")
        elif number < 15:
            await tenant.call("DetachMethod", **named, method_id=account)
        else:
            await tenant.call("ExtendTrial", **named, trial_end_time=at("2031-03-20"))

    acts = [last(number, account) for number, account in enumerate(names)]
    strikes = tenant.advance_to(at("2031-03-15"))
    looks = [run(tenant) for _ in range(3)]
    done = await asyncio.gather(*acts[::2], looks[0], strikes, looks[1], *acts[1::2], looks[2], return_exceptions=True)
    refused = [reason_of(each) for each in done if isinstance(each, BaseException)]
    assert set(refused) <= {"SUBSCRIPTION_CONFLICT"}, "an end that was there already is not moved"
    await run(tenant)
    ends = []
    for account in names:
        held = (await tenant.call("GetSubscription", account_id=account)).subscription
        charged = [dollars(one.total) for one in await invoices(tenant, account_id=account)]
        trialing = held.state == subscription_pb2.SUBSCRIPTION_STATE_TRIALING
        ends.append("trial" if trialing else held.plan_key)
        assert charged == ([31.00] if ends[-1] == "pro" else []), (account, ends[-1])
    assert len(ends) == 20
    assert not (await tenant.call("AuditLedger")).differences
    await tenant.advance_to(at("2031-03-21"))
    await run(tenant)
    for account, end in zip(names, ends, strict=True):
        charged = [dollars(one.total) for one in await invoices(tenant, account_id=account)]
        assert charged == ([] if end == "free" else [31.00])


async def test_who_can_be_charged_already_converts_and_a_chosen_plan_stays_chosen(tenant):
    await stand(tenant, "2031-03-01 00:00:00")
    trial = {"days": 14, "on_end": "convert", "ends_in": "free", "per": "subscription"}
    document = catalog({"recurring": {"amount": "31.00"}}, trial=trial)
    document["plans"]["free"] = {"version": 1, "name": "Free", "entitlements": {"calls": {"limit": 5}}}
    document["plans"]["big"] = {"version": 1, "name": "Big", "entitlements": {"calls": {"limit": 50}}}
    await tenant.apply(document)
    await tenant.call("SetGateway", name="fake")
    await tenant.call("UpsertAccount", **ACME)
    await tenant.call("AttachMethod", **ACME, method_id="card", token="fake_ok")
    held = (await tenant.call("CreateSubscription", **ACME, plan_key="pro")).subscription
    assert [term.plan_key for term in held.terms] == ["pro"]
    await tenant.call("ChangePlan", **ACME, plan_key="big", when="CHANGE_WHEN_PERIOD_END")
    await tenant.call("DetachMethod", **ACME, method_id="card")
    assert [term.plan_key for term in (await subscription(tenant)).terms] == ["pro", "big"]


async def test_a_change_of_what_has_ended_is_refused_with_when_it_did(tenant):
    await stand(tenant, "2024-03-01 00:00:00")
    pack = {"version": 1, "name": "Pack", "offered_on": ["pro"], "prices": [{"recurring": {"amount": "1.00"}}]}
    await tenant.apply(catalog({"recurring": {"amount": "10.00"}}, add_ons={"pack": pack}))
    await subscribed(tenant)
    await tenant.advance_to(at("2024-03-10 12:00:00"))
    await tenant.call("CancelSubscription", **ACME, when="CHANGE_WHEN_NOW")
    changes = [
        ("ChangePlan", {"plan_key": "pro"}),
        ("SetAddOn", {"add_on_key": "pack", "quantity": 1}),
        ("BookQuantity", {"feature_key": "seats", "quantity": 2}),
        ("CancelSubscription", {}),
    ]
    for method, change in changes:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await tenant.call(method, **ACME, **change)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND, method
        assert "account_id=acme, expected=a live one, ended=2024-03-10T12:00:00Z" in refused.value.details(), method
    assert await totals(tenant) == [10.00, -7.10]  # 22 of 31 days

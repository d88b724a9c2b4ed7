"""Rows about what a plan holds: feature sets, free tiers, limits, optional features, seats."""

from tallygate_api.v1 import decision_pb2
from tenants import reason_name

ADD_ON, UPGRADE, TOP_UP = (
    decision_pb2.UNBLOCK_KIND_ADD_ON,
    decision_pb2.UNBLOCK_KIND_UPGRADE,
    decision_pb2.UNBLOCK_KIND_TOP_UP,
)


def boolean(*keys):
    return {key: {"enabled": True} for key in keys}


TIERS = {
    "currency": "USD",
    "features": {"a": {"kind": "boolean"}, "b": {"kind": "boolean"}, "c": {"kind": "boolean"}},
    "plans": {
        "basic": {
            "version": 1,
            "upgrades_to": ["advanced", "pro"],
            "entitlements": boolean("a"),
            "prices": [{"recurring": {"amount": "0"}}],
        },
        "advanced": {
            "version": 1,
            "upgrades_to": ["pro"],
            "entitlements": boolean("a", "b"),
            "prices": [{"recurring": {"amount": "20.00"}}],
        },
        "pro": {
            "version": 1,
            "entitlements": boolean("a", "b", "c"),
            "prices": [{"recurring": {"amount": "50.00"}}],
        },
    },
}


async def allowed(tenant, account, *features):
    return [(await tenant.check(account, feature)).allowed for feature in features]


async def test_bk_01_versions_with_built_in_feature_sets(tenant):
    await tenant.apply(TIERS)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="advanced")
    b, c = await tenant.check("acme", "b"), await tenant.check("acme", "c")
    assert (b.allowed, reason_name(b)) == (True, "ENTITLED")
    assert (c.allowed, reason_name(c)) == (False, "NOT_IN_PLAN")
    assert [(option.kind, option.key) for option in c.unblock_options] == [(UPGRADE, "pro")]
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    assert (held.plan_key, held.plan_version) == ("advanced", 1)
    assert [price.recurring.amount for price in held.prices] == ["20.00"]
    await tenant.call("ChangePlan", account_id="acme", plan_key="pro")
    assert await allowed(tenant, "acme", "a", "b", "c") == [True, True, True]
    held = (await tenant.call("ListSubscriptions", account_id="acme")).subscriptions
    assert [(each.plan_key, each.plan_version) for each in held] == [("pro", 1)]  # exactly one version at a time


async def test_ar_03_freemium_denies_advanced_features_until_paid(tenant):
    await tenant.apply({**TIERS, "default_plan": "basic"})
    await tenant.call("UpsertAccount", account_id="freeloader")
    assert await allowed(tenant, "freeloader", "a", "b", "c") == [True, False, False]
    denied = await tenant.check("freeloader", "b")
    assert reason_name(denied) == "NOT_IN_PLAN"
    assert [option.key for option in denied.unblock_options] == ["advanced", "pro"]
    await tenant.call("CreateSubscription", account_id="freeloader", plan_key="advanced")
    assert await allowed(tenant, "freeloader", "a", "b", "c") == [True, True, False]


LIMITED = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}, "reports": {"kind": "boolean"}},
    "plans": {"basic": {"version": 1, "entitlements": {"calls": {"limit": 1000}}}},
    "add_ons": {
        "more-calls": {"version": 1, "offered_on": ["basic"], "entitlements": {"calls": {"limit": 5000}}},
        "reporting": {"version": 1, "offered_on": ["basic"], "entitlements": boolean("reports")},
    },
}


async def test_bk_03_usage_limit_and_add_on(tenant):
    await tenant.apply(LIMITED)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="basic")
    last = await tenant.consume("acme", "calls", 1000)
    assert (last.allowed, last.used, last.limit, last.remaining) == (True, 1000, 1000, 0)
    denied = await tenant.consume("acme", "calls", 1, request_id="call-1001")
    assert (denied.allowed, reason_name(denied)) == (False, "QUOTA_EXHAUSTED")
    options = [(option.kind, option.key, option.limit) for option in denied.unblock_options]
    assert options == [(ADD_ON, "more-calls", 6000), (TOP_UP, "calls", 1001)]
    await tenant.call("SetAddOn", account_id="acme", add_on_key="more-calls")
    bought = await tenant.check("acme", "calls")
    assert (bought.allowed, bought.limit, bought.used, bought.remaining) == (True, 6000, 1000, 5000)
    retried = await tenant.consume("acme", "calls", 1, request_id="call-1001")
    assert (retried.allowed, retried.used, retried.replayed) == (True, 1001, False)


async def test_bk_18_optional_features_are_toggled_by_their_users(tenant):
    await tenant.apply(LIMITED)
    await tenant.call("UpsertAccount", account_id="acme", plan_key="basic")
    off = await tenant.check("acme", "reports")
    assert (off.allowed, [option.key for option in off.unblock_options]) == (False, ["reporting"])
    await tenant.call("SetAddOn", account_id="acme", add_on_key="reporting")
    on = await tenant.check("acme", "reports")
    assert (on.allowed, reason_name(on), on.value.bool_value) == (True, "ENTITLED", True)
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription.add_ons
    assert [(each.add_on_key, each.quantity) for each in held] == [("reporting", 1)]  # what an invoice will follow
    await tenant.call("SetAddOn", account_id="acme", add_on_key="reporting", quantity=0)
    assert not (await tenant.check("acme", "reports")).allowed


def seats(**entitlement):
    return {
        "currency": "USD",
        "features": {"seats": {"kind": "seat"}},
        "plans": {"team": {"version": 1, "entitlements": {"seats": {"limit": 10, **entitlement}}}},
    }


async def seat_ten(tenant):
    await tenant.call("UpsertAccount", account_id="acme", plan_key="team")
    for number in range(10):
        given = await tenant.call("AssignSeat", account_id="acme", feature_key="seats", user_id=f"user-{number}")
        assert given.decision.allowed
    return await tenant.call("AssignSeat", account_id="acme", feature_key="seats", user_id="user-10")


async def seated(tenant):
    return len((await tenant.call("ListSeats", account_id="acme", feature_key="seats")).seats)


async def test_bk_04_user_licences_in_hard_mode(tenant):
    await tenant.apply(seats())
    eleventh = await seat_ten(tenant)
    assert (eleventh.decision.allowed, reason_name(eleventh.decision)) == (False, "SEAT_LIMIT")
    assert (eleventh.decision.used, eleventh.decision.limit) == (10, 10)
    assert not eleventh.HasField("seat")
    assert await seated(tenant) == 10
    assert reason_name(await tenant.check("acme", "seats")) == "SEAT_LIMIT"
    assert reason_name(await tenant.check("acme", "seats", user_id="user-10")) == "SEAT_NOT_ASSIGNED"


async def test_bk_04_user_licences_in_auto_mode(tenant):
    await tenant.apply(seats(overage="allow"))
    eleventh = await seat_ten(tenant)
    assert (eleventh.decision.allowed, reason_name(eleventh.decision)) == (True, "OVERAGE")
    assert (eleventh.decision.used, eleventh.decision.limit) == (11, 10)
    assert eleventh.seat.user_id == "user-10"
    assert await seated(tenant) == 11
    assert (await tenant.check("acme", "seats", user_id="user-10")).allowed


async def test_ar_16_plan_based_restrictions(tenant):
    plan = {"version": 1, "entitlements": {"seats": {"limit": 1}, "calls": {"limit": 2}}}
    features = {"seats": {"kind": "seat"}, "calls": {"kind": "metered"}}
    await tenant.apply({"currency": "USD", "features": features, "plans": {"small": plan}})
    await tenant.call("UpsertAccount", account_id="acme", plan_key="small")
    await tenant.call("AssignSeat", account_id="acme", feature_key="seats", user_id="ann")
    second = await tenant.call("AssignSeat", account_id="acme", feature_key="seats", user_id="bob")
    assert reason_name(second.decision) == "SEAT_LIMIT"
    assert [(await tenant.consume("acme", "calls")).allowed for _ in range(3)] == [True, True, False]


async def test_dj_05_subscribed_to_a_plan_guards_a_path(tenant):
    document = {
        "currency": "USD",
        "features": {"/app/reports": {"kind": "boolean"}},
        "plans": {"pro": {"version": 1, "entitlements": boolean("/app/reports")}, "other": {"version": 1}},
    }
    await tenant.apply(document)
    created = await tenant.call("UpsertAccount", account_id="subscriber", plan_key="pro")
    await tenant.call("UpsertAccount", account_id="stranger", plan_key="other")
    await tenant.call("UpsertAccount", account_id="nobody")
    answers = {name: await tenant.check(name, "/app/reports") for name in ("subscriber", "stranger", "nobody")}
    assert {name: reason_name(answer) for name, answer in answers.items()} == {
        "subscriber": "ENTITLED",
        "stranger": "NOT_IN_PLAN",
        "nobody": "NO_SUBSCRIPTION",
    }
    end = created.account.subscription.start_time
    end.FromSeconds(end.seconds + 3600)
    await tenant.call("CancelSubscription", account_id="subscriber", end_time=end)
    assert (await tenant.check("subscriber", "/app/reports")).allowed
    await tenant.advance_to(end)
    assert reason_name(await tenant.check("subscriber", "/app/reports")) == "SUBSCRIPTION_EXPIRED"

"""Rows about what changes by itself as time passes: trials and expirations, decided when they are asked for."""

from tallygate_api.v1 import subscription_pb2
from tenants import after, reason_name

DAY = 86_400
TRIAL = 14 * DAY


async def test_bk_05_trial_limits_expire_at_their_second(tenant):
    base = {"version": 1, "entitlements": {"calls": {"limit": 1000}}}
    enhanced = {
        "version": 1,
        "trial": {"days": 14, "ends_in": "base"},
        "entitlements": {"calls": {"limit": 10_000}, "c": {"enabled": True}},
    }
    features = {"calls": {"kind": "metered"}, "c": {"kind": "boolean"}}
    await tenant.apply({"currency": "USD", "features": features, "plans": {"base": base, "enhanced": enhanced}})
    await tenant.call("UpsertAccount", account_id="acme")
    created = await tenant.call("CreateSubscription", account_id="acme", plan_key="enhanced", trial_days=14)
    start = created.subscription.start_time
    assert created.subscription.trial_end_time == after(start, TRIAL)

    async def shown(**when):
        calls, c = await tenant.check("acme", "calls", **when), await tenant.check("acme", "c", **when)
        return calls.limit, calls.used, c.allowed

    last_second, end = after(start, TRIAL - 1), after(start, TRIAL)
    assert await shown(at_time=last_second) == (10_000, 0, True)
    assert await shown(at_time=end) == (1000, 0, False)
    await tenant.consume("acme", "calls", 9_000)
    await tenant.advance_to(after(start, TRIAL - 60))
    assert await shown() == (10_000, 9_000, True)
    assert await shown(at_time=last_second) == (10_000, 9_000, True)
    await tenant.advance_to(end)
    assert await shown() == (1000, 0, False)  # a trial is a usage period of its own
    assert not (await tenant.consume("acme", "calls", 1001)).allowed
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    assert (held.plan_key, held.state) == ("base", subscription_pb2.SUBSCRIPTION_STATE_ACTIVE)


async def test_dj_11_a_one_time_certification_expires(tenant):
    plan = {"version": 1, "entitlements": {"certified": {"enabled": True}}}
    await tenant.apply({"currency": "USD", "features": {"certified": {"kind": "boolean"}}, "plans": {"course": plan}})
    clock = (await tenant.call("GetTestClock")).clock.current_time
    for account, days in (("ann", 30), ("bob", 90)):
        await tenant.call("UpsertAccount", account_id=account)
        end = after(clock, days * DAY)
        await tenant.call("CreateSubscription", account_id=account, plan_key="course", end_time=end)

    async def days_to_expiry():
        now = await tenant.now()
        accounts = (await tenant.call("ListAccounts", plan_key="course")).accounts
        return {each.account_id: round((each.subscription.end_time.seconds - now) / DAY) for each in accounts}

    assert await days_to_expiry() == {"ann": 30, "bob": 90}
    await tenant.advance_to(after(clock, 29 * DAY))
    assert await days_to_expiry() == {"ann": 1, "bob": 61}
    assert (await tenant.check("ann", "certified")).allowed
    await tenant.advance_to(after(clock, 30 * DAY))
    ended = await tenant.check("ann", "certified")
    assert (ended.allowed, reason_name(ended)) == (False, "SUBSCRIPTION_EXPIRED")
    assert (await tenant.check("bob", "certified")).allowed

"""Rows about what is changed while the server runs, and about rate limits by plan."""

import asyncio
import time

from tenants import eventually, reason_name

CACHE_SECONDS = 5.0


def flagged(version, *, enabled):
    plan = {"version": version, "entitlements": {"beta": {"enabled": enabled}}}
    return {"currency": "USD", "features": {"beta": {"kind": "boolean"}}, "plans": {"segment": plan}}


async def test_ar_15_feature_flags_per_account_and_segment(tenant):
    await tenant.apply(flagged(1, enabled=False))
    await tenant.call("UpsertAccount", account_id="one", plan_key="segment")
    await tenant.call("UpsertAccount", account_id="two", plan_key="segment")

    async def flags():
        tenant.view_version = 0  # no read of own writes: as another caller would see it
        return [(await tenant.check(account, "beta")).allowed for account in ("one", "two")]

    async def become(*expected):
        async def same():
            return await flags() == list(expected)

        await eventually(same, seconds=CACHE_SECONDS, what=f"the flags to be {expected}")

    await become(False, False)
    made = await tenant.call("CreateOverride", account_id="one", feature_key="beta", entitlement={"enabled": True})
    await become(True, False)
    await tenant.apply(flagged(2, enabled=True), migrate="MIGRATE_NOW")
    await become(True, True)
    await tenant.call("DeleteOverride", account_id="one", override_id=made.override.override_id)
    await tenant.apply(flagged(3, enabled=False), migrate="MIGRATE_NOW")
    await become(False, False)


async def test_ar_18_an_edit_changes_the_decision_without_restart(tenant):
    def limited(version, limit):
        plan = {"version": version, "entitlements": {"calls": {"limit": limit}}}
        return {"currency": "USD", "features": {"calls": {"kind": "metered"}}, "plans": {"p": plan}}

    await tenant.apply(limited(1, 10))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
    await tenant.consume("acme", "calls", 10)
    denied = await tenant.check("acme", "calls")
    assert (denied.allowed, denied.limit) == (False, 10)
    await tenant.apply(limited(2, 20))
    assert (await tenant.check("acme", "calls")).limit == 10  # a published version moves nobody by itself
    behind = await tenant.apply(limited(2, 20), migrate="MIGRATE_NOW")
    assert not behind.subscriptions_behind
    edited = await tenant.check("acme", "calls")
    assert (edited.allowed, edited.limit, edited.used) == (True, 20, 10)
    await tenant.call("CreateOverride", account_id="acme", feature_key="calls", entitlement={"limit": 5})
    overridden = await tenant.check("acme", "calls")
    assert (overridden.allowed, overridden.limit, overridden.used) == (False, 5, 10)


def rated(algorithm):
    def plan(limit):
        return {"version": 1, "rate_limits": {"rps": {"limit": limit, "window": "1s"}}}

    rules = {"rps": {"owner": "account", "algorithm": algorithm}}
    return {"currency": "USD", "rate_limits": rules, "plans": {"hundred": plan(100), "ten": plan(10)}}


async def test_ar_17_rate_limiting_by_plan(tenant):
    await tenant.apply(rated("sliding_window"))

    async def burst(account, calls):
        """Calls within one window: a machine that is too slow for that is given a fresh account."""
        for attempt in range(10):
            name = f"{account}-{attempt}"
            await tenant.call("UpsertAccount", account_id=name, plan_key=account)
            asked = {"account_id": name, "limit_key": "rps"}
            await tenant.call("RateLimit", **asked, cost=0)
            started = time.monotonic()
            answers = await asyncio.gather(*(tenant.call("RateLimit", **asked) for _ in range(calls)))
            if time.monotonic() - started < 1:
                return name, answers
        raise AssertionError(account)

    fast, answers = await burst("hundred", 101)
    assert sum(answer.allowed for answer in answers) == 100
    (denied,) = [answer for answer in answers if not answer.allowed]
    assert (reason_name(denied), denied.binding_limit_key) == ("RATE_LIMITED", "rps")
    assert [(status.limit, status.remaining) for status in denied.statuses] == [(100, 0)]
    assert 0 < denied.retry_after.ToMicroseconds() <= 1_000_000
    _, answers = await burst("ten", 11)
    assert sum(answer.allowed for answer in answers) == 10
    await tenant.advance(1)
    assert (await tenant.call("RateLimit", account_id=fast, limit_key="rps")).allowed

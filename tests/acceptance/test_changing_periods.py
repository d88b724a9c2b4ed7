"""Usage periods and trials through changes, on a clock that starts in the past and stands, on both databases."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import grpc
import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from conftest import testing_settings
from tallygate.app import Application
from tallygate.domain.credential import ENTROPY_BYTES, mint_key
from tallygate.settings import DatabaseSettings
from tallygate_api.v1 import error_reason_pb2
from tenants import Tenant, eventually, failure, reason_name


@pytest_asyncio.fixture(scope="module", params=["sqlite", "postgres"])
async def address(request, places, tmp_path_factory):
    """A server with `--testing` on either database."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        async with Application(testing_settings(directory)) as application:
            yield application.grpc_address
        return
    database = DatabaseSettings(url=places.new("postgres"))
    async with Application(testing_settings(directory).model_copy(update={"database": database})) as application:
        yield application.grpc_address


@pytest.fixture
async def tenant(address):
    """A tenant of the test's own."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES)))


def at(*when, zone="UTC"):
    return Timestamp(seconds=int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()))


def document(**changes):
    feature = {"kind": "metered", **changes.pop("feature", {})}
    plan = {"version": 1, "entitlements": {"calls": {"limit": 10}}, **changes.pop("plan", {})}
    return {"currency": "USD", "time_zone": "UTC", "features": {"calls": feature}, "plans": {"pro": plan}, **changes}


async def stand(tenant, *when):
    clock = (await tenant.call("SetTestClock", time=at(*when), standing=True)).clock
    assert (clock.current_time, clock.standing) == (at(*when), True)


async def exhausted(tenant, account="acme"):
    """Whether nothing more is admitted, with the boundaries that the denial tells."""
    decision = await tenant.consume(account, "calls", 1)
    assert (decision.allowed, reason_name(decision)) == (False, "QUOTA_EXHAUSTED"), decision
    return decision.period_start_time, decision.reset_time


MARCH = (at(2024, 3, 1), at(2024, 4, 1))


async def test_no_zone_makes_a_second_allowance_and_usage_reports_follow(tenant):
    await stand(tenant, 2024, 3, 10, 12)
    await tenant.apply(document())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    assert (await tenant.consume("acme", "calls", 10)).allowed
    for zone in ("America/New_York", "Asia/Kolkata", ""):
        await tenant.call("UpsertAccount", account_id="acme", time_zone=zone)
        assert await exhausted(tenant) == MARCH
    for zone in ("America/New_York", "Asia/Kolkata"):
        await tenant.apply(document(time_zone=zone))
        assert await exhausted(tenant) == MARCH
    await stand(tenant, 2024, 4, 1)
    one = await tenant.consume("acme", "calls", 1)
    assert (one.used, one.period_start_time) == (1, at(2024, 4, 1))
    assert one.reset_time == at(2024, 5, 1, zone="Asia/Kolkata")

    async def rows():
        asked = {"account_id": "acme", "feature_key": "calls"}
        within = {"start_time": at(2024, 3, 5), "end_time": at(2024, 4, 20)}
        found = (await tenant.call("GetUsage", range=within, **asked)).rows
        return len(found) == 2 and found

    march, april = await eventually(rows, what="both months")
    assert (march.quantity, march.period_start_time, march.period_end_time) == (10, *MARCH)
    assert (april.quantity, april.period_start_time) == (1, MARCH[1])


@pytest.mark.parametrize("every", ["hour", "day", "week", "year"])
async def test_another_rule_holds_from_the_end_of_the_period_that_runs(tenant, every):
    await stand(tenant, 2024, 3, 10, 12)
    await tenant.apply(document())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    await tenant.consume("acme", "calls", 10)
    await tenant.apply(document(feature={"usage_period": {"every": every}}))
    assert await exhausted(tenant) == MARCH
    # 1 April 2024 was a Monday; the first new year more than half a year away begins in nine months.
    ends = {"hour": at(2024, 4, 1, 1), "day": at(2024, 4, 2), "week": at(2024, 4, 8), "year": at(2025, 1, 1)}
    await stand(tenant, 2024, 4, 1)
    assert (await tenant.consume("acme", "calls", 10)).allowed
    assert await exhausted(tenant) == (MARCH[1], ends[every])


async def test_cancelling_and_subscribing_again_opens_neither_a_trial_nor_a_period(tenant):
    await stand(tenant, 2024, 1, 31, 10)
    anchored = {"usage_period": {"every": "month", "anchor": "subscription"}}
    await tenant.apply(document(feature=anchored, plan={"trial": {"days": 14}}))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")
    on_trial = await tenant.consume("acme", "calls", 10)
    assert (on_trial.allowed, on_trial.reset_time) == (True, at(2024, 2, 14, 10))
    paid = None
    for day in (1, 2, 3):  # the first day's own period is paid for; no further one follows
        await stand(tenant, 2024, 2, day, 10)
        await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
        again = await tenant.call("CreateSubscription", account_id="acme", plan_key="pro")
        assert not again.subscription.HasField("trial_end_time")
        if paid is None:
            taken = await tenant.consume("acme", "calls", 10)
            paid = taken.period_start_time, taken.reset_time
            assert taken.allowed
            assert paid == (at(2024, 2, 1, 10), at(2024, 3, 1, 10))
        assert await exhausted(tenant) == paid
    await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
    word = await tenant.call("CreateSubscription", account_id="acme", plan_key="pro", trial_days=2)
    assert word.subscription.trial_end_time == at(2024, 2, 5, 10)


async def test_what_a_clock_does_reaches_no_other_tenant(tenant, address):
    async with grpc.aio.insecure_channel(address) as channel:
        other = Tenant(channel, mint_key(secrets.token_bytes(ENTROPY_BYTES)))
        now = await other.now()
        for each in (tenant, other):
            if each is tenant:
                await stand(each, 2024, 3, 10)
            await each.apply(document())
            await each.call("UpsertAccount", account_id="acme", plan_key="pro")
        first = await other.consume("acme", "calls", 3, request_id="order-1")
        await tenant.consume("acme", "calls", 10, request_id="order-1")
        await stand(tenant, 2025, 3, 10)
        await tenant.consume("acme", "calls", 10, request_id="order-2")
        again = await other.consume("acme", "calls", 3, request_id="order-1")
        assert (first.replayed, again.replayed, again.used) == (False, True, 3)
        assert abs((await other.now()) - now) < 3_600
        assert await exhausted(tenant) == (at(2025, 3, 1), at(2025, 4, 1))


async def test_a_clock_that_stands_takes_rate_limits_with_it_and_runs_again_when_told(tenant):
    limits = {"rps": {"owner": "account", "algorithm": "token_bucket"}}
    plan = {"rate_limits": {"rps": {"limit": 5, "window": "1s"}}}
    await stand(tenant, 2024, 3, 10)
    await tenant.apply(document(rate_limits=limits, plan=plan))
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")

    async def taken():
        return (await tenant.call("RateLimit", account_id="acme", limit_key="rps")).allowed

    assert [await taken() for _ in range(6)] == [True] * 5 + [False]
    await tenant.advance(1)
    assert [await taken() for _ in range(6)] == [True] * 5 + [False]
    running = (await tenant.call("SetTestClock", standing=False)).clock
    assert (running.current_time, running.standing) == (at(2024, 3, 10, 0, 0, 1), False)
    assert (await tenant.now()) > running.current_time.seconds


async def test_a_reset_and_recorded_usage_wait_for_the_view_and_a_reset_tells_what_it_closed(tenant):
    await stand(tenant, 2024, 3, 10)
    await tenant.apply(document())
    await tenant.call("UpsertAccount", account_id="acme", plan_key="pro")  # both go on with the version that it answers
    use = {"account_id": "acme", "feature_key": "calls", "request_id": "late", "quantity": 7}
    (outcome,) = (await tenant.call("RecordUsage", items=[use])).outcomes
    assert outcome.decision.used == 7
    for request_id in ("reset", "reset", "again"):
        answer = await tenant.call("ResetUsage", account_id="acme", feature_key="calls", request_id=request_id)
        assert answer.closed_quantity == (0 if request_id == "again" else 7)
    far = tenant.view_version + 1_000
    reset = {"account_id": "acme", "feature_key": "calls", "request_id": "never"}
    tenant.view_version = far
    assert (await failure(tenant.call("ResetUsage", **reset)))[1] == "VIEW_NOT_READY"
    (refused,) = (await tenant.call("RecordUsage", items=[{**use, "request_id": "never"}])).outcomes
    assert refused.error.reason == error_reason_pb2.ERROR_REASON_VIEW_NOT_READY


async def test_a_trial_in_between_reopens_no_allowance_and_usage_says_so(tenant):
    """Free with 10 a month, 10 used; a trial of another plan; back on free in the same month."""
    await stand(tenant, 2024, 3, 4)
    metered = {"entitlements": {"calls": {"limit": 10}}}
    await tenant.apply(
        {
            "currency": "USD",
            "time_zone": "UTC",
            "default_plan": "free",
            "features": {"calls": {"kind": "metered"}},
            "plans": {"free": {"version": 1, **metered}, "q": {"version": 1, "entitlements": {"calls": {"limit": 99}}}},
        }
    )
    await tenant.call("UpsertAccount", account_id="acme")
    assert (await tenant.consume("acme", "calls", 10)).allowed
    for day in (6, 12):  # one that is cancelled, and one that runs out on 14 March
        await stand(tenant, 2024, 3, day)
        await tenant.call("CreateSubscription", account_id="acme", plan_key="q", trial_days=2)
        taken = await tenant.consume("acme", "calls", 20)
        assert (taken.allowed, taken.used, taken.reset_time) == (True, 20, at(2024, 3, day + 2))
        await stand(tenant, 2024, 3, day + (1 if day == 6 else 2))
        await tenant.call("CancelSubscription", account_id="acme", when="CHANGE_WHEN_NOW")
        assert await exhausted(tenant) == MARCH
        denied = await tenant.consume("acme", "calls", 1)
        assert (denied.allowed, denied.used) == (False, 10)
    row = await tenant.usage_reaches("acme", "calls", 10)
    assert (row.period_start_time, row.period_end_time) == MARCH
    march = {"start_time": MARCH[0], "end_time": MARCH[1]}

    async def collected():
        rows = await tenant.usage("acme", "calls", range=march, selection=0)
        return rows if sum(each.quantity for each in rows) == 50 else None

    rows = await eventually(collected, what="50 calls in March")
    trials = [(at(2024, 3, 6), at(2024, 3, 7)), (at(2024, 3, 12), at(2024, 3, 14))]
    assert [(each.period_start_time, each.period_end_time) for each in rows] == [MARCH, *trials]
    assert [each.quantity for each in rows] == [10, 20, 20]

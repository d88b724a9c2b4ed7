"""ListEvents and FollowEvents through a running server: CloudEvents without gaps, to be resumed after any sequence."""

import asyncio

import grpc
import pytest
from google.protobuf import json_format

import patience
from conftest import testing_settings
from tallygate.app import Application
from tallygate_api.v1 import usage_service_pb2 as wire
from tenants import Tenant, after, eventually, metadata_of, reason_of, request_of, rpc

WAIT = patience.SECONDS
DOCUMENT = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}, "jobs": {"kind": "metered", "aggregation": "count"}},
    "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 1000}, "jobs": {"unlimited": True}}}},
}


@pytest.fixture
async def tenant(live_server):
    async with live_server.channel() as channel:
        yield await prepared(Tenant(channel, live_server.new_test_tenant()))


async def prepared(tenant):
    await tenant.apply(DOCUMENT)
    for account_id in ("acme", "hooli"):
        await tenant.call("UpsertAccount", account_id=account_id, plan_key="p")
    return tenant


def following(tenant, **asked):
    return rpc(tenant.channel, "FollowEvents")(request_of("FollowEvents", **asked), metadata=metadata_of(tenant.key))


async def read(stream, count):
    """The next events of a stream."""
    return [(await asyncio.wait_for(stream.read(), WAIT)).event for _ in range(count)]


async def head(tenant, sequence):
    """Wait until the tenant's log has come so far."""

    async def reached():
        return (await tenant.call("ListEvents", page_size=1000)).next_after_sequence >= sequence

    await eventually(reached, what=f"event {sequence}")


async def whole(tenant, count):
    """The tenant's log, once it holds so many events."""
    page = await tenant.call("ListEvents", page_size=1000)
    return page if len(page.events) == count else None


async def test_an_event_is_a_cloud_event(tenant):
    decision = await tenant.consume("acme", "calls", 3, request_id="r-1", dimensions={"region": "eu"}, user_id="ada")
    await head(tenant, 1)
    (event,) = (await tenant.call("ListEvents")).events
    assert (event.id, event.sequence, event.specversion, event.type) == ("1", 1, "1.0", "tallygate.usage.v1")
    assert event.source.startswith("/tallygate/tenants/test-")
    assert (event.subject, event.time, event.datacontenttype) == ("acme", event.data.recorded_time, "application/json")
    data = event.data
    assert (data.account_id, data.feature_key, data.request_id, data.quantity) == ("acme", "calls", "r-1", 3)
    assert (data.kind, data.user_id, dict(data.dimensions)) == (wire.FACT_KIND_CONSUME, "ada", {"region": "eu"})
    assert list(data.pots) == list(decision.pots)
    assert (data.plan_key, data.plan_version, data.trial, data.billable, data.carry_in) == ("p", 1, False, True, False)
    assert (data.period_start_time, data.period_end_time) == (decision.period_start_time, decision.reset_time)
    held = (await tenant.call("GetSubscription", account_id="acme")).subscription
    assert (data.subscription_id, data.view_version) == (held.subscription_id, decision.view_version)
    as_json = json_format.MessageToDict(event)
    assert {"id", "source", "specversion", "type", "subject", "time", "datacontenttype", "data"} <= as_json.keys()


async def test_a_stream_has_no_gaps_and_resumes_after_any_sequence(tenant):
    for _ in range(5):
        await tenant.consume("acme", "calls", 1)
    stream = following(tenant)
    assert [event.sequence for event in await read(stream, 5)] == [1, 2, 3, 4, 5]
    for number in range(4):
        await tenant.consume(("hooli", "acme")[number % 2], "calls", 1)
    assert [event.sequence for event in await read(stream, 4)] == [6, 7, 8, 9]
    stream.cancel()
    await tenant.consume("acme", "calls", 1)
    resumed = following(tenant, after_sequence=7)
    assert [event.sequence for event in await read(resumed, 3)] == [8, 9, 10]
    resumed.cancel()


async def test_a_stream_of_one_account_or_feature_passes_over_the_others(tenant):
    mine, jobs = following(tenant, account_id="hooli"), following(tenant, feature_key="jobs")
    for number in range(6):
        await tenant.consume(("acme", "hooli")[number % 2], "calls", 1)
        await tenant.consume(("acme", "hooli")[number % 2], "jobs", 1)
    log = (await eventually(lambda: whole(tenant, 12), what="12 events")).events
    assert await read(mine, 6) == [event for event in log if event.subject == "hooli"]
    assert await read(jobs, 6) == [event for event in log if event.data.feature_key == "jobs"]
    for stream in (mine, jobs):
        stream.cancel()


async def test_pages_of_one_feature_are_full_and_an_empty_one_means_there_are_none(tenant):
    for number in range(9):
        await tenant.consume("acme", "jobs" if number % 3 == 2 else "calls", 1)
    await head(tenant, 9)
    first = await tenant.call("ListEvents", feature_key="jobs", page_size=2)
    assert ([event.sequence for event in first.events], first.next_after_sequence) == ([3, 6], 6)
    asked = {"feature_key": "jobs", "page_size": 2, "after_sequence": first.next_after_sequence}
    rest = await tenant.call("ListEvents", **asked)
    assert ([event.sequence for event in rest.events], rest.next_after_sequence) == ([9], 9)
    none = await tenant.call("ListEvents", feature_key="jobs", after_sequence=9)
    assert (len(none.events), none.next_after_sequence) == (0, 9)
    others = await tenant.call("ListEvents", account_id="hooli")
    assert (len(others.events), others.next_after_sequence) == (0, 9)


async def test_each_tenant_has_a_log_of_its_own(tenant, live_server):
    await tenant.consume("acme", "calls", 1)
    await head(tenant, 1)
    other = await prepared(Tenant(tenant.channel, live_server.new_test_tenant()))
    stream = following(other)
    await other.consume("acme", "calls", 2)
    (event,) = await read(stream, 1)
    assert (event.sequence, event.data.quantity) == (1, 2)
    stream.cancel()


async def test_time_is_the_tenants_own(tenant):
    moved = after((await tenant.call("GetTestClock")).clock.current_time, 40 * 86_400)
    await tenant.advance_to(moved)
    await tenant.consume("acme", "calls", 1)
    await head(tenant, 1)
    (event,) = (await tenant.call("ListEvents")).events
    assert moved.seconds <= event.time.seconds <= moved.seconds + 60


@pytest.mark.parametrize("wrong", [{"after_sequence": -1}, {"account_id": "a\n"}, {"feature_key": "x" * 256}])
async def test_what_cannot_be_followed_is_refused_by_its_field(tenant, wrong):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await following(tenant, **wrong).read()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert next(iter(wrong)) in refused.value.details()


async def test_a_stream_ends_with_the_server_so_that_it_resumes_elsewhere(tmp_path, live_server):
    application = Application(testing_settings(tmp_path))
    async with application, grpc.aio.insecure_channel(application.grpc_address) as channel:
        tenant = await prepared(Tenant(channel, live_server.new_test_tenant()))
        stream = following(tenant)
        await tenant.consume("acme", "calls", 1)
        (event,) = await read(stream, 1)
        assert event.sequence == 1
        stopping = asyncio.create_task(application.stop())
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await asyncio.wait_for(stream.read(), WAIT)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(ended.value) == "SHUTTING_DOWN"
        await stopping

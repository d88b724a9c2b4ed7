"""More calls than there is room for: who is turned away hears UNAVAILABLE and when to come back, on any transport."""

import asyncio
import collections
import contextlib

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from tallygate.domain.credential import Scope
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.server.calls.wrapper import CallOptions
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub

CONNECTIONS, CALLERS = 30, 3_000


@contextlib.asynccontextmanager
async def connections(server, count):
    """Stubs on so many connections of their own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    target = server.transport.addresses[0].target
    async with contextlib.AsyncExitStack() as opened:
        channels = [
            await opened.enter_async_context(grpc.aio.insecure_channel(target, options=options)) for _ in range(count)
        ]
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        yield [EntitlementServiceStub(channel) for channel in channels]


async def outcome(stub, metadata):
    """Each kind of end a call comes to: its status, and whether it said why and when to try again."""
    request = wire.ConsumeQuotaRequest(account_id="a", feature_key="f", request_id="r")
    try:
        await stub.ConsumeQuota(request, metadata=metadata, timeout=60)
    except grpc.aio.AioRpcError as error:
        trailing = dict(error.trailing_metadata() or ())
        return error.code().name, _reason(trailing)
    return "OK", ""


def _reason(trailing):
    status = status_pb2.Status.FromString(trailing.get("grpc-status-details-bin", b""))
    names = {detail.type_url.rpartition(".")[2]: detail for detail in status.details}
    info = error_details_pb2.ErrorInfo()
    if "ErrorInfo" in names and "RetryInfo" in names:
        names["ErrorInfo"].Unpack(info)
    return info.reason


async def test_a_burst_is_answered_or_told_when_to_come_back(start):
    server = await start(call_options=CallOptions(max_in_flight=256))
    async with connections(server, CONNECTIONS) as stubs:
        calls = (outcome(stubs[number % CONNECTIONS], server.metadata()) for number in range(CALLERS))
        found = collections.Counter(await asyncio.gather(*calls))
    assert set(found) <= {("OK", ""), ("UNAVAILABLE", "OVERLOADED")}, found
    assert found["OK", ""] >= 224


async def test_a_quiet_tenant_is_served_beside_one_that_takes_all_it_can(start):
    server = await start(call_options=CallOptions(max_in_flight=256))
    server.keys.add("noisy", Scope.DATA, tenant_id="noisy")
    release, busy = asyncio.Event(), asyncio.Event()

    async def consume(tenant_id, request):
        if tenant_id == "noisy":
            busy.set()
            await release.wait()
        return Decision(feature_key=request.feature_key, allowed=True, reason=Reason.WITHIN_LIMIT, view_version=1)

    server.use_cases.consume_answer = consume
    async with connections(server, CONNECTIONS) as stubs:
        noisy = [
            asyncio.create_task(outcome(stubs[number % CONNECTIONS], server.metadata("noisy")))
            for number in range(CALLERS)
        ]
        await busy.wait()
        quiet = [await outcome(stubs[number % CONNECTIONS], server.metadata()) for number in range(100)]
        together = await asyncio.gather(*(outcome(stubs[number], server.metadata()) for number in range(20)))
        release.set()
        loud = collections.Counter(await asyncio.gather(*noisy))
    assert set(quiet) == {("OK", "")}, collections.Counter(quiet)
    assert set(together) == {("OK", "")}, collections.Counter(together)
    assert set(loud) == {("OK", ""), ("UNAVAILABLE", "OVERLOADED")}, loud
    assert loud["OK", ""] >= 128


async def test_a_batch_is_weighed_by_what_it_asks_and_leaves_room_for_others(start):
    """256 places: 700 pairs weigh 88, so that two batches fit, and a third does not."""
    server = await start(call_options=CallOptions(max_in_flight=256))
    server.keys.add("noisy", Scope.DATA, tenant_id="noisy")
    release, full = asyncio.Event(), asyncio.Event()
    waiting, refused = [], []

    async def check(tenant_id, request):
        if tenant_id == "noisy":
            waiting.append(request)
            await release.wait()
        return Decision(feature_key=request.feature_key, allowed=True, reason=Reason.WITHIN_LIMIT, view_version=1)

    server.use_cases.check_answer = check
    accounts, features = ([f"{kind}{number}" for number in range(count)] for kind, count in (("a", 20), ("f", 35)))
    request = wire.BatchCheckEntitlementsRequest(account_ids=accounts, feature_keys=features)
    stub = EntitlementServiceStub(server.channel)

    async def batch():
        try:
            await stub.BatchCheckEntitlements(request, metadata=server.metadata("noisy"), timeout=60)
        except grpc.aio.AioRpcError as error:
            refused.append(_reason(dict(error.trailing_metadata() or ())))
        if len(refused) == 38:
            full.set()

    noisy = [asyncio.create_task(batch()) for _ in range(40)]
    await full.wait()
    single = wire.CheckEntitlementRequest(account_id="a", feature_key="f")
    for _ in range(50):
        await stub.CheckEntitlement(single, metadata=server.metadata(), timeout=60)
    release.set()
    await asyncio.gather(*noisy)
    assert collections.Counter(refused) == {"OVERLOADED": 38}
    assert len(waiting) == 2 * 700

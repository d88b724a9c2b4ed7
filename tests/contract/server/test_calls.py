import asyncio
import logging

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from tallygate.domain.credential import Scope
from tallygate.domain.errors import InvalidFieldError, NotFoundError, StoreUnavailableError
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.server.calls.method import Method, decoder
from tallygate.server.calls.scopes import METHOD_RULES, MethodRule
from tallygate.server.calls.wrapper import CallOptions
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub

NOW = 1_800_000_000_000_000
CHECK = "/tallygate.v1.EntitlementService/CheckEntitlement"
ASK = wire.CheckEntitlementRequest(account_id="acme", feature_key="api_calls")


async def failure(call):
    """The error of a call: code, details by type name, trailing metadata."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    trailing = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    found = {}
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
        for packed in status.details:
            if packed.Is(kind.DESCRIPTOR):
                message = kind()
                packed.Unpack(message)
                found[kind.__name__] = message
    assert found["ErrorInfo"].domain == "tallygate"
    return error.code(), found, trailing


def stub(server):
    return EntitlementServiceStub(server.channel)


async def test_a_call_carries_the_tenant_of_its_key(start):
    server = await start()
    answer = await stub(server).CheckEntitlement(ASK, metadata=server.metadata())
    assert answer.decision.allowed
    assert server.use_cases.asked[0][0] == "demo"


@pytest.mark.parametrize(
    ("authorization", "code", "reason"),
    [
        (None, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ("Bearer tg_nonsense", grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ("Basic abc", grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ("unknown", grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ("expired", grpc.StatusCode.UNAUTHENTICATED, "KEY_EXPIRED"),
        ("revoked", grpc.StatusCode.UNAUTHENTICATED, "KEY_REVOKED"),
        ("control", grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
    ],
)
async def test_a_key_that_does_not_allow_it_is_refused(start, authorization, code, reason):
    server = await start()
    server.keys.add("expired", Scope.DATA, expire_time=NOW)
    server.keys.add("revoked", Scope.DATA, revoke_time=NOW - 1)
    server.keys.add("control", Scope.CONTROL)
    metadata = None
    if authorization is not None:
        metadata = server.metadata(authorization) if " " not in authorization else (("authorization", authorization),)
    got, details, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=metadata))
    assert (got, details["ErrorInfo"].reason) == (code, reason)
    assert not server.use_cases.asked


@pytest.mark.parametrize(("name", "allowed"), [("soon", True), ("read", True)])
async def test_a_key_is_good_until_it_expires_and_reading_needs_only_read_only(start, name, allowed):
    server = await start()
    server.keys.add("soon", Scope.DATA, expire_time=NOW + 1)
    server.keys.add("read", Scope.READ_ONLY)
    answer = await stub(server).CheckEntitlement(ASK, metadata=server.metadata(name))
    assert answer.decision.allowed is allowed


async def test_read_only_takes_nothing(start):
    server = await start()
    server.keys.add("read", Scope.READ_ONLY)
    request = wire.ConsumeQuotaRequest(account_id="acme", feature_key="api_calls", request_id="r")
    code, details, _ = await failure(stub(server).ConsumeQuota(request, metadata=server.metadata("read")))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert dict(details["ErrorInfo"].metadata) == {"scope": "data", "key_id": "read"}


async def test_a_revoked_key_is_refused_after_the_next_look_at_the_table(start):
    server = await start()
    await server.authenticator.refresh()
    await stub(server).CheckEntitlement(ASK, metadata=server.metadata())
    reads = server.keys.reads
    await stub(server).CheckEntitlement(ASK, metadata=server.metadata())
    assert server.keys.reads == reads
    server.keys.add("data", Scope.DATA, revoke_time=NOW - 1)
    await server.authenticator.refresh()
    _, details, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert details["ErrorInfo"].reason == "KEY_REVOKED"


async def test_the_listeners_key_serves_callers_without_one(start):
    from_conftest = await start()
    server = await start(listener_key=from_conftest.metadata()[0][1].removeprefix("Bearer "))
    answer = await stub(server).CheckEntitlement(ASK)
    assert answer.decision.allowed
    code, _, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=(("authorization", "Bearer x"),)))
    assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_the_key_table_being_away_is_unavailable_not_unauthenticated(start):
    server = await start()
    server.keys.error = StoreUnavailableError()
    code, details, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert details["RetryInfo"].retry_delay.nanos > 0


@pytest.mark.parametrize(("sent", "back"), [("trace-me 7", "trace-me 7"), (None, None), ("x" * 129, None)])
async def test_an_answer_brings_back_the_name_that_its_caller_gave_the_call(start, sent, back):
    server = await start()
    metadata = (*server.metadata(), *(() if sent is None else (("x-request-id", sent),)))
    for _ in range(2):  # the second one is answered from what was answered before
        answered = stub(server).CheckEntitlement(ASK, metadata=metadata)
        assert (await answered).decision.allowed
        assert dict(await answered.trailing_metadata()).get("x-request-id") == back


async def test_every_failure_has_a_name(start):
    server = await start()
    server.use_cases.check_answer = broken
    for sent in ("mine", ""):
        metadata = (*server.metadata(), *((("x-request-id", sent),) if sent else ()))
        _, details, trailing = await failure(stub(server).CheckEntitlement(ASK, metadata=metadata))
        name = dict(trailing)["x-request-id"]
        assert details["ErrorInfo"].metadata["request_id"] == name
        assert name == sent or name.startswith("call-")
    request = wire.CheckEntitlementRequest(account_id="a" * 256, feature_key="api_calls")
    _, _, trailing = await failure(stub(server).CheckEntitlement(request, metadata=server.metadata()))
    assert dict(trailing)["x-request-id"].startswith("call-")


async def broken(_tenant_id, _request):
    msg = "unforeseen"
    raise RuntimeError(msg)


async def test_an_invalid_field_is_named(start):
    server = await start()
    request = wire.CheckEntitlementRequest(account_id="a" * 256, feature_key="api_calls")
    code, details, _ = await failure(stub(server).CheckEntitlement(request, metadata=server.metadata()))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "INVALID_FIELD"
    assert details["ErrorInfo"].metadata["field"] == "account_id"
    assert details["BadRequest"].field_violations[0].field == "account_id"


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe"])
async def test_undecodable_bytes_are_the_callers_mistake(start, body):
    server = await start()
    call = server.call(CHECK, body, wire.CheckEntitlementResponse, metadata=server.metadata())
    code, details, _ = await failure(call)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details["ErrorInfo"].reason == "MALFORMED_REQUEST"
    assert details["ErrorInfo"].metadata["expected"] == "tallygate.v1.CheckEntitlementRequest"
    code, _, _ = await failure(server.call(CHECK, body, wire.CheckEntitlementResponse))
    assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_a_request_may_be_as_large_as_its_method_allows(start):
    server = await start(call_options=CallOptions(max_message_bytes=2000))
    large = wire.CheckEntitlementRequest(account_id="acme", feature_key="api_calls", requested_values=["x" * 2000])
    code, details, _ = await failure(stub(server).CheckEntitlement(large, metadata=server.metadata()))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    many = wire.BatchCheckEntitlementsRequest(account_ids=[f"a{n:04}" for n in range(500)], feature_keys=["f"])
    answer = await stub(server).BatchCheckEntitlements(many, metadata=server.metadata())
    assert [result.account_id for result in answer.results] == list(many.account_ids)


async def test_an_unexpected_exception_is_logged_and_says_nothing(start, caplog):
    server = await start()

    async def broken(_tenant_id, _request):
        message = "hunter2"
        raise ZeroDivisionError(message)

    server.use_cases.check_answer = broken
    with caplog.at_level(logging.ERROR):
        code, details, trailing = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert code is grpc.StatusCode.INTERNAL
    assert details["ErrorInfo"].reason == "INTERNAL"
    assert details["ErrorInfo"].metadata["request_id"].startswith("call-")
    assert "hunter2" not in str(trailing)
    assert "ZeroDivisionError" not in str(trailing)
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


@pytest.mark.parametrize("error", [NotFoundError(), BaseExceptionGroup("many", [ValueError("x")])])
async def test_an_error_without_a_reason_is_internal(start, error):
    server = await start()

    async def broken(_tenant_id, _request):
        raise error

    server.use_cases.check_answer = broken
    code, _, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert code is grpc.StatusCode.INTERNAL


async def test_one_failing_pair_of_a_batch_fails_alone(start):
    server = await start()

    async def check_many(_tenant_id, requests):
        decision = Decision(feature_key="b", allowed=False, reason=Reason.QUOTA_EXHAUSTED, limit=0, remaining=0)
        return [InvalidFieldError(field="x", expected="y"), decision][: len(requests)]

    server.use_cases.check_many = check_many
    request = wire.BatchCheckEntitlementsRequest(account_ids=["acme"], feature_keys=["a", "b"])
    answer = await stub(server).BatchCheckEntitlements(request, metadata=server.metadata())
    assert answer.results[0].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answer.results[0].error.metadata["field"] == "x"
    assert answer.results[1].decision.HasField("remaining")
    assert not answer.results[1].decision.allowed


async def test_a_write_outlives_its_deadline_and_its_caller(start):
    server = await start()
    begun, release, ended = asyncio.Semaphore(0), asyncio.Event(), []

    async def slow(request, _call):
        begun.release()
        await release.wait()
        ended.append(request.key)
        return wire.CheckEntitlementResponse()

    rule = METHOD_RULES["tallygate.v1.CatalogService/ApplyCatalog"]
    method = Method("x", MethodRule((Scope.DATA,), batch=rule.batch), decoder(wire.DescriptorEntry, 1024))
    assert not rule.inline
    handler = server.calls.unary(method, slow)
    late = Patient(server.metadata(), seconds=0.05)
    with pytest.raises(RuntimeError, match="deadline"):
        await handler(wire.DescriptorEntry(key="late").SerializeToString(), late)
    assert late.aborted is grpc.StatusCode.DEADLINE_EXCEEDED
    await begun.acquire()
    entry = wire.DescriptorEntry(key="gone").SerializeToString()
    gone = asyncio.create_task(handler(entry, Patient(server.metadata(), seconds=5)))
    await begun.acquire()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert ended == []
    release.set()
    assert await server.calls.idle(5)
    assert ended == ["late", "gone"]


async def test_a_call_of_the_data_plane_ends_with_its_deadline_and_its_caller(start):
    server = await start()
    begun, ended = asyncio.Semaphore(0), []

    async def never(_tenant_id, request):
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(request.request_id)

    server.use_cases.consume_answer = never
    requests = [wire.ConsumeQuotaRequest(account_id="a", feature_key="f", request_id=f"r{n}") for n in range(2)]
    late = stub(server).ConsumeQuota(requests[0], metadata=server.metadata(), timeout=1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await late
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await begun.acquire()
    gone = stub(server).ConsumeQuota(requests[1], metadata=server.metadata())
    await begun.acquire()
    gone.cancel()
    assert await server.calls.idle(5)
    assert ended == ["r0", "r1"]


async def test_a_call_without_a_deadline_gets_the_default_one(start):
    server = await start(call_options=CallOptions(default_deadline=0.05))

    async def never(_tenant_id, _request):
        await asyncio.sleep(0.5)
        return Decision(feature_key="f", allowed=True, reason=Reason.WITHIN_LIMIT)

    server.use_cases.check_answer = never
    code, details, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    await server.calls.idle(5)


async def test_a_callers_own_deadline_rules_though_it_is_longer_than_the_default_one(start):
    server = await start(call_options=CallOptions(default_deadline=0.05))

    async def slow(_tenant_id, _request):
        await asyncio.sleep(0.3)
        return Decision(feature_key="f", allowed=True, reason=Reason.WITHIN_LIMIT)

    server.use_cases.check_answer = slow
    answer = await stub(server).CheckEntitlement(ASK, metadata=server.metadata(), timeout=60)
    assert answer.decision.allowed


async def test_a_callers_own_deadline_rules_up_to_the_longest(start):
    server = await start(call_options=CallOptions(default_deadline=0.01, max_deadline=0.05))

    async def never(_tenant_id, _request):
        await asyncio.Event().wait()

    server.use_cases.check_answer = never
    code, details, _ = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata(), timeout=600))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    await server.calls.idle(5)


@pytest.mark.parametrize(
    ("remaining", "patience"),
    [(None, 5.0), (9.2e18, 5.0), (0.1, 0.1), (5.0, 5.0), (59.0, 59.0), (61.0, 60.0), (3.6e11, 60.0)],
)
def test_how_long_a_call_may_take(remaining, patience):
    assert CallOptions().patience(remaining) == patience
    assert CallOptions(default_deadline=90).patience(80.0) == 80.0  # the longest is never shorter than the default one


class Patient:
    """A context whose caller waits so long."""

    aborted = None

    def __init__(self, metadata, *, seconds):
        self.metadata, self.seconds = metadata, seconds

    def invocation_metadata(self):
        return self.metadata

    def time_remaining(self):
        return self.seconds

    async def abort(self, code, details, trailing_metadata):
        self.aborted = code
        assert trailing_metadata
        raise RuntimeError(details)


class Abandoned:
    """A context whose deadline has passed before the call began."""

    aborted = None

    def invocation_metadata(self):
        return ()

    def time_remaining(self):
        return -0.1

    async def abort(self, code, details, trailing_metadata):
        self.aborted = code
        assert trailing_metadata
        raise RuntimeError(details)


async def test_an_expired_call_starts_no_work(start):
    server = await start()
    worked = []

    async def work(request, _call):
        worked.append(request)

    context = Abandoned()
    handler = server.calls.unary(Method("x", METHOD_RULES[CHECK[1:]], decoder(wire.DescriptorEntry, 1024)), work)
    with pytest.raises(RuntimeError, match="deadline"):
        await handler(b"", context)
    assert context.aborted is grpc.StatusCode.DEADLINE_EXCEEDED
    assert worked == []


async def test_overload_is_unavailable_with_pushback(start, kind):
    server = await start(call_options=CallOptions(max_in_flight=2))
    release, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def wait(_tenant_id, request):
        begun.release()
        await release.wait()
        return Decision(feature_key=request.feature_key, allowed=True, reason=Reason.WITHIN_LIMIT)

    server.use_cases.check_answer = wait
    held = [stub(server).CheckEntitlement(ASK, metadata=server.metadata()) for _ in range(2)]
    for _ in held:
        await begun.acquire()
    code, details, trailing = await failure(stub(server).CheckEntitlement(ASK, metadata=server.metadata()))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
    assert details["RetryInfo"].retry_delay.nanos > 0
    if kind == "grpcio":  # the native front keeps this key to itself; RetryInfo is on both
        assert 0 < int(trailing["grpc-retry-pushback-ms"]) < 1000
    release.set()
    assert all(answer.decision.allowed for answer in await asyncio.gather(*held))
    assert b"tallygate_calls_in_flight 0.0" in server.metrics.exposition()


async def test_calls_and_decisions_are_measured(start):
    server = await start()
    await stub(server).CheckEntitlement(ASK, metadata=server.metadata())
    await failure(stub(server).CheckEntitlement(ASK))
    shown = server.metrics.exposition().decode()
    method = "EntitlementService/CheckEntitlement"
    assert f'tallygate_call_seconds_count{{code="OK",method="{method}"}} 1.0' in shown
    assert f'tallygate_call_seconds_count{{code="UNAUTHENTICATED",method="{method}"}} 1.0' in shown
    assert 'tallygate_decisions_total{allowed="true",kind="metered",reason="WITHIN_LIMIT"} 1.0' in shown
    assert "acme" not in shown
    assert "demo" not in shown

"""Traces: a call's span under its caller's, Redis and SQL under it, and what others are told of it."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from conftest import testing_settings
from gateway_worlds import DAY, WORLDS
from registers import VALID, Register
from tallygate.app import Application, tracing
from tallygate.app.errors import UnusableSettingError
from tallygate.app.usable import require_usable
from tallygate.billing.ports import ChargeRequest
from tallygate.domain.credential import mint_key
from tallygate.gateways.vies import Vies
from tallygate.settings import ServerSettings, Settings, TracingSettings
from tenants import Tenant, eventually, metadata_of, request_of, rpc

KEY = mint_key(b"traced".ljust(32))
OPEN = tracing.open_tracing
ABOVE = "4bf92f3577b34da6a3ce929d0e0e4736"
CATALOG = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}},
    "plans": {"p": {"version": 1, "entitlements": {"calls": {"limit": 100_000}}}},
}


def traceparent(trace=ABOVE, *, sampled=True):
    return ("traceparent", f"00-{trace}-00f067aa0ba902b7-0{int(sampled)}")


def following(ratio=1.0):
    """Spans of a process, as they end."""
    kept = InMemorySpanExporter()
    settings = Settings(tracing=TracingSettings(ratio=ratio))
    return tracing.Tracing(settings, SimpleSpanProcessor(kept)), kept


class Traced:
    """A server whose spans are kept here."""

    def __init__(self, channel, kept, owner):
        self.channel, self.kept, self.owner = channel, kept, owner

    async def call(self, name, *more, **fields):
        call = rpc(self.channel, name)(request_of(name, **fields), metadata=(*metadata_of(KEY), *more))
        return await call

    def of(self, trace=ABOVE):
        return [span for span in self.kept.get_finished_spans() if format(span.context.trace_id, "032x") == trace]

    async def ended(self, name, trace=ABOVE):
        """The span of a call, with what it asked of others."""

        async def found():
            return [span for span in self.of(trace) if span.name == name]

        (call,) = await eventually(found)
        below = [span for span in self.of(trace) if span.parent and span.parent.span_id == call.context.span_id]
        return call, below


@contextlib.asynccontextmanager
async def server(directory, monkeypatch, transport, ratio=1.0):
    kept = {}

    def opened(_settings):
        made, kept["spans"] = following(ratio)
        return made

    monkeypatch.setattr(tracing, "open_tracing", opened)
    settings = testing_settings(directory, tracing=TracingSettings(endpoint="http://127.0.0.1:4317"))
    chosen = settings.server.model_copy(update={"transport": transport})
    async with contextlib.AsyncExitStack() as running:
        application = await running.enter_async_context(Application(settings.model_copy(update={"server": chosen})))
        channel = await running.enter_async_context(grpc.aio.insecure_channel(application.grpc_address))
        owner = Tenant(channel, KEY)
        await owner.apply(CATALOG)
        await owner.call("UpsertAccount", account_id="acme", plan_key="p")
        yield Traced(channel, kept["spans"], owner)


@pytest.fixture(scope="module", params=["native", "grpcio"])
async def traced(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with server(tmp_path_factory.mktemp("traced"), monkeypatch, request.param) as found:
            yield found


@pytest.fixture(autouse=True)
def _anew(request):
    if "traced" in request.fixturenames:
        request.getfixturevalue("traced").kept.clear()


async def test_a_call_is_below_its_caller_and_what_it_asks_of_redis_below_it(traced):
    state = ("tracestate", "vendor=one,other=2")
    await traced.call("ConsumeQuota", traceparent(), state, account_id="acme", feature_key="calls", request_id="a")
    call, below = await traced.ended("EntitlementService/ConsumeQuota")
    assert (call.kind, format(call.parent.span_id, "016x")) == (SpanKind.SERVER, "00f067aa0ba902b7")
    assert dict(call.context.trace_state) == {"vendor": "one", "other": "2"}
    assert call.attributes == {
        "rpc.system": "grpc", "rpc.service": "EntitlementService", "rpc.method": "ConsumeQuota",
        "rpc.grpc.status_code": 0,
    }  # fmt: skip
    admits = [span for span in below if span.name == "redis admit"]
    assert [(span.kind, span.attributes["tallygate.status"]) for span in admits][-1] == (SpanKind.CLIENT, "DECIDED")
    assert call.start_time <= admits[0].start_time <= admits[-1].end_time <= call.end_time


async def test_calls_that_travel_together_keep_their_own_traces(traced):
    traces = {f"{number:032x}": f"c{number}" for number in range(1, 101)}
    await asyncio.gather(
        *(
            traced.call("ConsumeQuota", traceparent(trace), account_id="acme", feature_key="calls", request_id=name)
            for trace, name in traces.items()
        )
    )
    for trace in traces:
        call, below = await traced.ended("EntitlementService/ConsumeQuota", trace)
        assert [span.name for span in below][-1] == "redis admit"
        assert len(traced.of(trace)) == 1 + len(below), call


async def test_statements_are_below_their_call_and_hold_no_value(traced):
    await traced.call("UpsertAccount", traceparent(), account_id="very-secret-corp", plan_key="p")
    call, below = await traced.ended("AccountService/UpsertAccount")
    statements = [span for span in below if span.attributes.get("db.system.name") == "sqlite"]
    assert {"sqlite SELECT", "sqlite INSERT"} <= {span.name for span in statements}
    assert any("INSERT INTO accounts" in span.attributes["db.query.text"] for span in statements)
    assert "very-secret-corp" not in str([span.attributes for span in traced.of()])
    assert call.status.status_code is StatusCode.UNSET


async def test_what_a_caller_does_not_trace_is_not_traced(traced):
    asked = {"account_id": "acme", "feature_key": "calls"}
    await traced.call("CheckEntitlement", traceparent(sampled=False), **asked)
    await traced.call("CheckEntitlement", traceparent("f" * 32), **asked)
    await traced.ended("EntitlementService/CheckEntitlement", "f" * 32)
    assert traced.of() == []


NONE = ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{ABOVE}-00f067aa0ba902b7-01"]


@pytest.mark.parametrize("value", NONE)
async def test_a_caller_whose_trace_is_none_begins_one_here(traced, value):
    await traced.call("CheckEntitlement", ("traceparent", value), account_id="acme", feature_key="calls")
    found = await eventually(lambda: spans(traced, "EntitlementService/CheckEntitlement"))
    assert [span.parent for span in found] == [None]


async def spans(traced, name):
    return [span for span in traced.kept.get_finished_spans() if span.name == name]


async def test_a_failure_says_its_code_and_whose_fault_it_is(traced):
    for number, (fields, code, fault) in enumerate(
        [
            ({"account_id": "acme", "feature_key": "no-such"}, 5, StatusCode.UNSET),
            ({"account_id": "acme", "feature_key": "calls", "min_view_version": 1 << 50}, 14, StatusCode.ERROR),
        ]
    ):
        trace = f"{number + 1:x}" * 32
        with pytest.raises(grpc.aio.AioRpcError):
            await traced.call("CheckEntitlement", traceparent(trace), **fields)
        call, _ = await traced.ended("EntitlementService/CheckEntitlement", trace)
        assert (call.attributes["rpc.grpc.status_code"], call.status.status_code) == (code, fault)


async def test_a_call_that_its_caller_leaves_ends_there(traced):
    call = rpc(traced.channel, "CheckEntitlement")(
        request_of("CheckEntitlement", account_id="acme", feature_key="calls", min_view_version=1 << 50),
        metadata=(*metadata_of(KEY), traceparent()),
    )
    await asyncio.sleep(0.05)
    call.cancel()
    left, _ = await traced.ended("EntitlementService/CheckEntitlement")
    assert left.attributes["rpc.grpc.status_code"] == 1


async def test_a_stream_is_one_span(traced):
    following = rpc(traced.channel, "FollowEvents")(
        request_of("FollowEvents"), metadata=(*metadata_of(KEY), traceparent())
    )
    await traced.call("ConsumeQuota", account_id="acme", feature_key="calls", request_id="followed")
    await following.read()
    assert traced.of() == [] or all(span.name != "EventService/FollowEvents" for span in traced.of())
    following.cancel()
    await eventually(lambda: spans_of(traced, "FollowEvents"))


async def spans_of(traced, method):
    return [span for span in traced.of() if span.attributes.get("rpc.method") == method]


async def test_without_a_callers_word_the_ratio_says_how_many(tmp_path, monkeypatch):
    async with server(tmp_path, monkeypatch, "grpcio", ratio=0.0) as none:
        await none.call("CheckEntitlement", traceparent(), account_id="acme", feature_key="calls")
        await none.ended("EntitlementService/CheckEntitlement")
        assert none.of() == list(none.kept.get_finished_spans()), "neither calls nor jobs without one"


@pytest.mark.parametrize("name", ["stripe", "paypal", "razorpay"])
async def test_a_gateway_is_told_of_the_trace(name, tmp_path):
    told, kept = following()
    async with WORLDS[name](tmp_path) as world:
        adapter = replace(world.adapter, way=replace(world.adapter.way, trail=told))
        gateway = adapter.open(world.credentials)
        request = ChargeRequest(
            tenant_id="t", key="k1", attempt_id="k1", account_id="acme", currency="USD", amount=2_900,
            token=world.tokens["pays"], text="INV 1", time=DAY,
        )  # fmt: skip

        async def work(_jobs):
            await gateway.charge(request)

        await told.jobs({"collect": work})["collect"]([])
        asked = world.stand_in.requests
    job = next(span for span in kept.get_finished_spans() if span.name == "job collect")
    ways = [span for span in kept.get_finished_spans() if span.name == name]
    assert all(span.parent.span_id == job.context.span_id for span in ways)
    sent = [{key.lower(): value for key, value in one.headers.items()}["traceparent"].split("-") for one in asked]
    known = {(f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}") for span in ways}
    assert {(trace, span) for _, trace, span, _ in sent} <= known
    assert {int(flags, 16) & 1 for *_, flags in sent} == {1}, "sampled"


async def test_vies_is_told_of_the_trace_too():
    told, kept = following()
    with Register() as register:
        verifier = Vies(url=register.url, timeout=30, trail=told)

        async def work(_jobs):
            await verifier.ask(f"DE{VALID}", requester="")

        await told.jobs({"verify": work})["verify"]([])
    assert [span.name for span in kept.get_finished_spans()] == ["VIES", "job verify"]


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """An OTLP receiver."""

    def __init__(self):
        self.got = []

    def Export(self, request, _context):  # noqa: N802 - the wire's name
        self.got.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def receiver():
    receiver = Receiver()
    receiving = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, receiving)
    receiver.port = receiving.add_insecure_port("127.0.0.1:0")
    receiving.start()
    yield receiver
    receiving.stop(None).wait()


async def test_spans_reach_a_receiver_before_the_server_has_stopped(receiver, tmp_path, monkeypatch):
    monkeypatch.setattr(tracing, "open_tracing", OPEN)
    chosen = TracingSettings(endpoint=f"http://127.0.0.1:{receiver.port}", service_name="gate")
    async with contextlib.AsyncExitStack() as running:
        application = await running.enter_async_context(Application(testing_settings(tmp_path, tracing=chosen)))
        channel = await running.enter_async_context(grpc.aio.insecure_channel(application.grpc_address))
        await rpc(channel, "ListAccounts")(request_of("ListAccounts"), metadata=(*metadata_of(KEY), traceparent()))
    spans = [
        (resource.resource, span)
        for request in receiver.got
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.trace_id.hex() == ABOVE
    ]
    assert "AccountService/ListAccounts" in {span.name for _, span in spans}
    about = {each.key: each.value.string_value for each in spans[0][0].attributes}
    assert (about["service.name"], about["service.version"]) == ("gate", "0.1.0")


def test_without_the_extra_a_receiver_cannot_be_named(monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("tallygate.app.usable.version", absent)
    settings = Settings(server=ServerSettings(), tracing=TracingSettings(endpoint="https://collector:4317"))
    with pytest.raises(UnusableSettingError, match=r"tracing\.endpoint .*pip install 'tallygate\[otel\]'"):
        require_usable(settings)

"""A running server as its operator sees it: health, reflection, the admin port, logs, load, and how it stops."""

import asyncio
import json
import signal
import time
import urllib.request
from collections import Counter
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import patience
from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate_process import TallygateProcess
from tenants import METHODS, Tenant, eventually, reason_of

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = {method.containing_service.full_name for method in METHODS.values()}
KEY = mint_key(b"operations".ljust(32))
CATALOG = {
    "currency": "USD",
    "features": {"calls": {"kind": "metered"}, "sso": {"kind": "boolean"}},
    "rate_limits": {"rps": {"owner": "account", "algorithm": "token_bucket"}},
    "plans": {
        "p": {
            "version": 1,
            "entitlements": {"calls": {"limit": 1_000_000}},
            "rate_limits": {"rps": {"limit": 5, "window": "1s"}},
        }
    },
}


@pytest.fixture(scope="module", params=["grpcio", "native"])
def transport(request):
    return {"TALLYGATE_SERVER__TRANSPORT": request.param}


@pytest.fixture(scope="module")
def running(transport):
    with TallygateProcess(environment={**transport, "TALLYGATE_LOGGING__LEVEL": "debug"}) as process:
        yield process


@asynccontextmanager
async def tenant_of(process):
    """A tenant with a plan, and an account that holds it."""
    async with grpc.aio.insecure_channel(process.address) as channel:
        tenant = Tenant(channel, KEY)
        await tenant.apply(CATALOG)
        await tenant.call("UpsertAccount", account_id="acme", plan_key="p")
        yield tenant


async def test_health_is_told_for_each_service_and_for_all(running):
    async with grpc.aio.insecure_channel(running.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", *SERVICES):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
            assert answer.status == SERVING, service
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=60)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_every_service_with_its_methods(running):
    async with grpc.aio.insecure_channel(running.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        asked += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in sorted(SERVICES)]
        listed, *files = [answer async for answer in stub.ServerReflectionInfo(iter(asked), timeout=60)]
    assert {service.name for service in listed.list_services_response.service} >= SERVICES
    found = set()
    for answer in files:
        file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        found |= {f"{file.package}.{service.name}/{m.name}" for service in file.service for m in service.method}
    assert found == {f"{method.containing_service.full_name}/{method.name}" for method in METHODS.values()}


async def test_the_admin_port_says_live_and_ready_and_what_is_measured(running):
    async with tenant_of(running) as tenant:
        await tenant.consume("acme", "calls", 3)
        await tenant.check("acme", "sso")
        await tenant.call("RateLimit", account_id="acme", limit_key="rps")
        await tenant.usage_reaches("acme", "calls", 3)
    assert await asyncio.to_thread(live, running) == b"live\n"
    ready = running.admin("/ready")
    assert ready["ready"]
    well = {name for name, check in ready["checks"].items() if check["ok"]}
    assert well == {"serving", "redis", "clock", "counters", "collector", "settings", "database"}
    text = running.metrics()
    for line in (
        'tallygate_decisions_total{allowed="true",kind="metered",reason="WITHIN_LIMIT"}',
        'tallygate_decisions_total{allowed="false",kind="boolean",reason="NOT_IN_PLAN"}',
        'tallygate_decisions_total{allowed="true",kind="rate_limit",reason="WITHIN_LIMIT"}',
        'tallygate_call_seconds_bucket{code="OK",le="0.005",method="EntitlementService/ConsumeQuota"}',
        "tallygate_view_age_seconds_bucket",
        "tallygate_view_cache_hits_total",
        "tallygate_view_cache_misses_total",
        "tallygate_stream_lag_entries 0.0",
        "tallygate_stream_lag_seconds 0.0",
        "tallygate_events_collected_total",
        "# TYPE tallygate_degraded_decisions_total counter",
        "tallygate_calls_in_flight",
        "tallygate_redis_up 1.0",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        'tallygate_build_info{python="3.',
    ):
        assert line in text, line
    assert "acme" not in text  # no label takes what callers choose


def live(process):
    with urllib.request.urlopen(f"http://{process.admin_address}/live", timeout=2) as reply:
        return reply.read()


async def test_each_log_line_is_json_and_a_call_s_names_request_and_tenant(running):
    async with tenant_of(running) as tenant:
        await tenant.consume("acme", "calls", 1, request_id="looked-for")

    async def named():
        lines = [json.loads(line) for line in running.log.rpartition("\n")[0].splitlines()]
        assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)
        return [line for line in lines if line.get("request_id") == "looked-for"]

    (line,) = await eventually(named)
    assert line["tenant_id"].startswith("test-")
    assert line["method"] == "EntitlementService/ConsumeQuota"


async def test_too_many_calls_in_flight_are_told_to_come_back(transport):
    """UNAVAILABLE with a time to retry: RESOURCE_EXHAUSTED would say that the caller's quota is used up."""
    with ValkeyServer() as valkey:
        limits = {"TALLYGATE_SERVER__MAX_IN_FLIGHT": "8", "TALLYGATE_REDIS__READ_TIMEOUT": "5m"}
        environment = {**transport, **limits, "TALLYGATE_REDIS__URL": valkey.url}
        with TallygateProcess(environment=environment) as process:
            async with tenant_of(process) as tenant:
                await tenant.consume("acme", "calls", 1)
                valkey.pause()
                try:
                    calls = [asyncio.ensure_future(tenant.consume("acme", "calls", 1)) for _ in range(40)]
                    done: set[asyncio.Future] = set()

                    async def refused():
                        done.update(call for call in calls if call.done())
                        return len(done) >= 33

                    await eventually(refused)
                finally:
                    valkey.resume()
                errors = [call.exception() for call in done]
                assert {error.code() for error in errors} == {grpc.StatusCode.UNAVAILABLE}
                assert {reason_of(error) for error in errors} == {"OVERLOADED"}
                assert all(retry_after(error) > 0 for error in errors)
                kept = await asyncio.gather(*(set(calls) - done), return_exceptions=True)
                assert len(kept) == 7  # of eight: nobody takes the last place alone
                assert not {"RESOURCE_EXHAUSTED"} & {
                    error.code().name for error in kept if isinstance(error, Exception)
                }


def retry_after(error):
    """Seconds after which the caller should come back, from google.rpc.RetryInfo; metadata says it where it can."""
    trailing = dict(error.trailing_metadata() or ())
    info = error_details_pb2.RetryInfo()
    details = status_pb2.Status.FromString(trailing["grpc-status-details-bin"]).details
    assert any(detail.Unpack(info) for detail in details)
    milliseconds = info.retry_delay.ToMilliseconds()
    assert trailing.get("grpc-retry-pushback-ms", str(milliseconds)) == str(milliseconds)
    return milliseconds / 1000


async def test_health_says_not_serving_before_anything_is_refused(transport):
    process = TallygateProcess(environment={**transport, "TALLYGATE_SERVER__DRAIN_DELAY_SECONDS": "1.0"})
    with process:
        async with tenant_of(process) as tenant:
            stub = health_pb2_grpc.HealthStub(tenant.channel)
            watched = stub.Watch(health_pb2.HealthCheckRequest(service="tallygate.v1.EntitlementService"))
            assert (await watched.read()).status == SERVING
            process._process.popen.send_signal(signal.SIGTERM)
            assert (await asyncio.wait_for(watched.read(), 2)).status == NOT_SERVING
            assert (await tenant.consume("acme", "calls", 1)).allowed  # balancers have a second to notice
            watched.cancel()
        assert await asyncio.to_thread(process._process.popen.wait, 15) == 0


async def test_no_answer_is_lost_when_the_server_stops_under_load(transport):
    process = TallygateProcess(environment=transport)
    with process:
        answered, ended = [], []

        async def caller(tenant, number):
            count = 0
            while True:
                request_id = f"{number}-{count}"
                try:
                    decision = await tenant.consume("acme", "calls", 1, request_id=request_id)
                except grpc.aio.AioRpcError as error:
                    ended.append((error.code(), request_id))
                    return
                assert decision.allowed
                answered.append(request_id)
                count += 1

        async with tenant_of(process) as tenant:
            callers = [asyncio.ensure_future(caller(tenant, number)) for number in range(50)]

            async def busy():
                return len(answered) > 500

            await eventually(busy)
            stopping = time.monotonic()
            process._process.popen.send_signal(signal.SIGTERM)
            await asyncio.wait_for(asyncio.gather(*callers), patience.SECONDS)
            assert await asyncio.to_thread(process._process.popen.wait, 15) == 0
            assert time.monotonic() - stopping < 10
    assert Counter(code for code, _ in ended) == {grpc.StatusCode.UNAVAILABLE: 50}
    process.start()
    async with grpc.aio.insecure_channel(process.address) as channel:
        tenant = Tenant(channel, KEY)
        assert (await tenant.check("acme", "calls")).used == len(answered)  # what was taken was answered
        retried = [await tenant.consume("acme", "calls", 1, request_id=request_id) for _, request_id in ended]
        assert not any(decision.replayed for decision in retried)
        await tenant.usage_reaches("acme", "calls", len(answered) + 50)
    process.stop()

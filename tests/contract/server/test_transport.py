import asyncio
import socket
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tallygate.domain.gating.decision import Decision, Reason
from tallygate.server.calls.wrapper import CallOptions
from tallygate.server.listeners import ListenError, parse_address
from tallygate.server.services import entitlement_service
from tallygate.server.transport.transports import TransportOptions
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.entitlement_service_pb2_grpc import EntitlementServiceStub

SERVICE = "tallygate.v1.EntitlementService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(server, service):
    answer = await health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest(service=service))
    return answer.status


async def test_drain_loses_no_answer_under_load(start):
    server = await start(options=TransportOptions(drain=10))
    admitted, answered, refused, busy = set(), set(), [], asyncio.Event()

    async def consume(_tenant_id, request):
        await asyncio.sleep(0.002)
        admitted.add(request.request_id)
        if len(admitted) >= 200:
            busy.set()
        return Decision(feature_key="f", allowed=True, reason=Reason.WITHIN_LIMIT, request_id=request.request_id)

    server.use_cases.consume_answer = consume
    stub = EntitlementServiceStub(server.channel)
    stopping = asyncio.Event()

    async def caller(name):
        count = 0
        while not stopping.is_set():
            count += 1
            request = wire.ConsumeQuotaRequest(account_id="a", feature_key="f", request_id=f"{name}-{count}")
            try:
                answer = await stub.ConsumeQuota(request, metadata=server.metadata(), timeout=60)
            except grpc.aio.AioRpcError as error:
                refused.append(error)
                return
            answered.add(answer.decision.request_id)

    callers = [asyncio.create_task(caller(name)) for name in range(50)]
    await busy.wait()
    await server.transport.drain()
    stopping.set()
    await server.transport.stop()
    await asyncio.gather(*callers)
    assert admitted == answered
    assert {error.code() for error in refused} <= {grpc.StatusCode.UNAVAILABLE}


async def test_health_says_not_serving_while_calls_are_still_answered(start):
    server = await start(options=TransportOptions(drain_delay=0.3))
    assert await health(server, "") == SERVING
    assert await health(server, SERVICE) == SERVING
    draining = asyncio.create_task(server.transport.drain())
    watched = health_pb2_grpc.HealthStub(server.channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    async for change in watched:
        if change.status == NOT_SERVING:
            break
    watched.cancel()
    assert await health(server, "") == NOT_SERVING
    request = wire.CheckEntitlementRequest(account_id="a", feature_key="f")
    answer = await EntitlementServiceStub(server.channel).CheckEntitlement(request, metadata=server.metadata())
    assert answer.decision.allowed
    await draining


V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"


async def reflected(server, version, *asked):
    """The answers of one stream; both versions have the same messages."""
    call = server.channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    requests = [reflection_pb2.ServerReflectionRequest(**one) for one in asked]
    return [answer async for answer in call(iter(requests), timeout=60)]


@pytest.mark.parametrize("version", [V1, V1ALPHA])
async def test_reflection_finds_every_symbol_and_no_other(start, version):
    server = await start()
    there = {
        f"{SERVICE}.CheckEntitlement": "tallygate/v1/entitlement_service.proto",
        "tallygate.v1.CheckEntitlementRequest": "tallygate/v1/entitlement_service.proto",
        "tallygate.v1.CheckEntitlementRequest.account_id": "tallygate/v1/entitlement_service.proto",
        "tallygate.v1.Reason": "tallygate/v1/decision.proto",
        f"{V1}.ServerReflectionInfo": "grpc/reflection/v1/reflection.proto",
        f"{V1ALPHA}.ServerReflectionInfo": "grpc_reflection/v1alpha/reflection.proto",
        "grpc.reflection.v1.ServerReflectionRequest": "grpc/reflection/v1/reflection.proto",
    }
    absent = [f"{SERVICE}.Nothing", "tallygate.v1.Nothing", "tallygate.v1.CheckEntitlementRequest.nothing", "", "."]
    answers = await reflected(server, version, *({"file_containing_symbol": name} for name in [*there, *absent]))
    for (name, file), answer in zip(there.items(), answers, strict=False):
        (first, *_) = answer.file_descriptor_response.file_descriptor_proto
        assert FileDescriptorProto.FromString(first).name == file, name
    for name, answer in zip(absent, answers[len(there) :], strict=True):
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0], name


@pytest.mark.parametrize("version", [V1, V1ALPHA])
async def test_reflection_lists_every_service_without_a_key(start, version):
    server = await start()
    listed, described = await reflected(server, version, {"list_services": ""}, {"file_containing_symbol": SERVICE})
    assert {service.name for service in listed.list_services_response.service} == {
        SERVICE,
        "envoy.service.ratelimit.v3.RateLimitService",
        "grpc.health.v1.Health",
        V1,
        V1ALPHA,
    }
    blobs = described.file_descriptor_response.file_descriptor_proto
    files = [FileDescriptorProto.FromString(blob) for blob in blobs]
    assert "tallygate/v1/entitlement_service.proto" in {file.name for file in files}


async def test_a_unix_socket_is_private_and_taken_over_only_from_the_dead(start, tmp_path):
    path = tmp_path / "tallygate.sock"
    server = await start(address=f"unix:{path}")
    assert path.stat().st_mode & 0o777 == 0o660
    request = wire.CheckEntitlementRequest(account_id="a", feature_key="f")
    stub = EntitlementServiceStub(server.channel)
    assert (await stub.CheckEntitlement(request, metadata=server.metadata())).decision.allowed
    with pytest.raises(ListenError, match="another server does"):
        await start(address=f"unix:{path}")
    await server.transport.stop()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    second = await start(address=f"unix:{path}")
    stub = EntitlementServiceStub(second.channel)
    assert (await stub.CheckEntitlement(request, metadata=second.metadata())).decision.allowed


async def test_an_address_that_cannot_be_had_is_one_line(start, tmp_path):
    server = await start()
    with pytest.raises(ListenError, match="the port is in use; stop what uses it") as caught:
        await start(address=server.transport.addresses[0].target)
    assert "\n" not in str(caught.value)
    with pytest.raises(ListenError, match="create it"):
        await start(address=f"unix:{tmp_path}/absent/t.sock")
    with pytest.raises(ListenError, match="longer than 107 bytes"):
        parse_address("unix:/" + "x" * 200)
    with pytest.raises(ListenError, match="host:port"):
        parse_address("localhost")


@pytest.mark.parametrize(
    ("text", "local", "target"),
    [
        ("127.0.0.1:7420", True, "127.0.0.1:7420"),
        ("[::1]:0", True, "[::1]:0"),
        ("0.0.0.0:1", False, "0.0.0.0:1"),
        ("unix:/run/t.sock", True, "unix:/run/t.sock"),
        ("unix:///run/t.sock", True, "unix:/run/t.sock"),
        ("unix:t.sock", True, "unix:t.sock"),
    ],
)
def test_addresses_are_read(text, local, target):
    address = parse_address(text)
    assert (address.is_local, address.target) == (local, target)


async def test_a_message_beyond_the_transports_limit_is_refused_before_it_is_read(start):
    server = await start(options=TransportOptions(max_message_bytes=4096), call_options=CallOptions())
    body = b"x" * 100_000
    call = server.call(f"/{SERVICE}/CheckEntitlement", body, wire.CheckEntitlementResponse, metadata=server.metadata())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.use_cases.asked == []


def test_handlers_never_see_a_transport():
    services = Path(entitlement_service.__file__).parent
    for path in services.glob("*_service.py"):
        assert "import grpc" not in path.read_text(), path.name

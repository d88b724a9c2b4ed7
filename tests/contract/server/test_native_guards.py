"""Each guard against the attack or fault that it closes; on loopback and Unix sockets, bounded in time and memory."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import patience
from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator
from tallygate.server.calls.registry import Service
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import CallOptions, Calls
from tallygate.server.listeners import parse_address
from tallygate.server.operations.metrics import Metrics
from tallygate.server.transport.native import NativeTransport
from tallygate.server.transport.transports import TransportOptions
from thorough import some

LOCAL_CHANNEL = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0))
UNBOUNDED = CallOptions(max_in_flight=100_000)


def reason_of(error):
    trailing = dict(error.trailing_metadata())
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(trailing["grpc-status-details-bin"]).details[0].Unpack(info)
    return info.reason


@dataclass
class Native:
    """A native transport over raw handlers, which may do with their context what they like."""

    transport: NativeTransport
    metrics: Metrics
    begun: list = field(default_factory=list)

    @property
    def servers(self):
        return self.transport._servers

    @property
    def target(self):
        return self.transport.addresses[0].target

    def registered(self):
        return sum(server.registered for server in self.servers)


@pytest.fixture
async def native(tmp_path):
    """Starts native transports whose one method, /t.T/Call, is the given handler; stops them after the test."""
    started = []

    async def begin(handler, *, call_options=None, options=None, addresses=None):
        metrics = Metrics()
        authenticator = Authenticator(None, clock=lambda: 0, options=AuthenticationOptions())
        calls = Calls(authenticator=authenticator, metrics=metrics, options=call_options or CallOptions())
        if not isinstance(handler, grpc.RpcMethodHandler):
            handler = grpc.unary_unary_rpc_method_handler(handler)
        transport = NativeTransport(
            [parse_address(address) for address in addresses or [f"unix:{tmp_path}/n{len(started)}.sock"]],
            [Service("t.T", {"Call": handler})],
            calls=calls,
            streams=Streams(calls),
            options=options or TransportOptions(),
        )
        await transport.start()
        started.append(transport)
        return Native(transport, metrics)

    yield begin
    for transport in started:
        await transport.stop()


async def outcome(server, body=b"x", timeout=2.0):  # noqa: ASYNC109 - the call's own deadline is what is tested
    async with grpc.aio.insecure_channel(server.target) as channel:
        try:
            return await channel.unary_unary("/t.T/Call")(body, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return error


def burst(target, count, *, body, timeout, cancel):
    """From a thread: start calls at once and leave them, by deadline or by cancelling; their futures."""
    with grpc.insecure_channel(target, options=(*LOCAL_CHANNEL, ("grpc.max_send_message_length", -1))) as channel:
        call = channel.unary_unary("/t.T/Call")
        futures = [call.future(body, timeout=timeout) for _ in range(count)]
        time.sleep(0.2)
        if cancel:
            for future in futures:
                future.cancel()
        for future in futures:
            try:
                future.exception()
            except grpc.FutureCancelledError:
                continue
    return [future.code() for future in futures]


async def while_blocked(seconds, function, *args, **more):
    """Run the function in a thread while the loop is blocked."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(function, *args, **more)
        time.sleep(seconds)  # noqa: ASYNC251 - the fault
        return await asyncio.wrap_future(future)


@pytest.mark.parametrize("cancel", [False, True], ids=["deadline", "cancel"])
async def test_calls_that_end_before_their_task_begins_are_not_kept(native, cancel):
    begun = []

    async def handler(request, _context):
        begun.append(request)
        await asyncio.sleep(0.05)
        return request

    server = await native(handler, call_options=UNBOUNDED)
    bursts = some(9)
    for _ in range(bursts):
        timeout = 5.0 if cancel else 0.2
        await while_blocked(0.7, burst, server.target, 1000, body=b"x" * 900, timeout=timeout, cancel=cancel)
    await asyncio.sleep(0.3)
    assert server.registered() == 0
    assert len(begun) < 500 * bursts  # most had ended before the loop came to them: no work is started for those
    assert b"tallygate_native_calls_registered 0.0" in server.metrics.exposition()
    assert await outcome(server, b"alive") == b"alive"


async def test_a_call_whose_deadline_has_passed_begins_no_work(native):
    begun = []

    async def handler(request, _context):
        begun.append(request)
        return request

    guarded = (await native(handler)).servers[0]
    method = [path for path, _ in guarded._table].index("/t.T/Call")
    for call_id, remaining in ((10**9, 1.0), (10**9 + 1, 3.0)):
        guarded._on_events([(0, call_id, method, b"%d" % call_id, None, ((), "peer", remaining))], time.monotonic() - 2)
    await until(lambda: guarded.registered == 0)
    assert begun == [b"1000000001"]


async def test_a_deadline_is_measured_from_the_arrival_of_the_call(native):
    seen = []

    async def handler(request, context):
        seen.append(context.time_remaining())
        return request

    server = await native(handler)
    await while_blocked(0.6, burst, server.target, 3, body=b"x", timeout=2.0, cancel=False)
    assert await outcome(server, timeout=None) == b"x"
    assert [remaining < 1.6 for remaining in seen[:3]] == [True] * 3
    assert seen[3] is None


async def test_calls_beyond_the_limit_are_refused_even_while_the_loop_is_blocked(native):
    async def handler(request, _context):
        return request

    server = await native(handler, call_options=CallOptions(max_in_flight=40, max_streams=10))

    def flood():
        began = time.monotonic()
        with grpc.insecure_channel(server.target, options=LOCAL_CHANNEL) as channel:
            call = channel.unary_unary("/t.T/Call")
            futures = [call.future(b"x", timeout=60) for _ in range(500)]
            while sum(future.done() for future in futures) < 450:
                time.sleep(0.01)
                assert time.monotonic() - began < 5
            refused = [future.exception() for future in futures if future.done()]
            took = time.monotonic() - began
            answered = sum(future.exception() is None for future in futures)
        return refused, took, answered

    refused, took, answered = await while_blocked(2.0, flood)
    assert took < 1.9
    assert {error.code() for error in refused} == {grpc.StatusCode.UNAVAILABLE}
    assert {reason_of(error) for error in refused} == {"OVERLOADED"}
    assert len(refused) + answered == 500
    assert 40 <= answered < 50  # one caller leaves some of the room to others
    assert f"tallygate_native_calls_refused_total {len(refused)}.0".encode() in server.metrics.exposition()
    assert server.registered() == 0


async def test_health_is_answered_under_overload(native):
    release = asyncio.Event()

    async def handler(request, _context):
        await release.wait()
        return request

    server = await native(handler, call_options=CallOptions(max_in_flight=2, max_streams=0))
    held = [asyncio.create_task(outcome(server)) for _ in range(2)]
    await until(lambda: server.registered() == 2)
    assert reason_of(await outcome(server)) == "OVERLOADED"
    async with grpc.aio.insecure_channel(server.target) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    release.set()
    assert await asyncio.gather(*held) == [b"x", b"x"]


async def until(condition):
    async with asyncio.timeout(patience.SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


INVALID_TRAILERS = [
    (("Upper", "x"),),
    (("grpc-foo", "x"),),
    (("ascii", b"bytes"),),
    (("number", 1),),
    (["list", "pair"],),
    (("line", "a\nb"),),
    (("text-bin", "text"),),
    "nonsense",
    7,
]


@pytest.mark.parametrize("trailing", [*INVALID_TRAILERS, (("grpc-status-details-bin", b"x"),)], ids=str)
async def test_invalid_trailers_of_an_answer_are_internal_and_do_not_hang(native, trailing):
    async def handler(request, context):
        context.set_trailing_metadata(trailing)
        return request

    assert_internal(await outcome(await native(handler)))


@pytest.mark.parametrize("trailing", INVALID_TRAILERS, ids=str)
async def test_invalid_trailers_of_an_error_are_internal_and_do_not_hang(native, trailing):
    async def handler(_request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "no", trailing)

    assert_internal(await outcome(await native(handler)))


@pytest.mark.parametrize(("code", "details"), [(5, "x"), ("NOT_FOUND", "x"), (grpc.StatusCode.NOT_FOUND, 5)], ids=str)
@pytest.mark.parametrize("by", ["abort", "set"])
async def test_an_invalid_status_is_internal_and_does_not_hang(native, code, details, by):
    async def handler(request, context):
        if by == "abort":
            await context.abort(code, details)
        context.set_code(code)
        context.set_details(details)
        return request

    assert_internal(await outcome(await native(handler)))


@pytest.mark.parametrize("answer", [None, "text", object(), 5], ids=["none", "text", "object", "number"])
async def test_an_answer_that_cannot_be_encoded_does_not_hang(native, answer):
    async def handler(_request, _context):
        return answer

    server = await native(
        grpc.unary_unary_rpc_method_handler(handler, None, lambda message: message.SerializeToString())
    )
    assert_internal(await outcome(server))


async def test_an_unexpected_exception_says_nothing_of_itself(native, caplog):
    async def handler(_request, _context):
        raise ZeroDivisionError("hunter2")  # noqa: EM101 - what must not be shown

    error = await outcome(await native(handler))
    assert_internal(error)
    assert "hunter2" not in str(error)
    assert any(record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records)


async def test_a_handler_that_cancels_itself_is_answered(native):
    async def handler(_request, _context):
        raise asyncio.CancelledError

    assert_internal(await outcome(await native(handler)))


@pytest.mark.parametrize("trailing", INVALID_TRAILERS, ids=str)
async def test_invalid_trailers_of_a_stream_are_internal_and_do_not_hang(native, trailing):
    async def handler(request, context):
        yield request
        context.set_trailing_metadata(trailing)

    server = await native(grpc.unary_stream_rpc_method_handler(handler))
    async with grpc.aio.insecure_channel(server.target) as channel:
        stream = channel.unary_stream("/t.T/Call")(b"x", timeout=60)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            assert [item async for item in stream] == []
    assert_internal(caught.value)


def assert_internal(error):
    assert isinstance(error, grpc.aio.AioRpcError), error
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.INTERNAL, "INTERNAL")


async def test_one_bad_event_does_not_lose_the_rest_of_its_batch(native):
    async def handler(request, _context):
        return request

    server = await native(handler)
    arrivals = server.servers[0]._arrivals
    real, broken = arrivals._begin, []

    def take(event, late):
        if not broken:
            broken.append(event)
            raise ZeroDivisionError
        real(event, late)

    arrivals._begin = take
    answers = await asyncio.gather(*(outcome(server) for _ in range(8)))
    assert_internal(next(answer for answer in answers if answer != b"x"))
    assert answers.count(b"x") == 7


@pytest.mark.parametrize("together", [True, False], ids=["at once", "staggered"])
async def test_a_drain_loses_no_answer(native, together):
    for _ in range(4):
        release, begun, ended = asyncio.Event(), [], []

        async def handler(request, _context, release=release, begun=begun, ended=ended):
            begun.append(request)
            await release.wait()
            if not together:
                await asyncio.sleep(len(begun) % 7 * 0.01)
            ended.append(request)
            return request

        options = TransportOptions(drain=5, reflection=False, max_concurrent_streams=1024)
        server = await native(handler, call_options=UNBOUNDED, options=options)
        async with grpc.aio.insecure_channel(server.target, options=LOCAL_CHANNEL) as channel:
            call = channel.unary_unary("/t.T/Call")
            held = [asyncio.ensure_future(call(b"x" * 2000, timeout=60)) for _ in range(236)]
            await until(lambda begun=begun: len(begun) == 236)
            draining = asyncio.create_task(stop_after_drain(server))
            await asyncio.sleep(0.05)
            release.set()
            answers = await asyncio.gather(*held, return_exceptions=True)
            await draining
        assert [answer for answer in answers if not isinstance(answer, bytes)] == []
        assert len(ended) == 236


async def stop_after_drain(server):
    await server.transport.drain()
    await server.transport.stop()


async def test_new_calls_are_refused_in_a_drain_and_health_says_so_to_the_end(native):
    release = asyncio.Event()

    async def handler(request, _context):
        await release.wait()
        return request

    server = await native(handler, options=TransportOptions(drain=5))
    held = asyncio.create_task(outcome(server, timeout=60))
    await until(lambda: server.registered() == 1)
    async with grpc.aio.insecure_channel(server.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest())  # never ends: the drain does not wait for it
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        draining = asyncio.create_task(server.transport.drain())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await until(lambda: server.servers[0]._draining)
        error = await outcome(server)
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert not draining.done()
        release.set()
        assert await held == b"x"
        async with asyncio.timeout(patience.SECONDS):
            await draining
        watch.cancel()


async def test_a_drain_ends_in_time_though_a_call_does_not(native, caplog):
    async def handler(_request, _context):
        await asyncio.sleep(3600)

    server = await native(handler, options=TransportOptions(drain=0.2))
    held = asyncio.create_task(outcome(server, timeout=120))
    await until(lambda: server.registered() == 1)
    async with asyncio.timeout(patience.SECONDS):
        await stop_after_drain(server)
    assert "stopped waiting" in caplog.text
    assert isinstance(await held, grpc.aio.AioRpcError)


async def test_only_reflection_takes_the_fallback(start, kind):
    if kind == "grpcio":
        return
    server = await start()
    (guarded,) = server.transport._servers
    await guarded._fallback.stop(None)
    for service in server.transport._services:
        for name in service.handlers:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await server.channel.unary_unary(f"/{service.name}/{name}")(b"", timeout=60)
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED, name
    check = health_pb2_grpc.HealthStub(server.channel).Check
    assert (await check(health_pb2.HealthCheckRequest(), timeout=60)).status == health_pb2.HealthCheckResponse.SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    with pytest.raises(grpc.aio.AioRpcError):
        assert [answer async for answer in stub.ServerReflectionInfo(asked, timeout=60)] == []


async def test_reflection_is_left_out_where_no_temporary_directory_can_be_written(native, monkeypatch, caplog):
    def none():
        raise FileNotFoundError

    async def handler(request, _context):
        return request

    monkeypatch.setattr("tallygate.server.transport.native.tempfile.gettempdir", none)
    server = await native(handler)
    assert await outcome(server) == b"x"
    assert "no writable temporary directory" in caplog.text


async def test_one_server_a_listener(native, tmp_path):
    async def handler(request, _context):
        return request

    server = await native(handler, addresses=[f"unix:{tmp_path}/two.sock", "127.0.0.1:0", "[::1]:0"])
    targets = [address.target for address in server.transport.addresses]
    assert len(server.servers) == len(set(targets)) == 3
    for target in targets:
        async with grpc.aio.insecure_channel(target) as channel:
            assert await channel.unary_unary("/t.T/Call")(b"x", timeout=60) == b"x"
    await stop_after_drain(server)
    assert not (tmp_path / "two.sock").exists()


async def test_memory_is_shown(native):
    async def handler(request, _context):
        return request

    server = await native(handler)
    shown = dict(line.split() for line in server.metrics.exposition().decode().splitlines() if line[0] != "#")
    assert 10e6 < float(shown["tallygate_resident_memory_bytes"]) < 10e9

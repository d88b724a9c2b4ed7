"""Server streaming and error texts: the same on both transports, and native on the native one."""

import asyncio

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

import patience
from tallygate.domain.credential import Scope
from tallygate.domain.errors import AccountNotFoundError
from tallygate.server.calls.wrapper import CallOptions
from tallygate.server.transport.transports import TransportOptions
from tallygate_api.v1 import usage_service_pb2 as wire
from tallygate_api.v1.usage_service_pb2_grpc import UsageServiceStub

SERVICE = wire.DESCRIPTOR.services_by_name["UsageService"]
ASK = wire.FollowEventsRequest()


def event(number, source="/tallygate/tenants/demo"):
    return wire.FollowEventsResponse(event=wire.CloudEvent(sequence=number, source=source))


class Events:
    """A UsageService whose FollowEvents is the given generator; counts what it made and whether it was closed."""

    def __init__(self, source):
        self.source, self.made, self.closed = source, 0, 0

    async def FollowEvents(self, request, call):  # noqa: N802 - the wire's name
        try:
            async for item in self.source(request, call):
                self.made += 1
                yield item
        finally:
            self.closed += 1

    async def unused(self, request, call):
        raise NotImplementedError

    GetUsage = ListEvents = RecordUsage = unused


async def following(start, source, **more):
    events = Events(source)
    server = await start(more=[(SERVICE, events)], **more)
    server.keys.add("read", Scope.READ_ONLY)
    return server, events, lambda: UsageServiceStub(server.channel).FollowEvents(ASK, metadata=server.metadata("read"))


def reason_of(error):
    info = error_details_pb2.ErrorInfo()
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    status.details[0].Unpack(info)
    return info.reason


async def until(condition):
    async with asyncio.timeout(patience.SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def numbers(_request, _call):
    for number in range(1, 501):
        yield event(number)


async def endless(_request, _call):
    number = 0
    while True:
        number += 1
        yield event(number)
        await asyncio.sleep(0.02)


async def error_of(stream):
    """What ends a stream that has items left."""
    try:
        while await stream.read():
            pass
    except grpc.aio.AioRpcError as error:
        return error
    return None


async def test_items_arrive_in_order_to_the_end(start):
    _, events, follow = await following(start, numbers)
    assert [item.event.sequence async for item in follow()] == list(range(1, 501))
    await until(lambda: events.closed == 1)


async def test_an_error_after_items_carries_its_details_in_any_language(start):
    async def source(_request, _call):
        yield event(1)
        raise AccountNotFoundError(account_id="Kündigung \u2014 \u6e2c\u8a66\n%zz")

    _, _, follow = await following(start, source)
    stream = follow()
    assert (await stream.read()).event.sequence == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
    assert caught.value.details() == "No account has this id. (account_id=Kündigung \u2014 \u6e2c\u8a66\n%zz)"


async def test_a_stream_needs_a_key(start):
    server, events, _ = await following(start, numbers)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await UsageServiceStub(server.channel).FollowEvents(ASK).read()
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert events.made == 0


async def test_a_drain_ends_streams_and_says_why(start):
    server, events, follow = await following(start, endless, options=TransportOptions(drain=5))
    streams = [follow() for _ in range(5)]
    assert [(await stream.read()).event.sequence for stream in streams] == [1] * 5
    async with asyncio.timeout(3):
        await server.transport.drain()
    for stream in streams:
        error = await error_of(stream)
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
    await until(lambda: events.closed == 5)


@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_a_caller_that_leaves_closes_what_it_followed(start, how):
    server, events, follow = await following(start, endless)
    if how == "cancel":
        stream = follow()
        assert (await stream.read()).event.sequence == 1
        stream.cancel()
    else:
        metadata = server.metadata("read")
        stream = UsageServiceStub(server.channel).FollowEvents(ASK, metadata=metadata, timeout=0.2)
        assert (await stream.read()).event.sequence == 1
        assert (await error_of(stream)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: events.closed == 1)
    assert b"tallygate_streams_open 0.0" in server.metrics.exposition()


async def test_a_slow_reader_holds_the_source_back(start):
    async def large(_request, _call):
        for number in range(4000):
            yield event(number, "x" * 65_536)

    _, events, follow = await following(start, large)
    stream = follow()
    assert (await stream.read()).event.sequence == 0
    await asyncio.sleep(0.5)
    assert events.made < 400
    stream.cancel()


async def test_streams_beyond_the_limit_are_refused(start):
    _, _, follow = await following(start, endless, call_options=CallOptions(max_streams=2))
    held = [follow() for _ in range(2)]
    for stream in held:
        await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await follow().read()
    assert (caught.value.code(), reason_of(caught.value)) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")


async def test_following_is_native_on_the_native_transport(start, kind):
    server, _, follow = await following(start, numbers)
    if kind == "native":
        await server.transport._servers[0]._fallback.stop(None)
    assert len([item async for item in follow()]) == 500

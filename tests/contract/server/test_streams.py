import asyncio

import grpc
import pytest

import patience
from tallygate.domain.credential import Scope
from tallygate.domain.errors import StoreUnavailableError
from tallygate.server.calls.wrapper import CallOptions
from tallygate.server.transport.transports import TransportOptions
from tallygate_api.v1 import usage_service_pb2 as wire
from tallygate_api.v1.usage_service_pb2_grpc import UsageServiceStub

NOW = 1_800_000_000_000_000


class Feed:
    """A servicer whose stream a test feeds; what it begins it must be let finish."""

    def __init__(self):
        self.items = asyncio.Queue()
        self.closed = asyncio.Event()
        self.torn = False

    async def FollowEvents(self, _request, call):  # noqa: N802 - the wire's name
        try:
            yield wire.FollowEventsResponse(event=wire.CloudEvent(id="hello"))
            while True:
                item = await self.items.get()
                if isinstance(item, Exception):
                    raise item
                yield wire.FollowEventsResponse(event=wire.CloudEvent(id=item, subject=call.tenant_id))
        except asyncio.CancelledError:
            self.torn = True
            raise
        finally:
            self.closed.set()

    def __getattr__(self, name):
        return None


@pytest.fixture
async def feed(start):
    feed = Feed()
    descriptor = wire.DESCRIPTOR.services_by_name["UsageService"]
    server = await start(
        more=[(descriptor, feed)],
        options=TransportOptions(drain=5),
        call_options=CallOptions(max_streams=2),
    )
    server.keys.add("read", Scope.READ_ONLY)
    return server, feed


async def follow(server):
    """A stream that has begun."""
    call = UsageServiceStub(server.channel).FollowEvents(wire.FollowEventsRequest(), metadata=server.metadata("read"))
    assert (await call.read()).event.id == "hello"
    return call


async def left(server):
    """Wait until the server knows that nobody follows any more."""
    for _ in range(500):
        if server.streams._open == 0:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def code_of(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value.code()


async def test_items_come_as_they_are_made(feed):
    server, source = feed
    call = await follow(server)
    for name in ("a", "b"):
        source.items.put_nowait(name)
        event = (await call.read()).event
        assert (event.id, event.subject) == (name, "demo")
    call.cancel()


async def test_draining_ends_streams_so_that_they_resume_elsewhere(feed):
    server, source = feed
    call = await follow(server)
    draining = asyncio.create_task(server.transport.drain())
    assert await code_of(call) is grpc.StatusCode.UNAVAILABLE
    source.items.put_nowait("let the step end")
    await asyncio.wait_for(source.closed.wait(), patience.SECONDS)
    await draining
    assert not source.torn


async def test_a_drain_is_over_when_nothing_reads_any_more(feed):
    server, source = feed
    await follow(server)
    await server.transport.drain()
    assert source.closed.is_set(), "the source goes on, and what it reads from is closed next"


async def test_a_revoked_key_ends_its_stream_before_the_next_item(feed):
    server, source = feed
    await server.authenticator.refresh()
    call = await follow(server)
    server.keys.add("read", Scope.READ_ONLY, revoke_time=NOW - 1)
    await server.authenticator.refresh()
    source.items.put_nowait("secret")
    assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED


async def test_an_error_of_the_source_is_answered_with_its_reason(feed):
    server, source = feed
    call = await follow(server)
    source.items.put_nowait(StoreUnavailableError())
    assert await code_of(call) is grpc.StatusCode.UNAVAILABLE
    await left(server)
    assert b'code="UNAVAILABLE",method="UsageService/FollowEvents"' in server.metrics.exposition()


async def test_a_caller_who_leaves_tears_nothing_apart(feed):
    server, source = feed
    call = await follow(server)
    call.cancel()
    await left(server)
    source.items.put_nowait("b")
    await asyncio.wait_for(source.closed.wait(), patience.SECONDS)
    assert not source.torn
    assert await server.calls.idle(5)


async def test_streams_are_limited_apart_from_calls(feed):
    server, _ = feed
    held = [await follow(server) for _ in range(2)]
    refused = UsageServiceStub(server.channel).FollowEvents(
        wire.FollowEventsRequest(), metadata=server.metadata("read")
    )
    assert await code_of(refused) is grpc.StatusCode.UNAVAILABLE
    for call in held:
        call.cancel()
    await left(server)


async def test_a_stream_needs_a_key(feed):
    server, _ = feed
    call = UsageServiceStub(server.channel).FollowEvents(wire.FollowEventsRequest())
    assert await code_of(call) is grpc.StatusCode.UNAUTHENTICATED

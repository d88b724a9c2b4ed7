import asyncio

import grpc
import grpc.aio
import pytest

from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator
from tallygate.server.calls.registry import Service
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import CallOptions, Calls
from tallygate.server.listeners import parse_address
from tallygate.server.operations.metrics import Metrics
from tallygate.server.transport.lending import LendingLoop
from tallygate.server.transport.native import NativeTransport
from tallygate.server.transport.transports import TransportOptions


async def echo(request, _context):
    return request


async def answered(path, *, in_place):
    """What a call is answered, on a loop whose place may be taken."""
    authenticator = Authenticator(None, clock=lambda: 0, options=AuthenticationOptions())
    calls = Calls(authenticator=authenticator, metrics=Metrics(), options=CallOptions())
    transport = NativeTransport(
        [parse_address(f"unix:{path}")],
        [Service("t.T", {"Call": grpc.unary_unary_rpc_method_handler(echo)})],
        calls=calls,
        streams=Streams(calls),
        options=TransportOptions(in_place=in_place),
    )
    await transport.start()
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        answer = await channel.unary_unary("/t.T/Call")(b"x", timeout=20)
    await transport.stop()
    return answer


@pytest.mark.parametrize("in_place", [True, False])
def test_the_loop_lends_its_place_only_where_that_is_wanted(tmp_path, in_place):
    with asyncio.Runner(loop_factory=LendingLoop) as runner:
        assert runner.run(answered(tmp_path / "s", in_place=in_place)) == b"x"
        loop = runner.get_loop()
        assert isinstance(loop, LendingLoop)
        assert loop._waiting.lends is in_place

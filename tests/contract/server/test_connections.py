"""How long connections live, and what clients may do on them meanwhile; spoken to in raw HTTP/2."""

import asyncio

import pytest

from load import http2
from tallygate.server.transport.transports import TransportOptions

SECONDS = 20
PATH = "/tallygate.v1.EntitlementService/CheckEntitlement"


class Peer:
    """A client's end of a connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, *frame):
        self.writer.write(http2.frame(*frame))

    async def frame(self):
        """The next frame as (type, flags, payload); None once the server has closed."""
        try:
            high, low, kind, flags, _ = http2.FRAME_HEAD.unpack(await self.reader.readexactly(9))
            return kind, flags, await self.reader.readexactly(high << 8 | low)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def until(self, kind):
        """Read to the next frame of this type, and answer pings; False once the server says goodbye before that."""
        while (found := await self.frame()) is not None:
            if found[0] == http2.PING and not found[1] & http2.ACK:
                self.send(http2.PING, http2.ACK, 0, found[2])
            if found[0] == kind and (kind != http2.PING or found[1] & http2.ACK):
                return True
            if found[0] == http2.GOAWAY:
                return False
        return False


@pytest.fixture
async def connect():
    opened = []

    async def begin(server):
        host, _, port = server.transport.addresses[0].target.rpartition(":")
        peer = Peer(*await asyncio.open_connection(host, int(port)))
        opened.append(peer)
        peer.writer.write(http2.opening())
        peer.send(http2.SETTINGS, http2.ACK, 0)
        return peer

    yield begin
    for peer in opened:
        peer.writer.close()


async def pings_answered(peer, most):
    for count in range(most):
        peer.send(http2.PING, 0, 0, b"whatever")
        if not await peer.until(http2.PING):
            return count
    return most


async def test_a_client_may_ping_as_often_as_is_said(start, connect):
    server = await start(options=TransportOptions(min_ping_interval=0))
    async with asyncio.timeout(SECONDS):
        assert await pings_answered(await connect(server), 50) == 50


@pytest.mark.parametrize("kind", ["grpcio"], indirect=True)  # the other counts no pings
async def test_keepalive_of_every_client_is_within_what_is_allowed(start, connect):
    assert TransportOptions().min_ping_interval <= 5  # clients of every language ping at most every 10 s
    server = await start()
    async with asyncio.timeout(SECONDS):
        assert await pings_answered(await connect(server), 50) < 50


@pytest.mark.parametrize("kind", ["grpcio"], indirect=True)
async def test_a_call_that_never_becomes_whole_ends_with_its_connection(start, connect):
    server = await start(options=TransportOptions(max_connection_age=0.2, max_connection_age_grace=0.2))
    peer = await connect(server)
    first, _ = http2.header_blocks(PATH, dict(server.metadata()))
    peer.send(http2.HEADERS, http2.END_HEADERS, 1, first)
    async with asyncio.timeout(SECONDS):
        assert await peer.until(http2.GOAWAY)
        while await peer.frame() is not None:
            pass

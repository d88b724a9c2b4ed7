"""What carries gRPC: one seam, `grpcio` or `native` behind it. Knows handlers, not what they do.

Stopping loses no answer: health says NOT_SERVING first, calls in flight finish, then the listeners close.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tallygate.server.calls.certified import Certified
from tallygate.server.calls.registry import Service
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import Calls
from tallygate.server.listeners import Address, ListenError, claim, private_sockets
from tallygate.server.tls import ServerTls
from tallygate.server.transport.certificates import certified_services
from tallygate.server.transport.reflection import enable_reflection

_MAX_METADATA_BYTES = 16 * 1024
_ALL_PENDING = 1_000_000
_PENDING_SECONDS = 3_600
_LAST_WRITES_SECONDS = 0.25
_MOST_LOOKS = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """Limits of the connections; durations in seconds, sizes in bytes."""

    max_message_bytes: int = 1024 * 1024
    max_concurrent_streams: int = 128
    """On one connection: what a busy server cannot take waits at the caller, and costs nothing here."""
    keepalive: float = 60.0
    min_ping_interval: float = 5.0
    """How often a client may ping, calls open or not; who does so more often is cut off."""
    max_connection_age: float = 3600.0
    """After so long a connection takes no more calls: its client opens another one."""
    max_connection_age_grace: float = 60.0
    """How long the calls on it may still take; what never became a whole request ends then, too."""
    drain_delay: float = 0.0
    drain: float = 10.0
    reflection: bool = True
    in_place: bool = True
    """Whether the native transport's thread works on calls itself while the event loop waits."""
    tls: ServerTls | None = None
    """What its listeners show and ask for; grpcio alone."""
    certified: Certified | None = None
    """What clients may do by the certificates that they show there."""
    shared: bool = False
    """Whether other servers of the same installation listen on the same TCP port."""


class Transport(Protocol):
    """One server on some listeners. Used once: start, drain, stop."""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, with the ports that it was given."""
        ...

    async def start(self) -> None:
        """Listen and answer. Raises ListenError."""
        ...

    def retime(self, *, drain_delay: float, drain: float) -> None:
        """A drain will take so long, in seconds."""
        ...

    async def drain(self) -> None:
        """Say NOT_SERVING, then let what is in flight finish; new calls are refused from some moment on."""
        ...

    async def stop(self) -> None:
        """Close everything; what is still in flight is cut off."""
        ...


class GrpcioTransport:
    """grpc.aio: any address."""

    def __init__(
        self,
        addresses: Sequence[Address],
        services: Sequence[Service],
        *,
        calls: Calls,
        streams: Streams,
        options: TransportOptions,
    ) -> None:
        self._wanted = tuple(addresses)
        self._services = tuple(services)
        self._calls = calls
        self._streams = streams
        self._options = options
        self._addresses: tuple[Address, ...] = ()
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._drained = False

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, with the ports that it was given."""
        return self._addresses

    async def start(self) -> None:
        """Listen and answer.

        Raises:
            ListenError: an address cannot be had.
        """
        server = grpc.aio.server(options=[*channel_options(self._options), *_queue_options(self._options)])
        services: Sequence[Service] = self._services
        if self._options.certified is not None:
            services = certified_services(services, self._options.certified)
        for service in services:
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.name, service.handlers),))
            server.add_registered_method_handlers(service.name, service.handlers)
        await self._add_operations(server)
        self._addresses = tuple(_listen(server, address, self._options) for address in self._wanted)
        await server.start()
        self._server = server

    def retime(self, *, drain_delay: float, drain: float) -> None:
        """A drain will take so long, in seconds."""
        self._options = replace(self._options, drain_delay=drain_delay, drain=drain)

    async def drain(self) -> None:
        """Say NOT_SERVING, keep serving for `drain_delay`, then let what is in flight finish, up to `drain`.

        Calls that begin meanwhile are answered with SHUTTING_DOWN.
        """
        if self._server is None or self._drained:
            return
        self._drained = True
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self._options.drain_delay)
        self._streams.end()
        self._calls.refuse_new()  # grpc.aio's own refusal is CANCELLED for some, which clients do not retry
        if not await self._calls.idle(self._options.drain):
            _log.warning("stopped waiting for work in flight", extra={"seconds": self._options.drain})
        await self._last_told()
        await self._server.stop(_LAST_WRITES_SECONDS)

    async def stop(self) -> None:
        """Close everything; what is still in flight is cut off."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None
        for address in self._addresses:
            if address.path is not None:
                address.path.unlink(missing_ok=True)
        self._addresses = ()

    async def _last_told(self) -> None:
        """Wait until callers of a moment ago are told to go elsewhere; a busy machine may still read their calls."""
        told, looks = -1, 0
        while told != self._calls.refused and looks < _MOST_LOOKS:
            told, looks = self._calls.refused, looks + 1
            await asyncio.sleep(_LAST_WRITES_SECONDS)

    async def _add_operations(self, server: grpc.aio.Server) -> None:
        """Health of every service and of the whole, and reflection: neither needs a key."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [service.name for service in self._services]
        for name in names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        if self._options.reflection:
            enable_reflection((*names, health.SERVICE_NAME), server)


def channel_options(options: TransportOptions) -> list[tuple[str, int]]:
    """The options in gRPC's own words, as far as every transport knows them."""
    return [
        ("grpc.so_reuseport", int(options.shared)),
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_concurrent_streams", options.max_concurrent_streams),
        ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _MAX_METADATA_BYTES),
        ("grpc.keepalive_time_ms", int(options.keepalive * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", int(options.min_ping_interval * 1000)),
    ]


def _queue_options(options: TransportOptions) -> list[tuple[str, int]]:
    """What grpcio does with calls that wait, for their message or for us."""
    return [
        ("grpc.max_connection_age_ms", int(options.max_connection_age * 1000)),
        ("grpc.max_connection_age_grace_ms", int(options.max_connection_age_grace * 1000)),
        # What waits for us to take it is never shed there: that is CANCELLED, with no reason, whoever called. We answer
        # all, and tell those for whom there is no room when to come back.
        ("grpc.server.max_pending_requests", _ALL_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", _ALL_PENDING),
        ("grpc.server_max_unrequested_time_in_server", _PENDING_SECONDS),
    ]


def _listen(server: grpc.aio.Server, address: Address, options: TransportOptions) -> Address:
    claim(address, shared=options.shared)
    try:
        with private_sockets():
            if options.tls is None:
                port = server.add_insecure_port(address.uri)
            else:
                port = server.add_secure_port(address.uri, options.tls.credentials())
    except RuntimeError as error:  # what grpc raises for any address; its cause was looked for before
        msg = f"cannot listen on {address.target}: gRPC refuses it; choose another address"
        raise ListenError(msg) from error
    return address if address.path is not None else Address(host=address.host, port=port)

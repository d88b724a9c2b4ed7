"""What this process serves: the servicers of its role, wrapped once, on one transport, with their metrics."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio

from tallygate.app import clock
from tallygate.app.beside import Beside
from tallygate.app.client_file import read_clients
from tallygate.app.data_side import DataSide, RedisSide
from tallygate.app.listening import listener_key, server_tls
from tallygate.app.part import Part, whole
from tallygate.app.watches import watch_control, watch_data
from tallygate.data_plane.descriptors import DescriptorLimits
from tallygate.domain.credential import KeyRecord, key_digest
from tallygate.domain.errors import StoreUnavailableError
from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator, OpenTestTenant
from tallygate.server.calls.certified import Certified
from tallygate.server.calls.registry import Service, service_named
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import CallOptions, Calls
from tallygate.server.listeners import Address, parse_address
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.answers import Answers
from tallygate.server.services.deciding import Deciding
from tallygate.server.services.entitlement_service import EntitlementServicer, KindOf
from tallygate.server.services.envoy_service import EnvoyRateLimitServicer
from tallygate.server.transport.forwarding import Forwarder, call_with_key, control_channel
from tallygate.server.transport.selection import new_transport
from tallygate.server.transport.transports import Transport, TransportOptions
from tallygate.settings import Settings

if TYPE_CHECKING:
    from tallygate.app.control_side import ControlSide
    from tallygate.app.tracing import Tracing

_LOOKS = 100
_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The transport with everything on it, not started yet."""

    transport: Transport
    authenticator: Authenticator
    metrics: Metrics
    has_services: bool
    calls: Calls
    forwarder: Forwarder | None = None

    def reload(self, settings: Settings) -> None:
        """Take over what of these settings can be while calls are served."""
        server = settings.server
        self.authenticator.use_listener_key(listener_key(settings))
        certified, grants = self.authenticator.certified, read_clients(settings)
        if certified is not None and grants is not None:
            certified.grants = grants
        usual, longest = server.default_deadline, server.max_deadline
        self.calls.options = replace(self.calls.options, default_deadline=usual, max_deadline=longest)
        self.transport.retime(drain_delay=server.drain_delay_seconds, drain=server.drain_seconds)

    async def stop(self, *, drains: bool) -> None:
        """Take no more calls, and let those in flight finish unless nobody waits for any."""
        if drains:
            await self.transport.drain()
        await self.transport.stop()
        if self.forwarder is not None:
            await self.forwarder.close()


def build_serving(
    settings: Settings,
    redis: RedisSide,
    data: DataSide,
    control: "ControlSide | None",
    *,
    part: Part | None = None,
    beside: Beside | None = None,
    tracing: "Tracing | None" = None,
) -> Serving:
    """Wrap the servicers of this part, and hand on what the process beside it answers."""
    part = part or whole(settings)
    metrics = Metrics()
    channel = control_channel(beside.address.uri) if beside is not None else None
    certified = _certified(settings, part.secret or (beside.secret if beside else ""))
    opener = _tenant_opener(data, control, channel) if settings.testing else None
    authenticator = _authenticator(settings, data, certified, opener)
    calls = Calls(
        authenticator=authenticator,
        metrics=metrics,
        options=_call_options(settings),
        burst=redis.burst,
        follower=tracing,
        note=control.note if control is not None else None,
    )
    streams = Streams(calls)
    services = _services(part, data, control, metrics, calls, streams)
    forwarder = None
    if channel is not None:
        forwarder = Forwarder(channel, calls, streams, places=settings.server.max_in_flight)
        services += forwarder.services(but=[service.name for service in services])
    watch_data(metrics, redis, data)
    if control is not None:
        watch_control(metrics, control)
    transport = new_transport(
        settings.server.transport,
        [Address(path=Path(part.socket)) if part.socket else parse_address(settings.server.grpc_address)],
        services,
        calls=calls,
        streams=streams,
        options=_transport_options(settings, part, certified),
    )
    return Serving(
        transport=transport,
        authenticator=authenticator,
        metrics=metrics,
        has_services=bool(services),
        calls=calls,
        forwarder=forwarder,
    )


def _certified(settings: Settings, secret: str) -> Certified | None:
    """What client certificates may do, where a file says so; `secret` is what both halves of role `all` share."""
    grants = read_clients(settings)
    return Certified(secret or clock.entropy(16).hex(), grants) if grants is not None else None


def _authenticator(
    settings: Settings, data: DataSide, certified: Certified | None, opener: OpenTestTenant | None
) -> Authenticator:
    options = AuthenticationOptions(
        max_staleness=settings.data_plane.max_staleness,
        outage=settings.data_plane.key_outage,
        cached_keys=settings.data_plane.cached_keys,
        listener_key=listener_key(settings),
    )
    return Authenticator(data.source, certified=certified, clock=clock.now, options=options, open_test_tenant=opener)


def _call_options(settings: Settings) -> CallOptions:
    server = settings.server
    return CallOptions(
        default_deadline=server.default_deadline,
        max_deadline=server.max_deadline,
        max_in_flight=server.max_in_flight,
        max_message_bytes=server.max_message_bytes,
        max_batch_message_bytes=server.max_batch_message_bytes,
    )


def _transport_options(settings: Settings, part: Part, certified: Certified | None) -> TransportOptions:
    """A private socket has neither TLS nor certificates: whoever opens it is the other half."""
    server = settings.server
    return TransportOptions(
        max_message_bytes=max(server.max_message_bytes, server.max_batch_message_bytes) + 1024,
        max_connection_age=server.max_connection_age,
        max_connection_age_grace=server.max_connection_age_grace,
        drain_delay=server.drain_delay_seconds,
        drain=server.drain_seconds,
        reflection=server.reflection,
        in_place=server.native_in_place,
        tls=None if part.socket else server_tls(settings),
        certified=None if part.socket else certified,
        shared=part.has_parent and not part.socket,
    )


def _tenant_opener(
    data: DataSide, control: "ControlSide | None", channel: grpc.aio.Channel | None
) -> OpenTestTenant | None:
    """What an unknown key does with `testing`: here, or in the process beside; None where there is no database."""
    if channel is not None:
        return _opener_beside(data, channel)
    if control is None:
        return None
    from tallygate.app.control_services import tenant_opener  # noqa: PLC0415 - loads the control plane

    return tenant_opener(control)


def _opener_beside(data: DataSide, channel: grpc.aio.Channel) -> OpenTestTenant:
    """A call with a key opens its tenant there; what is known of the key is read from Redis then, as ever."""

    async def opened(secret: str) -> KeyRecord:
        await call_with_key(channel, "/tallygate.v1.TestClockService/GetTestClock", secret)
        digest = key_digest(secret)
        for _ in range(_LOOKS):
            record = await data.source.key(digest)
            if record is not None:
                return record
            await asyncio.sleep(_LOOK_SECONDS)
        raise StoreUnavailableError(missing="key table")

    return opened


def _services(
    part: Part, data: DataSide, control: "ControlSide | None", metrics: Metrics, calls: Calls, streams: Streams
) -> list[Service]:
    pairs: list[tuple[str, object]] = []
    if part.decides:
        kind_of = _kind_of(data)
        entitlements = EntitlementServicer(
            checks=data.checks,
            consumes=data.consumes,
            rate_limits=data.rate_limits,
            metrics=metrics,
            kind_of=kind_of,
            answers=Answers(data.cached_decisions, clock.now, metrics),
            deciding=Deciding(data.checks, data.consumes, data.rate_limits, metrics, kind_of),
        )
        envoy = EnvoyRateLimitServicer(limits=DescriptorLimits(limits=data.rate_limits), metrics=metrics)
        pairs.append(("tallygate.v1.EntitlementService", entitlements))
        pairs.append(("envoy.service.ratelimit.v3.RateLimitService", envoy))
    if control is not None and part.controls:
        from tallygate.app.control_services import control_services  # noqa: PLC0415 - loads the control plane

        pairs += control_services(data, control)
    return [service_named(name, servicer, calls=calls, streams=streams) for name, servicer in pairs]


def _kind_of(data: DataSide) -> KindOf:
    def kind(tenant_id: str, feature_key: str) -> str:
        feature = data.admission.known_feature(tenant_id, feature_key)
        return feature.kind.value if feature else ""

    return kind

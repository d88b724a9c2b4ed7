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
        self.calls.options = replace(self.calls.options, default_deadline=server.default_deadline)
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
) -> Serving:
    """Wrap the servicers of this part, and hand on what the process beside it answers."""
    part = part or whole(settings)
    metrics = Metrics()
    channel = control_channel(beside.address.uri) if beside is not None else None
    grants = read_clients(settings)
    certified = None
    if grants is not None:
        certified = Certified(part.secret or (beside.secret if beside else clock.entropy(16).hex()), grants)
    authenticator = Authenticator(
        data.source,
        certified=certified,
        clock=clock.now,
        options=AuthenticationOptions(
            max_staleness=settings.data_plane.max_staleness,
            outage=settings.data_plane.key_outage,
            cached_keys=settings.data_plane.cached_keys,
            listener_key=listener_key(settings),
        ),
        open_test_tenant=_tenant_opener(data, control, channel) if settings.testing else None,
    )
    server = settings.server
    calls = Calls(
        authenticator=authenticator,
        metrics=metrics,
        options=CallOptions(
            default_deadline=server.default_deadline,
            max_in_flight=server.max_in_flight,
            max_message_bytes=server.max_message_bytes,
            max_batch_message_bytes=server.max_batch_message_bytes,
        ),
        burst=redis.burst,
    )
    streams = Streams(calls)
    services = _services(part, data, control, metrics, calls, streams)
    forwarder = None
    if channel is not None:
        forwarder = Forwarder(channel, calls, streams, places=server.max_in_flight)
        services += forwarder.services(but=[service.name for service in services])
    _watch(metrics, redis, data, control)
    transport = new_transport(
        server.transport,
        [Address(path=Path(part.socket)) if part.socket else parse_address(server.grpc_address)],
        services,
        calls=calls,
        streams=streams,
        options=TransportOptions(
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
        ),
    )
    return Serving(
        transport=transport,
        authenticator=authenticator,
        metrics=metrics,
        has_services=bool(services),
        calls=calls,
        forwarder=forwarder,
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


def _watch(metrics: Metrics, redis: RedisSide, data: DataSide, control: "ControlSide | None") -> None:
    counts, link, unconfirmed = data.views.counts, redis.link, redis.confirmations
    degraded, exhausted = data.admission.degraded, data.exhausted
    for name, text, read in (
        ("tallygate_view_cache_hits", "Views answered from this process's cache.", lambda: counts.hits),
        ("tallygate_view_cache_misses", "Views read from Redis.", lambda: counts.misses),
        ("tallygate_view_cache_revalidations", "Cached views found to be current.", lambda: counts.revalidations),
        ("tallygate_exhausted_hits", "Checks of exhausted quotas that Redis was spared.", lambda: exhausted.hits),
        ("tallygate_policy_allowed", "Decisions allowed by failure policy `open`.", lambda: degraded.opened),
        ("tallygate_policy_refused", "Decisions refused by failure policy `closed`.", lambda: degraded.closed),
        ("tallygate_redis_calls", "Commands sent to Redis by the hot link.", lambda: link.counters.calls),
        ("tallygate_redis_batches", "Writes to Redis by the hot link.", lambda: link.counters.batches),
        ("tallygate_redis_reconnects", "Times the hot link was connected again.", lambda: link.counters.reconnects),
        (
            "tallygate_not_replicated",
            "Strict answers that no replica confirmed.",
            lambda: unconfirmed.refused,
        ),
        ("tallygate_redis_timeouts", "Times Redis was silent for too long.", lambda: link.counters.timeouts),
    ):
        metrics.watch(name, text, read, counter=True)
    metrics.watch("tallygate_redis_up", "Whether the hot link is connected.", lambda: float(link.connected))
    metrics.watch("tallygate_redis_writable", "Whether Redis takes writes.", lambda: float(link.writable))
    clocks = redis.clocks
    skew = "How far Redis' clock is ahead of this machine's."
    metrics.watch("tallygate_redis_clock_skew_seconds", skew, lambda: clocks.skew / 1_000_000)
    backlog = redis.backlog
    metrics.watch("tallygate_stream_lag_entries", "Events that wait to be collected.", lambda: backlog.entries)
    metrics.watch("tallygate_stream_lag_seconds", "How long the oldest has waited.", lambda: backlog.seconds)
    if control is None:
        return
    standing, rebuilds = control.epochs.standing, control.rebuilder.stats
    lost = "Partitions whose counters are not whole."
    metrics.watch("tallygate_partitions_lost", lost, lambda: float(len(standing.lost)))
    seconds = "How long the last rebuild took."
    metrics.watch("tallygate_rebuild_seconds", seconds, lambda: rebuilds.seconds)
    unknown = "Of what was admitted so long before the last loss was noticed, what was not collected is lost."
    metrics.watch("tallygate_rebuild_unknown_seconds", unknown, lambda: rebuilds.unknown_seconds)
    audits = control.auditor.stats
    drifting = "Features of accounts whose counters do not fit their events, as of the last audit."
    metrics.watch("tallygate_counters_drifting", drifting, lambda: float(audits.last.drifting if audits.last else 0))
    stats = control.collector.stats
    for name, text, read in (
        ("tallygate_events_collected", "Events written to SQL.", lambda: stats.collected),
        ("tallygate_events_redelivered", "Events that had been written before.", lambda: stats.redelivered),
        ("tallygate_events_late_replays", "Late replays given back.", lambda: stats.late_replays),
        ("tallygate_events_recounted", "Repeated events whose count was lost before.", lambda: stats.recounted),
        ("tallygate_events_quarantined", "Events set aside: nobody can bill them.", lambda: stats.quarantined),
        ("tallygate_partitions_rebuilt", "Partitions whose counters were rebuilt.", lambda: rebuilds.partitions),
        ("tallygate_accounts_rebuilt", "Accounts whose counters were rebuilt.", lambda: rebuilds.accounts),
        ("tallygate_units_rebuilt", "Units that rebuilt counters hold.", lambda: rebuilds.units),
        ("tallygate_effects_rebuilt", "Request ids that are remembered anew.", lambda: rebuilds.effects),
        ("tallygate_rebuild_failures", "Rebuilds that failed and were begun anew.", lambda: rebuilds.failures),
        ("tallygate_counters_audited", "Features of accounts whose counters were audited.", lambda: audits.meters),
        (
            "tallygate_counters_mended",
            "Those that missed units, and were set right.",
            lambda: audits.mended,
        ),
        ("tallygate_units_mended", "Units that they missed.", lambda: audits.mended_units),
        ("tallygate_audit_failures", "Audits of counters that failed and were begun anew.", lambda: audits.failures),
        ("tallygate_collector_failures", "Rounds of the collector that failed.", lambda: stats.failures),
    ):
        metrics.watch(name, text, read, counter=True)
    control.watch.show(metrics)

"""The hot half of the application: link, views, gates and the three calls over them. Never loads SQL."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallygate.app import clock
from tallygate.app.errors import StartError
from tallygate.app.promises import broken_promises
from tallygate.app.redis_place import named_redis, redis_factory
from tallygate.data_plane.admission import Admission
from tallygate.data_plane.burst import Burst
from tallygate.data_plane.cached_decisions import CachedDecisions
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.ports import GateStore, Published, Sleep, UsageReturned, ViewChange
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.view import ViewOptions
from tallygate.data_plane.views import Views
from tallygate.settings import Settings
from tallygate.settings.directories import make_private
from tallygate.storage.embedded.server import EmbeddedServerError, EmbeddedValkey
from tallygate.storage.redis.address import RedisAddress
from tallygate.storage.redis.backlog import Backlog
from tallygate.storage.redis.clocks import ClockWatch
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.gates import GateOptions, RedisGates
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.confirming import Confirmations
from tallygate.storage.redis.link.confirming_nodes import NodeConfirmations
from tallygate.storage.redis.link.link import ConnectError, LinkError, ReplyError
from tallygate.storage.redis.views import RedisViews

if TYPE_CHECKING:
    from tallygate.app.tracing import Tracing

_log = logging.getLogger(__name__)
_KEEP_SECONDS = 0.25
_MICROSECONDS = 1_000_000
_CACHED_DECISIONS_AN_ACCOUNT = 4


@dataclass(slots=True, kw_only=True)
class RedisSide:
    """The Redis that this process uses: its own embedded one, or the one that the settings name."""

    factory: RedisFactory
    link: AnyLink
    burst: Burst
    confirmations: Confirmations | NodeConfirmations
    clocks: ClockWatch
    backlog: Backlog
    embedded: EmbeddedValkey | None = None

    async def keep_embedded(self, sleep: Sleep) -> None:
        """Until cancelled: start the embedded server again whenever it has ended, on the same data and address."""
        embedded = self.embedded
        while embedded is not None:
            if not embedded.running:
                _log.error("the embedded Valkey ended and is started again")
                try:
                    await asyncio.to_thread(embedded.start)
                except EmbeddedServerError as error:
                    _log.error("the embedded Valkey cannot be started: %s", error)
            await sleep(_KEEP_SECONDS)

    async def close(self) -> None:
        """Close the link, and stop an embedded server last."""
        await self.confirmations.close()
        await self.link.close()
        if self.embedded is not None:
            await asyncio.to_thread(self.embedded.stop)


def tracing_of(settings: Settings) -> "Tracing | None":
    """What follows calls, where a receiver of traces is named."""
    if not settings.tracing.endpoint:
        return None
    from tallygate.app.tracing import open_tracing  # noqa: PLC0415 - needs the extra, and is loaded by who traces

    return open_tracing(settings)


async def open_redis(settings: Settings, socket: str = "") -> RedisSide:
    """Start the embedded server where none is named, unless another process runs it on this `socket`, and connect.

    Raises:
        StartError: it cannot be reached, or this role needs one that is named.
        EmbeddedServerError: the embedded server cannot be started.
    """
    address = RedisAddress(socket_path=socket) if socket else named_redis(settings)
    embedded: EmbeddedValkey | None = None
    if address is None:
        with suppress(OSError, ValueError):  # told below, by whoever needs it
            make_private(settings.data_dir)
        embedded = EmbeddedValkey(settings.data_dir / "valkey", append_fsync=settings.redis.appendfsync)
        await asyncio.to_thread(embedded.start)
        address = RedisAddress(socket_path=str(embedded.socket_path))
    factory, burst = redis_factory(settings, address), Burst()
    link = factory.link(burst)
    try:
        await link.connect()
    except ConnectError as error:
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)
        msg = f"{error}; check redis.url (TALLYGATE_REDIS__URL) and that the server runs"
        raise StartError(msg) from error
    seconds = settings.redis.strict_timeout
    return RedisSide(
        factory=factory,
        link=link,
        confirmations=factory.confirmations(link, replicas=settings.redis.strict_replicas, seconds=seconds),
        burst=burst,
        clocks=ClockWatch(link, clock.now),
        backlog=Backlog(link, partitions=settings.redis.partitions, clock=clock.now),
        embedded=embedded,
    )


async def require_promises(settings: Settings, redis: RedisSide) -> None:
    """Refuse a server that is known to forget what is admitted, or warn of it, as the settings say.

    Raises:
        StartError: it does, or cannot be asked.
    """
    if redis.embedded is not None:
        return
    try:
        broken = await broken_promises(redis.link)
    except (LinkError, ReplyError) as error:
        raise StartError(str(error)) from error
    for finding in broken:
        told = f"Redis breaks a promise: {finding.name}: {finding.detail}; {finding.fix}"
        if settings.redis.promises == "require" and not settings.testing:
            msg = f"{told}; to serve all the same: redis.promises=warn (TALLYGATE_REDIS__PROMISES)"
            raise StartError(msg)
        _log.warning("%s", told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Tells what is announced to all in this process who rely on it."""

    views: Views
    exhausted: Exhausted

    def on_change(self, change: ViewChange) -> None:
        """Something was published."""
        self.views.on_change(change)

    def on_return(self, returned: UsageReturned) -> None:
        """Something that was used is not used any more."""
        self.exhausted.drop(returned.tenant_id, returned.account_id, returned.feature_key)

    def on_gap(self) -> None:
        """Announcements may have been missed, and may be until `on_live`."""
        self.views.on_gap()
        self.exhausted.on_gap()

    def on_live(self) -> None:
        """From here on nothing is missed; until here something may have been."""
        self.views.on_gap()
        self.exhausted.on_live()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSide:
    """The data plane's use-cases and what they stand on."""

    views: Views
    source: Published
    admission: Admission
    checks: Checks
    cached_decisions: CachedDecisions
    consumes: Consumes
    rate_limits: RateLimits
    exhausted: Exhausted
    hearing: Hearing


def build_data_side(settings: Settings, redis: RedisSide, tracing: "Tracing | None" = None) -> DataSide:
    """The data plane over this Redis."""
    options = settings.data_plane
    max_staleness = int(options.max_staleness * _MICROSECONDS)
    source: Published = RedisViews(redis.link, partitions=settings.redis.partitions)
    if tracing is not None:
        source = tracing.source(source)
    views = Views(
        source,
        clock=clock.now,
        sleep=asyncio.sleep,
        options=ViewOptions(max_staleness=max_staleness, accounts=options.cached_accounts),
    )
    gates: GateStore = RedisGates(
        redis.link,
        GateOptions(
            partitions=settings.redis.partitions,
            replay_window=int(options.replay_window * _MICROSECONDS),
            stream_max=options.stream_max,
        ),
        clock.now,
        confirm=redis.confirmations.confirm,
    )
    if tracing is not None:
        gates = tracing.gates(gates)
    cached_decisions = CachedDecisions(views, capacity=_CACHED_DECISIONS_AN_ACCOUNT * options.cached_accounts)
    admission = Admission(views=views, gates=gates, clock=clock.now)
    exhausted = Exhausted(views, max_staleness=max_staleness)
    return DataSide(
        views=views,
        source=source,
        admission=admission,
        checks=Checks(admission=admission, cached_decisions=cached_decisions, exhausted=exhausted),
        cached_decisions=cached_decisions,
        consumes=Consumes(admission=admission, returned=exhausted.drop, exhausted=exhausted),
        rate_limits=RateLimits(admission=admission),
        exhausted=exhausted,
        hearing=Hearing(views=views, exhausted=exhausted),
    )

"""One running process: what its role needs, started in order, supervised, and stopped without losing an answer."""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prometheus_client.core import Metric
from typing_extensions import override

from tallygate import GARBAGE_THRESHOLDS
from tallygate.app import clock
from tallygate.app.beside import Beside
from tallygate.app.counting import collector_check, counters_check
from tallygate.app.data_side import DataSide, RedisSide, build_data_side, open_redis, require_promises, tracing_of
from tallygate.app.errors import StartError
from tallygate.app.lifecycle import Loop, Startable
from tallygate.app.listening import admin_server, hook_server
from tallygate.app.part import Part, whole
from tallygate.app.reloading import REFUSED, settings_check
from tallygate.app.serving import Serving, build_serving
from tallygate.app.usable import require_usable
from tallygate.server.operations.admin import AdminServer, Check
from tallygate.settings import Settings
from tallygate.storage.redis.announcements import RedisAnnouncements
from tallygate.storage.redis.link.link import LinkError, ReplyError

if TYPE_CHECKING:
    from tallygate.app.control_side import ControlSide
    from tallygate.app.tracing import Tracing
    from tallygate.server.http_server import HttpServer

_RESTART_SECONDS = 1.0
_ROUND_SECONDS = 5.0
_ENDING_BY_THEMSELVES = {
    "keys", "publisher", "epochs", "rebuilder", "jobs", "payments", "fake hooks", "mails", "billing watch", "clocks",
    "embedded", "audit log",
}  # fmt: skip
_CANCEL_SECONDS = 0.5
_log = logging.getLogger(__name__)


class Application(Startable):
    """A process in its role, or in its part of one; `apart` has what works on SQL in a process of its own beside it."""

    def __init__(self, settings: Settings, part: Part | None = None, *, apart: bool = False) -> None:
        self._settings = settings
        self._part = Part(decides=True) if apart else part or whole(settings)
        self._apart = apart
        self._beside: Beside | None = None
        self._redis: RedisSide | None = None
        self._control: ControlSide | None = None
        self._serving: Serving | None = None
        self._admin: AdminServer | None = None
        self._hooks: HttpServer | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._closing: list[Callable[[], Coroutine[Any, Any, object]]] = []
        self._draining = False
        self._problem = ""
        self._stopped = asyncio.Event()
        self.grpc_address = ""
        self.admin_address = ""
        self.http_address = ""

    @override
    async def stop(self) -> None:
        """Drain calls, collector, SQL, then Valkey; safe to call twice."""
        self._draining = True
        if self._serving is not None:
            await self._serving.stop(drains=not self._part.socket)  # else the parent has waited for every call already
        if self._hooks is not None:
            await self._hooks.stop()
        await self._end_loops()
        seconds = self._settings.server.drain_seconds
        if self._control is not None:
            await self._control.close(seconds=seconds)
        if self._beside is not None:
            await self._beside.stop(seconds=seconds)
        if self._admin is not None:
            await self._admin.stop()
        for close in reversed(self._closing):
            await close()
        self._closing.clear()
        if self._redis is not None:
            await self._redis.close()
        self._serving = self._control = self._admin = self._hooks = self._redis = self._beside = None
        self._stopped.set()

    async def _end_loops(self) -> None:
        """Let rounds that were begun end; then cancel what is left, which waits for something to happen."""
        self._stopping.set()
        rounds = [task for task in self._tasks if task.get_name() in _ENDING_BY_THEMSELVES]
        if rounds:  # cancelled in the middle of a statement, a driver leaves its connection behind
            await asyncio.wait(rounds, timeout=_ROUND_SECONDS)
        while self._tasks:  # a client library may swallow one cancellation: that loop would be waited for for ever
            for task in self._tasks:
                task.cancel()
            _, left = await asyncio.wait(self._tasks, timeout=_CANCEL_SECONDS)
            self._tasks = list(left)

    async def wait_stopped(self) -> None:
        """Wait until `stop` is done."""
        await self._stopped.wait()

    @override
    async def _start(self) -> None:
        settings, part = self._settings, self._part
        require_usable(settings)
        if self._apart:
            self._beside = Beside(settings, self.families)
            await self._beside.begin()
        redis = self._redis = await open_redis(settings, part.redis_socket)
        if not part.redis_socket:
            await require_promises(settings, redis)
        tracing = tracing_of(settings)
        if tracing is not None:
            self._closing.append(tracing.close)
        await self._open_sql(settings, redis, tracing)
        data = build_data_side(settings, redis, tracing)
        self._serving = build_serving(
            settings, redis, data, self._control, part=part, beside=self._beside, tracing=tracing
        )
        await self._serve(settings, self._serving)
        self._supervise("keys", lambda: self._require(self._serving).authenticator.run(self._nap))
        self._supervise("clocks", lambda: redis.clocks.run(self._nap))
        if redis.embedded is not None:
            self._supervise("embedded", lambda: redis.keep_embedded(self._nap))
        self._supervise("backlog", lambda: redis.backlog.run(self._nap))
        self._listen(redis, data)
        await self._hear(settings, self._serving)
        if self._control is not None and part.works:
            for name, loop in self._control.loops(self._nap).items():
                self._supervise(name, loop)
            self._control.collecting.start()
        _settle_memory()

    async def _open_sql(self, settings: Settings, redis: RedisSide, tracing: "Tracing | None") -> None:
        """Open what stands on SQL, here or beside, until whatever is decided on is there."""
        if self._beside is not None:
            embedded = redis.embedded
            await self._beside.start(str(embedded.socket_path) if embedded is not None else "")
            self.http_address = self._beside.http_address
        if not self._part.has_sql:
            return
        from tallygate.app.control_side import open_control_side  # noqa: PLC0415 - loads SQL

        self._control = await open_control_side(settings, redis, consumer=_consumer(settings), tracing=tracing)
        if self._part.works:
            await self._control.settle()

    async def _serve(self, settings: Settings, serving: Serving) -> None:
        if serving.has_services:
            await serving.transport.start()
            self.grpc_address = serving.transport.addresses[0].target
        if self._part.has_parent:
            return
        serving.metrics.watch(*REFUSED, lambda: float(bool(self._problem)))
        self._admin = admin_server(settings, metrics=self, readiness=self.readiness)
        await self._admin.start()
        self.admin_address = self._admin.address.target

    async def _hear(self, settings: Settings, serving: Serving) -> None:
        if self._control is None or not settings.server.http_address:
            return
        self._hooks = hook_server(settings, self._control.hearing, serving.metrics)
        await self._hooks.start()
        self.http_address = self._hooks.address.target
        if not settings.server.http_tls:
            self._control.billing.fake_hooks.address = self.http_address

    def _listen(self, redis: RedisSide, data: DataSide) -> None:
        client = redis.factory.listening_client()
        self._closing.append(client.aclose)
        announcements = RedisAnnouncements(client, sleep=asyncio.sleep)
        redis.link.at_connect(announcements.leave)
        self._supervise("announcements", lambda: announcements.listen(data.hearing))

    def _supervise(self, name: str, loop: Loop) -> None:
        """Keep a loop running: one that fails in a way nobody foresaw is logged and started again."""

        async def forever() -> None:
            while True:
                try:
                    await loop()
                except Exception:  # noqa: BLE001 - a boundary: logged with its trace, and the loop goes on
                    _log.exception("a background loop failed and is started again: %s", name)
                await asyncio.sleep(_RESTART_SECONDS)

        self._tasks.append(asyncio.create_task(forever(), name=name))

    async def _nap(self, seconds: float) -> None:
        """Wait between two rounds of a loop; a stop ends the loop here, and never in the middle of a round."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise asyncio.CancelledError

    def families(self) -> Iterable[Metric]:
        """What this process measures; nothing where nothing is served."""
        return () if self._serving is None else self._serving.metrics.families()

    def exposition(self) -> bytes:
        """The same in Prometheus' text format."""
        return b"" if self._serving is None else self._serving.metrics.exposition()

    async def scrape(self) -> bytes:
        """What is measured, here and beside, in Prometheus' text format."""
        if self._beside is None:
            return self.exposition()
        await self._beside.state()
        return self._beside.measured.exposition()

    def reload(self, settings: Settings) -> None:
        """Take over of settings that were read again what can be while running."""
        self._settings = settings
        logging.getLogger().setLevel(settings.logging.level.upper())
        if self._serving is not None:
            self._serving.reload(settings)
        if self._redis is not None:
            redis = settings.redis
            self._redis.factory.retime(connect_seconds=redis.connect_timeout, reply_seconds=redis.read_timeout)
        if self._beside is not None:
            self._beside.reload(settings)

    def refuse(self, problem: str) -> None:
        """Say in checks and metrics why settings that were read again are not used; empty: they are."""
        self._problem = problem

    async def readiness(self) -> Mapping[str, Check]:
        """What this process needs, by name, and whether it is there."""
        redis = self._redis
        refused = "closed" if redis is None else await redis.link.write()
        if redis is not None and not refused:
            with suppress(LinkError, ReplyError):
                await redis.clocks.look()
        checks = {
            "serving": Check(ok=not self._draining, detail="draining" if self._draining else ""),
            "redis": Check(ok=not refused, detail=refused),
        }
        if redis is not None:
            skew, believed = redis.clocks.skew / 1_000_000, redis.clocks.believed
            checks["clock"] = Check(ok=believed, detail="" if believed else f"Redis' clock differs by {skew:.0f} s")
        lost = self._control.collecting.epochs.standing.lost if self._control is not None else []
        checks["counters"] = await counters_check(redis, partitions=self._settings.redis.partitions, lost=lost)
        if not self._part.has_parent:
            checks["settings"] = settings_check(self._problem)
        if self._control is not None:
            checks["database"] = await self._control.database.check()
        if self._control is not None and self._part.works:
            most = self._settings.data_plane.max_staleness * 12
            checks["collector"] = collector_check(self._control.collecting.collector.stats, most_seconds=most)
        if self._beside is not None:  # what it knows of Redis and counters is more than this process does
            beside = await self._beside.checks()
            checks = {**beside, **checks} if checks["counters"].ok else {**checks, **beside}
        return checks

    @staticmethod
    def _require(serving: Serving | None) -> Serving:
        if serving is None:
            msg = "nothing is served any more"
            raise StartError(msg)
        return serving


def _settle_memory() -> None:
    """Leave what the start has loaded out of every later garbage collection, and collect less often.

    A full collection over all modules takes tens of milliseconds, in which no call is answered; calls leave no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _consumer(settings: Settings) -> str:
    """The collector's name: the same after a restart on the same data directory, so that it finds its entries at once.

    An embedded installation has one worker. Others get a name of their own each; what they leave is claimed.
    """
    return "embedded" if not settings.redis.url.get_secret_value() else f"worker-{clock.new_epoch()}"

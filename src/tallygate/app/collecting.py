"""How what was counted reaches SQL, and how counters are kept true to it: a worker's half of metering. Loads SQL."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.data_side import RedisSide
from tallygate.app.lifecycle import Loop
from tallygate.app.rebuilding import counter_store, new_auditor, new_rebuilder
from tallygate.domain.errors import UnavailableError
from tallygate.metering.auditing import Auditor
from tallygate.metering.collector import Collector, CollectorLimits
from tallygate.metering.rebuilding import Rebuilder
from tallygate.records.epochs import EpochKeeper
from tallygate.records.resting import rest
from tallygate.settings import Settings
from tallygate.storage.redis.audits import RedisAudits
from tallygate.storage.redis.canary import RedisCanary
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.events import EventStream
from tallygate.storage.sql.billing.jobs import look_at_limits
from tallygate.storage.sql.epochs import SqlEpochs
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.unit_of_work import SqlStore

_RESTART_SECONDS = 1.0
_CANCEL_SECONDS = 0.5
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Collecting:
    """The collector with its stream, and what looks after the counters behind it."""

    stream: EventStream
    collector: Collector
    epochs: EpochKeeper
    rebuilder: Rebuilder
    auditor: Auditor
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[None] | None = None

    def loops(self, sleep: Callable[[float], Awaitable[None]]) -> dict[str, Loop]:
        """What a worker runs besides the collector, by name; `sleep` waits between two rounds."""

        async def until_connected(seconds: float) -> None:
            await rest(sleep, seconds, self._connected)
            self._connected.clear()

        return {
            "epochs": lambda: self.epochs.run(until_connected),
            "rebuilder": lambda: self.rebuilder.run(sleep),
            "auditor": lambda: self.auditor.run(sleep),
        }

    def on_connect(self) -> None:
        """There is another connection to Redis: what its server may have lost is looked at now, and what it holds."""
        self._connected.set()
        self.collector.hurry()

    def start(self) -> None:
        """Collect in the background until `stop`."""
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Outages the collector survives by itself; whatever else ends it is logged, and it begins again."""
        while True:
            try:
                await self.collector.run()
            except Exception:  # noqa: BLE001 - a boundary: logged with its trace, and nothing was acknowledged
                _log.exception("the collector failed and is started again")
                await asyncio.sleep(_RESTART_SECONDS)
            else:
                return

    async def stop(self, *, seconds: float) -> None:
        """Let the collector finish what it has read."""
        if self._running is not None:
            self.collector.stop()
            await asyncio.wait([self._running], timeout=seconds)
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_CANCEL_SECONDS)  # a transaction that is cut off rolls back

    async def leave(self) -> None:
        """Leave the consumer groups, so that nobody waits for this one."""
        try:
            await self.stream.close()
        except UnavailableError as error:  # whoever looks for silent consumers finds this one
            _log.warning("the collector's groups were not left: %s", error)


def new_collecting(
    settings: Settings, engine: AsyncEngine, store: SqlStore, redis: RedisSide, streaming: Redis, *, consumer: str
) -> Collecting:
    """Not started yet; `streaming` is a client that may block, `consumer` a name that no other live collector has."""
    partitions = settings.redis.partitions
    stream = EventStream(streaming, partitions=partitions, consumer=consumer, clock=clock.now)
    limits = CollectorLimits(batch=settings.collector.batch_size, linger_seconds=settings.collector.flush_interval)
    collector = Collector(stream, SqlLedger(engine, look_at_limits), clock=clock.now, limits=limits)
    keeper = EpochKeeper(
        ledger=SqlEpochs(engine),
        board=RedisEpochs(redis.link),
        new_epoch=clock.new_epoch,
        recorded=collector.between_rounds,
        emptied=lambda: collector.stats.emptied_time,
        expiry=RedisCanary(redis.link, clock.now),
    )
    audits = RedisAudits(factory=redis.factory, partitions=partitions, clock=clock.now)
    auditor = new_auditor(engine, store, audits, keeper.ledger, keeper.standing)
    collector.uncounted = auditor.notice
    rebuilder = new_rebuilder(engine, store, counter_store(settings, redis), keeper, collector.between_rounds)
    found = Collecting(stream=stream, collector=collector, epochs=keeper, rebuilder=rebuilder, auditor=auditor)
    redis.link.at_connect(found.on_connect)
    return found

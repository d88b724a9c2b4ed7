"""The half of the application that stands on SQL: control plane, collector and the worker's loops. Loads SQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.billing_loops import BillingLoops, new_billing_loops
from tallygate.app.collecting import Collecting, new_collecting
from tallygate.app.data_side import RedisSide
from tallygate.app.database_watch import DatabaseWatch
from tallygate.app.errors import StartError
from tallygate.app.installation import database_address, prepare, require_schema
from tallygate.app.lifecycle import Loop
from tallygate.billing.gateway_events import EventRunner
from tallygate.control_plane.audit_log import Chainer
from tallygate.domain.errors import UnavailableError
from tallygate.records.audit_log import Origin
from tallygate.records.epochs import ForeignStoreError
from tallygate.records.publishing import OutboxPublisher
from tallygate.records.transactions import Transactions
from tallygate.settings import Settings
from tallygate.storage.redis.barrier import RedisBarrier
from tallygate.storage.redis.publisher import RedisPublisher
from tallygate.storage.sql.audit_log.log import SqlAuditTails
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlEventReader
from tallygate.storage.sql.metering.usage import SqlUsageReader
from tallygate.storage.sql.outbox import SqlOutbox
from tallygate.storage.sql.unit_of_work import SqlStore

if TYPE_CHECKING:
    from tallygate.app.tracing import Tracing


@dataclass(slots=True, kw_only=True)
class ControlSide:
    """What the control plane's servicers and the worker's loops stand on."""

    engine: AsyncEngine
    database: DatabaseWatch
    transactions: Transactions
    publisher: OutboxPublisher
    collecting: Collecting
    billing: BillingLoops
    events: SqlEventReader
    usage: SqlUsageReader
    font_dir: Path | None
    commission_day: int
    _clients: list[Redis] = field(default_factory=list)

    @property
    def hearing(self) -> EventRunner:
        """What takes in what payment gateways tell."""
        gateways = self.billing.tenants.payments.gateways
        return EventRunner(transactions=self.transactions, gateways=gateways, clock=clock.now)

    @property
    def chainer(self) -> Chainer:
        """What chains the audit log."""
        return Chainer(
            transactions=self.transactions,
            tails=SqlAuditTails(engine=self.engine),
            sealing=self.billing.tenants.payments.gateways.sealing,
            clock=clock.now,
        )

    async def note(self, tenant_id: str, origin: Origin) -> None:
        """Note a call of which nothing was written but that it was made."""

        async def nothing(_work: object, _now: int) -> None:
            return

        if not origin.noted:
            await self.transactions.write(tenant_id, nothing, now=clock.now())

    async def settle(self) -> None:
        """Before anything is served: epochs, and whatever the view lacks.

        Raises:
            StartError: this Redis belongs to another installation, or what is needed cannot be written.
        """
        try:
            await self.collecting.epochs.settle()
            if not await self.publisher.keys.is_intact():
                await self.publisher.republish_all()
            await self.publisher.publish_pending()
        except ForeignStoreError as error:
            raise StartError(str(error)) from error
        except UnavailableError as error:
            msg = (
                f"what this role publishes cannot be written: {error.__cause__ or error}; `tallygate doctor` says more"
            )
            raise StartError(msg) from error

    def loops(self, sleep: Callable[[float], Awaitable[None]]) -> dict[str, Loop]:
        """What a worker runs besides the collector, by name; `sleep` waits between two rounds."""
        return {
            "publisher": lambda: self.publisher.run(sleep),
            **self.collecting.loops(sleep),
            **self.billing.loops(sleep),
            "audit log": lambda: self.chainer.run(sleep),
        }

    async def close(self, *, seconds: float) -> None:
        """Let the collector finish what it has read, then close every connection."""
        await self.collecting.stop(seconds=seconds)
        await self.transactions.drain()
        await self.collecting.leave()
        for client in self._clients:
            await client.aclose()
        await self.database.close(seconds=seconds)
        await self.engine.dispose()


async def open_control_side(
    settings: Settings, redis: RedisSide, *, consumer: str, tracing: "Tracing | None" = None
) -> ControlSide:
    """Open the database, whose schema must be this version's, and everything that stands on it.

    Raises:
        StartError: the database or its schema does not fit.
    """
    await asyncio.to_thread(require_schema, settings)
    engine = create_engine(database_address(settings), pool_size=settings.database.pool_size)
    if tracing is not None:
        tracing.watch(engine)
    try:
        await prepare(engine, settings)
    except BaseException:
        await engine.dispose()
        raise
    partitions = settings.redis.partitions
    publishing, streaming = redis.factory.client(), redis.factory.stream_client()
    store = SqlStore(engine=engine)
    views = RedisPublisher(publishing, partitions=partitions)
    publisher = OutboxPublisher(store=store, outbox=SqlOutbox(engine=engine), views=views, keys=views)
    transactions = Transactions(store=store, publisher=publisher)
    barrier = RedisBarrier(streaming, partitions=partitions, sleep=asyncio.sleep)
    return ControlSide(
        engine=engine,
        database=DatabaseWatch(engine, required=settings.role != "all" or engine.dialect.name == "sqlite"),
        transactions=transactions,
        publisher=publisher,
        collecting=new_collecting(settings, engine, store, redis, streaming, consumer=consumer),
        billing=new_billing_loops(settings, engine, transactions, barrier, tracing),
        events=SqlEventReader(engine),
        usage=SqlUsageReader(engine),
        font_dir=settings.documents.font_dir,
        commission_day=settings.billing.commission_day,
        _clients=[publishing, streaming],
    )

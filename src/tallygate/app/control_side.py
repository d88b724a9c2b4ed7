"""The half of the application that stands on SQL: control plane, collector and the worker's loops. Loads SQL."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.billing_side import end_subscription
from tallygate.app.billing_watch import BillingWatch
from tallygate.app.data_side import RedisSide
from tallygate.app.errors import StartError
from tallygate.app.fake_hooks import FakeHooks
from tallygate.app.gateway_side import open_gateways
from tallygate.app.installation import bootstrap, database_address, require_schema
from tallygate.app.mailing import mailer_of
from tallygate.app.rebuilding import counter_store, new_auditor, new_rebuilder
from tallygate.billing.checking import CheckRunner
from tallygate.billing.due_order import Run, TenantRunner
from tallygate.billing.forgetting import MethodForgetter
from tallygate.billing.gateway_events import EventRunner
from tallygate.billing.notices import NoticeRunner
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.running import BillingRunner
from tallygate.billing.tax_ids import TaxIds
from tallygate.domain.errors import InvalidFieldError, UnavailableError
from tallygate.gateways.vies import Vies
from tallygate.jobs.dispatch import Dispatcher
from tallygate.jobs.scheduler import Scheduler
from tallygate.metering.auditing import Auditor
from tallygate.metering.collector import Collector, CollectorLimits
from tallygate.metering.rebuilding import Rebuilder
from tallygate.records.billing import AUDIT, CLOSE, COMPLETENESS, EXPIRE, VERIFY_TAX_ID
from tallygate.records.epochs import EpochKeeper, ForeignStoreError
from tallygate.records.ledger import RECOGNISE
from tallygate.records.messages import DISPATCH, NOTICE, USAGE_LIMIT
from tallygate.records.payments import COLLECT, FORGET, RESOLVE, RESOLVE_REFUND
from tallygate.records.publishing import OutboxPublisher
from tallygate.records.transactions import Transactions
from tallygate.rendering.enclosing import letter_writer
from tallygate.settings import Settings
from tallygate.storage.redis.audits import RedisAudits
from tallygate.storage.redis.barrier import RedisBarrier
from tallygate.storage.redis.canary import RedisCanary
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.events import EventStream
from tallygate.storage.redis.publisher import RedisPublisher
from tallygate.storage.sql.billing.health import SqlBillingHealth
from tallygate.storage.sql.billing.jobs import SqlJobQueue, look_at_limits
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.epochs import SqlEpochs
from tallygate.storage.sql.metering.events import SqlEventReader, SqlLedger
from tallygate.storage.sql.metering.usage import SqlUsageReader
from tallygate.storage.sql.outbox import SqlOutbox
from tallygate.storage.sql.partitions import seed_partitions
from tallygate.storage.sql.unit_of_work import SqlStore

_ABREAST = 16
"""Tenants whose payments are asked for at the same time: one whose gateway is slow holds up no other."""
_RESTART_SECONDS = 1.0
_CANCEL_SECONDS = 0.5
_log = logging.getLogger(__name__)

Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True, kw_only=True)
class ControlSide:
    """What the control plane's servicers and the worker's loops stand on."""

    engine: AsyncEngine
    transactions: Transactions
    publisher: OutboxPublisher
    epochs: EpochKeeper
    rebuilder: Rebuilder
    auditor: Auditor
    collector: Collector
    events: SqlEventReader
    usage: SqlUsageReader
    stream: EventStream
    billing: TenantRunner
    recognition: RecognitionRunner
    tax_ids: TaxIds
    font_dir: Path | None
    jobs: Scheduler
    payments: Scheduler
    mails: Scheduler
    watch: BillingWatch
    fake_hooks: FakeHooks
    _clients: list[Redis] = field(default_factory=list)
    _collecting: asyncio.Task[None] | None = None

    @property
    def hearing(self) -> EventRunner:
        """What takes in what payment gateways tell."""
        gateways = self.billing.payments.gateways
        return EventRunner(transactions=self.transactions, gateways=gateways, clock=clock.now)

    async def settle(self) -> None:
        """Before anything is served: epochs, and whatever the view lacks.

        Raises:
            StartError: this Redis belongs to another installation, or what is needed cannot be written.
        """
        try:
            await self.epochs.settle()
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

    async def run_billing(self, tenant_id: str, account_id: str) -> Run:
        """Issue all that is due of a tenant, or of one account of it, and post what has become income."""
        run = await self.billing.run(tenant_id, account_id)
        await self.recognition.run(tenant_id, account_id)
        return run

    def loops(self, sleep: Callable[[float], Awaitable[None]]) -> dict[str, Loop]:
        """What a worker runs besides the collector, by name; `sleep` waits between two rounds."""
        return {
            "publisher": lambda: self.publisher.run(sleep),
            "epochs": lambda: self.epochs.run(sleep),
            "rebuilder": lambda: self.rebuilder.run(sleep),
            "auditor": lambda: self.auditor.run(sleep),
            "jobs": lambda: self.jobs.run(sleep),
            "payments": lambda: self.payments.run(sleep),
            "fake hooks": lambda: self.fake_hooks.run(sleep),
            "mails": lambda: self.mails.run(sleep),
            "billing watch": lambda: self.watch.run(sleep),
        }

    def start_collecting(self) -> None:
        """Collect in the background until `close`."""
        self._collecting = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        """Outages the collector survives by itself; whatever else ends it is logged, and it begins again."""
        while True:
            try:
                await self.collector.run()
            except Exception:  # noqa: BLE001 - a boundary: logged with its trace, and nothing was acknowledged
                _log.exception("the collector failed and is started again")
                await asyncio.sleep(_RESTART_SECONDS)
            else:
                return

    async def close(self, *, seconds: float) -> None:
        """Let the collector finish what it has read, then close every connection."""
        if self._collecting is not None:
            self.collector.stop()
            await asyncio.wait([self._collecting], timeout=seconds)
            self._collecting.cancel()
            await asyncio.wait([self._collecting], timeout=_CANCEL_SECONDS)  # a transaction that is cut off rolls back
        await self.transactions.drain()
        try:
            await self.stream.close()
        except UnavailableError as error:  # whoever looks for silent consumers finds this one
            _log.warning("the collector's groups were not left: %s", error)
        for client in self._clients:
            await client.aclose()
        await self.engine.dispose()


async def open_control_side(settings: Settings, redis: RedisSide, *, consumer: str) -> ControlSide:
    """Open the database, whose schema must be this version's, and everything that stands on it.

    Raises:
        StartError: the database or its schema does not fit.
    """
    await asyncio.to_thread(require_schema, settings)
    engine = create_engine(database_address(settings), pool_size=settings.database.pool_size)
    try:
        await _prepare(engine, settings)
    except BaseException:
        await engine.dispose()
        raise
    partitions = settings.redis.partitions
    publishing = redis.factory.client()
    streaming = redis.factory.stream_client()
    store = SqlStore(engine=engine)
    redis_publisher = RedisPublisher(publishing, partitions=partitions)
    publisher = OutboxPublisher(
        store=store, outbox=SqlOutbox(engine=engine), views=redis_publisher, keys=redis_publisher
    )
    stream = EventStream(streaming, partitions=partitions, consumer=consumer, clock=clock.now)
    limits = CollectorLimits(batch=settings.collector.batch_size, linger_seconds=settings.collector.flush_interval)
    transactions = Transactions(store=store, publisher=publisher)
    barrier = RedisBarrier(streaming, partitions=partitions, sleep=asyncio.sleep)
    payments = PaymentRunner(
        transactions=transactions,
        gateways=open_gateways(settings, engine),
        end=end_subscription,
        clock=clock.now,
        new_id=clock.new_id,
    )
    billing = TenantRunner(
        transactions=transactions,
        billing=BillingRunner(transactions=transactions, barrier=barrier, clock=clock.now),
        payments=payments,
        refunds=RefundRunner(payments=payments),
        methods=MethodForgetter(payments=payments),
        notices=NoticeRunner(transactions=transactions, clock=clock.now),
        clock=clock.now,
    )
    queue = SqlJobQueue(engine=engine)
    recognition = RecognitionRunner(transactions=transactions, clock=clock.now)
    checks = CheckRunner(transactions=transactions, clock=clock.now)
    handlers = {
        CLOSE: billing.close,
        NOTICE: billing.notice,
        USAGE_LIMIT: billing.notices.limits,
        EXPIRE: billing.expire,
        RECOGNISE: recognition.handle,
        COMPLETENESS: checks.charges,
        AUDIT: checks.ledger,
    }
    tax_ids = TaxIds(
        transactions=transactions,
        verifier=Vies(url=settings.tax.vies_url, timeout=settings.tax.vies_timeout),
        clock=clock.now,
    )
    paying = {  # apart: a slow gateway holds up no invoice
        COLLECT: billing.collect,
        RESOLVE: billing.resolve,
        RESOLVE_REFUND: billing.resolve_refunds,
        FORGET: billing.forget,
        VERIFY_TAX_ID: tax_ids.ask_again,
    }
    dispatcher = Dispatcher(
        transactions=transactions,
        mailer=mailer_of(settings),
        compose=letter_writer(enclose=settings.mail.enclose_pdf, fonts=settings.documents.font_dir),
        clock=clock.now,
        to_test_tenants=settings.mail.test_tenants,
    )
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
    return ControlSide(
        engine=engine,
        transactions=transactions,
        billing=billing,
        jobs=Scheduler(queue=queue, handlers=handlers, clock=clock.now),
        payments=Scheduler(queue=queue, handlers=paying, clock=clock.now, abreast=_ABREAST),
        mails=Scheduler(queue=queue, handlers={DISPATCH: dispatcher.handle}, clock=clock.now),
        watch=BillingWatch(source=SqlBillingHealth(engine=engine)),
        recognition=recognition,
        font_dir=settings.documents.font_dir,
        tax_ids=tax_ids,
        publisher=publisher,
        epochs=keeper,
        rebuilder=new_rebuilder(engine, store, counter_store(settings, redis), keeper, collector.between_rounds),
        auditor=auditor,
        collector=collector,
        events=SqlEventReader(engine),
        usage=SqlUsageReader(engine),
        stream=stream,
        fake_hooks=FakeHooks(engine=engine, transactions=transactions, gateways=billing.payments.gateways),
        _clients=[publishing, streaming],
    )


async def _prepare(engine: AsyncEngine, settings: Settings) -> None:
    try:
        await seed_partitions(engine, settings.redis.partitions, clock.new_epoch)
    except InvalidFieldError as error:
        raise StartError(str(error)) from error
    if settings.bootstrap_key_file is not None:
        await bootstrap(engine, settings.bootstrap_key_file)

"""Billing as a worker runs it: what waits in the job queue, by kind, and who does it. Loads SQL."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app import clock
from tallygate.app.billing_side import end_subscription
from tallygate.app.billing_watch import BillingWatch
from tallygate.app.fake_hooks import FakeHooks
from tallygate.app.gateway_side import open_gateways
from tallygate.app.lifecycle import Loop
from tallygate.app.mailing import mailer_of
from tallygate.billing.asking_apps import ChargeRunner
from tallygate.billing.checking import CheckRunner
from tallygate.billing.due_order import Run, TenantRunner
from tallygate.billing.forgetting import MethodForgetter
from tallygate.billing.gateways import Gateways
from tallygate.billing.notices import NoticeRunner
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import Barrier
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.running import BillingRunner
from tallygate.billing.tax_ids import TaxIds
from tallygate.gateways.asking import NO_TRAIL, Trail
from tallygate.gateways.charge_service import HttpChargeServices
from tallygate.gateways.vies import Vies
from tallygate.jobs.dispatch import Dispatcher
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.app_charges import CHARGES
from tallygate.records.jobs import AUDIT, CLOSE, COMPLETENESS, EXPIRE, VERIFY_TAX_ID
from tallygate.records.ledger import RECOGNISE
from tallygate.records.messages import DISPATCH, NOTICE, USAGE_LIMIT
from tallygate.records.partners import RECURRING_BILL
from tallygate.records.payments import COLLECT, FORGET, RESOLVE, RESOLVE_REFUND
from tallygate.records.transactions import Transactions
from tallygate.rendering.enclosing import letter_writer
from tallygate.settings import Settings
from tallygate.storage.sql.billing.health import SqlBillingHealth
from tallygate.storage.sql.billing.jobs import SqlJobQueue

if TYPE_CHECKING:
    from tallygate.app.tracing import Tracing

_ABREAST = 16
"""Tenants whose payments are asked for at the same time: one whose gateway is slow holds up no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingLoops:
    """Three schedulers of one queue, so that neither a gateway nor a mail server holds up an invoice."""

    tenants: TenantRunner
    recognition: RecognitionRunner
    tax_ids: TaxIds
    jobs: Scheduler
    payments: Scheduler
    mails: Scheduler
    watch: BillingWatch
    fake_hooks: FakeHooks

    async def run(self, tenant_id: str, account_id: str) -> Run:
        """Issue all that is due of a tenant, or of one account of it, and post what has become income."""
        run = await self.tenants.run(tenant_id, account_id)
        await self.recognition.run(tenant_id, account_id)
        return run

    def loops(self, sleep: Callable[[float], Awaitable[None]]) -> dict[str, Loop]:
        """What a worker runs for billing, by name; `sleep` waits between two rounds."""
        return {
            "jobs": lambda: self.jobs.run(sleep),
            "payments": lambda: self.payments.run(sleep),
            "mails": lambda: self.mails.run(sleep),
            "fake hooks": lambda: self.fake_hooks.run(sleep),
            "billing watch": lambda: self.watch.run(sleep),
        }


def new_billing_loops(
    settings: Settings,
    engine: AsyncEngine,
    transactions: Transactions,
    barrier: Barrier,
    tracing: "Tracing | None" = None,
) -> BillingLoops:
    """Billing on this database; no period is closed before `barrier` says that its events are there."""
    queue = SqlJobQueue(engine=engine)
    trail = tracing or NO_TRAIL
    charges = _charges(settings, transactions, trail)
    tenants = _tenants(transactions, barrier, open_gateways(settings, engine, trail), charges)
    recognition = RecognitionRunner(transactions=transactions, clock=clock.now)
    tax_ids = TaxIds(
        transactions=transactions,
        verifier=Vies(url=settings.tax.vies_url, timeout=settings.tax.vies_timeout, trail=trail),
        clock=clock.now,
    )
    schedulers = (
        _jobs(queue, transactions, tenants, recognition),
        _payments(queue, tenants, tax_ids),
        _mails(queue, transactions, settings),
    )
    jobs, payments, mails = schedulers if tracing is None else map(tracing.scheduler, schedulers)
    return BillingLoops(
        tenants=tenants,
        recognition=recognition,
        tax_ids=tax_ids,
        jobs=jobs,
        payments=payments,
        mails=mails,
        watch=BillingWatch(source=SqlBillingHealth(engine=engine), kinds=_kinds(schedulers)),
        fake_hooks=FakeHooks(engine=engine, transactions=transactions, gateways=tenants.payments.gateways),
    )


def _kinds(schedulers: Iterable[Scheduler]) -> frozenset[str]:
    return frozenset(kind for scheduler in schedulers for kind in scheduler.handlers)


def _charges(settings: Settings, transactions: Transactions, trail: Trail) -> ChargeRunner:
    money = settings.billing
    services = HttpChargeServices(
        timeout=money.charge_service_timeout, authorities=money.charge_service_ca, trail=trail
    )
    return ChargeRunner(transactions=transactions, services=services, clock=clock.now)


def _tenants(transactions: Transactions, barrier: Barrier, gateways: Gateways, charges: ChargeRunner) -> TenantRunner:
    payments = PaymentRunner(
        transactions=transactions,
        gateways=gateways,
        end=end_subscription,
        clock=clock.now,
        new_id=clock.new_id,
    )
    return TenantRunner(
        transactions=transactions,
        billing=BillingRunner(transactions=transactions, barrier=barrier, clock=clock.now),
        payments=payments,
        refunds=RefundRunner(payments=payments),
        methods=MethodForgetter(payments=payments),
        notices=NoticeRunner(transactions=transactions, clock=clock.now),
        charges=charges,
        clock=clock.now,
    )


def _jobs(
    queue: SqlJobQueue, transactions: Transactions, tenants: TenantRunner, recognition: RecognitionRunner
) -> Scheduler:
    checks = CheckRunner(transactions=transactions, clock=clock.now)
    handlers = {
        CLOSE: tenants.close,
        NOTICE: tenants.notice,
        USAGE_LIMIT: tenants.notices.limits,
        EXPIRE: tenants.expire,
        RECURRING_BILL: tenants.expire,
        RECOGNISE: recognition.handle,
        COMPLETENESS: checks.charges,
        AUDIT: checks.ledger,
    }
    return Scheduler(queue=queue, handlers=handlers, clock=clock.now)


def _payments(queue: SqlJobQueue, tenants: TenantRunner, tax_ids: TaxIds) -> Scheduler:
    handlers = {
        COLLECT: tenants.collect,
        CHARGES: tenants.charge,
        RESOLVE: tenants.resolve,
        RESOLVE_REFUND: tenants.resolve_refunds,
        FORGET: tenants.forget,
        VERIFY_TAX_ID: tax_ids.ask_again,
    }
    return Scheduler(queue=queue, handlers=handlers, clock=clock.now, abreast=_ABREAST)


def _mails(queue: SqlJobQueue, transactions: Transactions, settings: Settings) -> Scheduler:
    dispatcher = Dispatcher(
        transactions=transactions,
        mailer=mailer_of(settings),
        compose=letter_writer(enclose=settings.mail.enclose_pdf, fonts=settings.documents.font_dir),
        clock=clock.now,
        to_test_tenants=settings.mail.test_tenants,
    )
    return Scheduler(queue=queue, handlers={DISPATCH: dispatcher.handle}, clock=clock.now)

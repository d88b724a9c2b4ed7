"""The control plane's servicers, joined to their use-cases."""

from tallygate.app import clock
from tallygate.app.billing_side import Desk
from tallygate.app.control_side import ControlSide
from tallygate.app.data_side import DataSide
from tallygate.billing.reconciliation import Reconciler
from tallygate.control_plane.tenants import open_test_tenant
from tallygate.data_plane.grants import GrantBalances
from tallygate.domain.credential import KeyRecord
from tallygate.rendering.forms import renderers
from tallygate.rendering.languages import LANGUAGES
from tallygate.server.calls.authentication import OpenTestTenant
from tallygate.server.services.account_service import AccountServicer
from tallygate.server.services.api_key_service import ApiKeyServicer
from tallygate.server.services.audit_service import AuditServicer
from tallygate.server.services.billing_service import BillingServicer
from tallygate.server.services.catalog_service import CatalogServicer
from tallygate.server.services.charge_service import ChargeServicer
from tallygate.server.services.discount_service import DiscountServicer
from tallygate.server.services.invoice_service import InvoiceServicer
from tallygate.server.services.ledger_service import LedgerServicer
from tallygate.server.services.message_service import MessageServicer
from tallygate.server.services.order_service import OrderServicer
from tallygate.server.services.partner_service import PartnerServicer
from tallygate.server.services.payment_service import PaymentServicer
from tallygate.server.services.pricing_service import PricingServicer
from tallygate.server.services.product_service import ProductServicer
from tallygate.server.services.report_service import ReportServicer
from tallygate.server.services.subscription_service import SubscriptionServicer
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.services.test_clock_service import TestClockServicer
from tallygate.server.services.usage_service import UsageServicer


def tenant_opener(control: ControlSide) -> OpenTestTenant:
    """What `--testing` does with an unknown key: open the test tenant that it stands for."""

    async def opened(secret: str) -> KeyRecord:
        stored = await open_test_tenant(control.transactions, secret, now=clock.now())
        return stored.record

    return opened


def control_services(data: DataSide, control: ControlSide) -> list[tuple[str, object]]:
    """Every service of the control plane by its full name, with its servicer."""
    work = TenantWork(transactions=control.transactions, clock=clock.now, new_id=clock.new_id)
    billing = control.billing
    finalize = billing.tenants.billing.finalize
    invoices = InvoiceServicer(work, renderers(fonts=control.font_dir), finalize, locales=LANGUAGES)
    payments, refunds = billing.tenants.payments, billing.tenants.refunds
    usage = UsageServicer(work, events=control.events, usage=control.usage, consume=data.consumes.consume)
    return [
        ("tallygate.v1.AccountService", AccountServicer(work, GrantBalances(admission=data.admission).left)),
        ("tallygate.v1.ApiKeyService", ApiKeyServicer(work, entropy=clock.entropy)),
        ("tallygate.v1.AuditService", AuditServicer(work, payments.gateways.sealing)),
        ("tallygate.v1.BillingService", BillingServicer(work, billing.run, billing.tax_ids)),
        ("tallygate.v1.ChargeService", ChargeServicer(work, billing.tenants.charges)),
        ("tallygate.v1.InvoiceService", invoices),
        ("tallygate.v1.LedgerService", LedgerServicer(work)),
        ("tallygate.v1.MessageService", MessageServicer(work)),
        ("tallygate.v1.DiscountService", DiscountServicer(work)),
        ("tallygate.v1.OrderService", OrderServicer(work, Desk(), entropy=clock.entropy)),
        ("tallygate.v1.PartnerService", PartnerServicer(work, commission_day=control.commission_day)),
        ("tallygate.v1.PaymentService", PaymentServicer(work, payments, refunds, Reconciler(payments=payments))),
        ("tallygate.v1.PricingService", PricingServicer(work)),
        ("tallygate.v1.ReportService", ReportServicer(work)),
        ("tallygate.v1.CatalogService", CatalogServicer(work)),
        ("tallygate.v1.ProductService", ProductServicer(work)),
        ("tallygate.v1.SubscriptionService", SubscriptionServicer(work, refunds)),
        ("tallygate.v1.TestClockService", TestClockServicer(work)),
        ("tallygate.v1.UsageService", usage),
    ]

"""What use-cases need from the outside: a unit of work over one tenant's rows.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tallygate.domain.billing_terms import TaxRate
from tallygate.records.app_charges import AppChargeRecords
from tallygate.records.audit_log import AuditChain, AuditLog
from tallygate.records.billing import (
    BalanceRepository,
    BillingAccountRepository,
    FeeRepository,
    Findings,
    InvoiceRepository,
    IssuedLines,
    Marks,
    PriceOverrides,
    ProfileRepository,
    Quantities,
    WalletRepository,
)
from tallygate.records.discounts import CouponRepository, DiscountRepository
from tallygate.records.drafts import DraftRepository
from tallygate.records.gateway_events import GatewayEvents
from tallygate.records.history import SubscriptionHistory
from tallygate.records.jobs import JobRepository
from tallygate.records.late_usage import LateUsage, UsageLog
from tallygate.records.ledger import AuditRepository, LedgerRepository, RecognitionRepository
from tallygate.records.messages import Messages
from tallygate.records.orders import ClaimRepository, OrderRepository
from tallygate.records.partners import BillRepository, EarningRepository, RecurringBillRepository, ShareTermsRepository
from tallygate.records.payments import DisputeRecords, PaymentRecords, RefundRecords
from tallygate.records.reporting import ReportRepository
from tallygate.records.repositories import (
    AccountRepository,
    CatalogRepository,
    GrantRepository,
    KeyRepository,
    OverrideRepository,
    SeatRepository,
    SubscriptionRepository,
    TenantRepository,
    UserRepository,
)

NewId = Callable[[], str]
"""Mints an id that was never used."""


class UnitOfWork(Protocol):
    """One transaction over one tenant's rows; when writing, under the lock of the tenant's row from its start."""

    @property
    def now(self) -> int:
        """The tenant's time in a write: what is created or changed is stamped with it."""
        ...

    @property
    def tenants(self) -> TenantRepository:
        """The tenant's own row."""
        ...

    @property
    def catalog(self) -> CatalogRepository:
        """The tenant's catalogue."""
        ...

    @property
    def accounts(self) -> AccountRepository:
        """The tenant's accounts."""
        ...

    @property
    def users(self) -> UserRepository:
        """Users of the tenant's accounts."""
        ...

    @property
    def seats(self) -> SeatRepository:
        """Named seats of the tenant's accounts."""
        ...

    @property
    def subscriptions(self) -> SubscriptionRepository:
        """Subscriptions of the tenant's accounts."""
        ...

    @property
    def subscription_history(self) -> SubscriptionHistory:
        """Who changed the tenant's subscriptions, when and how."""
        ...

    @property
    def overrides(self) -> OverrideRepository:
        """Overrides of the tenant's accounts."""
        ...

    @property
    def grants(self) -> GrantRepository:
        """Grants of the tenant's accounts."""
        ...

    @property
    def keys(self) -> KeyRepository:
        """The tenant's API keys."""
        ...

    @property
    def audit_log(self) -> AuditLog:
        """Who did what: an entry of the call at work is added when this commits."""
        ...

    @property
    def audit_chain(self) -> AuditChain:
        """What makes it show that somebody changed the audit log."""
        ...

    def part(self) -> AbstractAsyncContextManager[None]:
        """A part of the transaction that may fail by itself: an exception undoes what was done in its block."""
        ...

    async def commit(self) -> int:
        """Commit, and answer the tenant's view version: a new one if anything changed that is published.

        What changed is noted in the outbox in the same transaction. Left without a commit, nothing happened.
        """
        ...


class BillingWork(UnitOfWork, Protocol):
    """A unit of work that reaches what billing keeps, too: one transaction changes subscriptions, invoices and view."""

    @property
    def tenant_id(self) -> str:
        """Whose rows these are."""
        ...

    @property
    def invoices(self) -> InvoiceRepository:
        """Issued documents."""
        ...

    @property
    def drafts(self) -> DraftRepository:
        """Which documents are under review."""
        ...

    @property
    def balances(self) -> BalanceRepository:
        """What is left to pay of documents."""
        ...

    @property
    def wallet(self) -> WalletRepository:
        """The money of accounts that no invoice has taken yet."""
        ...

    @property
    def issued_lines(self) -> IssuedLines:
        """What was charged already."""
        ...

    @property
    def billing_accounts(self) -> BillingAccountRepository:
        """How far accounts are billed."""
        ...

    @property
    def marks(self) -> Marks:
        """How much accounts have by now."""
        ...

    @property
    def usage_log(self) -> UsageLog:
        """The facts that are charged."""
        ...

    @property
    def fees(self) -> FeeRepository:
        """Fees and their offsets."""
        ...

    @property
    def late_usage(self) -> LateUsage:
        """Facts that came after the close of their period."""
        ...

    @property
    def findings(self) -> Findings:
        """What checks of the books have found."""
        ...

    @property
    def quantities(self) -> Quantities:
        """How many seats and users accounts had."""
        ...

    @property
    def price_overrides(self) -> PriceOverrides:
        """Accounts' own prices."""
        ...

    @property
    def profiles(self) -> ProfileRepository:
        """Who accounts and the seller are on documents."""
        ...

    @property
    def shipped_rates(self) -> Sequence[TaxRate]:
        """Rates of tax that a tenant need not know itself."""
        ...

    @property
    def ledger(self) -> LedgerRepository:
        """Transfers of the ledger."""
        ...

    @property
    def recognitions(self) -> RecognitionRepository:
        """What becomes income later."""
        ...

    @property
    def audit(self) -> AuditRepository:
        """What the ledger must agree with."""
        ...

    @property
    def app_charges(self) -> AppChargeRecords:
        """Charges that apps tell."""
        ...

    @property
    def coupons(self) -> CouponRepository:
        """Coupons, and who redeemed them."""
        ...

    @property
    def discounts(self) -> DiscountRepository:
        """Discounts by agreement, and referrals."""
        ...

    @property
    def orders(self) -> OrderRepository:
        """Orders."""
        ...

    @property
    def claims(self) -> ClaimRepository:
        """Claims for what orders sold."""
        ...

    @property
    def gateway_events(self) -> GatewayEvents:
        """What the tenant's gateways told."""
        ...

    @property
    def payments(self) -> PaymentRecords:
        """Gateways, methods, attempts, payments and dunning cases."""
        ...

    @property
    def messages(self) -> Messages:
        """What is told of what happened."""
        ...

    @property
    def refunds(self) -> RefundRecords:
        """Money that goes back."""
        ...

    @property
    def disputes(self) -> DisputeRecords:
        """Payments that payers had taken back."""
        ...

    @property
    def share_terms(self) -> ShareTermsRepository:
        """What was agreed about shares."""
        ...

    @property
    def recurring_bills(self) -> RecurringBillRepository:
        """Bills that come again."""
        ...

    @property
    def bills(self) -> BillRepository:
        """Bills of providers."""
        ...

    @property
    def earnings(self) -> EarningRepository:
        """What documents brought in."""
        ...

    @property
    def reports(self) -> ReportRepository:
        """Sums over the tenant."""
        ...

    @property
    def jobs(self) -> JobRepository:
        """When to look at what."""
        ...

    async def gather(self, account_ids: Sequence[str]) -> None:
        """Read ahead what the invoices of many accounts are derived from; it changes what asking costs, no answer."""
        ...

    async def gather_held(self, account_ids: Sequence[str]) -> None:
        """The same of what accounts hold alone, in the place of what was read ahead of others."""
        ...

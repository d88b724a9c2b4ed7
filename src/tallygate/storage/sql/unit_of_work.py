"""The unit of work over SQL, and the store that opens them: one transaction, one tenant, its row locked to write."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Column, Select, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing_terms import TaxRate
from tallygate.domain.errors import TenantNotFoundError
from tallygate.records.audit_log import Origin
from tallygate.records.history import NOBODY, Author
from tallygate.records.values import ChangeKind, StoredKey, Tenant
from tallygate.storage.sql.accounts.accounts import (
    SqlAccountRepository,
    SqlSeatRepository,
    SqlUserRepository,
    account_rows,
)
from tallygate.storage.sql.accounts.allowances import SqlGrantRepository, SqlOverrideRepository
from tallygate.storage.sql.accounts.history import SqlSubscriptionHistory, note_history
from tallygate.storage.sql.accounts.subscriptions import SqlSubscriptionRepository, subscriptions_of
from tallygate.storage.sql.audit_log.log import SqlAuditChain, SqlAuditLog
from tallygate.storage.sql.audit_log.noting import note_entry
from tallygate.storage.sql.billing.app_charges import SqlAppCharges
from tallygate.storage.sql.billing.audit import SqlAuditRepository
from tallygate.storage.sql.billing.balances import SqlBalanceRepository, SqlWalletRepository, wallets_of
from tallygate.storage.sql.billing.billed_accounts import SqlBillingAccounts, billing_accounts_of, note_billed
from tallygate.storage.sql.billing.coupons import SqlCouponRepository, redemptions_of
from tallygate.storage.sql.billing.discounts import SqlDiscountRepository, discounts_of
from tallygate.storage.sql.billing.disputes import SqlDisputeRecords
from tallygate.storage.sql.billing.documents import SqlInvoiceRepository
from tallygate.storage.sql.billing.drafts import SqlDraftRepository
from tallygate.storage.sql.billing.earnings import SqlEarnings
from tallygate.storage.sql.billing.fees import SqlFeeRepository, uninvoiced_fees
from tallygate.storage.sql.billing.findings import SqlFindings
from tallygate.storage.sql.billing.gateway_events import SqlGatewayEvents
from tallygate.storage.sql.billing.issued_lines import SqlIssuedLines, forgiven_of, lines_since_close
from tallygate.storage.sql.billing.jobs import SqlJobRepository, look_again, note_jobs
from tallygate.storage.sql.billing.late import SqlLateUsage, late_facts_of
from tallygate.storage.sql.billing.ledger import SqlLedgerRepository
from tallygate.storage.sql.billing.marks import SqlMarks, marks_of
from tallygate.storage.sql.billing.messages import SqlMessages, note_messages
from tallygate.storage.sql.billing.orders import SqlClaimRepository, SqlOrderRepository
from tallygate.storage.sql.billing.partners import SqlBills, SqlShareTerms
from tallygate.storage.sql.billing.payments import SqlPaymentRecords
from tallygate.storage.sql.billing.price_overrides import SqlPriceOverrides, price_overrides_of
from tallygate.storage.sql.billing.profiles import SqlProfileRepository, profiles_of
from tallygate.storage.sql.billing.quantities import SqlQuantities, note_quantities, quantities_of
from tallygate.storage.sql.billing.recognitions import SqlRecognitionRepository
from tallygate.storage.sql.billing.recurring_bills import SqlRecurringBills
from tallygate.storage.sql.billing.refunds import SqlRefundRecords
from tallygate.storage.sql.billing.reports import SqlReports
from tallygate.storage.sql.billing.usage import SqlUsageLog
from tallygate.storage.sql.catalog.catalog import SqlCatalogRepository, SqlTenantRepository, tenant_of
from tallygate.storage.sql.catalog.keys import SqlKeyRepository
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import AccountRow, ApiKeyRow, OutboxRow, TenantRow
from tallygate.storage.sql.recording import Recorder
from tallygate.storage.sql.scope import Changes, Known, OfMany, Scope, table_of
from tallygate.storage.tax.shipped import shipped_rates

_tenants, _accounts, _keys = table_of(TenantRow), table_of(AccountRow), table_of(ApiKeyRow)
_outbox = table_of(OutboxRow)
_IDS_AT_ONCE = 5_000
_HELD: tuple[OfMany[Any], ...] = (subscriptions_of, quantities_of, price_overrides_of)
_AHEAD: tuple[OfMany[Any], ...] = (
    account_rows,
    *_HELD,
    uninvoiced_fees,
    billing_accounts_of,
    lines_since_close,
    forgiven_of,
    marks_of,
    late_facts_of,
    wallets_of,
    profiles_of,
    redemptions_of,
    discounts_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUnitOfWork:
    """One transaction over one tenant's rows."""

    scope: Scope

    @property
    def now(self) -> int:
        """The tenant's time in a write."""
        return self.scope.now

    @property
    def tenants(self) -> SqlTenantRepository:
        """The tenant's own row."""
        return SqlTenantRepository(scope=self.scope)

    @property
    def catalog(self) -> SqlCatalogRepository:
        """The tenant's catalogue."""
        return SqlCatalogRepository(scope=self.scope)

    @property
    def accounts(self) -> SqlAccountRepository:
        """The tenant's accounts."""
        return SqlAccountRepository(scope=self.scope)

    @property
    def users(self) -> SqlUserRepository:
        """Users of the tenant's accounts."""
        return SqlUserRepository(scope=self.scope)

    @property
    def seats(self) -> SqlSeatRepository:
        """Named seats of the tenant's accounts."""
        return SqlSeatRepository(scope=self.scope)

    @property
    def subscriptions(self) -> SqlSubscriptionRepository:
        """Subscriptions of the tenant's accounts."""
        return SqlSubscriptionRepository(scope=self.scope)

    @property
    def subscription_history(self) -> SqlSubscriptionHistory:
        """Who changed the tenant's subscriptions, when and how."""
        return SqlSubscriptionHistory(scope=self.scope)

    @property
    def overrides(self) -> SqlOverrideRepository:
        """Overrides of the tenant's accounts."""
        return SqlOverrideRepository(scope=self.scope)

    @property
    def grants(self) -> SqlGrantRepository:
        """Grants of the tenant's accounts."""
        return SqlGrantRepository(scope=self.scope)

    @property
    def keys(self) -> SqlKeyRepository:
        """The tenant's API keys."""
        return SqlKeyRepository(scope=self.scope)

    @property
    def audit_log(self) -> SqlAuditLog:
        """Who did what."""
        return SqlAuditLog(scope=self.scope)

    @property
    def audit_chain(self) -> SqlAuditChain:
        """What makes it show that somebody changed that."""
        return SqlAuditChain(scope=self.scope)

    @property
    def tenant_id(self) -> str:
        """Whose rows these are."""
        return self.scope.tenant_id

    @property
    def invoices(self) -> SqlInvoiceRepository:
        """Issued documents."""
        return SqlInvoiceRepository(scope=self.scope)

    @property
    def drafts(self) -> SqlDraftRepository:
        """Which documents are under review."""
        return SqlDraftRepository(scope=self.scope)

    @property
    def balances(self) -> SqlBalanceRepository:
        """What is left to pay of documents."""
        return SqlBalanceRepository(scope=self.scope)

    @property
    def wallet(self) -> SqlWalletRepository:
        """The money of accounts that no invoice has taken yet."""
        return SqlWalletRepository(scope=self.scope)

    @property
    def issued_lines(self) -> SqlIssuedLines:
        """What was charged already."""
        return SqlIssuedLines(scope=self.scope)

    @property
    def billing_accounts(self) -> SqlBillingAccounts:
        """How far accounts are billed."""
        return SqlBillingAccounts(scope=self.scope)

    @property
    def marks(self) -> SqlMarks:
        """How much accounts have by now."""
        return SqlMarks(scope=self.scope)

    @property
    def usage_log(self) -> SqlUsageLog:
        """The facts that are charged."""
        return SqlUsageLog(scope=self.scope)

    @property
    def app_charges(self) -> SqlAppCharges:
        """Charges that apps tell."""
        return SqlAppCharges(scope=self.scope)

    @property
    def coupons(self) -> SqlCouponRepository:
        """Coupons, and who redeemed them."""
        return SqlCouponRepository(scope=self.scope)

    @property
    def discounts(self) -> SqlDiscountRepository:
        """Discounts by agreement, and referrals."""
        return SqlDiscountRepository(scope=self.scope)

    @property
    def orders(self) -> SqlOrderRepository:
        """Orders."""
        return SqlOrderRepository(scope=self.scope)

    @property
    def claims(self) -> SqlClaimRepository:
        """Claims for what orders sold."""
        return SqlClaimRepository(scope=self.scope)

    @property
    def fees(self) -> SqlFeeRepository:
        """Fees and their offsets."""
        return SqlFeeRepository(scope=self.scope)

    @property
    def late_usage(self) -> SqlLateUsage:
        """Facts that came after the close of their period."""
        return SqlLateUsage(scope=self.scope)

    @property
    def findings(self) -> SqlFindings:
        """What checks of the books have found."""
        return SqlFindings(scope=self.scope)

    @property
    def quantities(self) -> SqlQuantities:
        """How many seats and users accounts had."""
        return SqlQuantities(scope=self.scope)

    @property
    def price_overrides(self) -> SqlPriceOverrides:
        """Accounts' own prices."""
        return SqlPriceOverrides(scope=self.scope)

    @property
    def profiles(self) -> SqlProfileRepository:
        """Who accounts and the seller are on documents."""
        return SqlProfileRepository(scope=self.scope)

    @property
    def shipped_rates(self) -> Sequence[TaxRate]:
        """Rates of tax that a tenant need not know itself."""
        return shipped_rates()

    @property
    def ledger(self) -> SqlLedgerRepository:
        """Transfers of the ledger."""
        return SqlLedgerRepository(scope=self.scope)

    @property
    def recognitions(self) -> SqlRecognitionRepository:
        """What becomes income later."""
        return SqlRecognitionRepository(scope=self.scope)

    @property
    def audit(self) -> SqlAuditRepository:
        """What the ledger must agree with."""
        return SqlAuditRepository(scope=self.scope)

    @property
    def gateway_events(self) -> SqlGatewayEvents:
        """What the tenant's gateways told."""
        return SqlGatewayEvents(scope=self.scope)

    @property
    def payments(self) -> SqlPaymentRecords:
        """Gateways, methods, attempts, payments and dunning cases."""
        return SqlPaymentRecords(scope=self.scope)

    @property
    def messages(self) -> SqlMessages:
        """What is told of what happened."""
        return SqlMessages(scope=self.scope)

    @property
    def refunds(self) -> SqlRefundRecords:
        """Money that goes back."""
        return SqlRefundRecords(scope=self.scope)

    @property
    def disputes(self) -> SqlDisputeRecords:
        """Payments that payers had taken back."""
        return SqlDisputeRecords(scope=self.scope)

    @property
    def share_terms(self) -> SqlShareTerms:
        """What was agreed about shares."""
        return SqlShareTerms(scope=self.scope)

    @property
    def recurring_bills(self) -> SqlRecurringBills:
        """Bills that come again."""
        return SqlRecurringBills(scope=self.scope)

    @property
    def bills(self) -> SqlBills:
        """Bills of providers."""
        return SqlBills(scope=self.scope)

    @property
    def earnings(self) -> SqlEarnings:
        """What documents brought in."""
        return SqlEarnings(scope=self.scope)

    @property
    def reports(self) -> SqlReports:
        """Sums over the tenant."""
        return SqlReports(scope=self.scope)

    @property
    def jobs(self) -> SqlJobRepository:
        """When to look at what."""
        return SqlJobRepository(scope=self.scope)

    async def gather(self, account_ids: Sequence[str]) -> None:
        """Read ahead what the invoices of accounts are derived from, in a query each however many they are."""
        for what in _AHEAD:
            await self.scope.read_ahead(what, account_ids)

    async def gather_held(self, account_ids: Sequence[str]) -> None:
        """Read ahead what accounts hold alone, and forget that of others: so all of a tenant's can be gone through."""
        for what in _HELD:
            self.scope.known.ahead.pop(what, None)
            await self.scope.read_ahead(what, account_ids)

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """A part of the transaction that may fail by itself."""
        changes, known = self.scope.changes, self.scope.known
        before = changes.copy()
        try:
            async with self.scope.connection.begin_nested():
                yield
        except BaseException:
            changes.restore(before)
            known.forget()
            raise

    async def commit(self) -> int:
        """Raise the tenant's version if anything changed, note what did, and commit."""
        tenant = await self.tenants.get()
        version = tenant.view_version
        if self.scope.changes.any():
            version += 1
            await self._stamp(version)
            entries = [
                {"tenant_id": self.scope.tenant_id, "version": version, **row} for row in _entries(self.scope.changes)
            ]
            await self.scope.connection.execute(insert(_outbox), entries)
        await note_billed(self.scope)
        await note_jobs(self.scope)
        await look_again(self.scope)
        await note_quantities(self.scope)
        history = await note_history(self.scope)
        if history or self.scope.changes.messages:
            policy = (await self.catalog.load()).billing
            await note_messages(self.scope, history, policy.notices if policy is not None else None)
        await self._mark(_accounts, _accounts.c.account_id, self.scope.changes.touched, update_time=self.scope.now)
        await note_entry(self.scope)
        await self.scope.connection.commit()
        return version

    async def _stamp(self, version: int) -> None:
        changes = self.scope.changes
        versions = {"view_version": version, **({"catalog_version": version} if changes.catalog else {})}
        await self.scope.execute(update(_tenants).where(self.scope.own(TenantRow)).values(**versions))
        now = self.scope.now
        await self._mark(_accounts, _accounts.c.account_id, changes.accounts, version=version, update_time=now)
        await self._mark(_keys, _keys.c.key_id, changes.keys, version=version)

    async def _mark(self, table: Table, column: Column[str], keys: Iterable[str], **values: int) -> None:
        ids = list(keys)
        for first in range(0, len(ids), _IDS_AT_ONCE):
            where = table.c.tenant_id == self.scope.tenant_id, column.in_(ids[first : first + _IDS_AT_ONCE])
            await self.scope.execute(update(table).where(*where).values(**values))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlStore:
    """Where tenants live, on either database."""

    engine: AsyncEngine

    def read(self, tenant_id: str) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """A consistent snapshot to read from."""
        sqlite = self.engine.dialect.name == "sqlite"
        options = {} if sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return self._work(tenant_id, options, _tenant_row(tenant_id))

    def write(
        self, tenant_id: str, *, now: int = 0, author: Author = NOBODY, origin: Origin | None = None
    ) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """A transaction that begins with the lock of the tenant's row."""
        row = _tenant_row(tenant_id).with_for_update()
        return self._work(tenant_id, {WRITE: True}, row, now=now, author=author, origin=origin)

    async def create_tenant(
        self, tenant: Tenant, key: StoredKey | None = None, *, origin: Origin | None = None
    ) -> None:
        """Add a tenant with an empty catalogue, and its first key if there is one, to be published."""
        version = tenant.view_version
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                scope = Scope(connection=connection, tenant_id=tenant.tenant_id, now=tenant.create_time, origin=origin)
                await connection.execute(insert(_tenants), [asdict(tenant)])
                scope.changes.catalog = True
                if key is not None:
                    await SqlKeyRepository(scope=scope).put(replace(key, version=version))
                rows = _entries(scope.changes)
                entries = [{"tenant_id": tenant.tenant_id, "version": version, **row} for row in rows]
                await connection.execute(insert(_outbox), entries)
                await note_entry(scope)
                await connection.commit()

    async def tenant_ids(self, *, after: str, limit: int) -> Sequence[str]:
        """Every tenant, by id, those behind `after`."""
        query = select(_tenants.c.tenant_id).where(_tenants.c.tenant_id > after).order_by(_tenants.c.tenant_id)
        with translated():
            async with connected(self.engine, {}) as connection:
                return list((await connection.execute(query.limit(limit))).scalars())

    @asynccontextmanager
    async def _work(
        self,
        tenant_id: str,
        options: Mapping[str, Any],
        tenant_row: Select[Any],
        *,
        now: int = 0,
        author: Author = NOBODY,
        origin: Origin | None = None,
    ) -> AsyncIterator[SqlUnitOfWork]:
        with translated():
            async with connected(self.engine, options) as connection:
                row = (await connection.execute(tenant_row)).first()
                if row is None:
                    raise TenantNotFoundError(tenant_id=tenant_id)
                tenant = tenant_of(row)
                own_time = tenant.clock.at(now)
                known = Known(tenant=tenant)
                recorder = None if origin is None else Recorder.watching(connection)
                scope = Scope(
                    connection=connection,
                    tenant_id=tenant_id,
                    now=own_time,
                    author=author,
                    known=known,
                    origin=origin,
                    recorder=recorder,
                )
                if recorder is not None:
                    recorder.read(tenant_row, [row])
                yield SqlUnitOfWork(scope=scope)


def _tenant_row(tenant_id: str) -> Select[Any]:
    return select(_tenants).where(_tenants.c.tenant_id == tenant_id)


def _entries(changes: Changes) -> list[dict[str, str]]:
    catalog = [{"kind": ChangeKind.CATALOG.value, "key": ""}] if changes.catalog else []
    accounts = [{"kind": ChangeKind.ACCOUNT.value, "key": account_id} for account_id in changes.accounts]
    keys = [{"kind": ChangeKind.KEY.value, "key": key_id} for key_id in changes.keys]
    return [*catalog, *accounts, *keys]

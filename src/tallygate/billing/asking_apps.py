"""Apps asked for charges of their own: by a worker when it is time, and by who wants to see them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tallygate.billing.app_charges import Charged, charged_by_apps, keep_limit, the_one_charged
from tallygate.billing.charge_services import ChargeServices, Intent
from tallygate.billing.taking_charges import check, take
from tallygate.domain.billing.app_charges import ChargeLimit, ChargeRun, CheckedCharges, ToldCharges
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.product_errors import (
    ChargesNotToldError,
    NoChargeServiceError,
    ProductNotFoundError,
)
from tallygate.domain.products import Product
from tallygate.records.app_charges import CHARGES
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCharges:
    """What an app charges by now: nothing is changed by looking at it. `seen.reasons` forbid to take it as it is."""

    run: ChargeRun
    seen: CheckedCharges
    limit: ChargeLimit | None
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLimit:
    """What limits an app's charges; of an account that does not subscribe yet the `subscription_id` is empty.

    `amount` is None where the app's answer cannot be read.
    """

    subscription_id: str
    currency: str
    amount: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRunner:
    """Asks apps; `clock` is real time."""

    transactions: Transactions
    services: ChargeServices
    clock: Callable[[], int]

    async def look(self, tenant_id: str, account_id: str, *, at: int | None = None) -> None:
        """Ask the apps of an account for what it is time for, and plan the next look; `at` is a test tenant's instant.

        Raises:
            ChargesNotToldError: an app does not answer; what others told was taken all the same.
        """
        found, now = await self._read(tenant_id, lambda work, now: _charged(work, account_id, now, at))
        silent: ChargesNotToldError | None = None
        for charged in found:
            try:
                await self._ask(tenant_id, charged, now, at)
            except ChargesNotToldError as error:
                silent = error
        if silent is not None:
            raise silent
        await self._write(tenant_id, lambda work, real: _plan(work, account_id, now=real if at is None else at))

    async def show(self, tenant_id: str, account_id: str) -> ShownCharges:
        """What the app of an account charges by now, in the period that runs.

        Raises:
            AccountNotFoundError: there is no such account.
            NoChargeServiceError: it subscribes to no app that tells charges.
            ChargesNotToldError: the app does not answer.
        """
        charged, run, policy, now = await self._read(tenant_id, lambda work, now: _shown(work, account_id, now))
        request = charged.request(run, Intent.DISPLAY_ONLY, now=now)
        told = await self.services.charges(charged.product.charge_service, request)
        seen = check(told, charged.limit, policy, charged.currency)
        return ShownCharges(run=run, seen=seen, limit=charged.limit, end=request.period_end)

    async def limit(self, tenant_id: str, account_id: str, product_key: str) -> AskedLimit:
        """What limits an app's charges; who does not subscribe to it yet is told what the app says now.

        Raises:
            AccountNotFoundError: there is no such account.
            ProductNotFoundError: there is no such app.
            NoChargeServiceError: it tells no charges.
            ChargesNotToldError: it does not answer.
        """
        product, known = await self._read(tenant_id, lambda work, now: _known(work, account_id, product_key, now))
        if known.amount is not None:
            return known
        amount = await self.services.limit(
            product.charge_service,
            account_id=account_id,
            subscription_id=known.subscription_id,
            currency=known.currency,
        )
        return AskedLimit(subscription_id=known.subscription_id, currency=known.currency, amount=amount)

    async def _ask(self, tenant_id: str, charged: Charged, now: int, at: int | None) -> None:
        address = charged.product.charge_service
        if charged.limit is None and charged.begin <= now:
            amount = await self.services.limit(
                address,
                account_id=charged.account_id,
                subscription_id=charged.subscription_id,
                currency=charged.currency,
            )
            if amount is not None:
                await self._write(tenant_id, _keeping(charged, amount, at))
        for run in charged.runs:
            if run.next_time <= now:
                intent = Intent.CREATE_INVOICE if now >= run.period_end else Intent.DISPLAY_ONLY
                told = await self.services.charges(address, charged.request(run, intent, now=now))
                await self._write(tenant_id, _taking(charged, run, told, intent, at))

    async def _read(self, tenant_id: str, use_case: Callable[[BillingWork, int], Awaitable[T]]) -> T:
        return await self.transactions.read(tenant_id, use_case, now=self.clock())

    async def _write(self, tenant_id: str, use_case: Callable[[BillingWork, int], Awaitable[None]]) -> None:
        await self.transactions.write(tenant_id, use_case, now=self.clock())


async def _charged(work: BillingWork, account_id: str, now: int, at: int | None) -> tuple[list[Charged], int]:
    then = now if at is None else at
    return await charged_by_apps(work, account_id, now=then), then


async def _shown(work: BillingWork, account_id: str, now: int) -> tuple[Charged, ChargeRun, BillingPolicy, int]:
    charged, run = await the_one_charged(work, account_id, now=now)
    return charged, run, (await work.catalog.load()).billing or BillingPolicy(), now


async def _known(work: BillingWork, account_id: str, product_key: str, now: int) -> tuple[Product, AskedLimit]:
    await known_account(work, account_id)
    catalog = await work.catalog.load()
    product = catalog.products.get(product_key)
    if product is None or product.archived:
        raise ProductNotFoundError(product_key=product_key)
    if not product.charge_service:
        raise NoChargeServiceError(product_key=product_key)
    for each in await charged_by_apps(work, account_id, now=now):
        if each.product.product_key == product_key and each.running(now) is not None:
            amount = each.limit.amount if each.limit is not None else None
            return product, AskedLimit(subscription_id=each.subscription_id, currency=each.currency, amount=amount)
    return product, AskedLimit(subscription_id="", currency=catalog.currency, amount=None)


def _keeping(charged: Charged, amount: int, at: int | None) -> Callable[[BillingWork, int], Awaitable[None]]:
    async def keep(work: BillingWork, now: int) -> None:
        await keep_limit(work, charged, amount, now=now if at is None else at)

    return keep


def _taking(
    charged: Charged, run: ChargeRun, told: ToldCharges | None, intent: Intent, at: int | None
) -> Callable[[BillingWork, int], Awaitable[None]]:
    async def taken(work: BillingWork, now: int) -> None:
        await take(work, charged, run, told, intent, now=now if at is None else at)

    return taken


async def _plan(work: BillingWork, account_id: str, *, now: int) -> None:
    """Look again when it is time; what nobody charges is not looked at any more."""
    times = [each.next_time(now) for each in await charged_by_apps(work, account_id, now=now)]
    later = min((time for time in times if time is not None), default=None)
    if later is None:
        await work.jobs.done(CHARGES, account_id)
    else:
        await work.jobs.schedule(CHARGES, account_id, due_time=later)

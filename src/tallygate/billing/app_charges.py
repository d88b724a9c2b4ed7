"""Charges that apps tell, besides the catalogue's prices: of which periods they are asked, and what limits them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tallygate.billing.charge_services import ChargesRequest, Intent
from tallygate.domain.account import SubscriptionState
from tallygate.domain.billing.app_charges import ChargeLimit, ChargeRun, RunState
from tallygate.domain.billing.messages import Message, MessageKind, major, priced
from tallygate.domain.billing.runs import Run, runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.product_errors import ChargeLimitLoweredError, NoChargeServiceError
from tallygate.domain.products import Product
from tallygate.records.app_charges import CHARGES
from tallygate.records.lookup import billing_calendar, known_account
from tallygate.records.ports import BillingWork

_MOST_PERIODS = 13
"""The newest: an app that was silent for longer is not asked for what is older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A subscription whose app tells charges of its own, the app, its runs that are not over, and what limits them."""

    account_id: str
    subscription_id: str
    currency: str
    product: Product
    begin: int
    runs: tuple[ChargeRun, ...]
    limit: ChargeLimit | None

    def running(self, now: int) -> ChargeRun | None:
        """The run of the period around an instant."""
        return next((run for run in self.runs if run.period_start <= now < run.period_end), None)

    def next_time(self, now: int) -> int | None:
        """When to look at it again; None: never."""
        later = [self.begin] if self.begin > now else []
        return min([*later, *(run.next_time for run in self.runs)], default=None)

    def request(self, run: ChargeRun, intent: Intent, *, now: int) -> ChargesRequest:
        """What its app is asked of a run: of one that is not over, what there is by now."""
        return ChargesRequest(
            account_id=self.account_id,
            subscription_id=self.subscription_id,
            currency=self.currency,
            period_start=run.period_start,
            period_end=run.period_end if intent is Intent.CREATE_INVOICE else max(now, run.period_start + 1),
            intent=intent,
        )


async def charged_by_apps(work: BillingWork, account_id: str, *, now: int) -> list[Charged]:
    """What apps are to be asked of an account: the periods that have begun and whose charges were not taken yet."""
    catalog = await work.catalog.load()
    account, policy = await work.accounts.get(account_id), catalog.billing
    if account is None or policy is None:
        return []
    known = {(run.subscription_id, run.period_start): run for run in await work.app_charges.runs(account_id)}
    calendar, found = await billing_calendar(work, account, catalog), list[Charged]()
    for stored in await work.subscriptions.of(account_id):
        held = stored.subscription
        if held.state is SubscriptionState.INCOMPLETE:
            continue
        timeline = Timeline(subscription=held, catalog=catalog)
        for product, begin, periods in _periods(timeline, runs(timeline, calendar), catalog, now):
            fresh = [
                ChargeRun(
                    account_id=account_id,
                    subscription_id=held.subscription_id,
                    product_key=product.product_key,
                    period_start=start,
                    period_end=end,
                    currency=catalog.currency,
                    next_time=min(start + policy.charges.every, end),
                )
                for start, end in periods[-_MOST_PERIODS:]
            ]
            each = [_as_known(run, known.get((run.subscription_id, run.period_start))) for run in fresh]
            found.append(
                Charged(
                    account_id=account_id,
                    subscription_id=held.subscription_id,
                    currency=catalog.currency,
                    product=product,
                    begin=begin,
                    runs=tuple(run for run in each if run.state is not RunState.ACCEPTED),
                    limit=await work.app_charges.limit(held.subscription_id),
                )
            )
    return found


def _as_known(fresh: ChargeRun, known: ChargeRun | None) -> ChargeRun:
    """A run as it is known, with the end that its period has by now: a subscription may end within it."""
    if known is None:
        return fresh
    known = replace(known, period_end=fresh.period_end)
    over = known.state is RunState.OPEN
    return replace(known, next_time=min(known.next_time, fresh.period_end)) if over else known


def _periods(
    timeline: Timeline, all_runs: Sequence[Run], catalog: Catalog, now: int
) -> Iterator[tuple[Product, int, list[tuple[int, int]]]]:
    """Of each stretch of a plan whose app tells charges: the app, its begin, and the invoice periods begun in it."""
    for product, begin, end in _stretches(timeline, catalog):
        found: list[tuple[int, int]] = []
        for run in all_runs:
            first, last = max(run.start, begin), min(run.end, end)
            at = first
            while at < last and at <= now:
                period = run.period(at)
                found.append((max(period.start, first), min(period.end, last)))
                at = period.end
        yield product, begin, found


def _stretches(timeline: Timeline, catalog: Catalog) -> list[tuple[Product, int, int]]:
    """Over which an app tells charges of a subscription: another version of its plan begins no new one."""
    found: list[tuple[Product, int, int]] = []
    for held in timeline.plans():
        plan = held.item
        product = catalog.products.get(plan.product) if isinstance(plan, Plan) and plan.usage_based else None
        if product is None or not product.charge_service:
            continue
        if found and found[-1][0] == product and found[-1][2] == held.start:
            found[-1] = (product, found[-1][1], held.end)
        else:
            found.append((product, held.start, held.end))
    return found


async def the_one_charged(work: BillingWork, account_id: str, *, now: int) -> tuple[Charged, ChargeRun]:
    """The subscription of an account whose app tells charges, the running one, and the period that runs.

    Raises:
        AccountNotFoundError: there is no such account.
        NoChargeServiceError: it has none.
    """
    await known_account(work, account_id)
    for each in reversed(await charged_by_apps(work, account_id, now=now)):
        if (run := each.running(now)) is not None:
            return each, run
    raise NoChargeServiceError(account_id=account_id)


async def keep_limit(work: BillingWork, charged: Charged, amount: int, *, now: int) -> ChargeLimit:
    """Keep what an app said of its limit, if it is the first that it said of the subscription."""
    known = await work.app_charges.limit(charged.subscription_id)
    if known is not None:
        return known
    limit = ChargeLimit(
        account_id=charged.account_id,
        subscription_id=charged.subscription_id,
        number=1,
        currency=charged.currency,
        amount=amount,
        create_time=now,
    )
    await work.app_charges.add_limit(limit)
    return limit


async def raise_limit(work: BillingWork, account_id: str, amount: int, *, now: int) -> ChargeLimit:
    """Raise what an app may charge an account in a period; the same once more changes nothing.

    What was refused for it is asked for again at once.

    Raises:
        AccountNotFoundError: there is no such account.
        NoChargeServiceError: no app tells charges of it, or its app has not said its own limit yet.
        ChargeLimitLoweredError: it would become less.
    """
    charged, _ = await the_one_charged(work, account_id, now=now)
    known = charged.limit
    if known is None:
        raise NoChargeServiceError(account_id=account_id, expected="a limit that the app has said")
    if amount == known.amount:
        return known
    if amount < known.amount:
        limit, got = priced(known.amount, known.currency), priced(amount, known.currency)
        raise ChargeLimitLoweredError(account_id=account_id, limit=limit, got=got)
    raised = replace(known, number=known.number + 1, amount=amount, create_time=now)
    await work.app_charges.add_limit(raised)
    facts = {
        "subscription_id": raised.subscription_id,
        "product_key": charged.product.product_key,
        "charge_limit": major(raised.amount, raised.currency),
        "currency": raised.currency,
    }
    about = f"{raised.subscription_id}/{raised.number}"
    work.messages.add(
        Message(kind=MessageKind.CHARGES_LIMIT_RAISED, about=about, account_id=account_id, create_time=now, facts=facts)
    )
    for run in charged.runs:
        if run.state is RunState.REJECTED:
            await work.app_charges.put_run(replace(run, next_time=now))
            await work.jobs.hasten(CHARGES, account_id, due_time=now)
    return raised

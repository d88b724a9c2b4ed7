"""A year of a small shop from the last of October on: DST both ways, the 31st, a 29 February, and all that it sells.

What people do happens on a few days; what follows of it is done by jobs, whenever somebody looks.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from faults.crashes import DAY, SECOND, TENANT, Act, World, a_fact
from faults.paying import PayingWorld, attached, gateway_set
from tallygate.app.billing_side import Desk, end_subscription
from tallygate.billing.agreements import create_referral, grant_discount
from tallygate.billing.coupons import CreateCoupon, create_coupon
from tallygate.billing.crediting import CreateCreditNote, LineCredit, create_credit_note
from tallygate.billing.fees import CreateFee, create_fee
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.orders import Acceptance, Minting, complete_order, create_order
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.profiles import set_profile
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.verifying import verify_invoice
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.booking_changes import BookQuantity, proposed_booking
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.pauses import PauseSubscription, proposed_pause
from tallygate.control_plane.proposals import CancelSubscription, SetAddOn, When
from tallygate.control_plane.renewals import RenewSubscription
from tallygate.control_plane.subscription_changes import (
    ChangePlan,
    cancel_subscription,
    change_plan,
    make,
    renew_subscription,
    set_add_on,
)
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.billing.discounts import DiscountGrant, DiscountTerms, DiscountType
from tallygate.domain.billing.orders import Order, OrderedAddOn, OrderedQuota, OrderedSubscription, OrderItem
from tallygate.domain.billing.parties import Address, BillingProfile, Party
from tallygate.domain.billing.referrals import Referral
from tallygate.domain.billing_terms import (
    AdvanceDiscount,
    AdvanceType,
    BillingPolicy,
    BillingRule,
    Renewal,
    TaxPolicy,
)
from tallygate.domain.catalog import (
    Activation,
    AddOn,
    Catalog,
    Entitlement,
    Feature,
    FeatureKind,
    Plan,
    Trial,
    TrialEnd,
)
from tallygate.domain.errors import ConflictError
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import CommitmentPrice, Due, Price, RecurringPrice, SetupPrice, UsagePrice
from tallygate.jobs.scheduler import Scheduler
from tallygate.metering.collector import sort_out
from tallygate.metering.ports import Delivery
from tallygate.records.jobs import CLOSE, EXPIRE
from tallygate.records.ledger import RECOGNISE
from tallygate.records.messages import NOTICE
from tallygate.records.payments import COLLECT, RESOLVE, RESOLVE_REFUND
from tallygate.storage.sql.billing.coupon_tables import coupons
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.message_tables import outbox_messages
from tallygate.storage.sql.billing.order_tables import orders
from tallygate.storage.sql.billing.payment_tables import fake_charges, payments, refunds
from tallygate.storage.sql.billing.tables import invoice_balances, invoice_lines, invoices, wallet_entries
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.models import SubscriptionRow
from tallygate.storage.sql.scope import table_of

BERLIN = ZoneInfo("Europe/Berlin")
TOKENS = ("fake_ok", "fake_later", "fake_ok", "fake_timeout", "fake_decline", "fake_pending", "fake_timeout_before")
"""Who pays how, one account after the other."""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * SECOND


OPENING, UPGRADES = at("2027-10-31T00:30"), at("2027-12-15T12:34:56")
LEAP_DAY, LAST_OF_MAY, AUGUST, YEAR_LATER = (
    at("2028-02-29T23:30"),
    at("2028-05-31T09:00"),
    at("2028-08-10T18:00"),
    at("2028-11-01T01:00"),
)


def catalog() -> Catalog:
    """Plans of every kind that a shop has; 19 % on top."""
    calls = Price(usage=UsagePrice(feature_key="calls", unit_amount="0.07", free_quota="10"))
    seats = Price(price_key="seats", recurring=RecurringPrice(amount="15.00", seats="seats", label="Seats"))

    def base(amount: str, **form: Any) -> Price:
        return Price(recurring=RecurringPrice(amount=amount, **form))

    def plan(key: str, *prices: Price, **more: Any) -> Plan:
        entitlements = {"calls": Entitlement(unlimited=True), "seats": Entitlement(limit=50)}
        return Plan(plan_key=key, version=1, name=key.title(), entitlements=entitlements, prices=prices, **more)

    plans = (
        plan("basic", base("9.99"), calls),
        plan(
            "pro",
            base("29.00"),
            seats,
            calls,
            Price(setup=SetupPrice(amount="10.00")),
        ),
        plan(
            "flat",
            base("29.00"),
            calls,
            Price(setup=SetupPrice(amount="10.00")),
            advance_discounts=(
                AdvanceDiscount(type=AdvanceType.PERCENTAGE, value="20", length=12),
                AdvanceDiscount(type=AdvanceType.PERIOD, value="1", length=6),
            ),
        ),
        plan("big", base("99.00", due=Due.ARREARS), seats, Price(commitment=CommitmentPrice(amount="120.00"))),
        plan("tried", base("19.00"), trial=Trial(days=14, on_end=TrialEnd.CONVERT)),
        plan("falling", base("19.00"), trial=Trial(days=10, ends_in="basic")),
        plan("yearly", base("200.00", every=PeriodUnit.YEAR)),
        plan("hand", base("25.00"), billing=BillingRule(renewal=Renewal.REPEAT)),
        plan("paid", base("39.00"), activation=Activation.PAYMENT),
    )
    reports = AddOn(
        add_on_key="reports",
        version=1,
        offered_on=("pro", "flat", "big", "basic"),
        prices=(base("4.99"),),
    )
    return Catalog(
        currency="USD",
        time_zone="Europe/Berlin",
        billing=BillingPolicy(grace=3_600 * SECOND, tax=TaxPolicy()),
        features={
            "calls": Feature(feature_key="calls", kind=FeatureKind.METERED),
            "seats": Feature(feature_key="seats", kind=FeatureKind.SEAT),
        },
        plans={one.plan_key: {1: one} for one in plans},
        add_ons={"reports": {1: reports}},
    )


@dataclass(slots=True)
class Shop(PayingWorld):
    """The process of a shop: a tenant whose clock may leap."""

    @property
    def paying(self) -> PaymentRunner:
        """What asks the gateway, and ends who never pays."""
        return replace(PayingWorld.paying.fget(self), end=end_subscription)  # type: ignore[attr-defined] # a property

    def worker(self) -> Scheduler:  # type: ignore[override] # all kinds, always
        runner = self.runner()
        recognition = RecognitionRunner(transactions=self.transactions, clock=self.real)
        return Scheduler(
            queue=SqlJobQueue(engine=self.engine),
            handlers={
                CLOSE: runner.close,
                NOTICE: runner.notice,
                EXPIRE: runner.expire,
                COLLECT: runner.collect,
                RESOLVE: runner.resolve,
                RESOLVE_REFUND: runner.resolve_refunds,
                RECOGNISE: recognition.handle,
            },
            clock=self.real,
        )

    async def books(self) -> dict[str, Any]:  # type: ignore[override] # a shop's
        """What a year came to, whatever ids there are; and what the shop's own checks find."""
        self.steps.kill_at = 0
        held, own, balance = table_of(SubscriptionRow).c, invoices.c, invoice_balances.c
        document = own.account_id, own.kind, own.cause, own.issue_time, own.total, own.tax
        same = balance.invoice_id == own.invoice_id
        queries = {
            "documents": select(
                *document, balance.state, balance.due, balance.paid, balance.wallet, balance.credited
            ).join(invoice_balances, same),
            "lines": select(invoice_lines.c.line_key),
            "subscriptions": select(held.account_id, held.state, held.start_time, held.end_time),
            "coupons": select(coupons.c.code, coupons.c.used),
            "orders": select(orders.c.order_id, orders.c.state),
            "taken": select(fake_charges.c.account_id, fake_charges.c.amount, fake_charges.c.state),
            "payments": select(payments.c.account_id, payments.c.amount),
            "refunds": select(refunds.c.account_id, refunds.c.amount, refunds.c.state),
            "wallets": select(wallet_entries.c.account_id, wallet_entries.c.amount),
            "messages": select(outbox_messages.c.kind, outbox_messages.c.account_id, outbox_messages.c.create_time),
        }
        found: dict[str, Any] = {}
        async with self.engine.connect() as connection:
            for name, query in queries.items():
                rows = (await connection.execute(query)).all()
                found[name] = sorted(map(tuple, rows), key=str)
            names = sorted((await connection.execute(select(own.invoice_id))).scalars())
            numbers = [row.number for row in await connection.execute(select(own.number).order_by(own.number))]
        found["numbers"] = numbers

        async def checked(work: Any, now: int) -> None:
            stands = await work.ledger.balances(at=YEAR_LATER)
            found["ledger"] = sorted((one.ledger_account, one.currency, one.net) for one in stands)
            found["audit"] = await audit_ledger(work)
            found["unlike"] = [
                each for name in names for each in (await verify_invoice(work, name, now=now)).differences
            ]

        await self.transactions.read(TENANT, checked, now=self.now)
        return found


Step = Callable[[Any, int], Awaitable[Any]]


def wrote(step: Step) -> Callable[[World], Awaitable[None]]:
    async def act(world: World) -> None:
        await world.write(step)

    return act


async def opened(world: World) -> None:
    try:
        await create_tenant(world.transactions, CreateTenant(tenant_id=TENANT, test=True), now=world.now)
    except ConflictError:
        return  # it was opened before the crash


async def stocked(work: Any, now: int) -> None:
    """The catalogue, its seller, and coupons of every kind."""
    seller = Party(name="Tally GmbH", address=Address(country="DE"))
    await set_profile(work, BillingProfile(account_id="", party=seller), now=now)
    await apply_catalog(work, ApplyCatalog(document=catalog()), now=now)
    percent, amount, end = DiscountType.PERCENTAGE, DiscountType.AMOUNT, YEAR_LATER
    for code, terms in (
        ("TENTH", DiscountTerms(type=percent, value="10", invoices=None)),
        ("FIVE", DiscountTerms(type=amount, value="5.00", currency="USD", invoices=3)),
        ("FREE", DiscountTerms(type=percent, value="100")),
        ("FLAT", DiscountTerms(type=percent, value="33.3", plans=("flat",), invoices=2)),
    ):
        await create_coupon(work, CreateCoupon(code=code, text="", terms=terms, max_uses=9, end_time=end), now=now)


def ordered(name: str, *items: OrderItem, account: str = "", codes: tuple[str, ...] = ()) -> list[Step]:
    async def create(work: Any, now: int) -> None:
        order = Order(order_id=name, account_id=account or name, items=items, codes=codes)
        await create_order(work, order, Desk(), now=now)

    async def complete(work: Any, now: int) -> None:
        ids = count()
        minting = Minting(
            new_id=lambda: f"{name}-{next(ids)}", entropy=lambda size: name.encode().ljust(size, b".")[:size]
        )
        await complete_order(work, name, Acceptance(terms_version="1"), Desk(), minting, now=now)

    return [create, complete]


def bought(plan: str, holder: str = "", **more: Any) -> OrderItem:
    return OrderItem(subscription=OrderedSubscription(plan_key=plan, **more), account_id=holder)


def came(account: str, plan: str = "") -> Step:
    request = UpsertAccount(account_id=account, plan_key=plan)
    return lambda work, now: upsert_account(work, request, now=now, new_id=lambda: f"{account}-{now}")


_REPORTS = (OrderedAddOn(add_on_key="reports", quantity=2),)
ARRIVALS: tuple[Callable[[str, int], list[Step]], ...] = (
    lambda name, _: ordered(name, bought("pro", seats=(("seats", 3),)), codes=("TENTH",)),
    lambda name, _: ordered(name, bought("flat", advance_length=12, add_ons=_REPORTS), codes=("FIVE",)),
    lambda name, _: [came(name, "tried")],
    lambda name, number: ordered(name, bought("paid"), codes=("FREE",) if number % 20 == 3 else ()),
    lambda name, _: [came(name, "hand"), renewed(name)],
    lambda name, _: ordered(name, bought("big", seats=(("seats", 2),))),
    lambda name, _: [came(name, "falling")],
    lambda name, _: ordered(name, bought("yearly"), codes=("FIVE",)),
    lambda name, _: ordered(name, bought("flat", advance_length=6), codes=("FLAT", "TENTH")),
    lambda name, _: [came(name, "basic")],
)
"""How an account begins, by the last digit of its number."""


async def agreed(work: Any, now: int) -> None:
    terms = DiscountTerms(type=DiscountType.PERCENTAGE, value="7.5", invoices=None)
    grant = DiscountGrant(discount_id="agreed", account_id="a0", terms=terms, start_time=0, text="")
    await grant_discount(work, grant, start=None, now=now)


async def referred(work: Any, now: int) -> None:
    await create_referral(
        work, Referral(referee_id="a2", referrer_id="a0", currency="USD", amount=500, create_time=now), now=now
    )


async def grouped(work: Any, now: int) -> None:
    party = Party(name="Boss", address=Address(country="AT"))
    await set_profile(work, BillingProfile(account_id="a1", party=party, group_buy=True), now=now)


def used(account: str, *quantities: int) -> Callable[[World], Awaitable[None]]:
    """Calls now, as the collector brings them."""

    async def act(world: World) -> None:
        deliveries = []
        for number, quantity in enumerate(quantities):
            bounds = {"period_start": world.now - DAY, "period_end": world.now + DAY}
            fact = replace(a_fact(account, world.now, number, quantity), **bounds)
            deliveries.append(Delivery(source=fact.source, raw=b"", fact=fact))
        facts = [one.fact for one in deliveries if one.fact is not None]
        async with SqlLedger(world.engine).transaction() as transaction:
            await transaction.lock({TENANT})
            known = await transaction.known({(TENANT, account, fact.feature_key, fact.request_id) for fact in facts})
            await transaction.append(sort_out(deliveries, known).fresh)

    return act


def changed(account: str, plan: str, when: When | None = None) -> Step:
    return lambda work, now: change_plan(work, ChangePlan(account_id=account, plan_key=plan, when=when), now=now)


def booked(account: str, seats: int) -> Step:
    async def book(work: Any, now: int) -> None:
        await make(
            work,
            await proposed_booking(
                work, BookQuantity(account_id=account, feature_key="seats", quantity=seats), now=now
            ),
        )

    return book


def paused(account: str, until: int | None) -> Step:
    async def pause(work: Any, now: int) -> None:
        await make(work, await proposed_pause(work, PauseSubscription(account_id=account, resume_time=until), now=now))

    return pause


def renewed(account: str) -> Step:
    """Another month behind the first one."""

    async def renew(work: Any, now: int) -> None:
        (held,) = await work.subscriptions.of(account)
        if held.subscription.end_time < OPENING + 40 * DAY:
            await renew_subscription(work, RenewSubscription(account_id=account), now=now)

    return renew


def cancelled(account: str, when: When) -> Step:
    async def cancel(work: Any, now: int) -> None:
        held = await work.subscriptions.of(account)
        if all(one.cancel_time is None for one in held):
            await cancel_subscription(work, CancelSubscription(account_id=account, when=when), now=now)

    return cancel


def given_back(account: str, *, refund: bool) -> Callable[[World], Awaitable[None]]:
    """5.00 of the first line of the account's first invoice, to the card or into the wallet."""

    async def act(world: Any) -> None:
        query = select(invoices.c.invoice_id).where(invoices.c.account_id == account, invoices.c.total > 1_000)
        async with world.engine.connect() as connection:
            name = (await connection.execute(query.order_by(invoices.c.issue_time).limit(1))).scalar()
        part = LineCredit(number=1, amount=500)
        wanted = CreateCreditNote(invoice=name, lines=(part,), credit_id=f"{account}-{refund}")
        if refund:
            await RefundRunner(payments=world.paying).refund(TENANT, wanted)
        else:
            await world.write(lambda work, now: create_credit_note(work, wanted, now=now, new_id=lambda: "n"))

    return act


def fee(account: str, cents: int) -> Step:
    wanted = CreateFee(account_id=account, currency="USD", text="A visit", exact=cents, fee_id=f"fee/{account}")
    return lambda work, now: create_fee(work, wanted, now=now, new_id=lambda: "f")


Happening = tuple[int, Callable[[World], Awaitable[None]]]
LATER: dict[int, tuple[tuple[int, Callable[[str], Callable[[World], Awaitable[None]]]], ...]] = {
    0: (
        (UPGRADES, lambda name: wrote(booked(name, 5))),
        (LEAP_DAY, lambda name: used(name, 60, 60)),
        (LAST_OF_MAY, lambda name: given_back(name, refund=True)),
        (LAST_OF_MAY, lambda name: wrote(booked(name, 1))),
    ),
    1: (
        (LAST_OF_MAY, lambda name: given_back(name, refund=False)),
        (AUGUST, lambda name: wrote(cancelled(name, When.NOW))),
    ),
    5: (
        (UPGRADES, lambda name: wrote(fee(name, 1_234))),
        (LAST_OF_MAY, lambda name: wrote(changed(name, "basic"))),
    ),
    7: ((LEAP_DAY, lambda name: wrote(paused(name, LAST_OF_MAY + 3 * DAY))),),
    8: ((AUGUST, lambda name: wrote(cancelled(name, When.PERIOD_END))),),
    9: (
        (UPGRADES, lambda name: wrote(changed(name, "pro"))),
        (UPGRADES, lambda name: wrote(lambda work, now: _reports(work, name, now))),
    ),
}
"""What becomes of it later."""


def what_happens(accounts: int) -> Iterator[Happening]:
    """When somebody does what."""
    names = [f"a{number}" for number in range(accounts)]
    for first in (opened, wrote(stocked), gateway_set):
        yield OPENING - DAY, first
    for number, name in enumerate(names):
        yield OPENING + number * SECOND, wrote(came(name))
        yield OPENING + number * SECOND, attached(name, TOKENS[number % len(TOKENS)])
    for step in (agreed, referred, grouped):
        yield OPENING + 100 * SECOND, wrote(step)
    for number, name in enumerate(names):
        for step in ARRIVALS[number % len(ARRIVALS)](name, number):
            yield OPENING + (200 + number) * SECOND, wrote(step)
        yield UPGRADES, used(name, 30, 7 + number)
        for time, act in LATER.get(number % len(ARRIVALS), ()):
            yield time, act(name)
    yield from _on_leap_day()


def _on_leap_day() -> Iterator[Happening]:
    """Somebody comes, somebody is paid for, and quota is bought."""
    yield LEAP_DAY, wrote(came("leap", "basic"))
    yield LEAP_DAY, attached("leap", "fake_ok")
    yield LEAP_DAY, wrote(came("held"))
    quota = OrderItem(quota=OrderedQuota(feature_key="calls", quantity=100))
    for step in (
        *ordered("group", bought("basic", "held"), account="a1"),
        *ordered("quota", quota, account="a0"),
    ):
        yield LEAP_DAY, wrote(step)


async def _reports(work: Any, name: str, now: int) -> None:
    await set_add_on(work, SetAddOn(account_id=name, add_on_key="reports", quantity=2), now=now)


async def looked(world: World) -> None:
    """A worker runs until nothing is due."""
    worker = world.worker()
    while await worker.round():
        pass


def year(accounts: int, *, daily: bool, until: int = YEAR_LATER) -> list[Act]:
    """A shop's year, looked at every day, or only before and after something is done."""
    happens = sorted(what_happens(accounts), key=lambda one: one[0])
    acts = [Act(time, act) for time, act in happens if time < until]
    looks = {time for time, _ in happens if OPENING <= time < until} | {until}
    if daily:
        looks |= set(range(OPENING + DAY // 2, until, DAY))
    return sorted([*(Act(time, looked) for time in looks), *acts], key=lambda one: (one.at, one.act is not looked))

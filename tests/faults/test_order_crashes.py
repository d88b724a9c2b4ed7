"""A process that dies at any step of an order sells it once or not at all, and nothing of it is lost or given twice."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from faults.crashes import (
    DAY,
    DECEMBER,
    NOVEMBER,
    SECOND,
    TENANT,
    Act,
    World,
    billed,
    dying,
    opened,
    undisturbed,
)
from faults.on_postgres import undisturbed_on
from tallygate.app.billing_side import Desk
from tallygate.billing.activation import ORDER_JOB
from tallygate.billing.coupons import CreateCoupon, create_coupon
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.orders import Acceptance, Minting, complete_order, create_order
from tallygate.billing.payments import RecordOffline, record_offline
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.running import BillingRunner
from tallygate.billing.unpaid_orders import expire_order
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.domain.billing.discounts import DiscountTerms, DiscountType
from tallygate.domain.billing.orders import HOUR, Order, OrderedSubscription, OrderItem
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Activation, Catalog, Plan
from tallygate.domain.prices import Price, RecurringPrice
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import CLOSE, EXPIRE
from tallygate.records.ledger import RECOGNISE
from tallygate.storage.sql.billing.coupon_tables import coupon_redemptions, coupons
from tallygate.storage.sql.billing.coupons import SqlCouponRepository
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.order_tables import orders
from tallygate.storage.sql.billing.tables import invoice_balances, invoices
from tallygate.storage.sql.models import SubscriptionRow
from tallygate.storage.sql.schema import migrate
from tallygate.storage.sql.scope import table_of
from thorough import every

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing

SETUP = 4
"""So many acts come before the order."""


class NoBarrier:
    async def passed(self, tenant_id: str, account_ids: Any) -> None: ...


@dataclass(slots=True)
class OrderWorld(World):
    """The same process, which gives up orders too."""

    def worker(self) -> Scheduler:
        billing = BillingRunner(transactions=self.transactions, barrier=NoBarrier(), clock=lambda: self.now)
        recognition = RecognitionRunner(transactions=self.transactions, clock=lambda: self.now)

        async def expire(jobs):
            for job in jobs:
                named = job.subject.removeprefix(ORDER_JOB)
                await self.write(lambda work, now, named=named: expire_order(work, named, now=now))

        queue: Any = SqlJobQueue(engine=self.engine)
        handlers = {CLOSE: billing.handle, RECOGNISE: recognition.handle, EXPIRE: expire}
        return Scheduler(queue=queue, handlers=handlers, clock=lambda: self.now + self.lease)

    async def books(self) -> "Sold":
        """What was sold, for how much, and what is left of the coupon."""
        self.steps.kill_at = 0
        held = table_of(SubscriptionRow)
        async with self.engine.connect() as connection:
            rows = [
                sorted(map(tuple, (await connection.execute(query)).all()))
                for query in (
                    select(invoices.c.kind, invoices.c.total, invoice_balances.c.state, invoice_balances.c.due).join(
                        invoice_balances, invoice_balances.c.invoice_id == invoices.c.invoice_id
                    ),
                    select(held.c.state, held.c.end_time),
                    select(coupons.c.code, coupons.c.used),
                    select(coupon_redemptions.c.code),
                    select(orders.c.state),
                )
            ]
        differences = await self.transactions.read(TENANT, lambda work, _: audit_ledger(work), now=self.now)
        return Sold(*rows, differences)


@dataclass(frozen=True, slots=True)
class Sold:
    documents: Any
    subscriptions: Any
    coupons: Any
    redemptions: Any
    orders: Any
    differences: Any


async def published(world):
    price = Price(recurring=RecurringPrice(amount="10.00"))
    plan = Plan(plan_key="pro", version=1, prices=(price,), activation=Activation.PAYMENT)
    document = Catalog(currency="USD", billing=BillingPolicy(grace=0), plans={"pro": {1: plan}})
    await world.write(lambda work, now: apply_catalog(work, ApplyCatalog(document=document), now=now))


async def prepared(world):
    async def prepare(work, now):
        await upsert_account(work, UpsertAccount(account_id="acme"), now=now, new_id=lambda: "acme")
        terms = DiscountTerms(type=DiscountType.PERCENTAGE, value="50")
        await create_coupon(work, CreateCoupon(code="HALF", text="", terms=terms, max_uses=1), now=now)

    await world.write(prepare)


async def ordered(world):
    item = OrderItem(subscription=OrderedSubscription(plan_key="pro"))
    order = Order(order_id="o", account_id="acme", items=(item,), codes=("HALF",))
    await world.write(lambda work, now: create_order(work, order, Desk(), now=now))


async def completed(world):
    minting = Minting(new_id=lambda: "o", entropy=bytes)
    accepted = Acceptance(terms_version="1")
    await world.write(lambda work, now: complete_order(work, "o", accepted, Desk(), minting, now=now))


async def two_complete(world):
    done = await asyncio.gather(completed(world), completed(world), return_exceptions=True)
    for error in [each for each in done if isinstance(each, BaseException)]:
        raise error


async def paid(world):
    money = RecordOffline(account_id="acme", currency="USD", amount=500, payment_id="p")
    await world.write(lambda work, now: record_offline(work, money, now=now, new_id=lambda: "p"))


def story(complete=completed, *, pays=True):
    money = [Act(NOVEMBER + HOUR, paid)] if pays else []
    return [
        Act(NOVEMBER - DAY, opened),
        Act(NOVEMBER - DAY, published),
        Act(NOVEMBER - DAY, prepared),
        Act(NOVEMBER, ordered),
        Act(NOVEMBER, complete),
        Act(NOVEMBER, billed),
        *money,
        Act(NOVEMBER + DAY, billed),
        Act(DECEMBER + SECOND, billed),
    ]


async def told(fresh, acts, *, stride=1):
    whole = await undisturbed(fresh(), acts, world=OrderWorld)
    steps = range(whole.points[SETUP].steps + 1, whole.steps + 1, every(stride))
    return whole.books, [(step, await dying(fresh(), whole, step)) for step in steps]


@pytest.mark.parametrize(("complete", "stride"), [(completed, 1), (two_complete, 3)])
async def test_dying_at_any_step_sells_a_paid_order_once(fresh, complete, stride):
    """5.00 for November with the coupon, 10.00 for December; served since it was paid.

    Where two complete it at once most steps are the same: every third of them.
    """
    books, died = await told(fresh, story(complete), stride=stride)
    assert books.documents == [("order", 500, "paid", 0), ("period", 1_000, "open", 1_000)]
    assert (books.subscriptions, books.coupons, books.orders) == ([("active", None)], [("HALF", 1)], [("completed",)])
    assert books.differences == ()
    assert [step for step, found in died if found != books] == []


async def test_dying_at_any_step_gives_an_unpaid_order_up_once(fresh):
    """Its invoice is void, nothing is held any more, and the coupon may be redeemed again."""
    books, died = await told(fresh, story(pays=False))
    assert books.documents == [("order", 500, "void", 0)]
    ((state, end),) = books.subscriptions
    assert (state, end is not None, books.coupons, books.orders) == ("incomplete", True, [("HALF", 0)], [("expired",)])
    assert books.differences == ()
    assert [step for step, found in died if found != books] == []


@pytest.mark.parametrize("pays", [True, False])
async def test_dying_on_postgresql_sells_once_or_gives_up_once_too(postgres, pays):
    """Every twelfth step where all is tried: each begins with a database of its own, and SQLite has taken them all."""
    template = postgres.create_database()
    migrate(template)
    whole = await undisturbed_on(postgres, template, story(pays=pays), OrderWorld)
    assert whole.books.documents[0] == ("order", 500, "paid" if pays else "void", 0)
    first, last = whole.places[SETUP].steps, whole.places[-1].steps
    died = [(step, await whole.dying(step)) for step in range(first + 1, last + 1, every(12))]
    assert len(died) > 2
    assert [step for step, found in died if found != whole.books] == []


async def test_with_uses_counted_outside_of_the_transaction_a_coupon_is_lost(fresh, monkeypatch):
    used = SqlCouponRepository.use

    async def apart(self, code):
        counted = await used(self, code)
        await self.scope.connection.commit()
        return counted

    monkeypatch.setattr(SqlCouponRepository, "use", apart)
    whole = await undisturbed(fresh(), story(), world=OrderWorld)
    sound = True
    for step in range(whole.points[SETUP].steps + 1, whole.points[SETUP + 1].steps + 1):
        try:
            sound = await dying(fresh(), whole, step) == whole.books
        except Exception:  # noqa: BLE001 - that it cannot be completed any more is what is looked for
            sound = False
        if not sound:
            break
    assert not sound

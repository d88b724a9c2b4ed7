"""Whatever happens to accounts, the ledger agrees with the records and every document comes out the same once more.

And a year that passes at once leaves the books of 365 days.
"""

import random
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest
from sqlalchemy import select

from billed_worlds import living
from faults.crashes import (
    DAY,
    NOVEMBER,
    SECOND,
    TENANT,
    Act,
    billed,
    catalog,
    charged,
    consumed,
    lived,
    moved,
    opened,
    published,
    subscribed,
)
from tallygate.billing import voiding
from tallygate.billing.change_invoices import invoice_change
from tallygate.billing.checking import uncharged
from tallygate.billing.fees import offset_fee
from tallygate.billing.ledger import audit_ledger, trial_balance
from tallygate.billing.profiles import set_profile
from tallygate.billing.verifying import verify_invoice
from tallygate.billing.voiding import void_invoice
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.proposals import CancelSubscription, When
from tallygate.control_plane.subscription_changes import ChangePlan, cancel_subscription, change_plan
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.billing.parties import BillingProfile, Party
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.errors import TallygateError
from tallygate.storage.sql.billing.ledger_tables import ledger_transfers
from tallygate.storage.sql.billing.tables import invoice_balances, invoice_lines, invoices

ACCOUNTS = ("acme", "globex")
POLICIES = [
    BillingPolicy(grace=0),
    BillingPolicy(grace=DAY),
    BillingPolicy(grace=3_600 * SECOND, review=3 * DAY),
]
HISTORIES = [("sqlite", seed) for seed in range(5)] + [("postgres", 11), ("postgres", 12)]


@pytest.fixture
async def new_world(places):
    """Worlds on databases of their own."""
    async with AsyncExitStack() as worlds:

        async def made(kind):
            return await worlds.enter_async_context(living(places.new(kind)))

        yield made


async def read(world, use_case):
    return await world.transactions.read(TENANT, use_case, now=world.now)


async def rows(world, table, *order):
    async with world.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(select(table).order_by(*order))]


class Chance:
    """What may happen, each drawn by a random generator of its own."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.fees = 0

    def account(self):
        return self.random.choice(ACCOUNTS)

    def step(self):
        kinds = [self.use, self.use, self.use_late, self.fee, self.offset, self.move, self.move, self.cancel, self.void]
        return self.random.choice([*kinds, self.at_once])()

    def use(self):
        return consumed(self.account(), *(self.random.randint(1, 90) for _ in range(3)))

    def use_late(self):
        account, back, quantity = self.account(), self.random.randint(1, 40), self.random.randint(1, 50)

        async def act(world):
            await consumed(account, quantity, at=max(world.now - back * DAY, NOVEMBER + SECOND))(world)

        return act

    def fee(self):
        self.fees += 1
        return charged(self.account(), f"f{self.fees}", self.random.choice([-4_000, -125, 1, 333, 2_500]))

    def offset(self):
        fee = f"f{self.random.randint(1, max(self.fees, 1))}"
        return use(lambda work, now: offset_fee(work, fee, text="", offset_id=f"o-{fee}", now=now, new_id=lambda: fee))

    def move(self):
        return moved(self.account(), self.random.choice(["pro", "big"]))

    def at_once(self):
        account, plan = self.account(), self.random.choice(["pro", "big"])

        async def change(work, now):
            await change_plan(work, ChangePlan(account_id=account, plan_key=plan, when=When.NOW), now=now)
            await invoice_change(work, account, now=now)

        return use(change)

    def cancel(self):
        account = self.account()
        number = self.random.randint(0, 10**9)

        async def change(work, now):
            await cancel_subscription(work, CancelSubscription(account_id=account, when=When.NOW), now=now)
            again = UpsertAccount(account_id=account, plan_key=self.random.choice(["pro", "big"]), trial_days=0)
            await upsert_account(work, again, now=now, new_id=lambda: f"{account}-{number}")

        return use(change)

    def void(self):
        place = self.random.random()

        async def act(world):
            async with world.engine.connect() as connection:
                query = select(invoice_balances.c.invoice_id).where(invoice_balances.c.state == "open")
                found = sorted((await connection.execute(query)).scalars())
            if found:
                chosen = found[int(place * len(found))]
                await use(lambda work, now: void_invoice(work, chosen, now=now))(world)

        return act


def use(use_case):
    async def act(world):
        await world.write(use_case)

    return act


async def holds(world):
    """Section 8 of the books, at an instant of whatever history."""
    assert await read(world, lambda work, _: audit_ledger(work)) == ()
    balances = await read(world, lambda work, now: trial_balance(work, at=now + 10**15))
    by_currency = {}
    for one in balances:
        by_currency[one.currency] = by_currency.get(one.currency, 0) + one.debits - one.credits
    assert not any(by_currency.values())


@pytest.mark.parametrize(("kind", "seed"), HISTORIES)
async def test_after_any_history_the_books_agree_and_come_out_the_same(new_world, kind, seed):
    await history(await new_world(kind), seed)


async def test_a_void_invoice_that_stays_in_the_ledger_is_found(new_world, monkeypatch):
    async def never(*_, **__):
        pass

    monkeypatch.setattr(voiding, "reverse_document", never)
    found = 0
    for seed in range(5):
        try:
            await history(await new_world("sqlite"), seed)
        except AssertionError:
            found += 1
    assert found


async def history(world, seed):
    """Two dozen things that happen in half a year, with the books looked at in between."""
    chance, policy = Chance(seed), POLICIES[seed % len(POLICIES)]
    for act in [Act(NOVEMBER - DAY, opened), Act(NOVEMBER - DAY, under(policy))]:
        await lived(world, act)
    for account in ACCOUNTS:
        await lived(world, Act(NOVEMBER, subscribed(account)))
    for _ in range(24):
        act = chance.step()
        with suppress(TallygateError):  # refused, and nothing of it is done
            await lived(world, Act(world.now + chance.random.randint(1, 9 * 24) * 3_600 * SECOND, act))
        if chance.random.random() < 0.6:
            await billed(world)
            await holds(world)
    world.now += 70 * DAY
    await billed(world)
    await holds(world)
    names = [row[0] for row in await rows(world, select(invoices.c.invoice_id).subquery())]
    assert len(names) > 5
    for name in names:
        found = await read(world, lambda work, now, name=name: verify_invoice(work, name, now=now))
        assert found.differences == (), (seed, name)
    for account in ACCOUNTS:
        assert await read(world, lambda work, now, account=account: uncharged(work, account, now=now)) == ()


def under(policy):
    """The catalogue is published, by somebody who is known to sell."""

    async def act(world):
        seller = BillingProfile(account_id="", party=Party(name="Tally GmbH"))
        document = replace(catalog(), billing=policy)
        await world.write(lambda work, now: set_profile(work, seller, now=now))
        await world.write(lambda work, now: apply_catalog(work, ApplyCatalog(document=document), now=now))

    return act


async def opened_to_test(world):
    await create_tenant(world.transactions, CreateTenant(tenant_id=TENANT, test=True), now=world.now)


async def test_a_year_at_once_is_365_days(new_world):
    """Two accounts, a plan that changes in a month, usage, a fee: documents, lines and transfers to the last row."""
    books = []
    for days in (365, 1):
        world = await new_world("sqlite")
        later = ChangePlan(account_id="globex", plan_key="big", when=When.PERIOD_END)
        for act in [
            Act(NOVEMBER - DAY, opened_to_test),
            Act(NOVEMBER - DAY, published),
            *(Act(NOVEMBER, subscribed(account)) for account in ACCOUNTS),
            Act(NOVEMBER + SECOND, consumed("acme", 30, 7)),
            Act(NOVEMBER + 2 * SECOND, charged("acme", "f1", 433)),
            Act(NOVEMBER + 3 * SECOND, use(lambda work, now, later=later: change_plan(work, later, now=now))),
        ]:
            await lived(world, act)
        for passed in range(days, 366, days):
            world.now = NOVEMBER + passed * DAY
            await billed(world)
        books.append(
            [
                await rows(world, invoices, invoices.c.invoice_id),
                await rows(world, invoice_lines, invoice_lines.c.line_key),
                await rows(world, ledger_transfers, ledger_transfers.c.entry_id, ledger_transfers.c.line),
            ]
        )
    assert books[0] == books[1]
    assert len(books[0][0]) == 26

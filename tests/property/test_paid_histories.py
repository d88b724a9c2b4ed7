"""After any history of charges, money from elsewhere, gifts, changes and refusals the books balance, and agree."""

import random
import shutil
from contextlib import suppress
from fractions import Fraction

import pytest
from sqlalchemy import select

from faults.crashes import DAY, NOVEMBER, TENANT, Steps, billed, opened, published, subscribed
from faults.paying import PayingWorld, gateway_set
from tallygate.billing.fees import CreateFee, create_fee
from tallygate.billing.giving import GiveCredit, give_credit
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.methods import AttachMethod, attach_method, detach_method, set_default_method
from tallygate.billing.payments import RecordOffline, record_offline
from tallygate.billing.ports import Card
from tallygate.billing.voiding import void_invoice
from tallygate.billing.writing_off import write_off_invoice
from tallygate.control_plane.subscription_changes import ChangePlan, change_plan
from tallygate.domain.account import Standing
from tallygate.domain.errors import TallygateError
from tallygate.storage.sql.billing.payment_tables import dunning_cases
from tallygate.storage.sql.billing.tables import invoice_balances
from tallygate.storage.sql.schema import migrate

ACCOUNTS = ("acme", "globex")
TOKENS = ("fake_ok", "fake_decline", "fake_later_2", "fake_pending", "fake_timeout", "fake_timeout_before")
ACTIONS = 60


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "tallygate.db"
    migrate(f"sqlite:///{path}")
    return path


class History:
    """What may happen to two accounts, in any order; what is refused is refused."""

    def __init__(self, world, seed):
        self.world, self.dice, self.count = world, random.Random(seed), 0

    async def begin(self):
        self.world.now = NOVEMBER - DAY
        for act in (opened, published, gateway_set):
            await act(self.world)
        self.world.now = NOVEMBER
        for account in ACCOUNTS:
            await subscribed(account)(self.world)

    async def step(self):
        self.count += 1
        actions = (self.attach, self.switch, self.detach, self.offline, self.give, self.give_up, self.void, self.fee)
        action = self.dice.choice((*actions, self.move, self.wait, self.wait, self.work, self.work))
        with suppress(TallygateError):
            await action(self.dice.choice(ACCOUNTS))

    async def write(self, use_case, *args, **more):
        return await self.world.write(lambda work, now: use_case(work, *args, now=now, **more))

    def new_id(self):
        return f"n{self.count}"

    async def attach(self, account):
        wanted = AttachMethod(account_id=account, token=self.dice.choice(TOKENS), default=self.dice.random() < 0.5)
        await self.write(attach_method, wanted, Card(), gateways=self.world.gateways, new_id=self.new_id)

    async def switch(self, account):
        await self.write(set_default_method, account, f"pm_n{self.dice.randint(1, self.count)}")

    async def detach(self, account):
        await self.write(detach_method, account, f"pm_n{self.dice.randint(1, self.count)}")

    async def offline(self, account):
        paid = RecordOffline(account_id=account, currency="USD", amount=self.dice.randint(1, 900))
        await self.write(record_offline, paid, new_id=self.new_id)

    async def give(self, account):
        given = GiveCredit(account_id=account, currency="USD", amount=self.dice.randint(1, 400))
        await self.write(give_credit, given, new_id=self.new_id)

    async def give_up(self, account):
        await self.write(write_off_invoice, await self.invoice(account), canceled=self.dice.random() < 0.5)

    async def void(self, account):
        await self.write(void_invoice, await self.invoice(account))

    async def fee(self, account):
        exact = Fraction(self.dice.randint(-2_000, 2_000) or 1)
        fee = CreateFee(account_id=account, currency="USD", text="a fee", exact=exact)
        await self.write(create_fee, fee, new_id=self.new_id)

    async def move(self, account):
        change = ChangePlan(account_id=account, plan_key=self.dice.choice(["pro", "big"]))
        await self.write(change_plan, change)

    async def wait(self, _account):
        self.world.now += self.dice.choice([60, 3_600, 86_400, 9 * 86_400, 31 * 86_400]) * 1_000_000

    async def work(self, _account):
        await billed(self.world)

    async def invoice(self, account):
        own = select(invoice_balances.c.invoice_id).where(invoice_balances.c.account_id == account)
        async with self.world.engine.connect() as connection:
            found = list((await connection.execute(own.order_by(invoice_balances.c.invoice_id))).scalars())
        return self.dice.choice(found) if found else "none"

    async def check(self):
        """The books agree with what they mirror, debits are credits, and nobody without a case is denied."""
        now = self.world.now
        assert await self.world.transactions.read(TENANT, lambda work, _: audit_ledger(work), now=now) == ()
        standing = await self.world.transactions.read(
            TENANT, lambda work, _: work.ledger.balances(at=now + 400 * DAY), now=now
        )
        assert sum(one.net for one in standing) == 0
        async with self.world.engine.connect() as connection:
            assert all(due >= 0 for due in (await connection.execute(select(invoice_balances.c.due))).scalars())
            late = set((await connection.execute(select(dunning_cases.c.account_id))).scalars())
        stands = await self.world.transactions.read(TENANT, lambda work, _: work.accounts.standings(ACCOUNTS), now=now)
        assert {account for account, one in stands.items() if one is not Standing.GOOD} <= late


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_leaves_books_that_balance_and_agree(template, tmp_path, seed):
    world = PayingWorld(f"sqlite:///{shutil.copy(template, tmp_path / 'world.db')}", Steps())
    history = History(world, seed)
    try:
        await history.begin()
        for turn in range(ACTIONS):
            await history.step()
            if turn % 10 == 0:
                await history.check()
        await billed(world)
        await history.check()
    finally:
        await world.close()

"""After any history of charges, money from elsewhere, gifts, changes, refunds, disputes and notes the books balance."""

import random
import shutil
from contextlib import suppress
from fractions import Fraction

import pytest
from sqlalchemy import select

from faults.crashes import DAY, NOVEMBER, TENANT, Steps, billed, opened, published, subscribed
from faults.paying import PayingWorld, attached, gateway_set
from tallygate.billing.crediting import CreateCreditNote, LineCredit, create_credit_note
from tallygate.billing.disputes import RecordDispute, record_dispute
from tallygate.billing.fees import CreateFee, create_fee
from tallygate.billing.giving import GiveCredit, give_credit
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.methods import AttachMethod, attach_method, detach_method, set_default_method
from tallygate.billing.payments import RecordOffline, record_offline
from tallygate.billing.ports import Card
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.voiding import void_invoice
from tallygate.billing.writing_off import write_off_invoice
from tallygate.control_plane.subscription_changes import ChangePlan, change_plan
from tallygate.domain.account import Standing
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.errors import TallygateError
from tallygate.records.payments import MoneyQuery
from tallygate.storage.sql.billing.payment_tables import dunning_cases, payments
from tallygate.storage.sql.billing.tables import invoice_balances
from tallygate.storage.sql.schema import migrate

ACCOUNTS = ("acme", "globex")
TOKENS = ("fake_ok", "fake_decline", "fake_later_2", "fake_pending", "fake_timeout", "fake_timeout_before")
BACK = ("fake_refund_decline", "fake_refund_pending", "fake_refund_timeout", "fake_refund_timeout_before")
"""What pays, and is given back otherwise."""
ACTIONS = 90


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "tallygate.db"
    migrate(f"sqlite:///{path}")
    return path


class History:
    """What may happen to two accounts, in any order; what is refused is refused."""

    def __init__(self, world, seed):
        self.world, self.dice, self.count = world, random.Random(seed), 0
        self.went_back = self.disputed = 0

    async def begin(self):
        self.world.now = NOVEMBER - DAY
        for act in (opened, published, gateway_set):
            await act(self.world)
        self.world.now = NOVEMBER
        for account in ACCOUNTS:
            await subscribed(account)(self.world)
            await attached(account, self.dice.choice(("fake_ok", *BACK)))(self.world)
        await billed(self.world)  # so that something is paid, and can go back

    async def step(self):
        self.count += 1
        actions = (self.attach, self.switch, self.detach, self.offline, self.give, self.give_up, self.void, self.fee)
        actions += self.credit, self.refund, self.refund, self.refund, self.dispute, self.decide
        action = self.dice.choice((*actions, self.move, self.wait, self.wait, self.work, self.work))
        with suppress(TallygateError):
            await action(self.dice.choice(ACCOUNTS))

    async def write(self, use_case, *args, **more):
        return await self.world.write(lambda work, now: use_case(work, *args, now=now, **more))

    def new_id(self):
        return f"n{self.count}"

    async def attach(self, account):
        wanted = AttachMethod(
            account_id=account, token=self.dice.choice(TOKENS + BACK), default=self.dice.random() < 0.5
        )
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

    async def credit(self, account):
        part = LineCredit(number=1, amount=self.dice.choice([None, self.dice.randint(1, 1_500)]))
        wanted = CreateCreditNote(invoice=await self.invoice(account), lines=self.dice.choice([(), (part,)]))
        await self.write(create_credit_note, wanted, new_id=self.new_id)

    async def refund(self, account):
        part = LineCredit(number=1, amount=self.dice.choice([None, self.dice.randint(1, 1_500)]))
        wanted = CreateCreditNote(invoice=await self.invoice(account), lines=(part,), credit_id=self.new_id())
        done = await RefundRunner(payments=self.world.paying).refund(TENANT, wanted)
        self.went_back += len(done.parts)

    async def dispute(self, account):
        own = select(payments.c.payment_id).where(payments.c.account_id == account)
        async with self.world.engine.connect() as connection:
            found = list((await connection.execute(own.order_by(payments.c.payment_id))).scalars())
        if found:
            amount = self.dice.choice([None, self.dice.randint(1, 900)])
            said = RecordDispute(
                payment_id=self.dice.choice(found),
                dispute_id=f"dp{self.count}",
                state=self.dice.choice(list(DisputeState)),
                amount=amount,
                fee=self.dice.choice([0, None]),
            )
            await self.write(record_dispute, said)
            self.disputed += 1

    async def decide(self, account):
        wanted = MoneyQuery(limit=10, account_id=account)
        found = await self.world.transactions.read(
            TENANT, lambda work, _: work.disputes.list(wanted), now=self.world.now
        )
        for one in found:
            state = self.dice.choice(list(DisputeState))
            await self.write(
                record_dispute, RecordDispute(payment_id=one.payment_id, dispute_id=one.dispute_id, state=state)
            )

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
        assert history.went_back or history.disputed, "a history in which nothing goes back proves nothing"
    finally:
        await world.close()

"""A small world whose invoices are paid, and whose process dies at any step: of its own store, or of the gateway's."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from faults.crashes import DAY, NOVEMBER, SECOND, TENANT, Act, Doubled, World, billed, opened, published, subscribed
from tallygate.billing.asking_apps import ChargeRunner
from tallygate.billing.due_order import TenantRunner
from tallygate.billing.forgetting import MethodForgetter
from tallygate.billing.gateways import Gateways
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.methods import AttachMethod, SetGateway, attach_method, set_gateway
from tallygate.billing.notices import NoticeRunner
from tallygate.billing.paying import PaymentRunner
from tallygate.billing.ports import Card
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.refunding import RefundRunner
from tallygate.billing.running import BillingRunner
from tallygate.domain.billing.payments import AttemptState
from tallygate.gateways.fake import FakeAdapter
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import CLOSE
from tallygate.records.ledger import RECOGNISE
from tallygate.records.payments import COLLECT, RESOLVE, RESOLVE_REFUND
from tallygate.storage.sealing import AesSealing
from tallygate.storage.sql.billing.fake_charges import SqlFakeCharges
from tallygate.storage.sql.billing.fake_refunds import SqlFakeRefunds
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.payment_tables import fake_charges, payments
from tallygate.storage.sql.billing.tables import invoice_balances

ACCOUNTS = {"acme": "fake_ok", "globex": "fake_later", "initech": "fake_timeout", "umbrella": "fake_timeout_before"}
"""Who pays how: at once, at the second attempt, without an answer, at the second request."""


SEALING = AesSealing(keys=[b"k" * 32])


class NoBarrier:
    """Everything is collected when it is asked."""

    async def passed(self, tenant_id: str, account_ids: Any) -> None: ...


class NoApps:
    """No app tells charges of its own."""

    async def limit(self, address: str, **asked: Any) -> None: ...

    async def charges(self, address: str, request: Any) -> None: ...


async def nobody_ends(_work: Any, _account_id: str, _now: int) -> None: ...


@dataclass(slots=True)
class PayingWorld(World):
    """The same process, with a gateway beside it that has its own transactions."""

    @property
    def gateways(self) -> Gateways:
        """The gateway that there is; what is secret of it is sealed."""
        fake = FakeAdapter(books=SqlFakeCharges(engine=self.engine), refunds=SqlFakeRefunds(engine=self.engine))
        return Gateways(adapters={"fake": fake}, sealing=SEALING, fake_on_live=True)

    def real(self) -> int:
        """Real time: leases of the dead run out before the next one looks."""
        return self.now + self.lease

    @property
    def paying(self) -> PaymentRunner:
        """What asks the gateway."""
        return PaymentRunner(
            transactions=self.transactions,
            gateways=self.gateways,
            end=nobody_ends,
            clock=self.real,
            new_id=lambda: uuid4().hex,
        )

    def runner(self) -> TenantRunner:
        """What does what is due of a tenant."""
        paying = self.paying
        return TenantRunner(
            transactions=self.transactions,
            billing=BillingRunner(transactions=self.transactions, barrier=NoBarrier(), clock=self.real),
            payments=paying,
            refunds=RefundRunner(payments=paying),
            methods=MethodForgetter(payments=paying),
            notices=NoticeRunner(transactions=self.transactions, clock=self.real),
            charges=ChargeRunner(transactions=self.transactions, services=NoApps(), clock=self.real),
            clock=self.real,
        )

    def worker(self, *, kinds: Collection[str] = (CLOSE, RECOGNISE, COLLECT, RESOLVE, RESOLVE_REFUND)) -> Scheduler:
        """A worker's loop over jobs of some kinds; a real one has a loop of its own for those that ask gateways."""
        runner = self.runner()
        recognition = RecognitionRunner(transactions=self.transactions, clock=self.real)
        queue: Any = SqlJobQueue(engine=self.engine)
        return Scheduler(
            queue=Doubled(queue) if self.doubled else queue,
            handlers={
                kind: handler
                for kind, handler in (
                    (CLOSE, runner.close),
                    (RECOGNISE, recognition.handle),
                    (COLLECT, runner.collect),
                    (RESOLVE, runner.resolve),
                    (RESOLVE_REFUND, runner.resolve_refunds),
                )
                if kind in kinds
            },
            clock=self.real,
        )

    async def books(self) -> "Paid":
        """Who was charged how often, and what the books say of it."""
        self.steps.kill_at = 0
        owed = select(func.sum(invoice_balances.c.due))
        charged = select(fake_charges.c.account_id, fake_charges.c.amount).where(
            fake_charges.c.state == AttemptState.SUCCEEDED.value
        )
        async with self.engine.connect() as connection:
            taken = [tuple(row) for row in (await connection.execute(charged)).all()]
            received = [
                tuple(row) for row in (await connection.execute(select(payments.c.account_id, payments.c.amount))).all()
            ]
            due = (await connection.execute(owed)).scalar_one()
        differences = await self.transactions.read(TENANT, lambda work, _: audit_ledger(work), now=self.now)
        return Paid(tuple(sorted(taken)), tuple(sorted(received)), int(due or 0), differences)


@dataclass(frozen=True, slots=True)
class Paid:
    """What the gateway took, what the books know of it, what is still due, and where the ledger disagrees."""

    taken: tuple[tuple[str, int], ...]
    received: tuple[tuple[str, int], ...]
    due: int
    differences: tuple[Any, ...]


def once(account_id: str) -> Paid:
    """10.00 from somebody, once, and the books know it."""
    return Paid(((account_id, 1_000),), ((account_id, 1_000),), 0, ())


async def gateway_set(world: Any) -> None:
    wanted, gateways = SetGateway(name="fake"), world.gateways
    await world.write(lambda work, now: set_gateway(work, wanted, gateways=gateways, now=now))


def attached(account_id: str, token: str) -> Callable[[World], Awaitable[None]]:
    async def act(world: Any) -> None:
        wanted, gateways = AttachMethod(account_id=account_id, method_id=account_id, token=token), world.gateways
        await world.write(
            lambda work, now: attach_method(work, wanted, Card(), gateways=gateways, now=now, new_id=lambda: account_id)
        )

    return act


def weeks(account_id: str, work: Callable[[World], Awaitable[None]] = billed) -> list[Act]:
    """Somebody subscribes for 10.00, and is charged; what failed or was lost is looked at once more, days later."""
    before = [Act(NOVEMBER - DAY, act) for act in (opened, published, gateway_set)]
    begins = [Act(NOVEMBER, subscribed(account_id)), Act(NOVEMBER, attached(account_id, ACCOUNTS[account_id]))]
    later = (NOVEMBER + SECOND, NOVEMBER + 1_000 * SECOND, NOVEMBER + 3 * DAY, NOVEMBER + 9 * DAY)
    return [*before, *begins, *(Act(at, work) for at in later)]


SETUP = 5
"""Acts before the first look at what is due."""

"""The world of a process that gives money back, and loses disputes, and what it must never do: either of it twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from faults.crashes import DAY, NOVEMBER, SECOND, TENANT, Act, World, billed, opened, published, subscribed
from faults.paying import PayingWorld, attached, gateway_set
from tallygate.billing.crediting import CreateCreditNote, LineCredit
from tallygate.billing.disputes import note_dispute
from tallygate.billing.ledger import audit_ledger
from tallygate.billing.refunding import RefundRunner
from tallygate.domain.billing.gateway_events import DisputeNews, DisputeState
from tallygate.domain.billing.payments import AttemptState
from tallygate.storage.sql.billing.payment_tables import fake_charges, fake_refunds, payments, refunds
from tallygate.storage.sql.billing.tables import invoice_balances, invoices, wallet_entries

_WORDS = ("timeout", "timeout_before", "pending", "decline", "later")
TOKENS = ("fake_ok", *(f"fake_refund_{word}" for word in _WORDS))
BACK = 400
"""Of 10.00: twice as much would be there, too."""
SETUP = 6
"""Acts until the invoice is paid."""


@dataclass(frozen=True, slots=True)
class Back:
    """What the gateway took and gave back, what the books know of it, what is due, kept, and where they disagree."""

    taken: int
    given: tuple[int, ...]
    booked: tuple[tuple[str, int], ...]
    due: int
    kept: int
    differences: tuple[Any, ...]


@dataclass(slots=True)
class RefundingWorld(PayingWorld):
    """The same process; its books are those of what went back."""

    async def books(self) -> Any:
        self.steps.kill_at = 0
        succeeded = AttemptState.SUCCEEDED.value
        async with self.engine.connect() as connection:

            async def rows(query: Any) -> list[Any]:
                return [tuple(row) for row in (await connection.execute(query)).all()]

            taken = await rows(select(func.sum(fake_charges.c.amount)).where(fake_charges.c.state == succeeded))
            given = await rows(select(fake_refunds.c.amount).where(fake_refunds.c.state == succeeded))
            booked = await rows(select(refunds.c.state, refunds.c.amount))
            due = await rows(select(func.sum(invoice_balances.c.due)))
            kept = await rows(select(func.sum(wallet_entries.c.amount)))
        differences = await self.transactions.read(TENANT, lambda work, _: audit_ledger(work), now=self.now)
        return Back(
            taken=int(taken[0][0]),
            given=tuple(int(one[0]) for one in given),
            booked=tuple(booked),
            due=int(due[0][0] or 0),
            kept=int(kept[0][0] or 0),
            differences=differences,
        )


def expected(token: str) -> Back:
    """4.00 are back, once; or kept, where the gateway does not give them back."""
    if token == "fake_refund_decline":
        return Back(1_000, (), (("failed", BACK),), 0, BACK, ())
    return Back(1_000, (BACK,), (("succeeded", BACK),), 0, 0, ())


async def asked_back(world: World) -> None:
    """Somebody asks 4.00 of the invoice back, under an id of its own."""
    assert isinstance(world, RefundingWorld)
    async with world.engine.connect() as connection:
        first = select(invoices.c.invoice_id).order_by(invoices.c.issue_time).limit(1)
        invoice = (await connection.execute(first)).scalar_one()
    wanted = CreateCreditNote(invoice=invoice, lines=(LineCredit(number=1, amount=BACK),), credit_id="rf")
    await RefundRunner(payments=world.paying).refund(TENANT, wanted)


def told(state: DisputeState) -> Callable[[World], Awaitable[None]]:
    """The gateway tells where a dispute of the charge stands."""

    async def act(world: World) -> None:
        async with world.engine.connect() as connection:
            charge_id = (await connection.execute(select(payments.c.gateway_id))).scalars().first()
        news = DisputeNews(dispute_id="dp", charge_id=charge_id or "", currency="USD", amount=1_000, state=state)
        await world.write(lambda work, now: note_dispute(work, "fake", news, now=now))

    return act


def paid(token: str, *acts: Callable[[World], Awaitable[None]], work: Any = billed) -> list[Act]:
    """Somebody subscribes and pays 10.00; then something happens, and what is open is looked at, days later."""
    before = [Act(NOVEMBER - DAY, act) for act in (opened, published, gateway_set)]
    begins = [Act(NOVEMBER, subscribed("acme")), Act(NOVEMBER, attached("acme", token)), Act(NOVEMBER + SECOND, billed)]
    happens = [Act(NOVEMBER + (100 + number) * SECOND, act) for number, act in enumerate(acts)]
    soon = 1_000 * SECOND  # who died is back by then, while a gateway still knows what it was asked
    later = (NOVEMBER + soon, NOVEMBER + 3 * DAY, NOVEMBER + 3 * DAY + soon, NOVEMBER + 9 * DAY)
    return [*before, *begins, *happens, *(Act(at, work) for at in later)]

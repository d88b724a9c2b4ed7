"""A process that dies at any step of an attempt to be paid charges everybody exactly once, and its books know it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from faults.crashes import DECEMBER, NOVEMBER, SECOND, Steps, billed, dying, lived, two_workers, undisturbed
from faults.paying import ACCOUNTS, SETUP, PayingWorld, once, weeks
from tallygate.billing import paying
from tallygate.billing.owing import Owing
from tallygate.billing.paying import PaymentRunner
from tallygate.domain.billing.payments import AttemptState, Outcome
from tallygate.gateways.fake import FakeGateway
from tallygate.records.jobs import CLOSE
from tallygate.records.ledger import RECOGNISE
from tallygate.records.payments import COLLECT, RESOLVE
from tallygate.storage.sql.billing.tables import invoices
from thorough import every

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing


async def told(fresh, account, *, path=None, first=0, stride=1, work=billed, **options):
    """The undisturbed books, and those of deaths at every so many steps from the first look on."""
    story = await undisturbed(path or fresh(), weeks(account, work), world=PayingWorld, **options)
    steps = range(story.points[SETUP].steps + 1 + first, story.steps + 1, stride)
    return story.books, [(step, await dying(fresh(), story, step)) for step in steps]


def differing(account, died):
    return [(step, found) for step, found in died if found != once(account)]


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_dying_at_any_step_charges_once(fresh, account):
    """With the gateway having been asked or not, having done it or not, and the answer heard or not.

    Most steps are the same for all: together they take each of them.
    """
    books, died = await told(fresh, account, first=list(ACCOUNTS).index(account), stride=every(len(ACCOUNTS)))
    assert books == once(account)
    assert differing(account, died) == []


@pytest.mark.parametrize("account", ["globex", "umbrella"])
async def test_jobs_fired_twice_and_two_workers_charge_once(fresh, account):
    twice, died = await told(fresh, account, doubled=True, stride=every(40))
    assert (twice, differing(account, died)) == (once(account), [])
    both, died = await told(fresh, account, work=two_workers, stride=every(40))
    assert (both, differing(account, died)) == (once(account), [])


async def test_with_a_key_of_its_own_for_each_sending_somebody_pays_twice(fresh, monkeypatch):
    request_of = paying.request_of

    def new_key(tenant_id, attempt):
        return replace(request_of(tenant_id, attempt), key=uuid4().hex)

    monkeypatch.setattr(paying, "request_of", new_key)
    _, died = await told(fresh, "acme", stride=7)
    assert any(len(found.taken) > 1 for _, found in died)


async def test_when_nobody_asks_what_became_of_an_attempt_somebody_pays_twice(fresh, monkeypatch):
    async def forgotten(self, tenant_id, attempt_id, *, at=None):
        attempt = await self.read(tenant_id, lambda work: work.payments.attempt(attempt_id))
        gone = Outcome(state=AttemptState.FAILED, reason="forgotten", arrived=False)
        await self._settle(tenant_id, attempt, gone, at)
        return True

    monkeypatch.setattr(PaymentRunner, "resolve_attempt", forgotten)
    _, died = await told(fresh, "acme", stride=7)
    assert any(len(found.taken) > 1 for _, found in died)


def blind(monkeypatch) -> None:
    """Looks do not see what is in flight, and the gateway takes its time, so that there is something."""
    charge = FakeGateway.charge

    async def slow(self, request):
        await asyncio.sleep(0.5)
        return await charge(self, request)

    monkeypatch.setattr(FakeGateway, "charge", slow)
    target = Owing.target
    monkeypatch.setattr(Owing, "target", lambda self, currency: target(replace(self, unresolved=()), currency))


async def test_by_the_unique_index_alone_jobs_fired_twice_charge_once(fresh, monkeypatch):
    blind(monkeypatch)
    books, _ = await told(fresh, "acme", doubled=True, stride=1_000)
    assert books.taken == once("acme").taken


async def test_with_neither_check_nor_index_they_charge_twice(fresh, monkeypatch):
    blind(monkeypatch)
    path = fresh()
    with closing(sqlite3.connect(path)) as connection, connection:
        for index in ("uq_payment_attempts_account", "uq_payment_attempts_invoice"):
            connection.execute(f"DROP INDEX {index}")
    books, _ = await told(fresh, "acme", path=path, doubled=True, stride=1_000)
    assert len(books.taken) > 1


async def test_a_slow_gateway_holds_up_no_invoice(fresh, monkeypatch):
    """While the charge of November waits for its gateway the invoice of December is issued."""
    answers, charge = asyncio.Event(), FakeGateway.charge

    async def slow(self, request):
        await answers.wait()
        return await charge(self, request)

    monkeypatch.setattr(FakeGateway, "charge", slow)
    world = PayingWorld(f"sqlite:///{fresh()}", Steps())
    try:
        for act in weeks("acme")[:SETUP]:
            await lived(world, act)
        world.now = NOVEMBER + SECOND
        closing, paying_ = world.worker(kinds=(CLOSE, RECOGNISE)), world.worker(kinds=(COLLECT, RESOLVE))
        assert await closing.round()
        sent = asyncio.create_task(paying_.round())
        world.now = DECEMBER + SECOND
        while await closing.round():
            pass
        assert not sent.done()
        async with world.engine.connect() as connection:
            assert await connection.scalar(select(func.count()).select_from(invoices)) == 2
        answers.set()
        assert await sent
        assert (await world.books()).taken == (("acme", 1_000), ("acme", 1_000))
    finally:
        await world.close()

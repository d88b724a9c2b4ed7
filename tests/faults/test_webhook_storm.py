"""Webhooks in a storm, and a process that dies while it hears one: the books are those of each event told once."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from faults.crashes import (
    DAY,
    NOVEMBER,
    SECOND,
    TENANT,
    Act,
    Steps,
    billed,
    dying,
    opened,
    published,
    subscribed,
    undisturbed,
)
from faults.paying import Paid, PayingWorld, attached
from faults.planted import fails_without
from servers import PostgresServer
from tallygate.billing import gateway_events
from tallygate.billing.gateway_events import EventRunner, EventTooEarlyError
from tallygate.billing.methods import SetGateway, set_gateway
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, DisputeState, GatewayEvent
from tallygate.domain.billing.payments import Advice, Attempt, AttemptState, Outcome
from tallygate.domain.errors import ConflictError, StoreUnavailableError
from tallygate.gateways.fake_events import HEADER, charge_event
from tallygate.gateways.signed import signature
from tallygate.records.gateway_events import Effect
from tallygate.records.jobs import CLOSE
from tallygate.records.payments import MoneyQuery
from tallygate.storage.sql.billing.payment_tables import gateway_events as table
from tallygate.storage.sql.billing.tables import invoice_balances
from tallygate.storage.sql.schema import migrate
from thorough import THOROUGH, every

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing
SECRET = "whsec_1"
MOST = 10_000
EACH = 32
"""How many events are told of an account."""
ABREAST = 3


async def gateway_set(world: Any) -> None:
    wanted, gateways = SetGateway(name="fake", secrets={"webhook_secret": SECRET}), world.gateways
    await world.write(lambda work, now: set_gateway(work, wanted, gateways=gateways, now=now))


def hearing(world) -> EventRunner:
    return EventRunner(transactions=world.transactions, gateways=world.gateways, clock=lambda: world.now + world.lease)


async def attempts(world) -> list[Attempt]:
    """Every attempt, by its account."""
    found, before = [], None
    while True:
        wanted = MoneyQuery(limit=500, before=before)
        page = await world.transactions.read(TENANT, lambda work, _, w=wanted: work.payments.attempts(w), now=world.now)
        if not page:
            return sorted(found, key=lambda one: one.account_id)
        found += page
        before = page[-1].create_time, page[-1].attempt_id


def told(attempt, state, event_id) -> bytes:
    advice = Advice.RETRY_LATER if state is AttemptState.FAILED else None
    outcome = Outcome(state=state, gateway_id=f"ch_{attempt.attempt_id}", advice=advice, reason="told")
    news = ChargeNews(attempt_id=attempt.attempt_id, currency="USD", amount=attempt.amount, outcome=outcome)
    return charge_event(event_id, tenant_id=TENANT, time=attempt.create_time, news=news)


async def heard(world, body) -> Effect:
    """Tell it, and again as long as it is told to come later."""
    headers = {HEADER: signature(body, SECRET, now=world.now + world.lease)}
    for _ in range(50):
        try:
            return await hearing(world).hear(TENANT, "fake", body, headers)
        except (EventTooEarlyError, StoreUnavailableError):  # answered with 503
            await asyncio.sleep(0.01)
    raise AssertionError(body)


@dataclass
class Storm:
    """Accounts whose payers are being waited for, and what their gateway tells of each."""

    world: PayingWorld
    accounts: int

    async def begin(self):
        self.world.now = NOVEMBER - DAY
        for act in (opened, published, gateway_set):
            await act(self.world)
        self.world.now = NOVEMBER
        names = [f"a{number:04}" for number in range(self.accounts)]
        for name in names:
            await subscribed(name)(self.world)
            await attached(name, "fake_pending")(self.world)
        worker = self.world.worker(kinds=[CLOSE])
        while await worker.round():
            pass
        for name in names:
            await self.world.paying.collect_account(TENANT, name)
        found = await attempts(self.world)
        assert [one.state for one in found] == [AttemptState.PENDING] * self.accounts

    async def events(self) -> list[bytes]:
        """Every third account is refused; of each other one a failure turns out to be paid."""
        told_of, ids = [], count()
        for number, attempt in enumerate(await attempts(self.world)):
            states = [AttemptState.PENDING, AttemptState.FAILED]
            states += [AttemptState.SUCCEEDED] if number % 3 else []
            states += [states[-1]] * (EACH - len(states))
            told_of += [told(attempt, state, f"ev_{next(ids)}") for state in states]
        return told_of

    async def hear(self, bodies):
        """So many at once."""
        turns = iter(bodies)

        async def one():
            for body in turns:
                await heard(self.world, body)

        await asyncio.gather(*(one() for _ in range(ABREAST)))

    async def books(self) -> tuple[Paid, dict[str, int]]:
        """What came and what is due, by account; the gateway itself is asked nothing."""
        async with self.world.engine.connect() as connection:
            own = invoice_balances.c
            due = {row.account_id: row.due for row in (await connection.execute(select(own.account_id, own.due))).all()}
            kept = (await connection.execute(select(table.c.event_id))).scalars().all()
        assert len(kept) == len(set(kept))
        return await self.world.books(), due


def ranks(monkeypatch, module, real=heard):
    """Whatever is told last is how it stands, but where the books refuse it."""

    async def once(world, body):
        with contextlib.suppress(ConflictError):
            await real(world, body)

    monkeypatch.setattr(AttemptState, "rank", 0)
    monkeypatch.setattr(module, "heard", once)


@pytest.fixture
async def storm(fresh):
    worlds = []

    async def begun(accounts, url=None):
        worlds.append(PayingWorld(url or f"sqlite:///{fresh()}", Steps()))
        storm = Storm(worlds[-1], accounts)
        await storm.begin()
        return storm

    yield begun
    for world in worlds:
        await world.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request):
    """How many events are told, and where: on PostgreSQL a few, but where all is tried."""
    if request.param == "sqlite":
        yield MOST if THOROUGH else 10 * EACH, None
        return
    with PostgresServer() as server:
        url = server.create_database()
        migrate(url)
        yield MOST if THOROUGH else 5 * EACH, url


@fails_without(ranks)
async def test_a_storm_of_events_shuffled_and_doubled_leaves_the_books_of_calm(storm, place):
    """10,000 events, each told twice, in any order, three at once: two thirds of the accounts paid 10.00, once."""
    most, url = place
    accounts = most // EACH
    storm = await storm(accounts, url)
    bodies = await storm.events()
    assert len(bodies) >= most - EACH
    tossed = [*bodies, *bodies]
    random.Random(7).shuffle(tossed)
    await storm.hear(tossed)
    paid, due = await storm.books()
    names = [f"a{number:04}" for number in range(accounts)]
    payers = [name for number, name in enumerate(names) if number % 3]
    assert paid.received == tuple((name, 1_000) for name in payers)
    assert paid.differences == ()
    assert due == {name: 0 if name in payers else 1_000 for name in names}
    ends = [AttemptState.SUCCEEDED if number % 3 else AttemptState.FAILED for number in range(accounts)]
    assert [one.state for one in await attempts(storm.world)] == ends


def story(body_of) -> list[Act]:
    """A payer is waited for; then something is told of it, twice."""
    setup = [Act(NOVEMBER - DAY, act) for act in (opened, published, gateway_set)]
    begins = [Act(NOVEMBER, act) for act in (subscribed("acme"), attached("acme", "fake_pending"), billed)]

    async def tell(world):
        (attempt,) = await attempts(world)
        await heard(world, body_of(attempt))

    return [*setup, *begins, Act(NOVEMBER + SECOND, tell), Act(NOVEMBER + 2 * SECOND, tell)]


def paid(attempt):
    return told(attempt, AttemptState.SUCCEEDED, "ev_1")


async def deaths(fresh, *, stride=1):
    """The books of calm, and those of deaths at every so many steps from the first event on."""
    calm = await undisturbed(fresh(), story(paid), world=PayingWorld)
    steps = range(calm.points[-3].steps + 1, calm.steps + 1, stride)
    return calm.books, [(step, await dying(fresh(), calm, step)) for step in steps]


async def test_dying_while_an_event_is_heard_pays_once(fresh):
    """Between any two steps; the gateway, which got no answer, tells it again."""
    books, died = await deaths(fresh, stride=every(1))
    assert (books.received, books.due, books.differences) == ((("acme", 1_000),), 0, ())
    assert [(step, found) for step, found in died if found != books] == []


async def test_with_an_event_kept_before_its_effect_a_payment_is_lost(fresh, monkeypatch):
    """Two transactions instead of one: who dies between them has heard it, and done nothing."""
    take, hear = gateway_events.take_event, EventRunner.hear

    async def kept_first(self, tenant_id, name, raw, headers):
        event = await (await self._gateway(tenant_id, name)).read_event(
            raw, headers, tenant_id=tenant_id, now=self.clock()
        )
        only = GatewayEvent(event_id=event.event_id, kind=event.kind, time=event.time)

        async def keep(work, now):
            return await take(work, name, only, "", gateway_events.Moment(now=now, real=now))

        if (await self.transactions.write(tenant_id, keep, now=self.clock())).value is Effect.REPEATED:
            return Effect.REPEATED
        again = raw.replace(b"ev_1", b"ev_x")
        return await hear(self, tenant_id, name, again, {HEADER: signature(again, SECRET, now=self.clock())})

    monkeypatch.setattr(EventRunner, "hear", kept_first)
    books, died = await deaths(fresh)
    assert books.due == 0
    assert any(found.due for _, found in died)


async def test_a_dispute_that_is_told_before_its_payment_is_known_comes_again(storm):
    """Not kept, and so told again: once the charge is known, the gateway's funds and its fee are booked."""
    storm = await storm(1)
    (attempt,) = await attempts(storm.world)
    news = DisputeNews(
        dispute_id="dp_1", charge_id=f"ch_{attempt.attempt_id}", currency="USD", amount=1_000, state=DisputeState.OPENED
    )
    event = GatewayEvent(event_id="ev_d", kind="dispute.opened", time=attempt.create_time, news=news)
    moment = gateway_events.Moment(now=storm.world.now, real=storm.world.now)

    async def take(work, _now):
        return await gateway_events.take_event(work, "fake", event, "", moment)

    with pytest.raises(EventTooEarlyError):
        await storm.world.write(take)
    await heard(storm.world, paid(attempt))
    assert await storm.world.write(take) is Effect.APPLIED
    assert await storm.world.write(take) is Effect.REPEATED
    found, _ = await storm.books()
    assert found.differences == ()

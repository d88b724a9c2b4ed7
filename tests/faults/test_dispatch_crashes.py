"""A process that dies at any step of a delivery loses no letter, and sends one twice only if nobody could know."""

import asyncio
import sqlite3
from collections.abc import Collection
from contextlib import closing
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
    Doubled,
    NoBarrier,
    World,
    billed,
    dying,
    opened,
    published,
    subscribed,
    two_workers,
    undisturbed,
)
from tallygate.billing.profiles import set_profile
from tallygate.billing.running import BillingRunner
from tallygate.domain.billing.mail import Mail
from tallygate.domain.billing.messages import DeliveryState
from tallygate.domain.billing.parties import BillingProfile, Party
from tallygate.jobs.dispatch import Dispatcher
from tallygate.jobs.scheduler import Scheduler
from tallygate.records.jobs import CLOSE
from tallygate.records.messages import DISPATCH
from tallygate.rendering.letters import letter_of
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.message_tables import deliveries
from thorough import every

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who dies closes nothing


@dataclass(slots=True)
class Letterbox:
    """Another house's: what it took stays taken, whoever dies. Steps before and after it are steps to die at."""

    world: "MailingWorld"

    async def send(self, mail: Mail) -> None:
        self.world.steps.take()
        await asyncio.to_thread(self._keep, mail)  # a transaction that it waits for ends on this loop
        self.world.steps.take()

    def _keep(self, mail: Mail) -> None:
        with closing(sqlite3.connect(self.world.url.removeprefix("sqlite:///"), timeout=60)) as box, box:
            box.execute("CREATE TABLE IF NOT EXISTS letters (identity TEXT, address TEXT)")
            box.execute("INSERT INTO letters VALUES (?, ?)", (mail.identity, mail.to_address))


@dataclass(slots=True)
class MailingWorld(World):
    """The same process, with a mail server beside it."""

    def worker(self, *, kinds: Collection[str] = (CLOSE, DISPATCH)) -> Scheduler:
        def real() -> int:
            return self.now + self.lease

        billing = BillingRunner(transactions=self.transactions, barrier=NoBarrier(), clock=lambda: self.now)
        dispatcher = Dispatcher(transactions=self.transactions, mailer=Letterbox(self), compose=letter_of, clock=real)
        queue: Any = SqlJobQueue(engine=self.engine)
        handlers = {CLOSE: billing.handle, DISPATCH: dispatcher.handle}
        return Scheduler(
            queue=Doubled(queue) if self.doubled else queue,
            handlers={kind: handlers[kind] for kind in kinds},
            clock=real,
        )

    async def books(self) -> "Sent":
        self.steps.kill_at = 0
        async with self.engine.connect() as connection:
            states = [row.state for row in (await connection.execute(select(deliveries.c.state))).all()]
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as box:
            letters = [row[0] for row in box.execute("SELECT identity FROM letters ORDER BY identity")]
        return Sent(tuple(letters), tuple(sorted(states)))


@dataclass(frozen=True, slots=True)
class Sent:
    """What a letterbox holds, and how deliveries stand."""

    letters: tuple[str, ...]
    states: tuple[str, ...]


async def addressed(world: World) -> None:
    profile = BillingProfile(account_id="acme", party=Party(name="Acme", email="a@example.com"))
    await world.write(lambda work, now: set_profile(work, profile, now=now))


def months(work: Any = billed) -> list[Act]:
    """One account, invoiced on the first of two months; what was left open is looked at an hour later."""
    before = [Act(NOVEMBER - DAY, act) for act in (opened, published)]
    begins = [Act(NOVEMBER, subscribed("acme")), Act(NOVEMBER, addressed)]
    looks = (NOVEMBER + SECOND, NOVEMBER + DAY, DECEMBER + SECOND, DECEMBER + DAY, DECEMBER + 2 * DAY)
    return [*before, *begins, *(Act(at, work) for at in looks)]


SETUP = 4
TWICE = 2


async def told(fresh, *, stride=1, work=billed, **options):
    story = await undisturbed(fresh(), months(work), world=MailingWorld, **options)
    steps = range(story.points[SETUP].steps + 1, story.steps + 1, stride)
    return story.books, [await dying(fresh(), story, step) for step in steps]


def is_whole(found: Sent, books: Sent) -> bool:
    """Every letter went, none to be sent is left, and of those that went twice there is at most one."""
    extra = len(found.letters) - len(books.letters)
    return set(found.letters) == set(books.letters) and found.states == books.states and extra <= 1


async def test_dying_at_any_step_sends_every_letter(fresh):
    """Two invoices, two letters. One goes twice only where death came between its taking and the note of it."""
    books, died = await told(fresh, stride=every(3))
    assert len(books.letters) == len(set(books.letters)) == TWICE
    assert all(letter.startswith(f"{TENANT}/invoice.created/") for letter in books.letters)
    assert books.states == (DeliveryState.SENT.value,) * TWICE
    assert [found for found in died if not is_whole(found, books)] == []
    assert sum(found.letters != books.letters for found in died) <= len(died) // 4


async def test_jobs_fired_twice_and_two_workers_send_each_letter_once(fresh):
    twice, died = await told(fresh, doubled=True, stride=every(40))
    assert len(twice.letters) == len(set(twice.letters)) == TWICE
    assert [found for found in died if not is_whole(found, twice)] == []
    both, died = await told(fresh, work=two_workers, stride=every(40))
    assert len(both.letters) == len(set(both.letters)) == TWICE
    assert [found for found in died if not is_whole(found, both)] == []


async def test_when_nobody_says_that_he_is_at_it_letters_go_twice(fresh, monkeypatch):
    begin = Dispatcher._begin

    async def unsaid(self, work, message_id):
        prepared = await begin(self, work, message_id)
        if prepared is not None:
            (delivery,) = (await work.messages.deliveries([message_id]))[message_id]
            await work.messages.put_delivery(type(delivery)(message_id=message_id, channel=delivery.channel))
        return prepared

    send = Letterbox.send

    async def slowly(self, mail):
        await asyncio.sleep(0.5)  # who is at it still is when the other one looks
        await send(self, mail)

    monkeypatch.setattr(Dispatcher, "_begin", unsaid)
    monkeypatch.setattr(Letterbox, "send", slowly)
    books, _ = await told(fresh, doubled=True, stride=1_000)
    assert len(books.letters) > TWICE

"""A small world of billing whose process dies at any step of its store, resumes, and goes on.

A step is a statement, a commit, or the moment after one: all that a crash can lie between.
"""

import asyncio
import sqlite3
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.billing.fees import CreateFee, create_fee
from tallygate.billing.recognising import RecognitionRunner
from tallygate.billing.running import BillingRunner
from tallygate.control_plane.accounts import UpsertAccount, upsert_account
from tallygate.control_plane.catalog import ApplyCatalog, apply_catalog
from tallygate.control_plane.subscription_changes import ChangePlan, change_plan
from tallygate.control_plane.tenants import CreateTenant, create_tenant
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog, Entitlement, Feature, FeatureKind, Plan
from tallygate.domain.errors import ConflictError
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.prices import Price, RecurringPrice, UsagePrice
from tallygate.jobs.scheduler import Scheduler
from tallygate.metering.collector import sort_out
from tallygate.metering.ports import Delivery
from tallygate.records.jobs import CLOSE, Job
from tallygate.records.ledger import RECOGNISE
from tallygate.records.publishing import OutboxPublisher
from tallygate.records.transactions import Transactions
from tallygate.storage.sql.billing.jobs import SqlJobQueue
from tallygate.storage.sql.billing.tables import invoice_lines, invoices, number_series
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.outbox import SqlOutbox
from tallygate.storage.sql.unit_of_work import SqlStore

TENANT = "t"
SECOND = 1_000_000
DAY = 86_400 * SECOND
NOVEMBER = 1_793_491_200 * SECOND  # 2026-11-01T00:00:00Z
DECEMBER, JANUARY = NOVEMBER + 30 * DAY, NOVEMBER + 61 * DAY
_LEASE = 61 * SECOND
_COMPILED: dict[Any, Any] = {}
"""Statements are compiled once for all the worlds of a process: most of what a world costs."""


class Killed(BaseException):
    """The process died here: nothing that catches an Exception notices."""


@dataclass(slots=True)
class Steps:
    """Counts what the store does, and dies at one of them."""

    kill_at: int = 0
    taken: int = 0

    def take(self) -> None:
        self.taken += 1
        if self.taken == self.kill_at:
            raise Killed

    def watch(self, engine: AsyncEngine) -> None:
        """Count the statements and commits of an engine from now on."""
        target, commit = engine.sync_engine, engine.sync_engine.dialect.do_commit

        def committed(connection: Any) -> None:
            self.take()
            commit(connection)
            self.take()

        target.dialect.do_commit = committed  # type: ignore[method-assign] # what a test may do
        event.listen(target, "before_cursor_execute", lambda *_: self.take())


def _hurried(connection: Any, _entry: Any) -> None:
    """No power is cut here: what a process wrote outlives it without waiting for the disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


class NoView:
    """Publishes to nobody: what billing does needs no view."""

    async def publish_catalog(self, snapshot: Any) -> None: ...
    async def publish_accounts(self, records: Any) -> None: ...
    async def publish_keys(self, keys: Any) -> None: ...
    async def finish(self, tenant_id: str, applied: int, changes: Any) -> None: ...
    async def is_intact(self) -> bool:
        return True

    async def begin(self) -> str:
        return ""

    async def mark_intact(self, begun: str) -> bool:  # noqa: ARG002 - as the real one
        return True


class NoBarrier:
    """Everything is collected when it is asked."""

    async def passed(self, tenant_id: str, account_ids: Any) -> None: ...


@dataclass(slots=True)
class World:
    """One database, and the process that works on it: a new one after each crash."""

    url: str
    steps: Steps
    now: int = NOVEMBER
    lease: int = 0
    doubled: bool = False
    durable: bool = False
    _engine: AsyncEngine | None = None
    _transactions: Transactions | None = None

    @property
    def engine(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = create_engine(self.url)
            self._engine.sync_engine.update_execution_options(compiled_cache=_COMPILED)
            if not self.durable and self.url.startswith("sqlite"):
                event.listen(self._engine.sync_engine, "connect", _hurried)
            self.steps.watch(self._engine)
        return self._engine

    @property
    def transactions(self) -> Transactions:
        if self._transactions is None:
            store, view = SqlStore(engine=self.engine), NoView()
            publisher = OutboxPublisher(store=store, outbox=SqlOutbox(engine=self.engine), views=view, keys=view)
            self._transactions = Transactions(store=store, publisher=publisher)
        return self._transactions

    async def die(self) -> None:
        """The process is gone with all that it held; leases that it took run out before the next one looks."""
        await self.close()
        self.lease += _LEASE

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()
        self._engine = self._transactions = None

    async def write(self, use_case: Callable[[Any, int], Awaitable[Any]]) -> Any:
        return (await self.transactions.write(TENANT, use_case, now=self.now)).value

    async def books(self) -> Any:
        """What histories are compared by."""
        return await read_books(self)

    def worker(self) -> Scheduler:
        runner = BillingRunner(transactions=self.transactions, barrier=NoBarrier(), clock=lambda: self.now)
        recognition = RecognitionRunner(transactions=self.transactions, clock=lambda: self.now)
        queue: Any = SqlJobQueue(engine=self.engine)
        return Scheduler(
            queue=Doubled(queue) if self.doubled else queue,
            handlers={CLOSE: runner.handle, RECOGNISE: recognition.handle},
            clock=lambda: self.now + self.lease,
        )


@dataclass(slots=True)
class Doubled:
    """A queue that gives each job out twice, as when a lease ran out while its holder still worked."""

    queue: SqlJobQueue

    async def claim(self, kinds: Any, *, now: int, until: int, limit: int) -> Sequence[Job]:
        return [job for job in await self.queue.claim(kinds, now=now, until=until, limit=limit) for _ in range(2)]

    async def failed(self, job: Job, *, retry_time: int, problem: str) -> None:
        await self.queue.failed(job, retry_time=retry_time, problem=problem)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does at a time, and does again when the process died under it."""

    at: int
    act: Callable[[World], Awaitable[Any]]


def catalog() -> Catalog:
    calls = Price(usage=UsagePrice(feature_key="calls", unit_amount="0.50"))

    def plan(key: str, amount: str) -> Plan:
        recurring = Price(recurring=RecurringPrice(amount=amount))
        return Plan(
            plan_key=key, version=1, entitlements={"calls": Entitlement(unlimited=True)}, prices=(recurring, calls)
        )

    return Catalog(
        currency="USD",
        billing=BillingPolicy(grace=0),
        features={"calls": Feature(feature_key="calls", kind=FeatureKind.METERED)},
        plans={"pro": {1: plan("pro", "10.00")}, "big": {1: plan("big", "40.00")}},
    )


async def opened(world: World) -> None:
    try:
        await create_tenant(world.transactions, CreateTenant(tenant_id=TENANT, test=False), now=world.now)
    except ConflictError:
        return  # it was opened before the crash


async def published(world: World) -> None:
    await world.write(lambda work, now: apply_catalog(work, ApplyCatalog(document=catalog()), now=now))


def subscribed(account_id: str) -> Callable[[World], Awaitable[None]]:
    async def act(world: World) -> None:
        request = UpsertAccount(account_id=account_id, plan_key="pro", trial_days=0)
        await world.write(lambda work, now: upsert_account(work, request, now=now, new_id=lambda: account_id))

    return act


def consumed(account_id: str, *quantities: int, at: int = 0) -> Callable[[World], Awaitable[None]]:
    """What the collector brings, again and again until it is acknowledged; it occurred then, or now."""

    async def act(world: World) -> None:
        deliveries = [
            Delivery(source=fact.source, raw=b"", fact=fact)
            for number, quantity in enumerate(quantities)
            for fact in [a_fact(account_id, at or world.now, number, quantity)]
        ]
        facts = [delivery.fact for delivery in deliveries if delivery.fact is not None]
        async with SqlLedger(world.engine).transaction() as transaction:
            await transaction.lock({TENANT})
            known = await transaction.known({(TENANT, account_id, fact.feature_key, fact.request_id) for fact in facts})
            await transaction.append(sort_out(deliveries, known).fresh)

    return act


def a_fact(account_id: str, at: int, number: int, quantity: int, **more: Any) -> UsageFact:
    started = NOVEMBER if at < DECEMBER else DECEMBER
    own = {
        "request_id": f"{at}-{number}",
        "subscription_id": f"sub_{account_id}",
        "plan_key": "pro",
        "plan_version": 1,
        "occurred_time": at,
        "recorded_time": at,
    }
    return UsageFact(
        tenant_id=TENANT,
        account_id=account_id,
        feature_key="calls",
        kind=FactKind.CONSUME,
        quantity=quantity,
        period_start=started,
        period_end=DECEMBER if started == NOVEMBER else JANUARY,
        source=FactSource(partition=0, epoch="e", entry_id=f"{at // 1000}-{number}"),
        **{**own, **more},
    )


def charged(account_id: str, fee_id: str, cents: int) -> Callable[[World], Awaitable[None]]:
    async def act(world: World) -> None:
        fee = CreateFee(account_id=account_id, currency="USD", text="Call", exact=Fraction(cents), fee_id=fee_id)
        await world.write(lambda work, now: create_fee(work, fee, now=now, new_id=lambda: fee_id))

    return act


def moved(account_id: str, plan_key: str) -> Callable[[World], Awaitable[None]]:
    async def act(world: World) -> None:
        change = ChangePlan(account_id=account_id, plan_key=plan_key)
        await world.write(lambda work, now: change_plan(work, change, now=now))

    return act


async def billed(world: World) -> None:
    """A worker runs until nothing is due."""
    worker = world.worker()
    while await worker.round():
        pass


def history(work: Callable[[World], Awaitable[None]] = billed) -> list[Act]:
    """Two accounts over two months: 10.00 a month and 0.50 a call, a fee, a change to 40.00 after half of November.

    4 calls of November come in December.
    """
    return [
        Act(NOVEMBER - DAY, opened),
        Act(NOVEMBER - DAY, published),
        Act(NOVEMBER, subscribed("acme")),
        Act(NOVEMBER, subscribed("globex")),
        Act(NOVEMBER, work),
        Act(NOVEMBER + 4 * DAY, consumed("acme", 30, 7)),
        Act(NOVEMBER + 9 * DAY, charged("acme", "f1", 500)),
        Act(NOVEMBER + 15 * DAY, moved("acme", "big")),
        Act(DECEMBER + SECOND, work),
        Act(DECEMBER + 3 * DAY, consumed("globex", 5)),
        Act(DECEMBER + 4 * DAY, consumed("acme", 4, at=NOVEMBER + 2 * DAY)),
        Act(JANUARY + SECOND, work),
    ]


async def lived(world: World, act: Act) -> None:
    """Do it, and do it again if the process died under it."""
    world.now = act.at
    try:
        await act.act(world)
    except Killed:
        await world.die()
        await act.act(world)


async def live(path: Path, acts: Sequence[Act], *, kill_at: int = 0, doubled: bool = False) -> "Books":
    """Live through a history in the migrated database there, dying once at a step; what the books are at its end."""
    world = World(f"sqlite:///{path}", Steps(kill_at=kill_at), doubled=doubled)
    try:
        for act in acts:
            await lived(world, act)
        return await read_books(world)
    finally:
        await world.close()


@dataclass(frozen=True, slots=True)
class Point:
    """What the database was before an act: how many steps led there, its file, and its rows."""

    steps: int
    file: bytes
    rows: str


@dataclass(frozen=True, slots=True)
class Story:
    """A history that nothing disturbed; one point more than acts."""

    acts: Sequence[Act]
    points: Sequence[Point]
    books: Any
    doubled: bool = False
    world: type[World] = World

    @property
    def steps(self) -> int:
        return self.points[-1].steps


async def undisturbed(path: Path, acts: Sequence[Act], *, doubled: bool = False, world: type[World] = World) -> Story:
    """Live through a history, and note what it passes."""
    kind, points = world, []
    world = kind(f"sqlite:///{path}", Steps(), doubled=doubled)
    for act in acts:
        points.append(await point(world, path))
        await lived(world, act)
    points.append(await point(world, path))
    books = await world.books()
    await world.close()
    return Story(acts, points, books, doubled, kind)


async def dying(path: Path, story: Story, step: int) -> Any:
    """The books of a history in which the process dies at a step.

    It begins with the act that the step falls into. Once every row is what it was without a death, so is all the rest.
    """
    first = bisect_left([each.steps for each in story.points], step) - 1
    restored(path, story.points[first])
    steps = Steps(kill_at=step, taken=story.points[first].steps)
    world = story.world(f"sqlite:///{path}", steps, doubled=story.doubled)
    try:
        for number, act in enumerate(story.acts[first:], start=first + 1):
            await lived(world, act)
            if (await point(world, path)).rows == story.points[number].rows:
                return story.books
        return await world.books()
    finally:
        await world.close()


async def point(world: World, path: Path) -> Point:
    """What the database is now; the process lets go of it."""
    await world.close()
    return read_point(path, world.steps.taken)


def read_point(path: Path, steps: int) -> Point:
    with closing(sqlite3.connect(path)) as connection:
        rows = "\n".join(connection.iterdump())
    return Point(steps, path.read_bytes(), rows)


def restored(path: Path, point: Point) -> None:
    path.write_bytes(point.file)


@dataclass(frozen=True, slots=True)
class Books:
    """What was issued, whatever the order: documents, lines, numbers."""

    documents: tuple[tuple[Any, ...], ...]
    lines: tuple[tuple[Any, ...], ...]
    numbers: tuple[str, ...]
    next_numbers: dict[str, int]
    order: tuple[tuple[str, int], ...] = field(compare=False)
    """Account and end of period of each document, by number."""


async def read_books(world: World) -> Books:
    world.steps.kill_at = 0
    async with world.engine.connect() as connection:
        documents = (await connection.execute(select(invoices))).all()
        lines = (await connection.execute(select(invoice_lines))).all()
        series = (await connection.execute(select(number_series))).all()
    return Books(
        documents=tuple(
            sorted((d.invoice_id, d.account_id, d.kind, d.period_end, d.total, d.issue_time) for d in documents)
        ),
        lines=tuple(sorted((line.line_key, line.invoice_id, line.exact, line.amount) for line in lines)),
        numbers=tuple(sorted(d.number for d in documents)),
        next_numbers={one.series: one.next_number for one in series},
        order=tuple((d.account_id, d.period_end) for d in sorted(documents, key=lambda d: d.number[-6:])),
    )


async def two_workers(world: World) -> None:
    """Two workers at once, until neither finds anything."""
    workers = [world.worker(), world.worker()]
    while sum(found for found in await asyncio.gather(*(worker.round() for worker in workers))):
        pass

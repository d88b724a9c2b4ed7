"""When to look at what: a row a kind and subject. Losing a claim is harmless, for what is done is in the data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, bindparam, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallygate.records.app_charges import CHARGES
from tallygate.records.jobs import CLOSE, Job
from tallygate.records.messages import NOTICE, USAGE_LIMIT
from tallygate.storage.sql.billing.drafts import forget_drafts
from tallygate.storage.sql.billing.tables import jobs
from tallygate.storage.sql.engine import writing
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import AccountRow, CatalogItemRow, TenantRow
from tallygate.storage.sql.scope import Scope, Wanted, table_of

_tenants = table_of(TenantRow)
_LONGEST_PROBLEM = 500
_SUBJECT = ("tenant_id", "kind", "subject")
_KEY = (*_SUBJECT, "due_time")
_SAME = tuple(jobs.c[name] == bindparam(f"its_{name}") for name in _KEY)
_OVER = delete(jobs).where(*(jobs.c[name] == bindparam(f"its_{name}") for name in _SUBJECT))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlJobRepository:
    """Jobs of one tenant, in its unit of work."""

    scope: Scope

    async def schedule(self, kind: str, subject: str, *, due_time: int, retry_time: int = 0) -> None:
        """Look at it then, and no more at what was planned before; nor, of real time, before `retry_time`."""
        self.scope.changes.jobs[kind, subject] = Wanted(due_time=due_time, retry_time=retry_time)

    async def hasten(self, kind: str, subject: str, *, due_time: int) -> None:
        """Look at it then, or when it was planned before if that is sooner."""
        before = self.scope.changes.jobs.get((kind, subject), Wanted(due_time=due_time, sooner=True))
        sooner = due_time if before.due_time is None else min(before.due_time, due_time)
        self.scope.changes.jobs[kind, subject] = replace(before, due_time=sooner)

    async def done(self, kind: str, subject: str) -> None:
        """There is nothing to look at any more."""
        self.scope.changes.jobs[kind, subject] = Wanted(due_time=None)

    async def due(self, kind: str, *, now: int, limit: int, subject: str = "") -> Sequence[Job]:
        """What is due, oldest first; of one subject where it is named."""
        await note_jobs(self.scope)
        query = select(jobs).where(
            jobs.c.tenant_id == self.scope.tenant_id, jobs.c.kind == kind, jobs.c.due_time <= now
        )
        if subject:
            query = query.where(jobs.c.subject == subject)
        rows = await self.scope.rows(query.order_by(jobs.c.due_time, jobs.c.subject).limit(limit))
        return [_job(row._mapping) for row in rows]  # noqa: SLF001 - public in spite of its name


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlJobQueue:
    """Jobs of all tenants, for the worker."""

    engine: AsyncEngine

    async def claim(self, kinds: Collection[str], *, now: int, until: int, limit: int) -> Sequence[Job]:
        """Jobs of some kinds that are due, oldest first, left to this worker until an instant; `now` is real time.

        A tenant's jobs fall due by its own clock; the claim is of real time.
        """
        with translated():
            async with writing(self.engine) as connection:
                offsets = (await connection.execute(select(_tenants.c.clock_offset).distinct())).scalars().all()
                ripe = [_ripe(now, offset) for offset in offsets]
                query = (
                    select(jobs)
                    .join(_tenants, _tenants.c.tenant_id == jobs.c.tenant_id)
                    .where(jobs.c.kind.in_(sorted(kinds)), jobs.c.retry_time <= now)
                    .where(or_(jobs.c.due_time <= _tenants.c.clock_time, *ripe))
                    .order_by(jobs.c.due_time, jobs.c.tenant_id, jobs.c.subject)
                    .limit(limit)
                    .with_for_update(of=jobs, skip_locked=True)
                )
                rows = (await connection.execute(query)).mappings().all()
                if rows:
                    leased = update(jobs).where(*_SAME).values(retry_time=until)
                    await connection.execute(leased, [{f"its_{name}": row[name] for name in _KEY} for row in rows])
        return [_job(row) for row in rows]

    async def failed(self, job: Job, *, retry_time: int, problem: str) -> None:
        """Look at it again then; what was planned meanwhile stays."""
        values = {"retry_time": retry_time, "attempts": jobs.c.attempts + 1, "problem": problem[:_LONGEST_PROBLEM]}
        where = (jobs.c.tenant_id == job.tenant_id, jobs.c.kind == job.kind, jobs.c.subject == job.subject)
        with translated():
            async with writing(self.engine) as connection:
                await connection.execute(update(jobs).where(*where).values(**values))


async def note_jobs(scope: Scope) -> None:
    """Write when to look at what, as this transaction wants it by now: a statement a way, however many."""
    wanted, scope.changes.jobs = scope.changes.jobs, {}
    own = {"tenant_id": scope.tenant_id}
    rows = [
        (each, {**own, "kind": kind, "subject": subject, **planned(each.due_time or 0), "retry_time": each.retry_time})
        for (kind, subject), each in wanted.items()
    ]
    over = [{f"its_{name}": row[name] for name in _SUBJECT} for each, row in rows if each.due_time is None]
    if over:
        await scope.connection.execute(_OVER, over)
    fixed = [row for each, row in rows if each.due_time is not None and not each.sooner]
    await scope.upsert_into(jobs, fixed)
    sooner = [row for each, row in rows if each.sooner]
    if sooner:
        await scope.connection.execute(_hastened(sqlite=scope.connection.dialect.name == "sqlite"), sooner)


@cache
def _hastened(*, sqlite: bool) -> Executable:
    """Jobs that are due then, or when they were planned if that was sooner; a new time is all that changes of one."""
    made = (sqlite_insert if sqlite else postgres_insert)(jobs)
    later = jobs.c.due_time > made.excluded.due_time
    return made.on_conflict_do_update(
        index_elements=list(_SUBJECT), set_={"due_time": made.excluded.due_time}, where=later
    )


async def look_at_limits(connection: AsyncConnection, reached: Sequence[tuple[str, str]], now: int) -> None:
    """Let billing tell of limits that were reached, by tenant and subject."""
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    rows = [
        {"tenant_id": tenant, "kind": USAGE_LIMIT, "subject": subject, **planned(now)} for tenant, subject in reached
    ]
    await connection.execute(make(jobs).on_conflict_do_nothing(), rows)


async def bills(scope: Scope) -> bool:
    """Whether the tenant bills."""
    items = table_of(CatalogItemRow)
    section = select(items.c.key).where(scope.own(CatalogItemRow), items.c.kind == "billing").limit(1)
    return bool(await scope.rows(section))


async def _has_products(scope: Scope) -> bool:
    """Whether the tenant knows apps, which may tell charges of their own."""
    items = table_of(CatalogItemRow)
    query = select(items.c.key).where(scope.own(CatalogItemRow), items.c.kind == "product").limit(1)
    return bool(await scope.rows(query))


async def look_again(scope: Scope) -> None:
    """Let billing look at every account that this transaction changed; where it changed billing itself, at all."""
    ids = list({**scope.changes.accounts, **scope.changes.charged})
    told = list({**scope.changes.noticed, **{change.account_id: None for change in scope.changes.history}})
    if not (ids or told or scope.changes.billing) or not await bills(scope):
        return
    if scope.changes.billing:
        await forget_drafts(scope)
        query = select(table_of(AccountRow).c.account_id).where(scope.own(AccountRow))
        ids = told = [row.account_id for row in await scope.rows(query)]
    wanted = [*((CLOSE, account_id) for account_id in ids), *((NOTICE, account_id) for account_id in told)]
    if told and await _has_products(scope):
        wanted += [(CHARGES, account_id) for account_id in told]
    fixed = {"tenant_id": scope.tenant_id, **planned(scope.now)}
    rows = [{"kind": kind, "subject": account_id, **fixed} for kind, account_id in wanted]
    if rows:
        await scope.connection.execute(_sooner(sqlite=scope.connection.dialect.name == "sqlite"), rows)


@cache
def _sooner(*, sqlite: bool) -> Executable:
    """Jobs to try anew, when they were due before if that was sooner: what a clock leapt over keeps its order."""
    made = (sqlite_insert if sqlite else postgres_insert)(jobs)
    wanted = made.excluded
    anew = {name: wanted[name] for name in ("retry_time", "attempts", "problem")}
    first = case((jobs.c.due_time < wanted.due_time, jobs.c.due_time), else_=wanted.due_time)
    return made.on_conflict_do_update(index_elements=["tenant_id", "kind", "subject"], set_={"due_time": first, **anew})


def _ripe(now: int, offset: int) -> ColumnElement[bool]:
    """It is due by a clock that runs so far ahead; one that stands is compared as it stands."""
    running = _tenants.c.clock_time.is_(None) & (_tenants.c.clock_offset == offset)
    return running & (jobs.c.due_time <= now + offset)


def planned(due_time: int) -> dict[str, Any]:
    """The columns of a job that nobody has tried yet."""
    return {"due_time": due_time, "retry_time": 0, "attempts": 0, "problem": ""}


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(
        tenant_id=row["tenant_id"],
        kind=row["kind"],
        subject=row["subject"],
        due_time=row["due_time"],
        attempts=row["attempts"],
    )

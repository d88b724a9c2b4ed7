"""Usage read from the log of facts: sums in the database, levels as they occurred."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, case, false, func, literal, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot
from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import CountedPeriod, Meter, PeriodTotal, Sample
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.metering.counts import overwritten
from tallygate.storage.sql.metering.pots import pots_paid
from tallygate.storage.sql.metering.tables import billable_events

_EVENTS = billable_events.c
_NOTHING: Select[Any] = select()
_IN_ORDER = (_EVENTS.occurred_time, _EVENTS.recorded_time, _EVENTS.sequence)


class _Member(FunctionElement[str]):
    """The text that a JSON object holds under a key, whatever characters that key has; NULL where there is none."""

    type = Text()
    inherit_cache = True
    name = "member"


@compiles(_Member)
def _member(element: _Member, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    document, key = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({document} ->> {key})"


@compiles(_Member, "sqlite")
def _member_on_sqlite(element: _Member, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    document, key = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(SELECT j.value FROM json_each({document}) AS j WHERE j.key = {key})"  # noqa: S608 - both are compiled clauses, values are bound


class SqlUsageReader:
    """Reads one meter's facts; the arithmetic that SQL does is sum, max and count."""

    __slots__ = ("_engine",)

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def periods(self, meter: Meter, start: int, end: int) -> Sequence[CountedPeriod]:
        """Periods by start; a reset's own is [when it happened, end of the period that it cut)."""
        opened = case((_EVENTS.kind == FactKind.RESET.value, _EVENTS.occurred_time), else_=_EVENTS.period_start)
        wanted = select(opened.label("opened"), _EVENTS.period_end, _apart(meter))
        rows = _overlapping(wanted, meter, start, end).subquery()
        query = select(rows.c.opened, func.max(rows.c.period_end), rows.c.apart)
        query = query.group_by(rows.c.opened, rows.c.apart).order_by(rows.c.opened)
        with translated():
            async with self._engine.connect() as connection:
                return [
                    CountedPeriod(period=UsagePeriod(first, last), apart=bool(apart))
                    for first, last, apart in await connection.execute(query)
                    if first < last
                ]

    async def totals(
        self, meter: Meter, start: int, end: int, kinds: Collection[FactKind], *, unique_by: str = ""
    ) -> Sequence[PeriodTotal]:
        """Add up in the database."""
        member = _dimension(unique_by) if unique_by else _EVENTS.user_id
        wanted = select(_EVENTS.period_start, _apart(meter), _EVENTS.quantity, _group(meter), member.label("member"))
        with translated():
            async with self._engine.connect() as connection:
                counts = and_(_EVENTS.kind.in_(_texts(kinds)), await _in_force(connection, meter, start, end))
                query = _added_up(_overlapping(wanted, meter, start, end).where(counts))
                found = (await connection.execute(query)).all()
                burnt = FactKind.CONSUME in kinds and not meter.group_by
                paying = _overlapping(_NOTHING, meter, start, end).where(counts)
                pots = await pots_paid(connection, paying, _apart(meter)) if burnt else {}
        return [_total(row, pots.get((row.period_start, bool(row.apart)), ())) for row in found]

    async def samples(self, meter: Meter, start: int, end: int, kinds: Collection[FactKind]) -> AsyncIterator[Sample]:
        """Stream rows, a page of them in memory at a time."""
        query = _levels(meter, kinds).where(_EVENTS.occurred_time >= start, _EVENTS.occurred_time < end)
        with translated():
            async with self._engine.connect() as connection:
                result = await connection.stream(query.order_by(*_IN_ORDER))
                async for occurred_time, level, group in result:
                    yield Sample(occurred_time=occurred_time, level=level, group=group)

    async def last_before(self, meter: Meter, instant: int, kinds: Collection[FactKind]) -> Sequence[Sample]:
        """Without groups one look into the index; with them a scan of the meter's facts before `instant`."""
        newest = [key.desc() for key in _IN_ORDER]
        query = _levels(meter, kinds).where(_EVENTS.occurred_time < instant)
        if meter.group_by:
            rank = func.row_number().over(partition_by=_dimension(meter.group_by), order_by=newest)
            ranked = query.add_columns(rank.label("rank")).subquery()
            query = select(ranked.c.occurred_time, ranked.c.quantity, ranked.c.group).where(ranked.c.rank == 1)
        else:
            query = query.order_by(*newest).limit(1)
        with translated():
            async with self._engine.connect() as connection:
                return [
                    Sample(occurred_time=occurred_time, level=level, group=group)
                    for occurred_time, level, group in await connection.execute(query)
                ]


async def _in_force(connection: AsyncConnection, meter: Meter, start: int, end: int) -> ColumnElement[bool]:
    """What of the facts counts: where resets came at one instant, of a clock that stands, what came after the last."""
    resets = _overlapping(select(_EVENTS.period_start), meter, start, end).where(_EVENTS.kind == FactKind.RESET.value)
    again = (await connection.scalars(resets.group_by(_EVENTS.period_start).having(func.count() > 1))).all()
    return not_(and_(_EVENTS.period_start.in_(again), overwritten())) if again else true()


def _added_up(facts: Select[Any]) -> Select[Any]:
    rows = facts.subquery()
    return select(
        rows.c.period_start,
        rows.c.apart,
        rows.c.group,
        func.sum(rows.c.quantity).label("total"),
        func.max(rows.c.quantity).label("greatest"),
        func.count(func.nullif(rows.c.member, "").distinct()).label("members"),
        func.count().label("facts"),
    ).group_by(rows.c.period_start, rows.c.apart, rows.c.group)


def _total(row: Row[Any], pots: tuple[Pot, ...]) -> PeriodTotal:
    return PeriodTotal(
        period_start=row.period_start,
        group=row.group,
        total=int(row.total),
        greatest=row.greatest,
        distinct=row.members,
        count=row.facts,
        pots=pots,
        apart=bool(row.apart),
    )


def _levels(meter: Meter, kinds: Collection[FactKind]) -> Select[Any]:
    query = select(_EVENTS.occurred_time, _EVENTS.quantity, _group(meter))
    return _of(query, meter).where(_EVENTS.kind.in_(_texts(kinds)))


def _overlapping(query: Select[Any], meter: Meter, start: int, end: int) -> Select[Any]:
    return _of(query, meter).where(_EVENTS.period_start < end, _EVENTS.period_end > start)


def _of(query: Select[Any], meter: Meter) -> Select[Any]:
    return query.where(
        _EVENTS.tenant_id == meter.tenant_id,
        _EVENTS.account_id == meter.account_id,
        _EVENTS.feature_key == meter.feature_key,
    )


def _apart(meter: Meter) -> ColumnElement[int]:
    """1 of what a trial counted with which another period begins."""
    apart = and_(_EVENTS.trial, _EVENTS.period_start.in_(meter.apart)) if meter.apart else false()
    return case((apart, 1), else_=0).label("apart")


def _group(meter: Meter) -> ColumnElement[str]:
    value = func.coalesce(_dimension(meter.group_by), "") if meter.group_by else literal("")
    return value.label("group")


def _dimension(key: str) -> ColumnElement[str]:
    return _Member(_EVENTS.dimensions, literal(key, Text))


def _texts(kinds: Collection[FactKind]) -> list[str]:
    return sorted(kind.value for kind in kinds)

"""The facts of many accounts at once, added up as counters need them. Nothing is read but these accounts' own rows."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    not_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.tenant_clock import TenantClock
from tallygate.metering.recounting import (
    AccountId,
    CountedIn,
    Effect,
    Facts,
    LastLevel,
    LastReset,
    Observed,
    Paid,
)
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.metering.effects import effects_since, read_effects
from tallygate.storage.sql.metering.pots import each_pot, member_of
from tallygate.storage.sql.metering.tables import billable_events
from tallygate.storage.sql.models import AccountRow, TenantRow
from tallygate.storage.sql.scope import table_of

_EVENTS = billable_events.c
_accounts, _tenants = table_of(AccountRow).c, table_of(TenantRow).c
_PAGE = 5_000
_WHOLE_TABLES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
_METER = (_EVENTS.tenant_id, _EVENTS.account_id, _EVENTS.feature_key)
_PERIOD = (_EVENTS.period_start, _EVENTS.trial)
_DELTAS = (FactKind.CONSUME.value, FactKind.REFUND.value)
_POT_KINDS = {kind.value: kind for kind in PotKind}
_MS_DIGITS = 13
"""Of an entry id's milliseconds, from 2001 to 2286."""


class SqlCountedFacts:
    """`CountedFacts` over the log of facts."""

    __slots__ = ("_engine",)

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def accounts(self) -> AsyncIterator[Sequence[AccountId]]:
        """Every account that there is, in pages."""
        after: AccountId = ("", "")
        key = tuple_(_accounts.tenant_id, _accounts.account_id)
        while True:
            query = select(_accounts.tenant_id, _accounts.account_id).order_by(*key)
            rows = await self._all(query.where(key > after).limit(_PAGE))
            if not rows:
                return
            yield [(tenant_id, account_id) for tenant_id, account_id in rows]
            after = rows[-1][0], rows[-1][1]

    async def clocks(self) -> Mapping[str, TenantClock]:
        """Each tenant's clock."""
        rows = await self._all(select(_tenants.tenant_id, _tenants.clock_offset, _tenants.clock_time))
        return {tenant_id: TenantClock(offset=offset, standing=standing) for tenant_id, offset, standing in rows}

    async def facts(self, accounts: Collection[AccountId], *, until: str = "") -> Facts:
        """Sums in the database; all in one transaction, so that no fact is in one of them and not in another."""
        bound = _until(until) if until else true()
        with translated():
            async with self._looking_up() as connection:
                paid = await _paid(connection, accounts, bound)
                level, reset = await _others(connection, accounts)
                observed = and_(bound, not_(overwritten())) if reset else bound
                return Facts(
                    paid=paid,
                    observed=await _observed(connection, level, observed) if level else (),
                    levels=await _levels(connection, level, bound) if level else (),
                    resets=await _resets(connection, reset, bound) if reset else (),
                    overwritten=await _paid(connection, reset, and_(bound, overwritten())) if reset else (),
                )

    async def effects(self, accounts: Collection[AccountId], since: int) -> Sequence[Effect]:
        """Row by row, what the store took since then by its own clock, which entry ids begin with; and resets."""
        with translated():
            async with self._looking_up() as connection:
                return await read_effects(connection, _of(connection, effects_since(connection, since), accounts))

    @asynccontextmanager
    async def _looking_up(self) -> AsyncIterator[AsyncConnection]:
        """A connection that looks accounts up by index, however little the planner knows of a table that has grown.

        PostgreSQL would join a few hundred accounts with all facts that there are, and so read these anew each time.
        """
        async with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(select(*(func.set_config(name, "off", true()) for name in _WHOLE_TABLES)))
            yield connection

    async def _all(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).all()


async def _paid(connection: AsyncConnection, accounts: Collection[AccountId], bound: ColumnElement[bool]) -> list[Paid]:
    pots = each_pot(connection)
    kind, grant_id = member_of(connection, pots, "kind"), member_of(connection, pots, "grant_id")
    units = cast(member_of(connection, pots, "quantity"), BigInteger)
    told = kind.label("pot"), grant_id.label("grant_id"), units.label("units")
    facts = select(*_METER, *_PERIOD, _EVENTS.period_end, *told)
    facts = _of(connection, facts, accounts, pots).where(_EVENTS.kind.in_(_DELTAS), bound)
    each = facts.subquery().c
    keys = (each.tenant_id, each.account_id, each.feature_key, each.period_start, each.trial, each.pot, each.grant_id)
    query = select(*keys, func.max(each.period_end), func.sum(each.units)).group_by(*keys)
    return [
        Paid(
            meter=(tenant, account, feature),
            period=CountedIn(start=start, end=end, trial=trial),
            pot=Pot(kind=_POT_KINDS[name], quantity=int(total), grant_id=grant),
        )
        for tenant, account, feature, start, trial, name, grant, end, total in await connection.execute(query)
    ]


async def _others(
    connection: AsyncConnection, accounts: Collection[AccountId]
) -> tuple[Collection[AccountId], Collection[AccountId]]:
    """Those of these accounts that have levels, and those that have resets: few have any."""
    query = select(*_METER[:2], _EVENTS.kind).distinct()
    wanted = [FactKind.LEVEL.value, FactKind.RESET.value]
    rows = await connection.execute(_of(connection, query, accounts).where(_EVENTS.kind.in_(wanted)))
    found: dict[str, list[AccountId]] = {kind: [] for kind in wanted}
    for tenant, account, kind in rows:
        found[kind].append((tenant, account))
    return found[FactKind.LEVEL.value], found[FactKind.RESET.value]


async def _observed(
    connection: AsyncConnection, accounts: Collection[AccountId], bound: ColumnElement[bool]
) -> list[Observed]:
    """The last fact of each period, in the order in which they were admitted."""
    keys = (*_METER, *_PERIOD)
    newest = (_EVENTS.recorded_time.desc(), *_last_entry())
    rank = func.row_number().over(partition_by=keys, order_by=newest).label("rank")
    latest = func.max(_EVENTS.occurred_time).over(partition_by=keys).label("latest")
    facts = select(*keys, _EVENTS.period_end, _EVENTS.used, _EVENTS.quantity, _EVENTS.reason, latest, rank)
    facts = _of(connection, facts, accounts).where(_EVENTS.kind == FactKind.LEVEL.value, bound)
    each = facts.subquery()
    return [
        Observed(
            meter=(row.tenant_id, row.account_id, row.feature_key),
            period=CountedIn(start=row.period_start, end=row.period_end, trial=row.trial),
            used=row.quantity if row.reason is None else row.used,
            level_time=row.latest,
        )
        for row in await connection.execute(select(each).where(each.c.rank == 1))
    ]


async def _levels(
    connection: AsyncConnection, accounts: Collection[AccountId], bound: ColumnElement[bool]
) -> list[LastLevel]:
    """The last level of each meter, in the order in which they occurred; of two at once the one admitted later."""
    newest = (_EVENTS.occurred_time.desc(), _EVENTS.recorded_time.desc(), *_last_entry())
    rank = func.row_number().over(partition_by=_METER, order_by=newest).label("rank")
    facts = select(*_METER, _EVENTS.quantity, _EVENTS.occurred_time, rank)
    each = _of(connection, facts, accounts).where(_EVENTS.kind == FactKind.LEVEL.value, bound).subquery()
    return [
        LastLevel(
            meter=(row.tenant_id, row.account_id, row.feature_key), level=row.quantity, occurred_time=row.occurred_time
        )
        for row in await connection.execute(select(each).where(each.c.rank == 1))
    ]


async def _resets(
    connection: AsyncConnection, accounts: Collection[AccountId], bound: ColumnElement[bool]
) -> list[LastReset]:
    keys = (*_METER, _EVENTS.trial)
    facts: Select[Any] = select(*keys, func.max(_EVENTS.occurred_time).label("last")).group_by(*keys)
    facts = _of(connection, facts, accounts).where(_EVENTS.kind == FactKind.RESET.value, bound)
    return [
        LastReset(meter=(row.tenant_id, row.account_id, row.feature_key), time=row.last, trial=row.trial)
        for row in await connection.execute(facts)
    ]


def _place(entry_id: Any) -> tuple[ColumnElement[Any], ...]:  # noqa: ANN401 - a column, or a text
    """What entry ids are ordered by, of digits alone: no collation orders those in another way."""
    return func.substr(entry_id, 1, _MS_DIGITS), func.length(entry_id), func.substr(entry_id, _MS_DIGITS + 2)


def _last_entry() -> tuple[ColumnElement[Any], ...]:
    """What was admitted last comes first: an account's facts are in one stream, of which collectors may take turns."""
    return tuple(column.desc() for column in _place(_EVENTS.entry_id))


def _until(entry_id: str) -> ColumnElement[bool]:
    return tuple_(*_place(_EVENTS.entry_id)) <= tuple_(entry_id[:_MS_DIGITS], len(entry_id), entry_id[_MS_DIGITS + 1 :])


def overwritten() -> ColumnElement[bool]:
    """Whether a reset came after this fact in the very instant in which its period had begun."""
    reset = billable_events.alias("reset").c
    same = [reset[column.name] == column for column in (*_METER, *_PERIOD)]
    later = tuple_(*_place(reset.entry_id)) > tuple_(*_place(_EVENTS.entry_id))
    return exists().where(reset.kind == FactKind.RESET.value, *same, later)


def _of(
    connection: AsyncConnection,
    query: Select[Any],
    accounts: Collection[AccountId],
    *more: Any,  # noqa: ANN401 - whatever can be selected from
) -> Select[Any]:
    """Restrict a query to accounts: joined as one value, for a long IN of rows is slow to compile and to plan."""
    if connection.dialect.name == "postgresql":
        arrays = [bindparam(None, list(part), ARRAY(Text)) for part in zip(*accounts, strict=True)]
        wanted = func.unnest(*arrays).table_valued("tenant_id", "account_id").render_derived(name="wanted")
        same = and_(_EVENTS.tenant_id == wanted.c.tenant_id, _EVENTS.account_id == wanted.c.account_id)
    else:
        wanted = func.json_each(json.dumps(list(accounts))).table_valued("value", name="wanted")
        tenant, account = (func.json_extract(wanted.c.value, f"$[{place}]") for place in range(2))
        same = and_(_EVENTS.tenant_id == tenant, _EVENTS.account_id == account)
    return query.select_from(wanted, billable_events, *more).where(same)

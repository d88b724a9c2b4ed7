"""How much of the refunds in a batch was ever charged, by what the log holds of their periods."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, Text, bindparam, cast, func, select, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.domain.event import FactKind, UsageFact
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.refunded import Period, PeriodUnits, period_of, refunding
from tallygate.storage.sql.metering.pots import each_pot, member_of
from tallygate.storage.sql.metering.tables import UNCHARGED, billable_events
from tallygate.storage.sql.models import Instant

_EVENTS = billable_events.c
_PERIOD = (_EVENTS.tenant_id, _EVENTS.account_id, _EVENTS.feature_key, _EVENTS.period_start)
_DELTAS = (FactKind.CONSUME.value, FactKind.REFUND.value)


async def as_charged(connection: AsyncConnection, facts: Sequence[UsageFact]) -> Sequence[UsageFact]:
    """The facts of a batch in its order, refunds with what of them was never charged.

    The tenants must be locked: then the log holds all that was recorded before. Most batches ask it nothing, and of a
    period without any unit that was not charged, as most are, nothing but that is asked.
    """
    periods = refunding(facts)
    if not periods:
        return facts
    here = {period_of(fact) for fact in facts if not fact.billable}
    mixed = {each for each in periods if each in here} | await _mixed(connection, periods)
    if not mixed:
        return facts
    units = await _units(connection, mixed)
    return [units[each].recorded(fact) if (each := period_of(fact)) in units else fact for fact in facts]


async def _mixed(connection: AsyncConnection, periods: Collection[Period]) -> set[Period]:
    """Those periods that hold units which were not charged: by an index of these alone."""
    query = select(*_PERIOD).distinct().where(text(UNCHARGED), _EVENTS.kind.in_(_DELTAS))
    rows = await connection.execute(_of(connection, query, periods))
    return {(tenant, account, feature, start) for tenant, account, feature, start in rows}


async def _units(connection: AsyncConnection, periods: Collection[Period]) -> dict[Period, PeriodUnits]:
    """What the log holds of these periods."""
    pots = each_pot(connection)
    kind = member_of(connection, pots, "kind")
    told = [cast(member_of(connection, pots, name), BigInteger) for name in ("quantity", "uncharged")]
    query = select(*_PERIOD, _EVENTS.billable, kind.label("pot"), told[0].label("paid"), told[1].label("uncharged"))
    query = query.where(_EVENTS.trial.is_(False), _EVENTS.kind.in_(_DELTAS))
    each = _of(connection, query, periods, pots).subquery().c
    keys = each.tenant_id, each.account_id, each.feature_key, each.period_start, each.billable, each.pot
    sums = func.sum(each.paid), func.coalesce(func.sum(each.uncharged), 0)
    units = {period: PeriodUnits() for period in periods}
    for tenant, account, feature, start, billable, name, paid, uncharged in await connection.execute(
        select(*keys, *sums).group_by(*keys)
    ):
        pot = Pot(kind=PotKind(name), quantity=int(paid), uncharged=int(uncharged))
        units[tenant, account, feature, start].add(pot, billable=billable)
    return units


def _of(
    connection: AsyncConnection,
    query: Select[Any],
    periods: Collection[Period],
    *more: Any,  # noqa: ANN401 - whatever can be selected from
) -> Select[Any]:
    """Restrict a query to periods: joined as one value, for a long IN of rows is slow to compile and to plan."""
    names = [column.name for column in _PERIOD]
    if connection.dialect.name == "postgresql":
        types: Any = (Text(), Text(), Text(), Instant())
        parts = zip(types, zip(*periods, strict=True), strict=True)
        arrays = [bindparam(None, list(part), ARRAY(kind)) for kind, part in parts]
        wanted = func.unnest(*arrays).table_valued(*names).render_derived(name="wanted")
        same = [column == wanted.c[name] for column, name in zip(_PERIOD, names, strict=True)]
    else:
        as_kept: Any = _EVENTS.period_start.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        values = [(*meter, as_kept(start)) for *meter, start in periods]
        wanted = func.json_each(json.dumps(values)).table_valued("value", name="wanted")
        told = [func.json_extract(wanted.c.value, f"$[{place}]") for place in range(len(names))]
        same = [type_coerce(column, Text) == value for column, value in zip(_PERIOD, told, strict=True)]
    return query.select_from(wanted, billable_events, *more).where(*same)

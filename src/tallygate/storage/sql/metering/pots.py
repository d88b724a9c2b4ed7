"""What each pot paid, added up in the database: the pots of a fact are a JSON array."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.storage.sql.metering.tables import billable_events

_EVENTS = billable_events.c
_BURN_ORDER = (PotKind.INCLUDED, PotKind.GRANT, PotKind.OVERAGE)


async def pots_paid(
    connection: AsyncConnection, facts: Select[Any], apart: ColumnElement[int]
) -> Mapping[tuple[int, bool], tuple[Pot, ...]]:
    """What the pots paid for these facts, refunds taken off, by the start of their period, and which one `apart` says.

    `facts` selects nothing.
    """
    pots = each_pot(connection)
    kind, grant_id = member_of(connection, pots, "kind"), member_of(connection, pots, "grant_id")
    paid = cast(member_of(connection, pots, "quantity"), BigInteger).label("paid")
    query = facts.add_columns(_EVENTS.period_start, apart, kind.label("kind"), grant_id.label("grant_id"), paid)
    rows = query.select_from(billable_events, pots).subquery()
    keys = rows.c.period_start, rows.c.apart, rows.c.kind, rows.c.grant_id
    found: dict[tuple[int, bool], list[Pot]] = defaultdict(list)
    for start, other, name, grant, quantity in await connection.execute(
        select(*keys, func.sum(rows.c.paid)).group_by(*keys)
    ):
        if quantity:
            found[start, bool(other)].append(Pot(kind=PotKind(name), quantity=int(quantity), grant_id=grant))
    return {period: tuple(sorted(paying, key=_order)) for period, paying in found.items()}


def _order(pot: Pot) -> tuple[int, str]:
    return _BURN_ORDER.index(pot.kind), pot.grant_id


def each_pot(connection: AsyncConnection) -> FromClause:
    """One row a pot; implicitly joined to its fact."""
    if connection.dialect.name == "sqlite":
        return func.json_each(_EVENTS.pots).table_valued("value", joins_implicitly=True, name="pot")
    elements = func.jsonb_array_elements(_EVENTS.pots)
    return elements.table_valued(column("value", JSONB), joins_implicitly=True, name="pot").render_derived()


def member_of(connection: AsyncConnection, pots: FromClause, name: str) -> ColumnElement[Any]:
    """What each pot says of itself under this name."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(pots.c.value, f"$.{name}")
    member: ColumnElement[Any] = pots.c.value[name].astext
    return member

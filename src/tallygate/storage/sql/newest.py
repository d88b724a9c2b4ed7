"""Rows in the order in which they were added, where many are of one instant: what lists newest first, and oldest first.

A tenant's writes come one after another, so what was added later has the greater number, whatever it is called.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Select,
    and_,
    bindparam,
    false,
    or_,
    select,
    text,
    tuple_,
)

from tallygate.records.paging import SEPARATOR


def sequence_of(table: str) -> tuple[Column[int], Index]:
    """The number of a table's rows, and the index that finds the last; rows from before there were numbers have 0."""
    following = text(f"(SELECT coalesce(max(sequence), 0) + 1 FROM {table})")  # noqa: S608 - a name that code gives
    number = Column("sequence", BigInteger, nullable=False, default=following, server_default="0")
    return number, Index(f"ix_{table}_sequence", "sequence")


def newest_first(
    query: Select[Any],
    time: Column[int],
    *names: Column[str],
    tenant_id: str,
    before: tuple[int, str] | None,
    limit: int,
) -> Select[Any]:
    """A query of a tenant's rows, newest first: by their time, and of one instant as they were added.

    `names` tell the rows of a tenant apart. `before` is the instant of the last row that was seen, and its names as
    `records.paging.key_of` joins them; with none of them it is the instant alone, of which nothing is answered.
    """
    number = time.table.c.sequence
    if before is not None:
        instant = bindparam(None, before[0], time.type)
        earlier = or_(time < instant, and_(time == instant, _added_before(names, tenant_id, before[1])))
        query = query.where(time <= instant, earlier)
    return query.order_by(time.desc(), number.desc(), *(name.desc() for name in names)).limit(limit)


def oldest_first(time: Column[int], *names: Column[str]) -> tuple[ColumnElement[Any], ...]:
    """What to order by for the same order from its other end."""
    return time, time.table.c.sequence, *names


def _added_before(names: tuple[Column[str], ...], tenant_id: str, last: str) -> ColumnElement[bool]:
    """Whether a row was added before the one of these names; False where they name none."""
    said = last.split(SEPARATOR)
    if len(said) != len(names):
        return false()
    table = names[0].table
    seen = table.alias()
    values = [bindparam(None, value, name.type) for name, value in zip(names, said, strict=True)]
    same = [seen.c[name.name] == value for name, value in zip(names, values, strict=True)]
    number = select(seen.c.sequence).where(seen.c.tenant_id == tenant_id, *same).scalar_subquery()
    return tuple_(table.c.sequence, *names) < tuple_(number, *values)

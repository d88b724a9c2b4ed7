"""Effects as the log of facts tells them, row by row: of many, so that each is read cheaply.

A driver's and SQLAlchemy's own work for a row costs more than the database's, and is done by the process that counts.
So the database writes many rows as one text, which is read in one go; only too many come one by one.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, case, cast, extract, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.period import from_datetime
from tallygate.metering.recounting import Effect
from tallygate.storage.sql.metering.tables import billable_events

_EVENTS = billable_events.c
_KEPT = 4_096
_AT_ONCE = 50_000
_MICROSECONDS_PER_MS, _MICROSECONDS = 1_000, 1_000_000
_POT_KINDS = {kind.value: kind for kind in PotKind}
_REASONS = {reason.value: reason for reason in Reason}


def effects_since(connection: AsyncConnection, since: int) -> Select[Any]:
    """What the store took since then by its own clock, which is what entry ids begin with; read by `read_effects`.

    And resets of any time: a meter remembers them for longer.
    """
    first = f"{max(0, since) // _MICROSECONDS_PER_MS}-0"
    is_sqlite = connection.dialect.name == "sqlite"
    hashed = _EVENTS.payload_hash
    in_hex: Any = func.hex(hashed) if is_sqlite else func.encode(hashed, "hex")
    start, end = (
        _raw(time) if is_sqlite else _microseconds(time) for time in (_EVENTS.period_start, _EVENTS.period_end)
    )
    return select(
        _EVENTS.tenant_id, _EVENTS.account_id, _EVENTS.feature_key, _EVENTS.kind, _EVENTS.request_id,
        in_hex.label("hashed"), _EVENTS.reason, _EVENTS.quantity, _EVENTS.used, _EVENTS.limit,
        cast(_EVENTS.pots, Text).label("pots"), start.label("start"), end.label("end"), _EVENTS.entry_id,
    ).where(
        or_(_EVENTS.entry_id >= first, _EVENTS.kind == FactKind.RESET.value), _EVENTS.reason.is_not(None)
    )  # fmt: skip


def _raw(time: ColumnElement[int]) -> ColumnElement[Any]:
    return type_coerce(time, NullType())


def _microseconds(time: ColumnElement[int]) -> ColumnElement[Any]:
    return cast(extract("epoch", time) * _MICROSECONDS, BigInteger)


async def read_effects(connection: AsyncConnection, query: Select[Any], *, at_once: int = _AT_ONCE) -> list[Effect]:
    """The effects of a query made of `effects_since`; of those with more rows than `at_once`, row by row."""
    each = query.limit(at_once + 1).subquery().c
    together: Any = func.json_group_array(func.json_array(*each))
    if connection.dialect.name != "sqlite":
        together = cast(func.json_agg(func.json_build_array(*each)), Text)
    few = func.count() <= at_once  # else their text is neither sent nor read
    told = await connection.scalar(select(case((few, func.coalesce(together, "[]")))))
    return _read((await connection.execute(query)).all() if told is None else json.loads(told))


def _read(rows: Iterable[Sequence[Any]]) -> list[Effect]:
    reset = FactKind.RESET.value
    return [
        Effect(
            (tenant, account, feature),
            request,
            bytes.fromhex(hashed),
            _REASONS[reason],
            granted,
            used,
            limit,
            _pots(pots),
            _instant(start),
            _instant(end),
            int(entry[: entry.index("-")]) * _MICROSECONDS_PER_MS,
            kind == reset,
        )
        for (
            tenant, account, feature, kind, request, hashed, reason, granted, used, limit, pots, start, end, entry
        ) in rows
    ]  # fmt: skip


@lru_cache(_KEPT)
def _instant(told: str | int) -> int:
    """PostgreSQL tells microseconds, SQLite the text that it keeps."""
    return told if isinstance(told, int) else from_datetime(datetime.fromisoformat(told).replace(tzinfo=UTC))


@lru_cache(_KEPT)
def _pots(told: str) -> tuple[Pot, ...]:
    return tuple(
        [Pot(kind=_POT_KINDS[p["kind"]], quantity=p["quantity"], grant_id=p["grant_id"]) for p in json.loads(told)]
    )

"""Effects as the log of facts tells them, row by row: of many, so that each is read cheaply.

SQLAlchemy's own work for a row costs more than the database's. Each value still goes through its column's type, but
what comes back row after row is converted once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Select, Text, cast, select, type_coerce
from sqlalchemy.types import NullType

from tallygate.domain.event import FactKind
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.metering.recounting import Effect
from tallygate.storage.sql.metering.tables import billable_events

_EVENTS = billable_events.c
_KEPT = 4_096
_MICROSECONDS_PER_MS = 1_000
_POT_KINDS = {kind.value: kind for kind in PotKind}
_REASONS = {reason.value: reason for reason in Reason}
_RAW = NullType()


def effects_since(since: int) -> Select[Any]:
    """What the store took since then by its own clock, which is what entry ids begin with; read by `EffectRows`."""
    first = f"{max(0, since) // _MICROSECONDS_PER_MS}-0"
    return select(
        _EVENTS.tenant_id, _EVENTS.account_id, _EVENTS.feature_key, _EVENTS.kind, _EVENTS.request_id,
        _EVENTS.payload_hash, _EVENTS.reason, _EVENTS.quantity, _EVENTS.used, _EVENTS.limit, cast(_EVENTS.pots, Text),
        type_coerce(_EVENTS.period_start, _RAW), type_coerce(_EVENTS.period_end, _RAW), _EVENTS.entry_id,
    ).where(_EVENTS.entry_id >= first, _EVENTS.reason.is_not(None))  # fmt: skip


class EffectRows:
    """Reads rows of `effects_since` from the driver of one database."""

    __slots__ = ("_instant",)

    def __init__(self, dialect: Dialect) -> None:
        convert: Any = _EVENTS.period_start.type.dialect_impl(dialect).result_processor(dialect, None)
        self._instant: Callable[[Any], int] = lru_cache(_KEPT)(convert)

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Effect]:
        """The effects, in the rows' order."""
        instant, reset = self._instant, FactKind.RESET.value
        return [
            Effect(
                (tenant, account, feature),
                request,
                bytes(hashed),
                _REASONS[reason],
                granted,
                used,
                limit,
                _pots(pots),
                instant(start),
                instant(end),
                int(entry[: entry.index("-")]) * _MICROSECONDS_PER_MS,
                kind == reset,
            )
            for (
                tenant, account, feature, kind, request, hashed, reason, granted, used, limit, pots, start, end, entry
            ) in rows
        ]  # fmt: skip


@lru_cache(_KEPT)
def _pots(told: str) -> tuple[Pot, ...]:
    return tuple(
        [Pot(kind=_POT_KINDS[p["kind"]], quantity=p["quantity"], grant_id=p["grant_id"]) for p in json.loads(told)]
    )

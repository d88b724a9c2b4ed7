"""Stream entries as facts: the shape that admit.lua writes, read strictly. Nothing here talks to Redis.

An entry is `c` and `f`, both msgpack arrays; elements that a newer version appends are passed over, those that an older
one did not write yet are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgpack

from tallygate.domain.event import FactKind, FactSource, UsageFact, may_be_charged
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.period import MAX_INSTANT, MIN_INSTANT
from tallygate.metering.ports import Delivery

Column = Sequence[Any]
"""What all entries say of one field."""

_KINDS = {kind.value: kind for kind in FactKind}
_REASONS = {reason.value: reason for reason in Reason}
_POT_KINDS = {"I": PotKind.INCLUDED, "G": PotKind.GRANT, "O": PotKind.OVERAGE}
_INT64 = 2**63
_UNLIMITED = -1


Entry = tuple[FactSource, Mapping[bytes, bytes] | None]
_UNREADABLE = (KeyError, ValueError, TypeError, msgpack.UnpackException)


def read_entry(source: FactSource, fields: Mapping[bytes, bytes] | None) -> Delivery:
    """Read one entry; whatever does not hold a fact becomes a delivery with a problem instead."""
    return read_entries([(source, fields)])[0]


def read_entries(entries: Sequence[Entry]) -> list[Delivery]:
    """Read entries, all of them field by field: most values of a field are alike, and are looked at together.

    Where one cannot be read with the others each is read by itself.
    """
    try:
        facts = _facts(entries) if entries else []
    except _UNREADABLE as error:
        if len(entries) > 1:
            return [read_entry(source, fields) for source, fields in entries]
        ((source, fields),) = entries
        problem = f"no {error.args[0]!r}" if isinstance(error, KeyError) else str(error)
        return [Delivery(source=source, raw=_raw(fields), problem=f"undecodable: {problem}")]
    return [
        Delivery(source=source, raw=_raw(fields), fact=fact)
        for (source, fields), fact in zip(entries, facts, strict=True)
    ]


def _raw(fields: Mapping[bytes, bytes] | None) -> bytes:
    raw: bytes = msgpack.packb(fields or {})
    return raw


def _array(packed: bytes, length: int) -> list[Any]:
    try:
        value = msgpack.unpackb(packed, strict_map_key=False)
    except UnicodeDecodeError:  # bytes that an older version wrote as text, or what is no text at all
        value = msgpack.unpackb(packed, raw=True, strict_map_key=False)
    if not isinstance(value, list) or len(value) < length:
        msg = f"expected an array of {length} elements"
        raise ValueError(msg)
    return value


def _facts(entries: Sequence[Entry]) -> list[UsageFact]:
    packed = [(fields or {}) for _, fields in entries]
    contexts = zip(*[_array(fields[b"c"], len(_CONTEXT)) for fields in packed], strict=True)
    facts = zip(*[_array(fields[b"f"], _LEAST_OF_FACT) for fields in packed], strict=True)
    columns = {name: read(column) for (name, read), column in zip(_CONTEXT, contexts, strict=False)}
    columns |= {name: read(column) for (name, read), column in zip(_FACT, facts, strict=False)}
    columns["kind"] = [
        FactKind.REFUND if kind is FactKind.CONSUME and quantity < 0 else kind
        for kind, quantity in zip(columns["kind"], columns["quantity"], strict=True)
    ]
    columns["billable"] = [
        may_be_charged(asked=asked, trial=trial, pots=pots)
        for asked, trial, pots in zip(columns["billable"], columns["trial"], columns["pots"], strict=True)
    ]
    columns["source"] = [source for source, _ in entries]
    names = tuple(columns)
    return [UsageFact(**dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _kind(value: object) -> FactKind:
    text = _text(value)
    return _KINDS.get(text) or FactKind(text)


@lru_cache(maxsize=4_096, typed=True)
def _included(quantity: object) -> tuple[Pot, ...]:
    """What most facts say: included units alone."""
    return (_pot(["I", quantity, ""]),)


def _pots(value: object) -> tuple[Pot, ...]:
    if isinstance(value, list) and len(value) == 1 and value[0][::2] == ["I", ""]:
        return _included(value[0][1])
    return tuple(_pot(pot) for pot in _elements(value))


def _pot(pot: object) -> Pot:
    kind, quantity, grant_id = _elements(pot)
    pot_kind = _POT_KINDS.get(_text(kind))
    if pot_kind is None:
        msg = "unknown kind of pot"
        raise ValueError(msg)
    return Pot(kind=pot_kind, quantity=_integer(quantity), grant_id=_text(grant_id))


def _dimensions(value: object) -> dict[str, str]:
    if isinstance(value, dict):
        return {_text(key): _text(text) for key, text in value.items()}
    if value == []:  # Lua has one empty table for both
        return {}
    msg = "dimensions are not a map"
    raise ValueError(msg)


def _elements(value: object) -> Sequence[Any]:
    if isinstance(value, list):
        return value
    if value == {}:  # Lua has one empty table for both
        return ()
    msg = "expected an array"
    raise ValueError(msg)


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        msg = f"expected bytes, not {type(value).__name__}"
        raise TypeError(msg)
    return value


def _text(value: object) -> str:
    text = value if isinstance(value, str) else _bytes(value).decode("utf-8")
    if "\0" in text:  # PostgreSQL has no such text
        msg = "a text holds a NUL"
        raise ValueError(msg)
    return text


def _integer(value: object) -> int:
    if type(value) is not int or not -_INT64 <= value < _INT64:
        msg = f"expected a 64-bit integer, not {type(value).__name__}"
        raise ValueError(msg)
    return value


def _instant(value: object) -> int:
    instant = _integer(value)
    if not MIN_INSTANT <= instant <= MAX_INSTANT:
        msg = f"no such instant: {instant}"
        raise ValueError(msg)
    return instant


def _reason(value: object) -> Reason:
    text = _text(value)
    return _REASONS.get(text) or Reason(text)


def _flag(value: object) -> bool:
    if value not in (0, 1):
        msg = f"expected a boolean, not {type(value).__name__}"
        raise ValueError(msg)
    return bool(value)


def _texts(column: Column) -> Column:
    if set(map(type, column)) == {str} and "\0" not in "".join(column):
        return column
    return [_text(value) for value in column]


def _integers(column: Column) -> Column:
    if set(map(type, column)) == {int} and min(column) >= -_INT64 and max(column) < _INT64:
        return column
    return [_integer(value) for value in column]


def _instants(column: Column) -> Column:
    column = _integers(column)
    if min(column) >= MIN_INSTANT and max(column) <= MAX_INSTANT:
        return column
    return [_instant(value) for value in column]


def _limits(column: Column) -> Column:
    return [None if limit == _UNLIMITED else limit for limit in _integers(column)]


def _each(read: Callable[[object], Any]) -> Callable[[Column], Column]:
    """Values that are read one by one."""
    return lambda column: [read(value) for value in column]


_CONTEXT: tuple[tuple[str, Callable[[Column], Column]], ...] = (
    ("tenant_id", _texts),
    ("account_id", _texts),
    ("feature_key", _texts),
    ("request_id", _texts),
    ("user_id", _texts),
    ("dimensions", _each(_dimensions)),
    ("billable", _each(_flag)),
    ("carry_in", _each(_flag)),
    ("view_version", _integers),
    ("kind", _each(_kind)),
    ("payload_hash", _each(_bytes)),
)
_FACT: tuple[tuple[str, Callable[[Column], Column]], ...] = (
    ("quantity", _integers),
    ("occurred_time", _instants),
    ("recorded_time", _instants),
    ("period_start", _instants),
    ("period_end", _instants),
    ("pots", _each(_pots)),
    ("subscription_id", _texts),
    ("plan_key", _texts),
    ("plan_version", _integers),
    ("trial", _each(_flag)),
    ("used", _integers),
    ("limit", _limits),
    ("reason", _each(_reason)),
)
_LEAST_OF_FACT = 10
"""How many elements of `f` the first version wrote."""

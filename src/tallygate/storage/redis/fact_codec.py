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

_KINDS = {kind.value: kind for kind in FactKind}
_REASONS = {reason.value: reason for reason in Reason}
_POT_KINDS = {"I": PotKind.INCLUDED, "G": PotKind.GRANT, "O": PotKind.OVERAGE}
_INT64 = 2**63
_UNLIMITED = -1


def read_entry(source: FactSource, fields: Mapping[bytes, bytes] | None) -> Delivery:
    """Read one entry; whatever does not hold a fact becomes a delivery with a problem instead."""
    fields = fields or {}
    raw: bytes = msgpack.packb(fields)
    try:
        fact = _fact(source, _array(fields[b"c"], len(_CONTEXT)), _array(fields[b"f"], _LEAST_OF_FACT))
    except KeyError as error:
        return Delivery(source=source, raw=raw, problem=f"undecodable: no {error.args[0]!r}")
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        return Delivery(source=source, raw=raw, problem=f"undecodable: {error}")
    return Delivery(source=source, raw=raw, fact=fact)


def _array(packed: bytes, length: int) -> list[Any]:
    try:
        value = msgpack.unpackb(packed, strict_map_key=False)
    except UnicodeDecodeError:  # bytes that an older version wrote as text, or what is no text at all
        value = msgpack.unpackb(packed, raw=True, strict_map_key=False)
    if not isinstance(value, list) or len(value) < length:
        msg = f"expected an array of {length} elements"
        raise ValueError(msg)
    return value


def _fact(source: FactSource, context: Sequence[object], fact: Sequence[object]) -> UsageFact:
    values: dict[str, Any] = {name: read(value) for (name, read), value in zip(_CONTEXT, context, strict=False)}
    values |= {name: read(value) for (name, read), value in zip(_FACT, fact, strict=False)}
    if values["kind"] is FactKind.CONSUME and values["quantity"] < 0:
        values["kind"] = FactKind.REFUND
    values["billable"] = may_be_charged(asked=values["billable"], trial=values["trial"], pots=values["pots"])
    return UsageFact(**values, source=source)


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


def _limit(value: object) -> int | None:
    limit = _integer(value)
    return None if limit == _UNLIMITED else limit


def _reason(value: object) -> Reason:
    text = _text(value)
    return _REASONS.get(text) or Reason(text)


def _flag(value: object) -> bool:
    if value not in (0, 1):
        msg = f"expected a boolean, not {type(value).__name__}"
        raise ValueError(msg)
    return bool(value)


_CONTEXT: tuple[tuple[str, Callable[[object], Any]], ...] = (
    ("tenant_id", _text),
    ("account_id", _text),
    ("feature_key", _text),
    ("request_id", _text),
    ("user_id", _text),
    ("dimensions", _dimensions),
    ("billable", _flag),
    ("carry_in", _flag),
    ("view_version", _integer),
    ("kind", _kind),
    ("payload_hash", _bytes),
)
_FACT: tuple[tuple[str, Callable[[object], Any]], ...] = (
    ("quantity", _integer),
    ("occurred_time", _instant),
    ("recorded_time", _instant),
    ("period_start", _instant),
    ("period_end", _instant),
    ("pots", _pots),
    ("subscription_id", _text),
    ("plan_key", _text),
    ("plan_version", _integer),
    ("trial", _flag),
    ("used", _integer),
    ("limit", _limit),
    ("reason", _reason),
)
_LEAST_OF_FACT = 10
"""How many elements of `f` the first version wrote."""

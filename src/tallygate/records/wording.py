"""What differs between two values, as of the catalogue, in words for people."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import islice
from typing import Any

from tallygate.domain.instants import rfc3339

_MICROSECONDS = 1_000_000
_MOST_TOLD = 3


def worded(old: object, new: object, path: str = "") -> Iterator[str]:
    """Each leaf that differs, as in `entitlements.api_calls.limit: 1000 -> 2000`."""
    if old == new:
        return
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        name = path.rpartition(".")[2]
        yield f"{path}: {_shown(old, name)} -> {_shown(new, name)}"
        return
    for name in {**before, **after}:
        yield from worded(before.get(name), after.get(name), f"{path}.{name}" if path else name)


def differs(known: object, wanted: object) -> str:
    """The first leaves in which what was asked for is not what there is, as in `amount: 5.00 USD -> 6.00 USD`."""
    return "; ".join(islice(worded(known, wanted), _MOST_TOLD))


def _parts(value: object) -> Mapping[str, Any] | None:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.compare}
    return value if isinstance(value, Mapping) else None


def _shown(value: object, name: str = "") -> str:
    parts = _parts(value)
    if parts is not None:
        told = [f"{key}: {_shown(part, key)}" for key, part in parts.items() if part not in (None, (), "", False)]
        return "{" + ", ".join(told) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, int) and name == "window":
        return f"{value / _MICROSECONDS:g}s"
    if isinstance(value, int) and name.endswith("_time"):
        return rfc3339(value)
    return "none" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)

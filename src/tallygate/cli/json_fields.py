"""Objects of JSON beside the message that they are to fill: what is wrong is told by field, in words of ours."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.records.naming import nearest

Described = Any
"""A message's or a field's descriptor: protobuf has two implementations of each, with no common type."""
_LONGEST = 80
_DIGITS = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOUNDS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_TEXTS: dict[str, tuple[Callable[[], Any], str]] = {
    Timestamp.DESCRIPTOR.full_name: (Timestamp, "an instant of RFC 3339, as 2026-03-10T09:00:00Z"),
    Duration.DESCRIPTOR.full_name: (Duration, "a duration in seconds, as 90s"),
}


def misfit(message: Described, content: object, path: str = "") -> str:
    """The first thing of an object that does not fit a message, by its path; nothing where all of it fits."""
    if not isinstance(content, Mapping):
        return _told(path, "an object", content)
    return next((problem for key, value in content.items() if (problem := _entry(message, key, value, path))), "")


def _entry(message: Described, key: str, value: object, path: str) -> str:
    inner = f"{path}.{key}" if path else key
    known = {name: field for field in message.fields for name in (field.name, field.json_name)}
    if key not in known:
        return f"{inner}: unknown key{nearest(key, sorted(message.fields_by_name))}"
    field = known[key]
    return "" if value is None else next(_misfits(field, value, inner), "")


def _misfits(field: Described, value: object, path: str) -> Iterator[str]:
    of = field.message_type
    if of is not None and of.GetOptions().map_entry:
        yield from _of_map(of.fields_by_name["value"], value, path)
    elif field.is_repeated and not isinstance(value, list):
        yield _told(path, "a list", value)
    elif field.is_repeated and isinstance(value, list):
        found = (_single(field, each, f"{path}[{index}]") for index, each in enumerate(value))
        yield from filter(None, found)
    elif problem := _single(field, value, path):
        yield problem


def _of_map(values: Described, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _told(path, "an object", value)
        return
    yield from filter(None, (_single(values, each, f"{path}.{key}") for key, each in value.items()))


def _single(field: Described, value: object, path: str) -> str:
    if field.message_type is None:
        expected = _scalar(field, value)
        return _told(path, expected, value) if expected else ""
    if field.message_type.full_name not in _TEXTS:
        return misfit(field.message_type, value, path)
    kind, expected = _TEXTS[field.message_type.full_name]
    try:
        if isinstance(value, str):
            kind().FromJsonString(value)
            return ""
    except ValueError:
        pass
    return _told(path, expected, value)


def _scalar(field: Described, value: object) -> str:
    """What a scalar was expected to be; nothing where it is."""
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return "" if isinstance(value, str) and not _SURROGATE.search(value) else "a text in UTF-8"
        case FieldDescriptor.TYPE_BOOL:
            return "" if isinstance(value, bool) else "true or false"
        case FieldDescriptor.TYPE_ENUM:
            words = field.enum_type.values_by_name
            return "" if isinstance(value, str) and value in words else f"one of {', '.join(words)}"
        case _:
            least, most = _BOUNDS[field.type]
            is_whole = isinstance(value, int | str) and not isinstance(value, bool) and _DIGITS.fullmatch(str(value))
            return "" if is_whole and least <= int(str(value)) <= most else f"a whole number from {least} to {most}"


def _told(path: str, expected: str, got: object) -> str:
    shown = json.dumps(got)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
    return f"{path or 'the line'}: expected {expected}, got {shown}"

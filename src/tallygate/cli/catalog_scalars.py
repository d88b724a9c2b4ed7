"""Scalars of the catalogue document, each by the type of its field: its text in YAML and its value on the wire."""

import re
from fractions import Fraction
from typing import Any

import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration

from tallygate.domain.prices import TIER_AMOUNTS, USAGE_AMOUNTS

Field = Any
"""A field's or an enum's descriptor: protobuf has two implementations of each, with no common type."""
_MAX = {"int32": 2**31 - 1, "int64": 2**53 - 1}
"""Largest integers: those of the wire, and the largest quantity."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", re.ASCII)
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_MOST_DIGITS = 30
_LONGEST_MILLISECONDS = 315_576_000_000_000
"""The longest duration on the wire: 10,000 years."""
_TRUTH = "true or false"
_SPAN = "a duration in whole milliseconds, as 500ms, 60s, 1m or 24h"
_STRING, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_INTEGER_TAG, _FLOAT_TAG = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_AMOUNTS = frozenset({"amount", "up_to", *TIER_AMOUNTS, *USAGE_AMOUNTS})


class Expected(Exception):  # noqa: N818 - it says what was expected, not what went wrong
    """A scalar is not what its field takes; the text says what that is."""


def read_scalar(field: Field, node: yaml.Node) -> Any:  # noqa: ANN401 - the field's own type
    """The value that a scalar has for this field.

    Raises:
        Expected: it has none.
    """
    text = node.value if isinstance(node, yaml.ScalarNode) else None
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            if text is None or (plain and node.tag != _STRING):
                raise Expected(_text_expected(field.name, node))
            return text
        case FieldDescriptor.TYPE_BOOL:
            if not plain or text not in {"true", "false"}:
                raise Expected(_TRUTH)
            return text == "true"
        case FieldDescriptor.TYPE_ENUM:
            return _enum(field.enum_type, text or "")
        case FieldDescriptor.TYPE_MESSAGE:
            return parse_duration(text or "")
        case _:
            largest = _MAX["int32" if field.type == FieldDescriptor.TYPE_INT32 else "int64"]
            return _integer(text or "" if plain else "", largest)


def enum_words(enum: Field) -> dict[str, int]:
    """The values of an enum as a document writes them: short and in lower case."""
    zero = enum.values_by_number[0].name
    prefix = zero.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values if value.number}


def choices(message: Any) -> frozenset[str]:  # noqa: ANN401 - a message's descriptor, of either kind
    """The words that stand for a whole message: its flags of which only one can be set, as a price's `of: quantity`."""
    return frozenset(
        field.name
        for field in message.fields
        if field.type == FieldDescriptor.TYPE_BOOL and field.containing_oneof and len(field.containing_oneof.fields) > 1
    )


NOTHING = {"retry_after_days": "no_retries"}
"""Lists of which an empty one says something, and the flag beside them that says it on the wire."""


def is_list(message: Any) -> Any:  # noqa: ANN401 - a message's descriptor, of either kind, and a field's
    """The only field of a message that a document writes as the list that it holds; None of every other message."""
    return message.fields[0] if message.full_name == "tallygate.v1.DayList" else None


def duration_text(duration: Duration) -> str:
    """A duration in the largest unit that holds it exactly."""
    milliseconds = duration.seconds * 1_000 + duration.nanos // 1_000_000
    unit = next(unit for unit, size in _UNITS.items() if milliseconds % size == 0)
    unit = "s" if milliseconds == 0 else unit
    return f"{milliseconds // _UNITS[unit]}{unit}"


def _text_expected(name: str, node: yaml.Node) -> str:
    """What a text would be: what is no number is no amount in quotes either, and nothing is not the word for it."""
    number = node.tag in {_INTEGER_TAG, _FLOAT_TAG}
    if isinstance(node, yaml.ScalarNode) and name in _AMOUNTS and not number:
        return 'an amount in quotes, as "49.00"'
    absent = not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not node.value
    return "a text" if absent else f'a text in quotes, "{node.value}"'


def _enum(enum: Field, text: str) -> int:
    words = enum_words(enum)
    if text not in words:
        expected = f"one of {', '.join(words)}"
        raise Expected(expected)
    return words[text]


def _integer(text: str, largest: int) -> int:
    if len(text) > _MOST_DIGITS or not _INTEGER.fullmatch(text) or abs(int(text)) > largest:
        expected = f"an integer of at most {largest}"
        raise Expected(expected)
    return int(text)


def parse_count(text: str) -> int:
    """A count that every part of the system holds exactly.

    Raises:
        Expected: it is none.
    """
    count = _integer(text, _MAX["int64"])
    if count < 0:
        expected = "a count, not less than none"
        raise Expected(expected)
    return count


def parse_duration(text: str) -> Duration:
    """A duration as the catalogue writes it.

    Raises:
        Expected: it is none.
    """
    found = _DURATION.fullmatch(text) if len(text) <= _MOST_DIGITS else None
    milliseconds = Fraction(found[1]) * _UNITS[found[2]] if found else Fraction(1, 2)
    if milliseconds.denominator != 1 or milliseconds > _LONGEST_MILLISECONDS:
        raise Expected(_SPAN)
    duration = Duration()
    duration.FromMilliseconds(int(milliseconds))
    return duration

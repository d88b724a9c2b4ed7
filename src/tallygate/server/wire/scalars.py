"""Wire to domain and back, the small parts: ids, quantities, instants, durations, enums, pages.

Every refusal names its field, what was expected and what came. Instants and durations are integer microseconds.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import checked_amount, checked_id, is_id, shown

MAX_ENTRIES = 64
MAX_ENTRY_CHARACTERS = 1024
MAX_BATCH = 1000
_SECOND = 1_000_000
_LENGTH_DELIMITED = 2
_LAST_INSTANT = MAX_QUANTITY
_INSTANT = "an instant from 1970 to 2255"

E = TypeVar("E", bound=Enum)


class WireEnum(Generic[E]):
    """A proto enum and the domain's, joined by their names; 0 means `default`, or is refused without one.

    What is `hidden` of the domain's is never on the wire.
    """

    def __init__(
        self, wire: EnumTypeWrapper, domain: type[E], *, default: E | None = None, hidden: Collection[E] = ()
    ) -> None:
        names: dict[str, int] = dict(wire.items())
        self._zero = next(name for name, number in names.items() if number == 0)
        prefix = self._zero.removesuffix("UNSPECIFIED")
        named = {member: f"{prefix}{member.name}" for member in domain if member not in hidden}
        figures = {member: f"{prefix}{member.value}" for member in domain if member not in hidden}
        named |= {member: name for member, name in figures.items() if name in names}
        self._wire = {member: names[name] for member, name in named.items()}
        self._domain = {number: member for member, number in self._wire.items()}
        self._expected = " or ".join(named.values())
        if default is not None:
            self._domain[0] = default

    def encode(self, member: E) -> Any:  # noqa: ANN401 - an enum's number, which the generated types take only as itself
        """The number on the wire."""
        return self._wire[member]

    def decode(self, number: int, field: str) -> E:
        """The member of this number.

        Raises:
            InvalidFieldError: it is no known one.
        """
        member = self._domain.get(number)
        if member is None:
            raise InvalidFieldError(field=field, expected=self._expected, got=self._zero if number == 0 else number)
        return member


def identifier(value: str, field: str) -> str:
    """An id as it came, if it is one.

    Raises:
        InvalidFieldError: it is empty, too long, or holds what cannot be printed.
    """
    return value if is_id(value) else checked_id(field, value)


def optional_identifier(value: str, field: str) -> str:
    """An id, or empty."""
    return value if not value or is_id(value) else checked_id(field, value)


def identifiers(values: Any, field: str, *, at_most: int = MAX_BATCH) -> tuple[str, ...]:  # noqa: ANN401 - a repeated field
    """One id or more.

    Raises:
        InvalidFieldError: there are none, or too many, or one is not an id.
    """
    if not 0 < len(values) <= at_most:
        raise InvalidFieldError(field=field, expected=f"1 to {at_most} of them", got=len(values))
    return tuple(identifier(value, f"{field}[{index}]") for index, value in enumerate(values))


def quantity(value: int, field: str, *, at_least: int = -MAX_QUANTITY) -> int:
    """A quantity that every part of the system can count exactly.

    Raises:
        InvalidFieldError: it is too small or too large.
    """
    return checked_amount(field, value, least=at_least)


def optional_quantity(message: Any, field: str, *, at_least: int = -MAX_QUANTITY, path: str = "") -> int | None:  # noqa: ANN401 - any message with this field
    """The quantity in an optional field, None where it is absent; `path` is where the message stands."""
    if not message.HasField(field):
        return None
    return quantity(getattr(message, field), f"{path}.{field}" if path else field, at_least=at_least)


def optional_instant(message: Any, field: str) -> int | None:  # noqa: ANN401 - any message with this field
    """The instant in a field, None where it is absent; what is finer than a microsecond is cut off.

    Raises:
        InvalidFieldError: it is not one that can be counted with.
    """
    if not message.HasField(field):
        return None
    stamp = getattr(message, field)
    instant = int(stamp.seconds) * _SECOND + int(stamp.nanos) // 1000
    if 0 <= stamp.nanos < 10**9 and 0 <= instant <= _LAST_INSTANT:
        return instant
    raise InvalidFieldError(field=field, expected=_INSTANT, got=_stamp_text(stamp))


def _stamp_text(stamp: Any) -> str:  # noqa: ANN401 - a Timestamp, of either implementation
    """A timestamp in RFC 3339, or what it holds where the calendar has no such instant."""
    try:
        return str(stamp.ToJsonString())
    except ValueError:
        return f"{stamp.seconds} s and {stamp.nanos} ns"


def optional_duration(message: Any, field: str, *, at_least: int = 0, path: str = "") -> int | None:  # noqa: ANN401 - any message with this field
    """The duration in a field, None where it is absent; `path` is where the message stands.

    Raises:
        InvalidFieldError: it is too short, or longer than can be counted with.
    """
    if not message.HasField(field):
        return None
    span = getattr(message, field)
    duration = int(span.seconds) * _SECOND + int(span.nanos) // 1000
    if at_least <= duration <= MAX_QUANTITY:
        return duration
    expected = "a duration" if at_least == 0 else "a duration above zero"
    name = f"{path}.{field}" if path else field
    raise InvalidFieldError(field=name, expected=expected, got=f"{span.seconds}.{abs(span.nanos):09d}s")


def counts(values: Mapping[str, int], field: str) -> dict[str, int]:
    """How many of what, by key; none is left out.

    Raises:
        InvalidFieldError: there are too many, or one is no key or no number that counts.
    """
    if len(values) > MAX_ENTRIES:
        raise InvalidFieldError(field=field, expected=f"at most {MAX_ENTRIES} of them", got=len(values))
    return {
        identifier(key, f"{field} (key)"): quantity(number, f"{field}[{key}]", at_least=0)
        for key, number in sorted(values.items())
    }


def entries(values: Mapping[str, str], field: str) -> dict[str, str]:
    """A map of texts, bounded.

    Raises:
        InvalidFieldError: it has too many entries, a key that is no id, or a value that is too long or holds NUL.
    """
    if len(values) > MAX_ENTRIES:
        raise InvalidFieldError(field=field, expected=f"at most {MAX_ENTRIES} entries", got=len(values))
    for key, value in values.items():
        identifier(key, f"{field} (key)")
        if len(value) > MAX_ENTRY_CHARACTERS:
            raise InvalidFieldError(field=f"{field}[{key}]", expected=f"at most {MAX_ENTRY_CHARACTERS} characters")
        if "\0" in value:  # PostgreSQL holds none: what was counted could not be billed
            raise InvalidFieldError(field=f"{field}[{key}]", expected="text without NUL", got=shown(value))
    return dict(values)


@lru_cache(maxsize=4096)
def timestamp(instant: int | None) -> Timestamp | None:
    """An instant on the wire; None stays absent."""
    if instant is None:
        return None
    seconds, micros = divmod(instant, _SECOND)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def duration(span: int | None) -> Duration | None:
    """A duration on the wire, not negative; None stays absent."""
    if span is None:
        return None
    seconds, micros = divmod(span, _SECOND)
    return Duration(seconds=seconds, nanos=micros * 1000)


def encoded_duration(tag: bytes, span: int) -> bytes:
    """A duration in microseconds as a field of its message."""
    seconds, micros = divmod(span, _SECOND)
    data = Duration(seconds=seconds, nanos=micros * 1_000).SerializeToString()
    return tag + varint(len(data)) + data


def varint(number: int) -> bytes:
    """A length as protobuf writes it."""
    return _SHORT[number] if number < len(_SHORT) else _varint(number)


def field_tag(message: type[Message], name: str) -> bytes:
    """What stands before a field that is a message or a text."""
    return varint(message.DESCRIPTOR.fields_by_name[name].number << 3 | _LENGTH_DELIMITED)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_SHORT = tuple(map(_varint, range(1_024)))

"""How answers look: proto3 JSON for programs, sentences and tables for people."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tallygate.cli.terminal import columns, say, say_text, speaks_unicode, visible

_NANOS = 1_000_000_000
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def echo_json(message: Message, *, indent: int | None = 2) -> None:
    """Print a message as proto3 JSON with the names of the protos, fields without presence included."""
    say(json_of(message, indent=indent))


def json_of(message: Message, *, indent: int | None = 2) -> str:
    """A message as proto3 JSON with the names of the protos, fields without presence included."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=indent,
        ensure_ascii=not speaks_unicode(),
    )


class Grid(str):
    """Text that is laid out already, a record a line: nothing of it is ever folded."""

    __slots__ = ()


def echo_text(text: str) -> None:
    """Print text for people: sentences are wrapped on a terminal, and there alone."""
    if isinstance(text, Grid):
        say(text)
    else:
        say_text(text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> str:
    """Rows under their header, each on a line of its own and whole. `empty` says that there are none."""
    cells = [[visible(cell) for cell in row] for row in rows]
    if not cells:
        return empty
    lines = [list(header), *cells]
    widths = [max(map(columns, column)) for column in zip(*lines, strict=True)]
    return Grid("\n".join(_row(line, widths) for line in lines))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def instant(stamp: Timestamp) -> str:
    """An instant in UTC, to the minute, or to the second where that says more."""
    moment = stamp.ToDatetime(tzinfo=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC" if moment.second else "%Y-%m-%d %H:%M UTC")


def optional_instant(message: Message, field: str, otherwise: str = "-") -> str:
    """The instant in a field, if there is one."""
    return instant(getattr(message, field)) if message.HasField(field) else otherwise


def span(duration: Duration) -> str:
    """A duration in its largest fitting units, rounded up, so that whoever waits that long has waited enough."""
    seconds, nanos = duration.seconds, duration.nanos
    if seconds < 1:
        return f"{-(-nanos // 1_000_000)} ms"
    if seconds < 10:  # noqa: PLR2004 - below ten seconds tenths matter
        tenths = -(-(seconds * _NANOS + nanos) // 100_000_000)
        return f"{tenths / 10:g} s"
    seconds += 1 if nanos else 0
    for index, (unit, size) in enumerate(_UNITS):
        smaller, below = _UNITS[index + 1] if index + 1 < len(_UNITS) else ("s", 1)
        count, rest = divmod(-(-seconds // below) * below, size)
        if count:
            return f"{count} {unit}" + (f" {rest // below} {smaller}" if rest else "")
    return f"{seconds} s"


def enum_name(message: Message, field: str) -> str:
    """The value of an enum field, short and in lower case as the catalogue writes it."""
    enum: Any = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field))
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.name.removeprefix(prefix).lower() if value else str(getattr(message, field))

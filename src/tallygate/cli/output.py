"""How answers look: proto3 JSON for programs, at most 80 columns of text for people."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import click
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

WIDTH = 80
_NANOS = 1_000_000_000
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def echo_json(message: Message, *, indent: int | None = 2) -> None:
    """Print a message as proto3 JSON with the names of the protos, fields without presence included."""
    click.echo(json_of(message, indent=indent))


def json_of(message: Message, *, indent: int | None = 2) -> str:
    """A message as proto3 JSON with the names of the protos, fields without presence included."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=indent,
        ensure_ascii=False,
    )


def echo_text(text: str) -> None:
    """Print text for people, each paragraph wrapped; lines that start with a space are left as they are."""
    for line in text.splitlines():
        click.echo(line if line.startswith(" ") else wrapped(line))


def wrapped(line: str) -> str:
    """A line within 80 columns, continued with an indent; ids are never torn apart."""
    return textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) or line


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> str:
    """Rows under their header within 80 columns; cells that are too long fold. `empty` says that there are none."""
    cells = list(rows)
    if not cells:
        return empty
    from rich.console import Console  # noqa: PLC0415 - only lists pay for rich
    from rich.table import Table  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        grid.add_column(name, overflow="fold", no_wrap=False)
    for row in cells:
        grid.add_row(*(_plain(cell) for cell in row))
    console = Console(width=WIDTH - 1, markup=False, highlight=False, no_color=True)
    with console.capture() as capture:
        console.print(grid)
    # A leading space says "lay out already": without it the rows would be wrapped as sentences are.
    return "\n".join(f" {line.rstrip()}" for line in capture.get().splitlines())


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


def _plain(cell: str) -> str:
    """A cell without what would break the grid: what others wrote may hold control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cell)

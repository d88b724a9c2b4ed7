"""What options and arguments may hold, so that whatever was typed either fits its place on the wire or is refused here.

A parameter without a type of its own takes `TEXT`; a test walks all commands and refuses click's own unbounded types.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_MONEY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_MOST_DIGITS = 30
_SHOWN = 40
_BYTE_ORDER_MARK = "\ufeff"
_MOST_PRIORITY = 1_000_000
_INT32, _INT64 = 2**31 - 1, 2**63 - 1
_QUANTITY = 2**53 - 1
"""The largest quantity there is: what every store counts exactly."""
_LONGEST_WAIT = 86_400.0


class Whole(click.ParamType[int]):
    """A whole number in decimal digits, from `least` to `most`."""

    name = "integer"

    def __init__(self, *, least: int = 0, most: int) -> None:
        self.least, self.most = least, most

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number that a text is; a default is one already."""
        if isinstance(value, int):
            return value
        fits = len(value) <= _MOST_DIGITS and _WHOLE.fullmatch(value) is not None
        if not fits or not self.least <= int(value) <= self.most:
            self.fail(f"expected a whole number from {self.least} to {self.most}, got {_shown(value)}.", param, ctx)
        return int(value)


class Wait(click.ParamType[float]):
    """How long to wait, in seconds: more than none, and at most a day."""

    name = "seconds"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds that a text says."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= _LONGEST_WAIT:
            self.fail(
                f"expected seconds, more than 0 and at most {_LONGEST_WAIT:.0f}, got {_shown(value)}.", param, ctx
            )
        return seconds


class Text(click.ParamType[str]):
    """A text that travels: UTF-8 without NUL; where it is a `name`, printable and of at least one character, too."""

    name = "text"

    def __init__(self, *, is_name: bool = True, is_secret: bool = False) -> None:
        self.is_name, self.is_secret = is_name, is_secret

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself."""
        text = str(value)
        problem = problem_of(text, is_name=self.is_name)
        if problem:
            self.fail(f"{problem}, got {'***' if self.is_secret else _shown(text)}.", param, ctx)
        return text


class FilePath(click.ParamType[Path]):
    """A file or directory of this machine; a leading `~` is the home directory, as a shell has it."""

    name = "path"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, which need not exist."""
        if isinstance(value, Path):
            return value
        if not value or "\0" in value:
            self.fail(f"expected a path, got {_shown(value)}.", param, ctx)
        try:
            return Path(value).expanduser()
        except RuntimeError:
            self.fail(f"there is no home directory for {_shown(value)}.", param, ctx)


class OutputPath(FilePath):
    """A file of this machine to write: its directory is there, and it is no directory itself."""

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, at which something may be already."""
        path = super().convert(value, param, ctx)
        try:
            is_place = path.parent.is_dir() and not path.is_dir()
        except (OSError, ValueError):
            is_place = False
        if not is_place:
            self.fail(f"expected a file in a directory that is there, got {_shown(str(path))}.", param, ctx)
        return path


class Instant(click.ParamType["Timestamp"]):
    """An instant as RFC 3339 writes it, or a date; without an offset it is UTC."""

    name = "time"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Timestamp":
        """The instant that a text names."""
        from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415 - help does without it

        if isinstance(value, Timestamp):
            return value
        stamp = Timestamp()
        try:
            moment = datetime.fromisoformat(value)
            stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            self.fail(f"{_shown(value)} is no instant such as 2026-12-01 or 2026-12-01T09:30:00Z.", param, ctx)
        return stamp


class Pair(click.ParamType[tuple[str, str]]):
    """`key=value`; the value may hold further equal signs, or be empty."""

    name = "key=value"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Key and value."""
        if isinstance(value, tuple):
            return value
        key, sign, text = value.partition("=")
        if not sign:
            self.fail(f"{_shown(value)} is not key=value.", param, ctx)
        problem = problem_of(key, is_name=True) or problem_of(text, is_name=False)
        if problem:
            self.fail(f"{problem}, got {_shown(value)}.", param, ctx)
        return key, text


class Money(click.ParamType[Decimal]):
    """An exact amount of money in decimal digits, which may be negative; at most 15 digits and 9 decimals."""

    name = "amount"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The amount that a text says."""
        if isinstance(value, Decimal):
            return value
        if not _MONEY.fullmatch(value):
            self.fail(f"expected an exact amount such as 4.32 or -5.00, got {_shown(value)}.", param, ctx)
        return Decimal(value)


class Counted(click.ParamType[tuple[str, int | None]]):
    """`key` or `key=N`; without a number it is None."""

    name = "key[=n]"

    def __init__(self, count: Whole) -> None:
        self.count = count

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | None]:
        """Key and number."""
        if isinstance(value, tuple):
            return value
        key, sign, number = value.partition("=")
        return TEXT.convert(key, param, ctx), self.count.convert(number, param, ctx) if sign else None


TEXT, FREE_TEXT, FILE, INSTANT, PAIR, SECONDS = Text(), Text(is_name=False), FilePath(), Instant(), Pair(), Wait()
OUTPUT = OutputPath()
QUANTITY, SIGNED_QUANTITY = Whole(most=_QUANTITY), Whole(least=-_QUANTITY, most=_QUANTITY)
SOME, DAYS, PRIORITY = Whole(least=1, most=_INT32), Whole(most=_INT32), Whole(most=_MOST_PRIORITY)
SECRET = Text(is_secret=True)
SEQUENCE, AMOUNT = Whole(most=_INT64), Whole(least=1, most=_QUANTITY)
ADD_ON = Counted(QUANTITY)
MONEY = Money()


def numbered(values: Sequence[tuple[str, int | None]], option: str) -> dict[str, int]:
    """How many of what an option says, by key; each with its number."""
    found = {key: count for key, count in values if count is not None}
    if len(found) < len(values):
        message = f"{option} needs a number for each, once, as in {option} {values[0][0]}=10"
        raise click.UsageError(message)
    return found


def by_key(pairs: Iterable[tuple[str, str]], option: str) -> dict[str, str]:
    """What an option says, by key; a key that comes twice would be one silently lost."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if key in found:
            message = f"{option} names {_shown(key)} twice"
            raise click.UsageError(message)
        found[key] = value
    return found


def problem_of(text: str, *, is_name: bool) -> str:
    """What keeps a text from travelling, or nothing."""
    if "\0" in text or any(unicodedata.category(character) == "Cs" for character in text):
        return "expected a text in UTF-8 without NUL"
    if is_name and not text:
        return "expected a text"
    if is_name and text.startswith(_BYTE_ORDER_MARK):
        return "expected a text without a byte order mark"
    if is_name and any(unicodedata.category(character) == "Cc" for character in text):
        return "expected a text without control characters"
    return ""


def _shown(value: object) -> str:
    text = "***" if "://" in str(value) else ascii(str(value))  # a URL may hold a password
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

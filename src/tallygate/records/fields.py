"""What callers' own texts and numbers may look like, whichever use-case they reach."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import MAX_ID_CHARACTERS, checked_amount, checked_id
from tallygate.domain.instants import rfc3339
from tallygate.domain.period import MAX_INSTANT, zone_info

MAX_METADATA_ENTRIES = 50
MAX_TEXT_CHARACTERS = 1_024
_NO_TEXT = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Embeddings, overrides and isolates of direction, and the byte order mark."""


def check_id(field: str, value: str) -> str:
    """An id or key: 1 to 255 printable characters, of any script.

    Raises:
        InvalidFieldError: it is not.
    """
    return checked_id(field, value)


def check_label(field: str, value: str) -> str:
    """A name for people, or nothing: at most 255 characters of any script, and one of them to be seen.

    What joins letters, and every kind of space, is the script's business. Refused is what is no text (controls, ends of
    lines, surrogates, private and unassigned characters) and what turns around the text behind it (embeddings,
    overrides and isolates of direction; marks of direction may stand).

    Raises:
        InvalidFieldError: it is not.
    """
    if len(value) > MAX_ID_CHARACTERS or any(map(_is_no_text, value)) or (value and not _can_be_seen(value)):
        expected = f"up to {MAX_ID_CHARACTERS} characters to be read: no controls, line ends, overrides of direction"
        raise InvalidFieldError(field=field, expected=expected, got=ascii(value[:64]))
    return value


def _is_no_text(character: str) -> bool:
    return unicodedata.category(character) in _NO_TEXT or character in _TURNING


def _can_be_seen(value: str) -> bool:
    return any(unicodedata.category(character) not in {"Cf", "Zs", "Mn"} for character in value)


def check_text(field: str, value: str) -> str:
    """Free text that every store can hold.

    Raises:
        InvalidFieldError: it is too long, or holds NUL.
    """
    if len(value) > MAX_TEXT_CHARACTERS or "\x00" in value:
        expected = f"at most {MAX_TEXT_CHARACTERS} characters, none of them NUL"
        raise InvalidFieldError(field=field, expected=expected)
    return value


def check_quantity(field: str, value: int, *, least: int = 0) -> int:
    """A number that a counter can hold.

    Raises:
        InvalidFieldError: it is below `least` or beyond what Lua counts exactly.
    """
    return checked_amount(field, value, least=least)


def check_zone(field: str, value: str) -> str:
    """An IANA time zone, or nothing where another's applies.

    Raises:
        InvalidFieldError: no zone has this name.
    """
    try:
        if value:
            zone_info(value)
    except ValueError:
        expected = "an IANA time zone such as 'Europe/Berlin'"
        raise InvalidFieldError(field=field, expected=expected, got=ascii(value[:64])) from None
    return value


def check_instant(field: str, value: int, *, after: int = 0, least: int | None = None) -> int:
    """An instant behind `after`, or from `least` on, within what the calendar and Lua can hold.

    Raises:
        InvalidFieldError: it is not.
    """
    first = after + 1 if least is None else least
    if not first <= value < min(MAX_QUANTITY, MAX_INSTANT):
        begins = f"after {rfc3339(after)}" if least is None else f"not before {rfc3339(least)}"
        expected = f"an instant {begins} and before the year 2255"
        raise InvalidFieldError(field=field, expected=expected, got=rfc3339(value))
    return value


def check_many(field: str, values: Sequence[object], most: int) -> None:
    """A list of no more than `most`.

    Raises:
        InvalidFieldError: it is longer.
    """
    if len(values) > most:
        raise InvalidFieldError(field=field, expected=f"at most {most}", got=len(values))


def check_past(start: int, end: int, *, now: int) -> None:
    """A time that is over: from `start_time` on, before `end_time`.

    Raises:
        InvalidFieldError: it ends before it starts, or has not ended.
    """
    if end <= start or end > now:
        expected = f"after start_time, and not after now, {rfc3339(now)}"
        raise InvalidFieldError(field="end_time", expected=expected, got=rfc3339(end))


def is_day(text: str) -> bool:
    """Whether it is a day as ISO 8601 writes one at length, 2026-01-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def check_metadata(value: Mapping[str, str]) -> Mapping[str, str]:
    """A small map of texts.

    Raises:
        InvalidFieldError: it is too large, or holds what a text column cannot.
    """
    if len(value) > MAX_METADATA_ENTRIES:
        raise InvalidFieldError(field="metadata", expected=f"at most {MAX_METADATA_ENTRIES} entries", got=len(value))
    for key, text in value.items():
        check_id("metadata", key)
        check_text(f"metadata.{key}", text)
    return value


@contextmanager
def within(path: str) -> Iterator[None]:
    """Name a field that is wrong by its place in the request, in which `path` is what stands around it."""
    try:
        yield
    except InvalidFieldError as error:
        told = error.metadata
        field, got = f"{path}.{told['field']}", told.get("got")
        raise InvalidFieldError(field=field, expected=told["expected"], got=got) from None

"""What an id, an amount and a page may be, whoever asks: checked here, with one message each."""

from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError

MAX_ID_CHARACTERS = 255
DEFAULT_PAGE = 100
MAX_PAGE = 1_000
_SHOWN = 64


def is_id(*values: str) -> bool:
    """Whether each of them is an id: neither empty nor too long, and all of it can be printed."""
    return all(values) and max(map(len, values)) <= MAX_ID_CHARACTERS and "".join(values).isprintable()


def checked_id(field: str, value: str) -> str:
    """An id or key as it came: 1 to 255 printable characters, of any script.

    Raises:
        InvalidFieldError: it is not.
    """
    if is_id(value):
        return value
    raise InvalidFieldError(field=field, expected=f"1 to {MAX_ID_CHARACTERS} printable characters", got=shown(value))


def checked_amount(field: str, value: int, *, least: int) -> int:
    """A number that every part of the system can count exactly.

    Raises:
        InvalidFieldError: it is below `least`, or beyond what Lua counts exactly.
    """
    if least <= value <= MAX_QUANTITY:
        return value
    raise InvalidFieldError(field=field, expected=f"an integer from {least} to {MAX_QUANTITY}", got=value)


def checked_page(value: int, *, usual: int = DEFAULT_PAGE, most: int = MAX_PAGE) -> int:
    """How many to list, as `page_size` says; 0 is the usual number.

    Raises:
        InvalidFieldError: it is negative or too large.
    """
    if 0 <= value <= most:
        return value or usual
    raise InvalidFieldError(field="page_size", expected=f"0 to {most}", got=value)


def shown(value: str) -> str:
    """The beginning of a text that was refused, as it can be read."""
    value = value[:_SHOWN]
    return value if value.isprintable() else ascii(value)

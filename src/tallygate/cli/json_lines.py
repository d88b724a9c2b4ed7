"""JSON of one line, read strictly: nothing is guessed or silently lost, and what is wrong is told in our words."""

import json
import re
from typing import Any, NoReturn

from tallygate.settings.texts import UnreadableError, decode

_MOST_DIGITS = 30
"""No field holds a number of more."""


class LineError(ValueError):
    """A line is not what was expected; its text says why."""


def read_json(raw: bytes) -> Any:  # noqa: ANN401 - whatever JSON can say
    """What a line says, in UTF-8 and without a mark before it.

    Raises:
        LineError: it is no JSON, names a key twice, or holds a number that is none or is too large.
    """
    try:
        return json.loads(decode(raw), object_pairs_hook=unique, parse_constant=_no_number, parse_int=_integer)
    except UnreadableError as error:
        told = re.sub(r"^line \d+ ", "the line ", str(error))  # its number in the file is told, not that in itself
        raise LineError(told) from error
    except json.JSONDecodeError as error:
        msg = f"the line is no JSON from column {error.colno} on"
        raise LineError(msg) from error
    except RecursionError as error:
        msg = "the line is nested too deeply"
        raise LineError(msg) from error


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these; a key that comes twice would be one silently lost.

    Raises:
        LineError: one does.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        msg = f"the key {twice!r} comes twice"
        raise LineError(msg)
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        msg = f"a number of {len(digits)} digits is too large"
        raise LineError(msg)
    return int(digits)


def _no_number(word: str) -> NoReturn:
    msg = f"{word} is no JSON"
    raise LineError(msg)

"""Files that people write, read as text in one way: UTF-8 or told why not, with the line."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

_MOST_BYTES = 16 * 1024 * 1024


class UnreadableError(Exception):
    """A file cannot be read as text; the message says why and what to do, without the file's name or content."""


def read_text(path: Path) -> str:
    """The text of a file of at most 16 MiB.

    Raises:
        UnreadableError: it cannot be opened, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    except ValueError as error:  # a path that no system call takes, such as one with NUL
        raise UnreadableError(str(error)) from error
    if len(raw) > _MOST_BYTES:
        msg = f"it is larger than {_MOST_BYTES // 1024**2} MiB"
        raise UnreadableError(msg)
    return decode(raw)


def decode(raw: bytes) -> str:
    """The text that these bytes are.

    Raises:
        UnreadableError: they are not UTF-8, begin with a byte order mark, or hold NUL.
    """
    problem = ""
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        problem = "it is UTF-16; save it as UTF-8"
    elif raw.startswith(BOM_UTF8):
        problem = "it begins with a byte order mark; save it as UTF-8 without one"
    elif b"\0" in raw:
        problem = f"line {_line(raw, raw.index(0))} holds NUL; save it as UTF-8 text"
    if problem:
        raise UnreadableError(problem)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"line {_line(raw, error.start)} is not UTF-8; save it as UTF-8"
        raise UnreadableError(msg) from error


def _line(raw: bytes, offset: int) -> int:
    return raw.count(b"\n", 0, offset) + 1

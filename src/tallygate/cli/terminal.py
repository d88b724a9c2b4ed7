"""Standard output and standard error: what is said arrives whole and unfolded, or the command fails and says so."""

import json
import select
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable
from threading import Thread

import click

_WIDEST = 80
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of characters that end a line or command a terminal; joiners and other spaces are people's letters."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class OutputError(Exception):
    """Standard output cannot be written: the answer reached nobody."""


class ReaderLeftError(OutputError):
    """Whoever read standard output has left. No OSError: click would make exit code 1 of that, which says "denied"."""


def say(text: str, *, nl: bool = True) -> None:
    """Write to standard output, at once.

    Raises:
        OutputError: it cannot be written.
        ReaderLeftError: whoever read it has left.
    """
    require_output()
    try:
        click.echo(_encodable(text, sys.stdout), nl=nl)
    except BrokenPipeError:
        forget_output()
        msg = "whoever read standard output has left"
        raise ReaderLeftError(msg) from None
    except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
        forget_output()
        why = getattr(error, "strerror", None) or error
        msg = f"standard output cannot be written ({why}): the answer is lost"
        raise OutputError(msg) from error


def require_output() -> None:
    """Make sure that there is a standard output at all: asked before an effect whose answer is nowhere else.

    Raises:
        OutputError: it is closed.
    """
    if sys.stdout is None or sys.stdout.closed:
        msg = "standard output is closed: the answer would be lost"
        raise OutputError(msg)


def forget_output() -> None:
    """Write nothing more: what it still holds would fail once more at the end, with a code of its own."""
    sys.stdout = None


def flush_output() -> None:
    """Write what standard output still holds, or forget it: nothing may fail after the exit code is known."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        forget_output()


def when_reader_leaves(do: Callable[[], object]) -> None:
    """Do something when whoever reads standard output leaves; a write alone would notice, and there may be none."""
    try:
        output = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return
    watch = select.poll()
    watch.register(output, 0)  # errors and hang-ups are told unasked
    Thread(target=lambda: watch.poll() and do(), daemon=True).start()


def tell(text: str) -> bool:
    """Write to standard error, at once; False where that cannot be done."""
    if sys.stderr is None or sys.stderr.closed:
        return False
    try:
        click.echo(_encodable(text, sys.stderr), err=True)
    except (OSError, ValueError):
        sys.stderr = None  # what it still holds would fail once more at the end, with a code of its own
        return False
    return True


def is_watched() -> bool:
    """Whether somebody watches standard error: progress is for them alone."""
    return sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()


def say_text(text: str) -> None:
    """Print sentences for people: on a terminal within its width, elsewhere a sentence a line."""
    for line in text.splitlines():
        say(_fitting(visible(line)))


def json_text(content: object, *, indent: int | None = 2) -> str:
    """JSON, escaped as far as standard output needs it."""
    return json.dumps(content, indent=indent, ensure_ascii=not speaks_unicode())


def speaks_unicode() -> bool:
    """Whether standard output can carry every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "").startswith("utf")


def visible(text: str) -> str:
    """A text without what would break a line or command the terminal: others wrote it."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _breaks(character) else character for character in text)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in _BREAKING or character in _TURNING


def _fitting(line: str) -> str:
    """A line within the terminal's width, continued with an indent; what is laid out already is left as it is."""
    if line.startswith(" ") or sys.stdout is None or not sys.stdout.isatty():
        return line
    return wrapped(line, min(_WIDEST, shutil.get_terminal_size().columns))


def wrapped(line: str, width: int) -> str:
    """A line within so many columns, continued with an indent; ids are never torn apart."""
    return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) or line


def _encodable(text: str, stream: object) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)

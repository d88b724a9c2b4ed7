"""How often one place in the code may say the same kind of thing; what it keeps to itself is counted, and told."""

import errno
import logging
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, TextIO

from typing_extensions import override

_LINES = 10
_SECONDS = 10.0
_log = logging.getLogger(__name__)

Place = tuple[str, str, int, str]
"""Logger, file, line, and the kind of exception that is told of."""


@dataclass(slots=True)
class _Window:
    """What a place has said since an instant of the steady clock, and what not."""

    start: float
    written: int = 0
    held_back: int = 0


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes warnings and errors of one place up to ten times in ten seconds; then how many more there were.

    That is told with the next line of whatever place, once the ten seconds are over. Lines below a warning are
    all written.
    """

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._windows: dict[Place, _Window] = {}

    @override
    def emit(self, record: logging.LogRecord) -> None:
        now = self._clock()
        for told in self._told_now(now):
            super().emit(told)
        if record.levelno < logging.WARNING or self._may_write(record, now):
            super().emit(record)

    def _may_write(self, record: logging.LogRecord, now: float) -> bool:
        window = self._windows.setdefault(_place(record), _Window(now))
        if window.written >= _LINES:
            window.held_back += 1
            return False
        window.written += 1
        return True

    def _told_now(self, now: float) -> Iterator[logging.LogRecord]:
        """What is to be told of windows that are over; they are forgotten."""
        ended = [place for place, window in self._windows.items() if now - window.start >= _SECONDS]
        for place in ended:
            window = self._windows.pop(place)
            if window.held_back:
                yield _summary(place, window.held_back)


def tell_of_loop(loop: AbstractEventLoop) -> None:
    """Say what went wrong in the loop itself; that no file can be opened is one line with its fix, without a trace."""
    loop.set_exception_handler(_told)


def _told(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        _log.error("no more files can be opened, so nobody is accepted: raise the limit (ulimit -n, LimitNOFILE)")
    else:
        loop.default_exception_handler(context)


def _place(record: logging.LogRecord) -> Place:
    kind = record.exc_info[0] if record.exc_info else None
    return record.name, record.pathname, record.lineno, kind.__name__ if kind else ""


def _summary(place: Place, count: int) -> logging.LogRecord:
    name, path, line, _ = place
    record = logging.LogRecord(name, logging.WARNING, path, line, "said more often than is written", (), None)
    record.more = count
    return record

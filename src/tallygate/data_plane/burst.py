"""What arrives together leaves together: replies are written in one go, and so are commands, never one by one."""

import logging
from collections.abc import Callable
from typing import Self

_log = logging.getLogger(__name__)


class Burst:
    """A stretch of one loop callback (`with burst:`) at whose end everything is written that it gave rise to.

    Whoever writes asks `is_open` and, where it is, leaves the writing to the function that it gave to `at_end`.
    """

    __slots__ = ("_gatherers", "_writers", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._gatherers: list[Callable[[], None]] = []
        self._writers: list[Callable[[], None]] = []

    def before_end(self, gather: Callable[[], None]) -> None:
        """Call this while the burst is still open: what it gives rise to is written at the same end."""
        self._gatherers.append(gather)

    def at_end(self, write: Callable[[], None]) -> None:
        """Call this at the end of each burst, in the order in which they were given."""
        self._writers.append(write)

    def __enter__(self) -> Self:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        for gather in self._gatherers:
            _do(gather)
        self.is_open = False
        for write in self._writers:
            _do(write)


def _do(write: Callable[[], None]) -> None:
    try:
        write()
    except Exception:  # noqa: BLE001 - one that cannot write must not hold up the others
        _log.exception("what waited for the end of a burst was not written")

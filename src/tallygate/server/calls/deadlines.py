"""Deadlines of calls in flight: one timer looks at all of them, which costs less than one each."""

import asyncio
from collections.abc import Callable
from time import perf_counter

_SECONDS = 0.02


class DeadlineSweep:
    """Looks at calls again and again while there are any.

    `end_overdue` ends those whose deadline has come by an instant of the steady clock, `are_left` says whether any are.
    """

    __slots__ = ("_are_left", "_end_overdue", "is_watching")

    def __init__(self, end_overdue: Callable[[float], None], are_left: Callable[[], bool]) -> None:
        self._end_overdue = end_overdue
        self._are_left = are_left
        self.is_watching = False

    def watch(self) -> None:
        """There is a call: look from now on, if that is not so already."""
        if not self.is_watching:
            self.is_watching = True
            asyncio.get_running_loop().call_later(_SECONDS, self._look)

    def _look(self) -> None:
        self.is_watching = False
        try:
            self._end_overdue(perf_counter())
        finally:  # one that cannot be ended does not keep the others from theirs
            if self._are_left():
                self.watch()

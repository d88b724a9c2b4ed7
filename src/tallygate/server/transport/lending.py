"""An event loop that lends its place: while it waits for events, another thread may work as one of its callbacks would.

A thread that brings work to a waiting loop otherwise wakes it, and the switch between the two costs more than a short
call. Only one of them works at a time, so nothing that belongs to the loop is ever touched by two.
"""

import asyncio
import selectors
from asyncio import events
from collections import deque
from collections.abc import Callable
from threading import Lock

from typing_extensions import TypeVarTuple, Unpack, override

_Arguments = TypeVarTuple("_Arguments")


class _LendingSelector(selectors.DefaultSelector):
    """Leaves the place while it waits. Whoever wants to take it looks whether its owner is already coming back."""

    def __init__(self, place: Lock) -> None:
        super().__init__()
        self._place = place
        self.lends = False
        self.is_back = True

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not self.lends or (timeout is not None and timeout <= 0):
            return super().select(timeout)
        self.is_back = False
        self._place.release()
        try:
            return super().select(timeout)
        finally:
            self.is_back = True
            self._place.acquire()


class LendingLoop(asyncio.SelectorEventLoop):
    """A loop whose place may be taken while it waits for events, from when somebody wanted that (`lend`)."""

    # CPython's own: what is to be called soon, and what at some time.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._place = Lock()
        self._place.acquire()
        self._waiting = _LendingSelector(self._place)
        super().__init__(self._waiting)

    def lend(self) -> None:
        """Lend the place from the next wait on; any thread may ask for it."""
        self._waiting.lends = True

    def borrow(self, work: Callable[[Unpack[_Arguments]], object], *args: *_Arguments) -> bool:
        """Do this now, in the calling thread and in the loop's place; False where the loop is at work itself.

        Nothing is done then. The work must be short, and must not wait: the loop does not, either.
        """
        if self._waiting.is_back or self.get_debug() or not self._place.acquire(blocking=False):
            return False
        timers = len(self._scheduled)
        events._set_running_loop(self)  # noqa: SLF001 - there for those who write loops
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001 - as of a callback: what it was is told, and nobody ends by it
            self.call_exception_handler({"message": "work in the loop's place failed", "exception": error})
        finally:
            events._set_running_loop(None)  # noqa: SLF001 - as above
            is_asked = bool(self._ready) or len(self._scheduled) != timers
            self._place.release()
            if is_asked:  # when the loop began to wait it did not know of this
                self.call_soon_threadsafe(_wake)
        return True


def _wake() -> None:
    """Do nothing: that it is called has woken the loop."""

"""Who waits for a reply; all of it happens on the event loop's thread."""

import asyncio
from typing import Any, Protocol


class Waiter(Protocol):
    """Who waits for a reply: a future, or whatever else takes it on the loop's thread and never raises."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, result: Any, /) -> None:  # noqa: ANN401 - replies differ by command
        """Take the reply."""
        ...

    def set_exception(self, exception: Exception, /) -> None:
        """Learn why there is none."""
        ...


def fail(waiter: Waiter, error: Exception) -> None:
    """Let a waiter fail; one that is dropped before its turn comes is nobody's loss, and none to complain of."""
    waiter.set_exception(error)
    if isinstance(waiter, asyncio.Future):
        waiter.exception()


class Learning:
    """Waits for the call that carries a script's text, and notes that the server has seen it."""

    __slots__ = ("_digest", "_loading", "_waiter")

    def __init__(self, waiter: Waiter, digest: str, loading: set[str]) -> None:
        self._waiter = waiter
        self._digest = digest
        self._loading = loading

    def done(self) -> bool:
        """Never: the note matters to others, too."""
        return False

    def set_result(self, result: Any) -> None:  # noqa: ANN401 - replies differ by command
        """Pass the reply on."""
        self._loading.discard(self._digest)
        if not self._waiter.done():
            self._waiter.set_result(result)

    def set_exception(self, exception: Exception) -> None:
        """Pass the failure on."""
        self._loading.discard(self._digest)
        if not self._waiter.done():
            fail(self._waiter, exception)

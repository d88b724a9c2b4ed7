"""Starting whole or not at all: what holds for one process and for several under a parent alike."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

Loop = Callable[[], Coroutine[Any, Any, None]]
"""What runs in the background until its process ends, and is begun again where it fails."""

_log = logging.getLogger(__name__)


class Startable(ABC):
    """Started on entering, stopped on leaving; what was started is stopped again where a later part cannot be."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything; raises one line with cause and fix, and leaves nothing behind."""
        try:
            await self._start()
        except BaseException:
            try:
                await self.stop()
            except Exception:  # noqa: BLE001 - why it cannot start is what counts, and is raised below
                _log.exception("what was started could not be stopped cleanly")
            raise

    @abstractmethod
    async def stop(self) -> None:
        """Stop whatever was started; safe to call twice."""

    @abstractmethod
    async def _start(self) -> None:
        """Start all parts, in order."""

"""Whether the database takes writes, as `/ready` tells it. Loads SQL."""

import asyncio
import logging
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.server.operations.admin import Check
from tallygate.storage.sql.writes import write

_LOOK_SECONDS = 0.25
"""So long a look waits for its write."""
_BELIEVED_SECONDS = 1.0
_SILENT_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class DatabaseWatch:
    """Looks when it is asked, by one write at a time: who asks often makes no load.

    A write that takes its time is a busy database's, and no answer yet: until it has taken `_SILENT_SECONDS` the last
    one's answer stands. It is `required` where a process is of no use without it: of a role that decides, decisions go
    on without a server that its likes share, while an SQLite file's disk is this installation's own.
    """

    engine: AsyncEngine
    required: bool
    refusal: str = ""
    _writing: asyncio.Task[None] | None = field(default=None, repr=False)
    _began: float = 0.0

    async def check(self) -> Check:
        """What is known of it now, or within a quarter of a second."""
        now = asyncio.get_running_loop().time()
        if self._writing is None or (self._writing.done() and now - self._began >= _BELIEVED_SECONDS):
            self._began, self._writing = now, asyncio.create_task(self._write())
        await asyncio.wait({self._writing}, timeout=_LOOK_SECONDS)
        silent = asyncio.get_running_loop().time() - self._began
        if not self._writing.done() and silent >= _SILENT_SECONDS:
            return Check(ok=False, detail=f"a write has had no answer for {silent:.0f} s", required=self.required)
        return Check(ok=not self.refusal, detail=self.refusal, required=self.required)

    async def close(self, *, seconds: float) -> None:
        """Wait for a write that was begun, for so long: cancelled, it would leave its connection behind."""
        if self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing}, timeout=seconds)
            self._writing.cancel()

    async def _write(self) -> None:
        found = await write(self.engine)
        if found and found != self.refusal:
            _log.error("the database takes no writes: %s", found)
        elif self.refusal and not found:
            _log.info("the database takes writes again")
        self.refusal = found

"""A child process that is kept: started again whenever it has ended, after a pause that grows if it does not last."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from tallygate.app.worker_process import WorkerProcess, WorkerState

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Kept:
    """A child, by what starts it; `lost` is told when it has ended, `signed` says in log lines which one it was."""

    def __init__(
        self,
        start: Callable[[], Awaitable[WorkerProcess]],
        *,
        lost: Callable[[], None],
        signed: Mapping[str, object],
    ) -> None:
        self._start = start
        self._lost = lost
        self._signed = dict(signed)
        self._keeping: asyncio.Task[None] | None = None
        self.process: WorkerProcess | None = None

    async def start(self) -> None:
        """Start it; from then on it is looked after once `keep` is called.

        Raises:
            StartError: it cannot, by its own words.
        """
        self.process = await self._start()

    def keep(self) -> None:
        """Start it again from now on whenever it has ended."""
        self._keeping = asyncio.create_task(self._keep())

    async def state(self) -> WorkerState | None:
        """How it is; None where it is not there, or does not say so in time."""
        process = self.process
        state = None if process is None else await process.state()
        return state if process is self.process else None  # else it was asked for the last time

    async def stop(self, *, seconds: float) -> None:
        """Let it drain for so long; it is not started again."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        if self.process is not None:
            await self.process.stop(seconds=seconds)
            self.process = None

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while self.process is not None:
            process, started = self.process, clock()
            code = await process.ended()
            self.process = None
            await process.kill()
            self._lost()
            if clock() - started > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            _log.error("a worker ended and is started again", extra={**self._signed, "exit_code": code})
            pause = await self._start_again(pause)

    async def _start_again(self, pause: float) -> float:
        """Start it, however often it takes; the pause, in seconds, that is due before the next time."""
        while self.process is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                await self.start()
            except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, the next attempt may succeed
                _log.warning("a worker cannot be started: %s", error, extra=self._signed)
        return pause

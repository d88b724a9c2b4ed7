"""Several workers behind one address, and their parent: it keeps the address and the admin port, and serves no call.

A worker that ends is started again. Workers end with their parent, however that ends.
"""

import asyncio
import logging
from collections.abc import Mapping

from typing_extensions import override

from tallygate.app.lifecycle import Startable
from tallygate.app.listening import admin_server
from tallygate.app.worker_process import WorkerProcess, WorkerState
from tallygate.server.listeners import Reservation, parse_address, reserve
from tallygate.server.operations.admin import AdminServer, Check
from tallygate.server.operations.merged_metrics import MergedMetrics
from tallygate.settings import Settings

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Workers(Startable):
    """An installation of several workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._count = settings.server.workers
        self._reservation = Reservation(())
        self._running: dict[int, WorkerProcess] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._merged = MergedMetrics()
        self._admin: AdminServer | None = None
        self._draining = False
        self.grpc_address = ""
        self.admin_address = ""

    @override
    async def stop(self) -> None:
        """Let all workers drain at the same time, then give up the address; safe to call twice."""
        self._draining = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        server = self._settings.server
        seconds = server.drain_delay_seconds + server.drain_seconds
        await asyncio.gather(*(worker.stop(seconds=seconds) for worker in self._running.values()))
        if self._admin is not None:
            await self._admin.stop()
        self._reservation.close()
        self._keepers.clear()
        self._running.clear()
        self._admin = None

    async def scrape(self) -> bytes:
        """What all workers measure, in Prometheus' text format."""
        await asyncio.gather(*map(self._state, range(self._count)))
        return self._merged.exposition()

    @override
    async def _start(self) -> None:
        server = self._settings.server
        self._reservation = reserve(parse_address(server.grpc_address), self._count)
        self._admin = admin_server(self._settings, metrics=self, readiness=self._readiness)
        await self._admin.start()
        self.admin_address = self._admin.address.target
        # Each is waited for, so that every one of them is known when one of them fails and all are stopped.
        failures = await asyncio.gather(*map(self._start_one, range(self._count)), return_exceptions=True)
        for failure in failures:
            if failure is not None:
                raise failure
        self.grpc_address = self._reservation.addresses[0].target
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(self._count)]

    async def _start_one(self, number: int) -> None:
        place = {"grpc_address": self._reservation.addresses[number].target}
        server = self._settings.server.model_copy(update=place)
        self._running[number] = await WorkerProcess.start(self._settings.model_copy(update={"server": server}), number)

    async def _keep(self, number: int) -> None:
        """Start a worker again whenever it has ended, after a pause that grows while that does not last."""
        pause = _FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            code = await self._running[number].ended()
            await self._running.pop(number).kill()
            self._merged.retire(number)
            if clock() - started > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            _log.error("a worker ended and is started again", extra={"worker": number, "exit_code": code})
            pause = await self._start_again(number, pause)

    async def _start_again(self, number: int, pause: float) -> float:
        """Start a worker, however often it takes; the pause, in seconds, that is due before the next time."""
        while number not in self._running:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                await self._start_one(number)
            except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, the next attempt may succeed
                _log.warning("a worker cannot be started: %s", error, extra={"worker": number})
        return pause

    async def _state(self, number: int) -> WorkerState | None:
        worker = self._running.get(number)
        state = None if worker is None else await worker.state()
        if state is not None and self._running.get(number) is worker:  # else it was counted for the last time
            self._merged.take(number, state.metrics)
        return state

    async def _readiness(self) -> Mapping[str, Check]:
        checks = {"serving": Check(ok=not self._draining, detail="draining" if self._draining else "")}
        states = await asyncio.gather(*map(self._state, range(self._count)))
        for number, state in enumerate(states):
            name = f"worker_{number}"
            if state is None:
                detail = "it does not answer" if number in self._running else "it is being started"
                checks[name] = Check(ok=False, detail=detail)
            else:
                checks |= {f"{name}.{what}": check for what, check in state.checks.items()}
        return checks

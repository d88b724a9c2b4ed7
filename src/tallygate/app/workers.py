"""Several workers behind one address, and their parent: it keeps the address and the admin port, and serves no call.

A worker that ends is started again. Workers end with their parent, however that ends.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from typing_extensions import override

from tallygate.app.keeping import Kept
from tallygate.app.lifecycle import Startable
from tallygate.app.listening import admin_server
from tallygate.app.part import Part
from tallygate.app.reloading import REFUSED, settings_check
from tallygate.app.worker_process import WorkerProcess, WorkerState
from tallygate.server.listeners import Reservation, parse_address, reserve
from tallygate.server.operations.admin import AdminServer, Check
from tallygate.server.operations.merged_metrics import MergedMetrics
from tallygate.settings import Settings


class Workers(Startable):
    """An installation of several workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._count = settings.server.workers
        self._reservation = Reservation(())
        self._merged = MergedMetrics()
        self._kept = [self._kept_one(number) for number in range(self._count)]
        self._admin: AdminServer | None = None
        self._draining = False
        self._problem = ""
        self._merged.watch(*REFUSED, lambda: float(bool(self._problem)))
        self.grpc_address = ""
        self.admin_address = ""

    @override
    async def stop(self) -> None:
        """Let all workers drain at the same time, then give up the address; safe to call twice."""
        self._draining = True
        server = self._settings.server
        seconds = server.drain_delay_seconds + server.drain_seconds
        await asyncio.gather(*(worker.stop(seconds=seconds) for worker in self._kept))
        if self._admin is not None:
            await self._admin.stop()
        self._reservation.close()
        self._admin = None

    async def scrape(self) -> bytes:
        """What all workers measure, in Prometheus' text format."""
        await asyncio.gather(*map(self._state, range(self._count)))
        return self._merged.exposition()

    def reload(self, settings: Settings) -> None:
        """Hand over settings that were read again, to all of them."""
        self._settings = settings
        for worker in self._kept:
            if worker.process is not None:
                worker.process.reload(settings)

    def refuse(self, problem: str) -> None:
        """Say in checks and metrics why settings that were read again are not used; empty: they are."""
        self._problem = problem

    @override
    async def _start(self) -> None:
        server = self._settings.server
        self._reservation = reserve(parse_address(server.grpc_address), self._count)
        self._admin = admin_server(self._settings, metrics=self, readiness=self._readiness)
        await self._admin.start()
        self.admin_address = self._admin.address.target
        # Each is waited for, so that every one of them is known when one of them fails and all are stopped.
        failures = await asyncio.gather(*(worker.start() for worker in self._kept), return_exceptions=True)
        for failure in failures:
            if failure is not None:
                raise failure
        self.grpc_address = self._reservation.addresses[0].target
        for worker in self._kept:
            worker.keep()

    def _kept_one(self, number: int) -> Kept:
        start, lost = partial(self._start_one, number), partial(self._merged.retire, str(number))
        return Kept(start, lost=lost, signed={"worker": number})

    async def _start_one(self, number: int) -> WorkerProcess:
        place = {"grpc_address": self._reservation.addresses[number].target}
        settings = self._settings.model_copy(update={"server": self._settings.server.model_copy(update=place)})
        process = await WorkerProcess.spawn()
        await process.introduce(settings, Part(decides=True, has_parent=True), {"worker": number})
        return process

    async def _state(self, number: int) -> WorkerState | None:
        state = await self._kept[number].state()
        if state is not None:
            self._merged.take(str(number), state.families)
        return state

    async def _readiness(self) -> Mapping[str, Check]:
        checks = {"serving": Check(ok=not self._draining, detail="draining" if self._draining else "")}
        checks["settings"] = settings_check(self._problem)
        states = await asyncio.gather(*map(self._state, range(self._count)))
        for number, state in enumerate(states):
            name = f"worker_{number}"
            if state is None:
                detail = "it does not answer" if self._kept[number].process is not None else "it is being started"
                checks[name] = Check(ok=False, detail=detail)
            else:
                checks |= {f"{name}.{what}": check for what, check in state.checks.items()}
        return checks

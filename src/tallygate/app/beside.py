"""Worker and control plane in a process of their own beside the hot path, as the process that decides sees it.

What they do on SQL then holds up no decision. Their process takes the calls handed on to it at a private Unix socket.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from prometheus_client.core import Metric

from tallygate.app import clock
from tallygate.app.errors import StartError
from tallygate.app.keeping import Kept
from tallygate.app.part import Part
from tallygate.app.worker_process import WITH_SQL, WorkerProcess, WorkerState
from tallygate.server.listeners import Address
from tallygate.server.operations.admin import Check
from tallygate.server.operations.merged_metrics import MergedMetrics
from tallygate.settings import Settings

NAME = "control"
_LONGEST_PATH = 103
_SOCKET = "control.sock"


class Beside:
    """The other process: begun early, introduced once Redis is there, and kept from then on.

    `own` is what the process that asks measures; `measured` has both.
    """

    def __init__(self, settings: Settings, own: Callable[[], Iterable[Metric]]) -> None:
        self._settings = settings
        self._part = Part()
        self._home = _private_directory(settings)
        self._begun: WorkerProcess | None = None
        self.measured = MergedMetrics("process", own)
        self._kept = Kept(self._start, lost=self._lost, signed={"part": NAME})
        self.secret = clock.entropy(16).hex()
        self.http_address = ""

    @property
    def address(self) -> Address:
        """Where it takes calls from this process."""
        return Address(path=self._home / _SOCKET)

    async def begin(self) -> None:
        """Let it load what it needs, which takes a while, before it is told what to do."""
        self._begun = await WorkerProcess.spawn(WITH_SQL)

    async def start(self, redis_socket: str) -> None:
        """Wait until it serves; `redis_socket` is the embedded Valkey's, empty where the settings name a Redis.

        Raises:
            StartError: it cannot, by its own words.
        """
        socket = str(self.address.path)
        self._part = Part(
            controls=True,
            works=True,
            has_parent=True,
            redis_socket=redis_socket,
            socket=socket,
            secret=self.secret,
        )
        await self._kept.start()
        self._kept.keep()

    def reload(self, settings: Settings) -> None:
        """Hand over settings that were read again."""
        self._settings = settings
        if self._kept.process is not None:
            self._kept.process.reload(settings)

    async def state(self) -> WorkerState | None:
        """How it is, and what it measures, which is remembered."""
        state = await self._kept.state()
        if state is not None:
            self.measured.take(NAME, state.families)
        return state

    async def checks(self) -> Mapping[str, Check]:
        """What it needs, by name, and whether it is there itself: without it, decisions go on."""
        state = await self.state()
        if state is not None:
            return {**state.checks, NAME: Check(ok=True, required=False)}
        detail = "it does not answer" if self._kept.process is not None else "it is being started again"
        return {NAME: Check(ok=False, detail=detail, required=False)}

    async def stop(self, *, seconds: float) -> None:
        """Let it finish what it has begun, for so long."""
        if self._begun is not None:
            await self._begun.kill()
            self._begun = None
        await self._kept.stop(seconds=seconds)
        await asyncio.to_thread(rmtree, self._home, ignore_errors=True)

    async def _start(self) -> WorkerProcess:
        process, self._begun = self._begun or await WorkerProcess.spawn(WITH_SQL), None
        await process.introduce(self._settings, self._part, {"part": NAME})
        self.http_address = process.http_address
        return process

    def _lost(self) -> None:
        self.measured.retire(NAME)


def _private_directory(settings: Settings) -> Path:
    """A directory for this user alone with a path short enough for a socket in it.

    Raises:
        StartError: there is none.
    """
    for place in (None, "/tmp", str(settings.data_dir.absolute())):  # noqa: S108 - where the first is too long
        with suppress(OSError):
            made = tempfile.mkdtemp(prefix="tallygate-", dir=place)
            if len(os.fsencode(made)) + len(_SOCKET) < _LONGEST_PATH:
                return Path(made)
            Path(made).rmdir()
    msg = (
        "there is no directory for a socket of this user's own: make /tmp writable, or run all in one process"
        " (server.apart=false, TALLYGATE_SERVER__APART)"
    )
    raise StartError(msg)

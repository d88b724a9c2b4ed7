"""A worker as its parent sees it: spawned, never forked; told what to do over a socket; asked how it is; stopped."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from prometheus_client.core import Metric
from pydantic import SecretStr

from tallygate import GARBAGE_THRESHOLDS
from tallygate.app.errors import CallersError, StartError
from tallygate.app.part import Part
from tallygate.server.operations.admin import Check
from tallygate.server.operations.merged_metrics import unpacked
from tallygate.settings import Settings

_START = f"""
import gc, sys
gc.set_threshold(*{GARBAGE_THRESHOLDS})
from tallygate.app.worker import main
sys.exit(main())
"""
# Whatever lies in the working directory is not imported in place of a module.
_ARGV = (sys.executable, "-P", "-c", _START)
_LONGEST_LINE = 16 * 1024 * 1024
_ANSWER_SECONDS = 1.0
_STOP_SECONDS = 10.0
WITH_SQL = "with-sql"
"""What a worker will need: it loads that while it waits to be introduced."""
STOP = b"stop\n"
"""What a parent says to a worker that is to drain; its end without that is a parent's that died."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a worker is: what it needs, by name, and what it measures."""

    checks: Mapping[str, Check]
    families: Sequence[Metric]


class WorkerProcess:
    """A running worker. It drains and ends when the other end of its socket is closed, by whatever."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._question: asyncio.Task[WorkerState | None] | None = None
        self.address = ""
        self.http_address = ""

    @classmethod
    async def spawn(cls, *words: str) -> Self:
        """Start a process that loads what it will need (`words` say what), and waits to be introduced."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
            # In a group of its own, for a terminal's Ctrl-C is the parent's to hear.
            process = await asyncio.create_subprocess_exec(*_ARGV, *words, stdin=theirs.fileno(), process_group=0)
        return cls(process, reader, writer)

    async def introduce(self, settings: Settings, part: Part, signed: Mapping[str, object]) -> None:
        """Say what it is to do, and wait until it serves at `address`; `signed` is in each of its log lines.

        Raises:
            StartError: it cannot, by its own words; it is gone.
        """
        order = {"settings": settings.model_dump(), "part": asdict(part), "signed": dict(signed)}
        try:
            self._say(json.dumps(order, default=_revealed).encode() + b"\n")
            said = await self._introduced()
        except BaseException:
            await self.kill()
            raise
        self.address, self.http_address = str(said["address"]), str(said["http_address"])

    def reload(self, settings: Settings) -> None:
        """Hand over settings that were read again."""
        self._say(json.dumps(settings.model_dump(), default=_revealed).encode() + b"\n")

    async def state(self) -> WorkerState | None:
        """How it is; None where it does not say so within a second. Questions asked together have one answer."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait([self._question], timeout=_ANSWER_SECONDS)
        return self._question.result() if done else None

    async def ended(self) -> int:
        """Wait for its end; the exit code, or the signal's number below zero."""
        return await self._process.wait()

    async def stop(self, *, seconds: float) -> None:
        """Let it drain for so long, and then kill it."""
        with suppress(OSError):
            self._writer.write(STOP)
            self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + _STOP_SECONDS):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it at once, and forget it; one that has ended is only forgotten."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._writer.close()

    async def _introduced(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            msg = f"a worker ended with exit code {await self._process.wait()} before it served; its log says why"
            raise StartError(msg)
        said: dict[str, Any] = json.loads(line)
        if "failure" in said:
            raise (CallersError if said["is_callers"] else StartError)(said["failure"])
        return said

    async def _ask(self) -> WorkerState | None:
        try:
            self._say(b"\n")
            line = await self._reader.readline()
        except OSError:
            return None
        if not line.endswith(b"\n"):
            return None
        said = json.loads(line)
        checks = {name: Check(**check) for name, check in said["checks"].items()}
        return WorkerState(checks=checks, families=unpacked(said["families"]))

    def _say(self, line: bytes) -> None:
        with suppress(OSError):  # it is gone: whoever waits for it finds that out
            self._writer.write(line)


def _revealed(value: Any) -> str:  # noqa: ANN401 - whatever JSON has no form for
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case _:
            msg = f"a setting of type {type(value).__name__} has no form in JSON"
            raise TypeError(msg)

"""A worker as its parent sees it: spawned, never forked; told what to do over a socket; asked how it is; stopped."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from tallygate.app.errors import StartError
from tallygate.server.operations.admin import Check
from tallygate.settings import Settings

# Whatever lies in the working directory is not imported in place of a module.
_ARGV = (sys.executable, "-P", "-m", "tallygate.app.worker")
_LONGEST_LINE = 16 * 1024 * 1024
_ANSWER_SECONDS = 1.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a worker is: what it needs, by name, and what it measures, in Prometheus' text format."""

    checks: Mapping[str, Check]
    metrics: str


class WorkerProcess:
    """A running worker. It drains and ends when the other end of its socket is closed, by whatever."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._question: asyncio.Task[WorkerState | None] | None = None
        self.address = ""

    @classmethod
    async def start(cls, settings: Settings, number: int) -> Self:
        """Start a worker, and wait until it serves at `address`.

        Raises:
            StartError: it cannot, by its own words.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
            # In a group of its own, for a terminal's Ctrl-C is the parent's to hear.
            process = await asyncio.create_subprocess_exec(*_ARGV, stdin=theirs.fileno(), process_group=0)
        worker = cls(process, reader, writer)
        try:
            worker.address = await worker._introduced(settings, number)
        except BaseException:
            await worker.kill()
            raise
        return worker

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

    async def _introduced(self, settings: Settings, number: int) -> str:
        order = {"number": number, "settings": settings.model_dump()}
        self._writer.write(json.dumps(order, default=_revealed).encode() + b"\n")
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            msg = f"a worker ended with exit code {await self._process.wait()} before it served; its log says why"
            raise StartError(msg)
        said = json.loads(line)
        if "failure" in said:
            raise StartError(said["failure"])
        return str(said["address"])

    async def _ask(self) -> WorkerState | None:
        try:
            self._writer.write(b"\n")
            line = await self._reader.readline()
        except OSError:
            return None
        if not line.endswith(b"\n"):
            return None
        said = json.loads(line)
        checks = {name: Check(**check) for name, check in said["checks"].items()}
        return WorkerState(checks=checks, metrics=said["metrics"])


def _revealed(value: Any) -> str:  # noqa: ANN401 - whatever JSON has no form for
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case _:
            msg = f"a setting of type {type(value).__name__} has no form in JSON"
            raise TypeError(msg)

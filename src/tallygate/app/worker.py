"""One worker of several: `python -m tallygate.app.worker`, a process that lives no longer than its parent.

Its standard input is a socket to the parent. A line with the order comes first, and one goes back: where it listens, or
why it does not. Then an empty line asks how it is, one with settings says that they were read again, and `stop` is the
order to drain and stop. The end of input is a parent's end: who serves callers drains, the others end at once.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from shutil import rmtree
from threading import Thread
from typing import Any

from tallygate.app.application import Application
from tallygate.app.part import Part
from tallygate.app.running import run, stop_signal
from tallygate.app.worker_process import STOP, WITH_SQL
from tallygate.domain import errors
from tallygate.server.operations import logs
from tallygate.server.operations.merged_metrics import packed
from tallygate.settings import Settings, SettingsError

_STUCK_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_CALLERS = (
    SettingsError, errors.InvalidError, errors.NotFoundError, errors.ConflictError, errors.PermissionError_,
)  # fmt: skip
_log = logging.getLogger(__name__)


def main() -> int:
    """Serve until the parent or a signal says stop; the exit code is 0 unless it could not be started."""
    if WITH_SQL in sys.argv:  # while the parent starts what this one needs
        from tallygate.app import control_services  # noqa: F401, PLC0415 - loads SQL
    parent = socket.socket(fileno=0)
    lines = parent.makefile("rb")
    order = lines.readline()
    return run(_Worker(parent, lines).serve(**json.loads(order))) if order else 0


class _Worker:
    """What this process is told, and what it tells."""

    def __init__(self, parent: socket.socket, lines: Any) -> None:  # noqa: ANN401 - a buffered reader
        self._parent = parent
        self._lines = lines
        self._patience = _STUCK_SECONDS

    async def serve(self, *, settings: Any, part: Any, signed: Mapping[str, object]) -> int:  # noqa: ANN401 - JSON
        """Do as the order says, until told to stop; the exit code."""
        chosen, mine = Settings.model_validate(settings), Part(**part)
        logs.configure(level=chosen.logging.level, output=chosen.logging.format)
        _sign_logs(signed)
        asked = stop_signal() if mine.decides else asyncio.Event()  # the others are stopped by their parent alone
        application = Application(chosen, mine)
        try:
            await application.start()
        except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, the parent says it
            self._tell({"failure": _told(error), "is_callers": isinstance(error, _CALLERS)})
            return 1
        try:
            self._tell({"address": application.grpc_address, "http_address": application.http_address})
            self._patience += chosen.server.drain_delay_seconds + chosen.server.drain_seconds
            self._attend(application, asked, mine)
            await asked.wait()
        finally:
            await application.stop()
        return 0

    def _attend(self, application: Application, asked: asyncio.Event, part: Part) -> None:
        """Answer the parent in a thread, which also ends a process whose loop is stuck when the parent is gone."""
        loop = asyncio.get_running_loop()

        async def state() -> dict[str, Any]:
            checks = {name: asdict(check) for name, check in (await application.readiness()).items()}
            return {"checks": checks, "families": packed(application.families())}

        def hear(line: bytes) -> None:
            if line.strip():
                loop.call_soon_threadsafe(application.reload, Settings.model_validate_json(line))
            else:
                self._tell(self._awaited(asyncio.run_coroutine_threadsafe(state(), loop)))

        def stop() -> None:
            loop.call_soon_threadsafe(asked.set)

        Thread(target=self._obey, args=(hear, stop, part), daemon=True).start()

    def _obey(self, hear: Callable[[bytes], None], stop: Callable[[], None], part: Part) -> None:
        line = b""
        try:
            while (line := self._lines.readline()) and line != STOP:
                hear(line)
        except EOFError:
            line = b""
        except Exception:  # noqa: BLE001 - a boundary: this thread alone sees the parent's end, so nothing ends it before
            _log.warning("a worker cannot answer its parent, and stops", exc_info=True)
        if not line and not part.decides:  # the parent died, and with it whoever called: as good as dead itself
            if part.socket:
                rmtree(Path(part.socket).parent, ignore_errors=True)  # made for this pair alone
            os._exit(1)
        with suppress(RuntimeError):  # the loop has ended by itself
            stop()
        time.sleep(self._patience)
        os._exit(1)

    def _awaited(self, answer: Future[dict[str, Any]]) -> dict[str, Any]:
        """What the loop answers, however long it takes; EOFError where the parent ends before that."""
        while True:
            try:
                return answer.result(_LOOK_SECONDS)
            except FutureTimeoutError:
                if answer.done():
                    raise
            with suppress(BlockingIOError):
                if not self._parent.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    raise EOFError

    def _tell(self, what: object) -> None:
        with suppress(OSError):  # the parent is gone: whoever reads from it finds that out
            self._parent.sendall(json.dumps(what).encode() + b"\n")


def _told(error: Exception) -> str:
    """One line: this package's own errors speak for themselves, another's is a defect that is logged."""
    if type(error).__module__.startswith("tallygate.") and str(error):
        return str(error)
    _log.error("a worker cannot be started", exc_info=error)
    return f"a defect, {type(error).__name__}: {' '.join(str(error).split())}"


def _sign_logs(signed: Mapping[str, object]) -> None:
    def sign(record: logging.LogRecord) -> bool:
        record.__dict__.update(signed)
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(sign)


if __name__ == "__main__":
    sys.exit(main())

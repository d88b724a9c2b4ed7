"""One worker of several: `python -m tallygate.app.worker`, a process that lives no longer than its parent.

Its standard input is a socket to the parent. A line with the order comes first, and one goes back: where it listens, or
why it does not. Then every line that comes asks how it is. The end of input is the order to drain and stop.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from threading import Thread
from typing import Any

from tallygate.app.application import Application
from tallygate.app.running import run, stop_signal
from tallygate.server.operations import logs
from tallygate.settings import Settings

_STUCK_SECONDS = 10.0
_log = logging.getLogger(__name__)


def main() -> int:
    """Serve until the parent or a signal says stop; the exit code is 0 unless it could not be started."""
    parent = socket.socket(fileno=0)
    order = parent.makefile("rb").readline()
    return run(_serve(parent, **json.loads(order))) if order else 0


async def _serve(parent: socket.socket, *, number: int, settings: Any) -> int:  # noqa: ANN401 - JSON, validated below
    chosen = Settings.model_validate(settings)
    logs.configure(level=chosen.logging.level, output=chosen.logging.format)
    _sign_logs(number)
    asked = stop_signal()
    application = Application(chosen, is_worker=True)
    try:
        await application.start()
    except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, the parent says it
        _tell(parent, {"failure": _told(error)})
        return 1
    try:
        _tell(parent, {"address": application.grpc_address})
        _attend(parent, application, asked, chosen)
        await asked.wait()
    finally:
        await application.stop()
    return 0


def _attend(parent: socket.socket, application: Application, asked: asyncio.Event, settings: Settings) -> None:
    """Answer the parent in a thread, which also ends a process whose loop is stuck when the parent is gone."""
    loop = asyncio.get_running_loop()

    async def state() -> dict[str, Any]:
        checks = {name: asdict(check) for name, check in (await application.readiness()).items()}
        return {"checks": checks, "metrics": application.exposition().decode()}

    def answer() -> None:
        _tell(parent, asyncio.run_coroutine_threadsafe(state(), loop).result())

    def stop() -> None:
        loop.call_soon_threadsafe(asked.set)

    patience = settings.server.drain_delay_seconds + settings.server.drain_seconds + _STUCK_SECONDS
    Thread(target=_obey, args=(parent, answer, stop, patience), daemon=True).start()


def _obey(parent: socket.socket, answer: Callable[[], None], stop: Callable[[], None], patience: float) -> None:
    try:
        while parent.recv(1):
            answer()
    except Exception:  # noqa: BLE001 - a boundary: this thread alone sees the parent's end, so nothing ends it before
        _log.warning("a worker cannot answer its parent, and stops", exc_info=True)
    with suppress(RuntimeError):  # the loop has ended by itself
        stop()
    time.sleep(patience)
    os._exit(1)


def _tell(parent: socket.socket, what: object) -> None:
    with suppress(OSError):  # the parent is gone: whoever reads from it finds that out
        parent.sendall(json.dumps(what).encode() + b"\n")


def _told(error: Exception) -> str:
    """One line: this package's own errors speak for themselves, another's is a defect that is logged."""
    if type(error).__module__.startswith("tallygate.") and str(error):
        return str(error)
    _log.error("a worker cannot be started", exc_info=error)
    return f"a defect, {type(error).__name__}: {' '.join(str(error).split())}"


def _sign_logs(number: int) -> None:
    def signed(record: logging.LogRecord) -> bool:
        record.worker = number
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(signed)


if __name__ == "__main__":
    sys.exit(main())

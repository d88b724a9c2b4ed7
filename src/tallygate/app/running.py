"""A server in the foreground: one process, or several workers under this one, until a signal ends it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tallygate.app.application import Application
from tallygate.app.reloading import Reloading, watch
from tallygate.app.usable import require_usable
from tallygate.app.workers import Workers
from tallygate.server.operations import logs
from tallygate.server.operations.log_rate import tell_of_loop
from tallygate.server.transport.lending import LendingLoop
from tallygate.settings import Settings

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


def run(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a server's process on a loop whose place a transport's thread may take while it waits."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)


def _new_loop() -> asyncio.AbstractEventLoop:
    loop = LendingLoop()
    tell_of_loop(loop)
    return loop


def _server(settings: Settings) -> Application | Workers:
    """What these settings ask for, not started yet, with all its processes."""
    if settings.role == "data" and settings.server.workers > 1:
        return Workers(settings)
    return Application(settings, apart=settings.role == "all" and settings.server.apart)


async def serve(settings: Settings, again: Callable[[], Settings] | None = None, file: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT, then drain and stop; meanwhile further signals change nothing.

    SIGHUP, or a change of their `file`, asks for the settings `again` (`reloading.py`): for what is not taken over the
    process must be started anew.
    """
    logs.configure(level=settings.logging.level, output=settings.logging.format)
    require_usable(settings)
    asked = stop_signal()
    async with _server(settings) as running:
        watching: asyncio.Task[None] | None = None
        if again is not None:
            reload = Reloading(settings, again, running, file)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
            watching = asyncio.create_task(watch(file, reload)) if file is not None else None
        _log.info("serving", extra={"grpc": running.grpc_address, "admin": running.admin_address})
        await asked.wait()
        _log.info("stopping")
        if watching is not None:
            watching.cancel()


def stop_signal() -> asyncio.Event:
    """What SIGTERM and SIGINT set from now on."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    return asked

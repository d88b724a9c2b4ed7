"""A server in the foreground: one process, or several workers under this one, until a signal ends it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tallygate.app.application import Application
from tallygate.app.reloading import Reloading
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


async def serve(settings: Settings, again: Callable[[], Settings] | None = None) -> None:
    """Run until SIGTERM or SIGINT, then drain and stop; meanwhile further signals change nothing.

    SIGHUP asks for the settings `again` (`reloading.py`): for what is not taken over the process must be started anew.
    """
    logs.configure(level=settings.logging.level, output=settings.logging.format)
    require_usable(settings)
    asked = stop_signal()
    async with _server(settings) as running:
        if again is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, Reloading(settings, again, running))
        _log.info("serving", extra={"grpc": running.grpc_address, "admin": running.admin_address})
        await asked.wait()
        _log.info("stopping")


def stop_signal() -> asyncio.Event:
    """What SIGTERM and SIGINT set from now on."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    return asked

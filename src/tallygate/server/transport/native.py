"""The transport `native`: pygrpc-native, HTTP/2 and gRPC in Rust outside the GIL. On this machine only.

It buffers and unzips a whole message before Python sees its size: 4 MB of gzip became 4 GB of memory (grpcio: 50 MB).
No guard in Python can close that, so it never listens beyond Unix sockets and loopback, where the pod's own trust ends.
"""

import asyncio
import logging
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tallygate.server.calls.registry import Service
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import Calls
from tallygate.server.listeners import Address, ListenError, bind_tcp, claim, private_sockets
from tallygate.server.transport.reflection import enable_reflection
from tallygate.server.transport.transports import TransportOptions, channel_options

if TYPE_CHECKING:
    from tallygate.server.transport.native_guards import GuardedServer

SUPPORTED = "0.5.0"
"""The one version whose private parts the guards know; a new one is retested first."""

_LAST_WRITES_SECONDS = 0.25
_SMALL_MACHINE_CORES = 4
_STATM = Path("/proc/self/statm")
_log = logging.getLogger(__name__)


def why_not(addresses: Sequence[Address]) -> str | None:
    """Why `native` cannot listen there, with what to do about it; None where it can."""
    try:
        installed = version("pygrpc-native")
    except PackageNotFoundError:
        return "it is not installed; pip install 'tallygate[native]', or choose transport `grpcio`"
    if installed != SUPPORTED:
        return f"its guards know pygrpc-native {SUPPORTED}, not {installed}; pip install 'tallygate[native]'"
    for address in addresses:
        if not address.is_local:
            return _not_local(address.target)
    try:
        import_module("pygrpc_native.aio")
    except ImportError as error:
        return f"pygrpc-native cannot be loaded here ({error}); choose transport `grpcio`"
    return None


class NativeTransport:
    """pygrpc-native, one server a listener. Nothing is created before `start`, so fork first and start after."""

    def __init__(
        self,
        addresses: Sequence[Address],
        services: Sequence[Service],
        *,
        calls: Calls,
        streams: Streams,
        options: TransportOptions,
    ) -> None:
        self._wanted = tuple(addresses)
        self._services = tuple(services)
        self._calls = calls
        self._streams = streams
        self._options = options
        self._addresses: tuple[Address, ...] = ()
        self._health = health.aio.HealthServicer()
        self._servers: list[GuardedServer] = []
        self._drained = False
        self._process = 0

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, with the ports that it was given."""
        return self._addresses

    async def start(self) -> None:
        """Listen and answer.

        Raises:
            ListenError: an address cannot be had.
        """
        self._process = os.getpid()
        self._watch()
        for name in self._names():
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        try:
            for address in self._wanted:
                await self._start_one(address)
        except ListenError:
            await self.stop()
            raise

    def retime(self, *, drain_delay: float, drain: float) -> None:
        """A drain will take so long, in seconds."""
        self._options = replace(self._options, drain_delay=drain_delay, drain=drain)

    async def drain(self) -> None:
        """Say NOT_SERVING, keep serving for `drain_delay`, then let what is in flight finish, up to `drain`.

        New calls are refused meanwhile; health is answered to the end.
        """
        if not self._servers or self._drained or self._is_inherited():
            return
        self._drained = True
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self._options.drain_delay)
        self._streams.end()
        deadline = monotonic() + self._options.drain
        ended = await asyncio.gather(*(server.drain(self._options.drain) for server in self._servers))
        if not await self._calls.idle(max(0.0, deadline - monotonic())) or not all(ended):
            _log.warning("stopped waiting for work in flight", extra={"seconds": self._options.drain})
        await asyncio.sleep(_LAST_WRITES_SECONDS)  # closing cuts off answers that are not on the wire yet

    async def stop(self) -> None:
        """Close everything; what is still in flight is cut off."""
        if self._is_inherited():
            return
        await asyncio.gather(*(server.stop(None) for server in self._servers))
        self._servers.clear()
        for address in self._addresses:
            if address.path is not None:
                address.path.unlink(missing_ok=True)
        self._addresses = ()

    def _is_inherited(self) -> bool:
        """Whether this process was forked from the one that started: its sockets are not ours to close."""
        return self._process not in {0, os.getpid()}

    def _names(self) -> tuple[str, ...]:
        return tuple(service.name for service in self._services)

    async def _start_one(self, address: Address) -> None:
        from tallygate.server.transport.native_guards import GuardedServer  # noqa: PLC0415 - needs the extra

        limits = self._calls.options
        server = GuardedServer(
            options=channel_options(self._options),
            io_threads=_io_threads(),
            max_calls=limits.max_in_flight + limits.max_streams,
            always=frozenset({health.SERVICE_NAME}),
            burst=self._calls.burst,
            in_place=self._options.in_place,
        )
        # Registered methods only: generic handlers go through a grpcio server behind it, at a tenth of the speed.
        for service in self._services:
            server.add_registered_method_handlers(service.name, service.handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._options.reflection and _has_temporary_directory():
            enable_reflection((*self._names(), health.SERVICE_NAME), server)
        bound = _listen(server, address, shared=self._options.shared)
        self._servers.append(server)
        self._addresses = (*self._addresses, bound)
        await server.start()

    def _watch(self) -> None:
        watch = self._calls.metrics.watch
        watch("tallygate_resident_memory_bytes", "Memory of this process: what `native` buffers is in it.", _resident)
        watch(
            "tallygate_native_calls_registered",
            "Calls that the native transport knows; beyond those in flight it leaks.",
            lambda: sum(server.registered for server in self._servers),
        )
        watch(
            "tallygate_native_calls_refused",
            "Calls that the native transport refused before they were queued.",
            lambda: sum(server.refused for server in self._servers),
            counter=True,
        )


def _not_local(target: str) -> str:
    return (
        f"it never listens beyond this machine, and {target} is neither a Unix socket nor loopback: whoever connects"
        " could make it buffer gigabytes with one small message; choose transport `grpcio`, or put a proxy in front"
    )


def _listen(server: "GuardedServer", address: Address, *, shared: bool) -> Address:
    target = _local_target(address, shared=shared)
    try:
        with private_sockets():
            port = server.add_insecure_port(target)
    except (RuntimeError, ValueError) as error:
        msg = f"cannot listen on {address.target}: {error.__cause__ or error}; choose another address"
        raise ListenError(msg) from error
    return address if address.path is not None else Address(host=address.host, port=port)


def _local_target(address: Address, *, shared: bool) -> str:
    """What the address resolves to here: a name that only looks local is found out.

    Raises:
        ListenError: it is taken, or not local.
    """
    if address.path is not None:
        claim(address)
        return address.target
    with bind_tcp(address, shared=shared) as bound:
        host = bound.getsockname()[0]
    if not ip_address(host).is_loopback:
        msg = f"cannot listen on {address.target} with transport `native`: {_not_local(host)}"
        raise ListenError(msg)
    return Address(host=host, port=address.port).target


def _io_threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if cores <= _SMALL_MACHINE_CORES else 2


def _has_temporary_directory() -> bool:
    """Whether the grpcio server that carries reflection has a place for its socket."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        _log.warning("no reflection: there is no writable temporary directory; mount one, or turn reflection off")
        return False
    return True


def _resident() -> float:
    try:
        return int(_STATM.read_text().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
    except OSError:  # not Linux
        return math.nan

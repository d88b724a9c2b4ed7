"""An HTTP listener in the running loop, which leaves signals to the process and waits for no slow client."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from tallygate.server.listeners import Address, bind_tcp
from tallygate.server.tls import ServerTls

_STOP_SECONDS = 2.0
_LONGEST_HEAD = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """What a listener lets in: so many connections wait to be accepted, and so many are open.

    A request must be there, whole, so many seconds after its connection or the answer before it; 0: whenever it likes.
    """

    tls: ServerTls | None = None
    backlog: int = 16
    most_connections: int | None = None
    whole_within: float = 0.0


class HttpServer:
    """Serves an application."""

    def __init__(self, address: Address, app: Starlette, options: HttpOptions) -> None:
        self._wanted, self._app, self._options = address, app, options
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.address = address

    async def start(self) -> None:
        """Listen and answer.

        Raises:
            ListenError: the address cannot be had.
        """
        bound = bind_tcp(self._wanted)
        self.address = Address(host=self._wanted.host, port=bound.getsockname()[1])
        options = self._options
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http=partial(_PatientProtocol, options.whole_within) if options.whole_within else "auto",  # type: ignore[arg-type] # it is called as the class would be
            backlog=options.backlog,
            limit_concurrency=options.most_connections,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            timeout_graceful_shutdown=int(_STOP_SECONDS),
            server_header=False,
        )
        config.load()
        config.ssl = options.tls.context() if options.tls is not None else None
        self._server = uvicorn.Server(config)
        # Step by step instead of serve(), which would take the process's signals; they have one owner.
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[bound])
        self._serving = asyncio.create_task(self._server.main_loop())

    async def stop(self) -> None:
        """Finish what is being answered, within two seconds, and close."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        await self._server.shutdown()
        self._server = self._serving = None


class _PatientProtocol(H11Protocol):
    """Cuts who does not send a whole request in time; uvicorn by itself waits for the rest of one for ever."""

    def __init__(self, seconds: float, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **options)
        self._seconds = seconds
        self._cut: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._wait()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._end_wait_if_whole()

    @override
    def on_response_complete(self) -> None:
        self._wait()
        super().on_response_complete()
        self._end_wait_if_whole()  # of a request that was sent before this answer

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    def _end_wait_if_whole(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request, whatever uvicorn's types say
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._end_wait()

    def _wait(self) -> None:
        self._end_wait()
        self._cut = self.loop.call_later(self._seconds, self.transport.abort)

    def _end_wait(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

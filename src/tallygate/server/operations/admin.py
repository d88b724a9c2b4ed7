"""The admin port: /live, /ready with its reasons, /metrics; HTTP, no API key, never a tenant's data."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tallygate.server.listeners import Address, bind_tcp
from tallygate.server.operations.metrics import CONTENT_TYPE
from tallygate.server.tls import ServerTls

_STOP_SECONDS = 2.0
_CHECK_SECONDS = 2.0
_REFUSED = "expected Authorization: Bearer, with the token in server.admin_token_file\n"
_BACKLOG = 16
"""How many connections wait to be accepted: where none can be, asyncio complains of each place in this queue."""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one thing that this process needs is there; `required` things make it not ready."""

    ok: bool
    detail: str = ""
    required: bool = True


Readiness = Callable[[], Awaitable[Mapping[str, Check]]]
"""Every check by its name; draining is one of them."""


class Scraped(Protocol):
    """Whatever is measured, of this process or of several."""

    async def scrape(self) -> bytes:
        """All of it, in Prometheus' text format."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminOptions:
    """`token` says what callers must show for more than a yes or no; an empty one is shown by nobody."""

    tls: ServerTls | None = None
    token: Callable[[], str] | None = None


class AdminServer:
    """Serves the admin port in the running loop. It leaves signals to the process."""

    def __init__(
        self, address: Address, *, metrics: Scraped, readiness: Readiness, options: AdminOptions | None = None
    ) -> None:
        self._wanted = address
        self._options = options or AdminOptions()
        self._app = _application(metrics, readiness, self._options.token)
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
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            backlog=_BACKLOG,
            timeout_graceful_shutdown=int(_STOP_SECONDS),
            server_header=False,
        )
        config.load()
        config.ssl = self._options.tls.context() if self._options.tls is not None else None
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


def _application(metrics: Scraped, readiness: Readiness, token: Callable[[], str] | None) -> Starlette:
    def trusted(request: Request) -> bool:
        wanted = "" if token is None else token()
        shown = request.headers.get("authorization", "")
        return token is None or (bool(wanted) and compare_digest(shown.encode(), f"Bearer {wanted}".encode()))

    async def live(_request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(request: Request) -> Response:
        try:
            checks = await asyncio.wait_for(readiness(), _CHECK_SECONDS)
        except TimeoutError:
            checks = {"checks": Check(ok=False, detail=f"no answer within {_CHECK_SECONDS:g} s")}
        fine = all(check.ok for check in checks.values() if check.required)
        body: dict[str, object] = {"ready": fine}
        if trusted(request):
            body["checks"] = {name: asdict(check) for name, check in checks.items()}
        return JSONResponse(body, status_code=200 if fine else 503)

    async def scrape(request: Request) -> Response:
        if not trusted(request):
            return PlainTextResponse(_REFUSED, status_code=401, headers={"www-authenticate": "Bearer"})
        return Response(await metrics.scrape(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/live", live), Route("/ready", ready), Route("/metrics", scrape)])

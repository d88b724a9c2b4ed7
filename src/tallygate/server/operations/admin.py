"""The admin port: /live, /ready with its reasons, /metrics; HTTP, no API key, never a tenant's data."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tallygate.server.http_server import HttpOptions, HttpServer
from tallygate.server.listeners import Address
from tallygate.server.operations.metrics import CONTENT_TYPE
from tallygate.server.tls import ServerTls

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


class AdminServer(HttpServer):
    """Serves the admin port."""

    def __init__(
        self, address: Address, *, metrics: Scraped, readiness: Readiness, options: AdminOptions | None = None
    ) -> None:
        chosen = options or AdminOptions()
        app = _application(metrics, readiness, chosen.token)
        super().__init__(address, app, HttpOptions(tls=chosen.tls, backlog=_BACKLOG))


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

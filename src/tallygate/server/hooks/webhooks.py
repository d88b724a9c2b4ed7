"""`POST /gateways/TENANT/NAME`: what gateways tell. No API key: the bytes are signed. Why one is refused nobody learns.

An event is answered with 200 only when it is kept. With anything else its gateway tells it again, later.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tallygate.billing.gateway_events import EventTooEarlyError
from tallygate.billing.ports import NoAnswerError, UnverifiedEventError
from tallygate.domain.errors import TallygateError
from tallygate.records.gateway_events import Effect
from tallygate.server.operations.metrics import Metrics

MOST_BYTES = 256 * 1024
MOST_SECONDS = 15.0
_AGAIN_SECONDS = "5"
_PARTS = 4
"""Of a path: nothing before the first slash, `gateways`, the tenant, the gateway's name."""
_log = logging.getLogger(__name__)


class Hearing(Protocol):
    """Whoever takes events in."""

    async def hear(self, tenant_id: str, name: str, raw: bytes, headers: Mapping[str, str]) -> Effect:
        """Keep one, and do what follows from it."""
        ...


@dataclass(slots=True, kw_only=True)
class HookCounts:
    """How events ended: by what followed from them, or refused, put off, failed."""

    ended: Counter[str] = field(default_factory=Counter)

    def show(self, metrics: Metrics) -> None:
        """As counters."""
        for name, text in (
            *((effect.value, f"Gateways' events: {_TEXTS[effect]}.") for effect in Effect),
            ("refused", "What came as a gateway's event and was none: unsigned, too old, too large."),
            ("put_off", "Gateways' events that are to be told again later."),
            ("failed", "Gateways' events that a defect kept from being stored; the log has it."),
        ):
            metrics.watch(f"tallygate_gateway_events_{name}", text, partial(self._ended, name), counter=True)

    def _ended(self, name: str) -> float:
        return self.ended[name]


_TEXTS = {
    Effect.APPLIED: "the books changed",
    Effect.REPEATED: "told before",
    Effect.OLD: "the books were as far, or further",
    Effect.ASKED: "did not fit the books, so that the gateway is asked",
    Effect.FOREIGN: "about nothing that is in the books",
}


def hook_application(hearing: Hearing, counts: HookCounts) -> Starlette:
    """The HTTP application."""

    async def told(request: Request) -> Response:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                name, answer = await _answer(hearing, request)
        except TimeoutError:
            name, answer = "put_off", _later("no time")
        except Exception:  # noqa: BLE001 - a boundary: logged with its trace, and its gateway tells it again
            _log.exception("a gateway's event could not be taken in")
            name, answer = "failed", PlainTextResponse("a defect\n", status_code=500)
        counts.ended[name] += 1
        return answer

    return Starlette(routes=[Route("/gateways/{rest:path}", told, methods=["POST"])])


async def _answer(hearing: Hearing, request: Request) -> tuple[str, Response]:
    tenant_id, gateway = _place(request)
    try:
        raw = await _body(request)
        effect = await hearing.hear(tenant_id, gateway, raw, {k.lower(): v for k, v in request.headers.items()})
    except _TooLargeError:
        text = f"more than {MOST_BYTES} bytes\n"
        return "refused", PlainTextResponse(text, status_code=413, headers={"connection": "close"})
    except (ClientDisconnect, UnverifiedEventError):
        _log.info("an event for gateway %r of tenant %r was not believed", gateway[:64], tenant_id[:64])
        return "refused", _refused()
    except (EventTooEarlyError, NoAnswerError):
        return "put_off", _later("not yet")
    except TallygateError as error:
        _log.warning("a gateway's event could not be taken in: %s", error)
        return "put_off", _later("not now")
    return effect.value, PlainTextResponse("kept\n")


def _place(request: Request) -> tuple[str, str]:
    """The tenant and the gateway's name that a path holds, empty where it is another; a name may have slashes."""
    parts = request.scope["raw_path"].decode("ascii").split("/")
    if len(parts) != _PARTS:
        return "", ""
    return unquote(parts[2]), unquote(parts[3])


class _TooLargeError(Exception):
    """A body is larger than any event is."""


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > MOST_BYTES:
        raise _TooLargeError
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise _TooLargeError
    return bytes(raw)


def _refused() -> Response:
    """The same for an unknown tenant, an unused gateway and a wrong signature."""
    return PlainTextResponse("not verified\n", status_code=401)


def _later(why: str) -> Response:
    return PlainTextResponse(f"{why}, tell it again\n", status_code=503, headers={"retry-after": _AGAIN_SECONDS})

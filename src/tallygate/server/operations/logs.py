"""Structured logs: one JSON object (or a line for people) an event, with request id and tenant, never with a key.

Every module logs through `logging`; this room decides how it looks.
"""

import logging
import re
import sys
import uuid
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, TextIO

import structlog
from google.protobuf.message import Message
from typing_extensions import override

from tallygate.domain.card_numbers import masked
from tallygate.server.operations.log_rate import BoundedHandler

_KEY = re.compile(r"tg_[0-9A-Za-z]{12,}")
_SHOWN = "tg_***"
_NOISY = (
    "alembic", "asyncio", "uvicorn", "uvicorn.error", "aiosqlite",
    "stripe", "httpx", "httpcore", "urllib3", "requests", "apimatic_core",
)  # fmt: skip
"""Below a warning these tell too much: gateways' libraries what they send, and what they are answered."""
EventDict = MutableMapping[str, Any]


@dataclass(slots=True)
class CallInfo:
    """What log lines say of the call they are written in; the tenant is known once the key is.

    `name` is the caller's own (metadata x-request-id), `call_id` one that was given to the call here; `actor` is
    whom it says that it acts for (metadata x-actor), and in no line.
    """

    method: str
    name: str = ""
    request: Message | None = None
    tenant_id: str = ""
    call_id: str = ""
    actor: str = ""

    @property
    def request_id(self) -> str:
        """The caller's name for the call, else the request's own request_id, else an id given to this call."""
        found: str = self.name or getattr(self.request, "request_id", "") or self.call_id
        if not found:
            found = self.call_id = new_call_id()
        return found


def new_call_id() -> str:
    """A name for a call whose caller gave it none."""
    return f"call-{uuid.uuid4().hex[:12]}"


CURRENT_CALL: ContextVar[CallInfo | None] = ContextVar("tallygate_call", default=None)


def configure(*, level: str, output: Literal["json", "text"], stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error), redacted, and bounded where it repeats."""
    renderer: Any = structlog.processors.JSONRenderer()
    if output == "text":
        renderer = structlog.dev.ConsoleRenderer(
            colors=(stream or sys.stderr).isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_call,
    ]
    rest: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # before redaction, which leaves of an exc_info nothing to render
    ]
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*rest, redact, renderer])
    handler = BoundedHandler(stream or sys.stderr)
    handler.setFormatter(_Redacting(formatter))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace anything that looks like an API key or a card's number, however deep it stands."""
    for key, value in event.items():
        event[key] = _redacted(value)
    return event


class _Redacting(logging.Formatter):
    """The last word: what a renderer makes of tracebacks and reprs is redacted as text, too."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    @override
    def format(self, record: logging.LogRecord) -> str:
        return masked(_KEY.sub(_SHOWN, self._inner.format(record)))


def _redacted(value: object) -> object:
    match value:
        case str():
            return masked(_KEY.sub(_SHOWN, value))
        case dict():
            return {key: _redacted(item) for key, item in value.items()}
        case list() | tuple():
            return [_redacted(item) for item in value]
        case _:
            return value


def _add_call(_logger: object, _method: str, event: EventDict) -> EventDict:
    call = CURRENT_CALL.get()
    if call is not None:
        event.setdefault("method", call.method)
        event.setdefault("tenant_id", call.tenant_id)
        event.setdefault("request_id", call.request_id)
    return event

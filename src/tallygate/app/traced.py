"""What a trace follows, wrapped: a call's port, the gates, what views and keys are read from, statements of SQL.

Children have a span where somebody follows their call; without, they are what they were.
"""

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span

from tallygate.data_plane.ports import (
    About,
    AdmitCall,
    AdmitReply,
    Answered,
    Asked,
    GateStore,
    Program,
    Published,
    ViewVersions,
)
from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import UnavailableError
from tallygate.server.calls.port import Leaving, Port
from tallygate.server.wire.errors import Failure, Trailing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, ExceptionContext


_REDIS = {"db.system.name": "redis"}
_FAULTS = frozenset({
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS,
})  # fmt: skip
"""What is a server's fault, as OpenTelemetry's conventions have it; others are the caller's."""
_SPAN = "tallygate.span"
T = TypeVar("T")


@contextmanager
def within(context: Context) -> Iterator[None]:
    """Do something in this context."""
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


@contextmanager
def asking(tracer: Tracer, name: str, attributes: Mapping[str, str]) -> Iterator[None]:
    """A span of something that is asked of others, where there is a trace."""
    if not get_current_span().is_recording():
        yield
        return
    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False):
        yield


class TracedPort:
    """Where a call is answered whose span ends with its answer."""

    __slots__ = ("_port", "_span")

    def __init__(self, port: Port, span: Span) -> None:
        self._port = port
        self._span = span

    def answer(self, token: Any, outcome: bytes | Failure, trailing: Trailing = ()) -> None:  # noqa: ANN401 - the port's
        """Answer the call."""
        _end(self._span, outcome.code if isinstance(outcome, Failure) else grpc.StatusCode.OK)
        self._port.answer(token, outcome, trailing)


class TracedLeaving:
    """A call whose span ends where its caller leaves."""

    __slots__ = ("_call", "_span")

    def __init__(self, call: Leaving, span: Span) -> None:
        self._call = call
        self._span = span

    def leave(self) -> None:
        """The caller has left."""
        _end(self._span, grpc.StatusCode.CANCELLED)
        self._call.leave()


class TracedGates:
    """`GateStore` that follows what it is asked."""

    def __init__(self, store: GateStore, tracer: Tracer) -> None:
        self._store = store
        self._tracer = tracer

    def prepare(self, call: AdmitCall) -> Program:
        """As the store does."""
        return TracedProgram(self._store.prepare(call), self._tracer)


class TracedProgram:
    """`Program` each of whose questions is a span; what follows the answer is again of the call that asked."""

    __slots__ = ("_program", "_tracer")

    def __init__(self, program: Program, tracer: Tracer) -> None:
        self._program = program
        self._tracer = tracer

    def ask(self, asked: Sequence[Asked], about: About, answered: Answered) -> None:
        """Ask this of the gates, in their order."""
        parent = get_current()
        if not get_current_span(parent).is_recording():
            self._program.ask(asked, about, answered)
            return
        span = self._tracer.start_span("redis admit", parent, SpanKind.CLIENT, _REDIS)

        def told(reply: AdmitReply | UnavailableError) -> None:
            if isinstance(reply, UnavailableError):
                span.set_status(Status(StatusCode.ERROR, reply.reason.value))
            else:
                span.set_attribute("tallygate.status", reply.status.value)
            span.end()
            with within(parent):
                answered(reply)

        self._program.ask(asked, about, told)


class TracedSource:
    """Views and keys that follow what is read of them."""

    def __init__(self, source: Published, tracer: Tracer) -> None:
        self._source = source
        self._tracer = tracer

    async def versions(self, tenant_id: str, account_id: str) -> ViewVersions:
        """What is newest now."""
        return await self._read("versions", self._source.versions(tenant_id, account_id))

    async def all_versions(self, tenant_id: str, account_ids: Sequence[str]) -> Sequence[ViewVersions]:
        """The same for several accounts."""
        return await self._read("versions", self._source.all_versions(tenant_id, account_ids))

    async def catalog(self, tenant_id: str) -> CatalogSnapshot | None:
        """The tenant's catalogue snapshot."""
        return await self._read("catalogue", self._source.catalog(tenant_id))

    async def newest(self, tenant_id: str, account_id: str) -> tuple[ViewVersions, AccountRecord | None]:
        """The account's record, and what is newest."""
        return await self._read("account", self._source.newest(tenant_id, account_id))

    async def key(self, digest: str) -> KeyRecord | None:
        """The record of the key with this digest."""
        return await self._read("key", self._source.key(digest))

    async def table_version(self) -> int:
        """Raised with every change of any key."""
        return await self._source.table_version()

    async def _read(self, what: str, reading: Awaitable[T]) -> T:
        with asking(self._tracer, f"redis {what}", _REDIS):
            return await reading


class Statements:
    """Statements of SQL, each a span; it holds the statement's text, and no value."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begun(
        self,
        connection: "Connection",
        _cursor: object,
        statement: str,
        _parameters: object,
        _context: object,
        _many: bool,  # noqa: FBT001 - the listener's form is SQLAlchemy's
    ) -> None:
        """One is sent."""
        parent = get_current()
        if get_current_span(parent).is_recording():
            system, verb = connection.dialect.name, statement.split(None, 1)[0]
            attributes = {"db.system.name": system, "db.query.text": statement}
            connection.info[_SPAN] = self._tracer.start_span(f"{system} {verb}", parent, SpanKind.CLIENT, attributes)

    def done(self, connection: "Connection", *_: object) -> None:
        """It was carried out."""
        _finish(connection, "")

    def failed(self, context: "ExceptionContext") -> None:
        """It was not."""
        if context.connection is not None:
            _finish(context.connection, type(context.original_exception).__name__)


def _finish(connection: "Connection", problem: str) -> None:
    span: Span | None = connection.info.pop(_SPAN, None)
    if span is not None:
        if problem:
            span.set_status(Status(StatusCode.ERROR, problem))
        span.end()


def _end(span: Span, code: grpc.StatusCode) -> None:
    """End a span once, as a call ended."""
    if span.is_recording():
        number: Any = code.value  # a pair of number and text
        span.set_attribute("rpc.grpc.status_code", number[0])
        if code in _FAULTS:
            span.set_status(Status(StatusCode.ERROR, code.name))
        span.end()

"""Spans of calls, and of what they ask of Redis, SQL and payment gateways: OpenTelemetry, where a receiver is named.

It is loaded there alone, and wraps what it follows as that is put together: what is not traced has no branch for it.
Only calls and jobs begin a trace; what Redis and SQL are asked for without one, in the background, has no span.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tallygate import __version__
from tallygate.app.traced import Statements, TracedGates, TracedLeaving, TracedPort, TracedSource, asking, within
from tallygate.data_plane.ports import GateStore, Published
from tallygate.jobs.scheduler import Handler, Scheduler
from tallygate.records.jobs import Job
from tallygate.server.calls.port import Begin, Leaving, Metadata, Port
from tallygate.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


_W3C = TraceContextTextMapPropagator()
_HEADERS = frozenset(_W3C.fields)
_SECONDS = 5
"""How long the receiver may take to accept a batch."""


class Tracing:
    """What follows calls of one process; each method wraps something, and changes nothing that it does."""

    def __init__(self, settings: Settings, processor: SpanProcessor) -> None:
        chosen = settings.tracing
        resource = Resource.create({"service.name": chosen.service_name, "service.version": __version__})
        sampler = ParentBased(TraceIdRatioBased(chosen.ratio))
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("tallygate", __version__)

    async def close(self) -> None:
        """Hand over what has ended; a receiver that does not answer is waited for as long as for any batch."""
        await asyncio.to_thread(self._provider.shutdown)

    def unary(self, name: str, begin: Begin) -> Begin:
        """What begins calls of a method, in a span that ends with their answer."""
        attributes, start = _method(name), self._tracer.start_span

        def followed(
            data: bytes, metadata: Metadata, remaining: float | None, port: Port, token: object
        ) -> Leaving | None:
            pairs = tuple(metadata)
            span = start(name, _caller(pairs), SpanKind.SERVER, attributes)
            kept = span.is_recording()
            with within(set_span_in_context(span)):
                call = begin(data, pairs, remaining, TracedPort(port, span) if kept else port, token)
            return TracedLeaving(call, span) if kept and call is not None else call

        return followed

    def streaming(
        self, name: str, serve: Callable[[bytes, Any], AsyncIterator[bytes]]
    ) -> Callable[[bytes, Any], AsyncIterator[bytes]]:
        """What serves a method that streams, in a span that ends with the stream."""
        attributes = _method(name)

        async def followed(data: bytes, context: Any) -> AsyncGenerator[bytes, None]:  # noqa: ANN401 - the transport's
            caller = _caller(tuple(context.invocation_metadata() or ()))
            span = self._tracer.start_span(name, caller, SpanKind.SERVER, attributes)
            attach(set_span_in_context(span))  # of this call's own task, which ends with it
            items: Any = serve(data, context)
            try:
                async with aclosing(items):
                    async for item in items:
                        yield item
            except Exception:
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                span.end()

        return followed

    def gates(self, store: GateStore) -> GateStore:
        """Gates, each question to which is a span."""
        return TracedGates(store, self._tracer)

    def source(self, source: Published) -> Published:
        """Views and keys, each reading of which is a span."""
        return TracedSource(source, self._tracer)

    def watch(self, engine: "AsyncEngine") -> None:
        """Make each statement a span; it holds the statement's text, and no value."""
        from sqlalchemy import event  # noqa: PLC0415 - role `data` has no database

        statements = Statements(self._tracer)
        event.listen(engine.sync_engine, "before_cursor_execute", statements.begun)
        event.listen(engine.sync_engine, "after_cursor_execute", statements.done)
        event.listen(engine.sync_engine, "handle_error", statements.failed)

    def scheduler(self, scheduler: Scheduler) -> Scheduler:
        """The same, each run of whose jobs is a trace of its own."""
        return replace(scheduler, handlers=self.jobs(scheduler.handlers))

    def jobs(self, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
        """Handlers of jobs, each of whose runs is a trace of its own."""
        return {kind: self._job(kind, handler) for kind, handler in handlers.items()}

    @contextmanager
    def asking(self, name: str) -> Iterator[None]:
        """What is asked of a payment gateway, as a span."""
        with asking(self._tracer, name, {"tallygate.gateway": name}):
            yield

    def headers(self) -> Mapping[str, str]:
        """What tells others of this trace (W3C)."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier

    def _job(self, kind: str, handler: Handler) -> Handler:
        async def followed(jobs: Sequence[Job]) -> None:
            attributes = {"tallygate.jobs": len(jobs)}
            with self._tracer.start_as_current_span(
                f"job {kind}", Context(), attributes=attributes, record_exception=False
            ):
                await handler(jobs)

        return followed


def open_tracing(settings: Settings) -> Tracing:
    """Spans that go to the receiver that the settings name; what else it needs, the SDK's own variables say."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - a third of it
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

    exporter = OTLPSpanExporter(
        endpoint=settings.tracing.endpoint, insecure=settings.tracing.endpoint.startswith("http://"), timeout=_SECONDS
    )
    return Tracing(settings, BatchSpanProcessor(exporter))


def _method(name: str) -> Mapping[str, str]:
    service, _, method = name.partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _caller(metadata: Sequence[tuple[str, str | bytes]]) -> Context:
    """The trace of the caller, as its metadata tells it; an empty one where it tells none, or nonsense."""
    carrier: dict[str, list[str]] = {}
    for key, value in metadata:
        if key in _HEADERS and isinstance(value, str):
            carrier.setdefault(key, []).append(value)
    told = {key: ",".join(values) for key, values in carrier.items()}
    return _W3C.extract(told, Context()) if told else Context()

"""The wrapper's other half: methods that answer with a stream, which ends when the server stops."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from time import perf_counter
from typing import Any

import grpc
from google.protobuf.message import Message

from tallygate.domain.errors import OverloadedError, ShuttingDownError
from tallygate.server.calls.method import Call, Method, Unreadable
from tallygate.server.calls.port import REQUEST_ID, caller_of
from tallygate.server.calls.wrapper import Calls, Context
from tallygate.server.operations.logs import CURRENT_CALL, CallInfo
from tallygate.server.wire.errors import DeadlineExceededError

_CLOSING_SECONDS = 0.5

StreamMethod = Callable[[Any, Call], AsyncGenerator[Message, None]]


class Streams:
    """Wraps methods that stream. The key is looked at again before each item: a revoked one ends its streams."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._open = 0
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._at_end: list[Callable[[], None]] = []
        calls.metrics.watch("tallygate_streams_open", "Streams being followed.", lambda: self._open)

    def end(self) -> None:
        """Answer every open stream, and every new one, with SHUTTING_DOWN; until they have ended, work is in flight."""
        self._stopping.set()
        for told in self._at_end:
            told()
        if self._open:
            self._ended.clear()
            self._calls.keep(asyncio.create_task(self._all_ended()))

    def at_end(self, told: Callable[[], None]) -> None:
        """Tell whoever has streams of its own when they have to end."""
        self._at_end.append(told)

    def streaming(self, method: Method, function: StreamMethod) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
        """A handler for a method that answers with a stream."""

        async def serve(data: bytes, context: Context) -> AsyncIterator[bytes]:
            request = method.decode(data)
            started, code = perf_counter(), grpc.StatusCode.CANCELLED
            info = CallInfo(method.name, name=caller_of(context.invocation_metadata() or ())[1])
            if info.name:
                context.set_trailing_metadata(((REQUEST_ID, info.name),))
            CURRENT_CALL.set(info)
            self._open += 1
            try:
                async with aclosing(self._items(method, function, request, context, info)) as items:
                    async for item in items:
                        yield item.SerializeToString()
                code = grpc.StatusCode.OK
            except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
                failure = self._calls.failure(error, info)
                code = failure.code
                await context.abort(failure.code, failure.message, failure.trailing)
            finally:
                self._open -= 1
                if not self._open:
                    self._ended.set()
                self._calls.metrics.call(method.name, code, perf_counter() - started)

        follower = self._calls.follower
        return serve if follower is None else follower.streaming(method.name, serve)

    async def _all_ended(self) -> None:
        """Wait until the closing of each source is work in flight itself; but not for a caller who does not read."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), _CLOSING_SECONDS)

    async def _items(
        self, method: Method, function: StreamMethod, request: Message | Unreadable, context: Context, info: CallInfo
    ) -> AsyncGenerator[Message, None]:
        remaining = context.time_remaining()
        if remaining is not None and remaining <= 0:
            raise DeadlineExceededError
        if self._open > self._calls.options.max_streams:
            raise OverloadedError(streams=self._open)
        key = await self._calls.admit(method, request, context, info)
        source = function(request, Call(key.tenant_id, key))
        stopping = asyncio.ensure_future(self._stopping.wait())
        step: asyncio.Task[Message] | None = None
        try:
            while True:
                step = asyncio.create_task(_next(source))
                await asyncio.wait((step, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not step.done():
                    raise ShuttingDownError
                await self._calls.admit(method, request, context, info)
                yield step.result()
        except StopAsyncIteration:
            return
        finally:
            stopping.cancel()
            self._calls.keep(asyncio.create_task(_close(source, step)))


async def _next(source: AsyncGenerator[Message, None]) -> Message:
    return await anext(source)


async def _close(source: AsyncGenerator[Message, None], step: asyncio.Task[Message] | None) -> None:
    """Let the step that was begun end before the source is closed: what it asks of a store is not torn apart."""
    if step is not None:
        await asyncio.wait((step,), timeout=_CLOSING_SECONDS)
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)
    await source.aclose()

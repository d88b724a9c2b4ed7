"""The one thin wrapper around every servicer method: key, scope, deadline, in-flight limit, errors, metrics, log.

A servicer method takes `(request, Call)` and answers a response, or an async iterator of them; it knows no transport.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf.message import DecodeError, Message

from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import OverloadedError, ScopeMissingError, ShuttingDownError, TallygateError
from tallygate.server.authentication import Authenticator
from tallygate.server.errors import (
    DeadlineExceededError,
    Failure,
    InternalError,
    MalformedRequestError,
    Trailing,
    failure_of,
)
from tallygate.server.logs import CURRENT_CALL, CallInfo
from tallygate.server.metrics import Metrics
from tallygate.server.scopes import MethodRule

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """Limits of all calls together and of each; a deadline in seconds, sizes in bytes."""

    default_deadline: float = 5.0
    max_in_flight: int = 1024
    max_message_bytes: int = 256 * 1024
    max_batch_message_bytes: int = 1024 * 1024
    max_streams: int = 256


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls: the tenant is that of the key, never of the request."""

    tenant_id: str
    key: KeyRecord


class Context(Protocol):
    """What this room needs of a transport's context: the part of grpc.aio's that every transport offers."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Pairs, keys in lower case."""
        ...

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None, or very long, where it has none."""
        ...

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Trailing) -> NoReturn:
        """End the call with an error; always raises."""
        ...


UnaryMethod = Callable[[Any, Call], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a request that could not be decoded, until the call is known to be allowed at all."""

    error: MalformedRequestError


@dataclass(frozen=True, slots=True)
class Method:
    """A method as metrics and logs name it, and its row in the table of rules."""

    name: str
    rule: MethodRule


class Calls:
    """Wraps servicers. Work that was started runs to its end, whatever becomes of the call that started it."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        metrics: Metrics,
        options: CallOptions,
        new_id: Callable[[], str] = lambda: f"call-{uuid.uuid4().hex[:12]}",
    ) -> None:
        self.options = options
        self.metrics = metrics
        self._authenticator = authenticator
        self._new_id = new_id
        self._running: set[asyncio.Task[Any]] = set()
        self._refusing = False
        metrics.watch("tallygate_calls_in_flight", "Calls whose work is not finished.", lambda: len(self._running))

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Count a task as work in flight until it is done."""
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def refuse_new(self) -> None:
        """Answer calls that begin from now on with SHUTTING_DOWN, which clients retry elsewhere."""
        self._refusing = True

    async def idle(self, seconds: float) -> bool:
        """Wait until no work is running; whether that happened in time."""
        deadline = perf_counter() + seconds
        while self._running and (left := deadline - perf_counter()) > 0:
            await asyncio.wait(set(self._running), timeout=left)
        return not self._running

    def unary(self, method: Method, function: UnaryMethod) -> Callable[[Any, Context], Awaitable[Message]]:
        """A handler for a method that answers once."""

        async def serve(request: Message | Unreadable, context: Context) -> Message:
            started = perf_counter()
            try:
                outcome = await self._answer(method, function, request, context)
            except asyncio.CancelledError:
                self.metrics.call(method.name, grpc.StatusCode.CANCELLED, perf_counter() - started)
                raise
            code = outcome.code if isinstance(outcome, Failure) else grpc.StatusCode.OK
            self.metrics.call(method.name, code, perf_counter() - started)
            if isinstance(outcome, Failure):
                await context.abort(outcome.code, outcome.message, outcome.trailing)
            return outcome

        return serve

    async def _answer(
        self, method: Method, function: UnaryMethod, request: Message | Unreadable, context: Context
    ) -> Message | Failure:
        remaining = context.time_remaining()
        limit = self.options.default_deadline
        patience = limit if remaining is None else min(remaining, limit)
        if self._refusing:
            return failure_of(ShuttingDownError())
        if patience <= 0:
            return failure_of(DeadlineExceededError())
        if len(self._running) >= self.options.max_in_flight:
            return failure_of(OverloadedError(in_flight=len(self._running)))
        task = asyncio.create_task(self._work(method, function, request, context))
        self.keep(task)
        # Neither the deadline nor the caller's leaving cancels the task: what it asks of a store is not torn apart.
        done, _ = await asyncio.wait((task,), timeout=patience)
        return task.result() if done else failure_of(DeadlineExceededError())

    async def _work(
        self, method: Method, function: UnaryMethod, request: Message | Unreadable, context: Context
    ) -> Message | Failure:
        info = CallInfo(method.name)
        CURRENT_CALL.set(info)
        try:
            call = await self.admit(method, request, context, info)
            response = await function(request, call)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
            return self.failure(error, info)
        _log.debug("answered")
        return response

    async def admit(self, method: Method, request: Message | Unreadable, context: Context, info: CallInfo) -> Call:
        """Who calls, if the key allows this method.

        Raises:
            PermissionError_: it does not.
            StoreUnavailableError: nobody can say.
            MalformedRequestError: it does, but the request cannot be read.
        """
        key = await self._authenticator.authenticate(_authorization(context))
        info.tenant_id = key.tenant_id
        if not key.scopes.intersection(method.rule.scopes):
            raise ScopeMissingError(scope=method.rule.scopes[0].value, key_id=key.key_id)
        if isinstance(request, Unreadable):
            raise request.error
        info.request = request
        return Call(key.tenant_id, key)

    def failure(self, error: Exception, info: CallInfo) -> Failure:
        """What is answered to this error; one that nobody expected is logged and not shown."""
        if isinstance(error, TallygateError):
            failure = failure_of(error)
            if failure.code is not grpc.StatusCode.INTERNAL:
                _log.debug("refused", extra={"reason": error.reason.value})
                return failure
        info.call_id = self._new_id()
        _log.error("unexpected error", exc_info=error)
        return failure_of(InternalError(request_id=info.request_id))


def decoder(message: type[Message], limit: int) -> Callable[[bytes], Message | Unreadable]:
    """A deserializer that never raises: what it cannot read is answered by the wrapper, once the key is known."""

    def decode(data: bytes) -> Message | Unreadable:
        expected = message.DESCRIPTOR.full_name
        if len(data) > limit:
            return Unreadable(MalformedRequestError(expected=f"at most {limit} bytes", got=len(data)))
        try:
            return message.FromString(data)
        except DecodeError:
            return Unreadable(MalformedRequestError(expected=expected))

    return decode


def _authorization(context: Context) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None

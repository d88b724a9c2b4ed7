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

from tallygate.data_plane.burst import Burst
from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import OverloadedError, ScopeMissingError, ShuttingDownError, TallygateError
from tallygate.server.calls.authentication import Authenticator
from tallygate.server.calls.begun import BegunCalls, Quick, Rules, Waiting, authorization_of
from tallygate.server.calls.deadlines import DeadlineSweep
from tallygate.server.calls.room import Room
from tallygate.server.calls.scopes import MethodRule
from tallygate.server.operations.logs import CURRENT_CALL, CallInfo
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.errors import (
    DeadlineExceededError,
    Failure,
    InternalError,
    MalformedRequestError,
    Trailing,
    failure_of,
    overloaded,
)

_IDLE_SECONDS = 0.005
_log = logging.getLogger("tallygate.server.calls.wrapper")


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
    """Who calls: the tenant is that of the key, never of the request. `data` is the request as it came."""

    tenant_id: str
    key: KeyRecord
    data: bytes = b""


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
Handler = Callable[[bytes, Context], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a request that could not be decoded, until the call is known to be allowed at all."""

    error: MalformedRequestError


Decode = Callable[[bytes], Message | Unreadable]


@dataclass(frozen=True, slots=True)
class Method:
    """A method as metrics and logs name it, its row in the table of rules, and how its requests are read."""

    name: str
    rule: MethodRule
    decode: Decode


class Calls:
    """Wraps servicers. What was sent to a store is never torn apart, whatever becomes of the call that sent it.

    A method that is not `inline` runs in a task of its own, to its end; an inline one ends with its call, and leaves
    what it sent to the connection, which keeps the order of replies whoever waits for them.
    """

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        metrics: Metrics,
        options: CallOptions,
        new_id: Callable[[], str] = lambda: f"call-{uuid.uuid4().hex[:12]}",
        burst: Burst | None = None,
    ) -> None:
        self.burst = burst or Burst()
        self.options = options
        self.metrics = metrics
        self._authenticator = authenticator
        self._new_id = new_id
        self._running: set[asyncio.Task[Any]] = set()
        self._inline_calls: dict[asyncio.Task[Any], CallInfo] = {}
        self._room = Room(options.max_in_flight)
        self._begun = BegunCalls(self._rules(), metrics)
        self._sweep = DeadlineSweep(self._end_overdue, lambda: bool(self._inline_calls))
        self._refusing = False
        metrics.watch("tallygate_calls_in_flight", "Calls whose work is not finished.", self.in_flight)

    def in_flight(self) -> int:
        """How many calls are at work."""
        return len(self._running) + len(self._inline_calls) + len(self._begun)

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
        while self.in_flight() and (left := deadline - perf_counter()) > 0:
            busy = self._running | self._inline_calls.keys()
            await (asyncio.wait(busy, timeout=left) if busy else asyncio.sleep(_IDLE_SECONDS))
        return not self.in_flight()

    def quick_unary(self, method: Method, function: UnaryMethod, quick: Quick) -> Handler:
        """As `unary`, for a method whose calls may need no task: what begins them is the handler's `begin`."""
        begin, slowly = self._begun.beginner(quick), self.unary(method, function)

        async def serve(data: bytes, context: Context) -> bytes:
            if not getattr(context, "begun", False):
                port = Waiting()
                if begin(data, context.invocation_metadata() or (), context.time_remaining(), port, None):
                    outcome = port.outcome if port.told else await port.wait()
                    if isinstance(outcome, Failure):
                        await context.abort(outcome.code, outcome.message, outcome.trailing)
                    if outcome is not None:
                        return outcome
            return await slowly(data, context)

        serve.begin = begin  # type: ignore[attr-defined] # functions have no declared attributes
        return serve

    def unary(self, method: Method, function: UnaryMethod) -> Handler:
        """A handler of bytes for a method that answers once."""
        work = self._inline if method.rule.inline else self._apart

        async def serve(data: bytes, context: Context) -> bytes:
            started = perf_counter()
            try:
                outcome = self._refusal(context) or await work(method, function, data, context)
            except asyncio.CancelledError:
                self.metrics.call(method.name, grpc.StatusCode.CANCELLED, perf_counter() - started)
                raise
            if isinstance(outcome, Failure):
                self.metrics.call(method.name, outcome.code, perf_counter() - started)
                await context.abort(outcome.code, outcome.message, outcome.trailing)
            self.metrics.call(method.name, grpc.StatusCode.OK, perf_counter() - started)
            return outcome.SerializeToString()

        return serve

    def _rules(self) -> Rules:
        return Rules(
            known=self._authenticator.known,
            room=self._room,
            refusing=lambda: self._refusing,
            failure=lambda method, error: self.failure(error, CallInfo(method)),
            default_deadline=self.options.default_deadline,
            max_bytes=self.options.max_message_bytes,
        )

    def _refusal(self, context: Context) -> Failure | None:
        """Why no work is begun for this call, or None."""
        if self._refusing:
            return failure_of(ShuttingDownError())
        remaining = context.time_remaining()
        return failure_of(DeadlineExceededError()) if remaining is not None and remaining <= 0 else None

    def _tenant_of(self, context: Context) -> str:
        """Whose place in the room the call takes; those whose key is not known yet share one."""
        key = self._authenticator.known(authorization_of(context.invocation_metadata() or ()))
        return key.tenant_id if key is not None else ""

    def _patience(self, context: Context) -> float:
        remaining, limit = context.time_remaining(), self.options.default_deadline
        return limit if remaining is None or remaining > limit else remaining

    async def _apart(self, method: Method, function: UnaryMethod, data: bytes, context: Context) -> Message | Failure:
        """Work in a task of its own: neither the deadline nor the caller's leaving cancels it."""
        info = CallInfo(method.name, tenant_id=self._tenant_of(context))
        if not self._room.enter(info.tenant_id):
            return overloaded()
        task = asyncio.create_task(self._work(method, function, data, context, info))
        self.keep(task)
        task.add_done_callback(lambda _: self._room.leave(info.tenant_id))
        done, _ = await asyncio.wait((task,), timeout=self._patience(context))
        return task.result() if done else failure_of(DeadlineExceededError())

    async def _inline(self, method: Method, function: UnaryMethod, data: bytes, context: Context) -> Message | Failure:
        """Work in the call's own task; one sweep for all of them ends those that outstay their deadline."""
        task = asyncio.current_task()
        if task is None:
            return await self._apart(method, function, data, context)
        tenant_id = self._tenant_of(context)
        if not self._room.enter(tenant_id):
            return overloaded()
        info = CallInfo(method.name, tenant_id=tenant_id, deadline=perf_counter() + self._patience(context))
        self._inline_calls[task] = info
        self._sweep.watch()
        try:
            return await self._work(method, function, data, context, info)
        except asyncio.CancelledError:
            if not info.expired:
                raise
            task.uncancel()
            return failure_of(DeadlineExceededError())
        finally:
            del self._inline_calls[task]
            self._room.leave(info.tenant_id)

    def _end_overdue(self, now: float) -> None:
        for task, info in self._inline_calls.items():
            if info.deadline <= now and not info.expired:
                info.expired = True
                task.cancel()

    async def _work(
        self, method: Method, function: UnaryMethod, data: bytes, context: Context, info: CallInfo
    ) -> Message | Failure:
        CURRENT_CALL.set(info)
        try:
            request = method.decode(data)
            key = await self.admit(method, request, context, info, self._room)
            response = await function(request, Call(key.tenant_id, key, data))
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
            return self.failure(error, info)
        _log.debug("answered")
        return response

    async def admit(
        self, method: Method, request: Message | Unreadable, context: Context, info: CallInfo, room: Room | None = None
    ) -> KeyRecord:
        """The caller's key, if it allows this method; the call's place in the `room` is its tenant's from then on.

        Raises:
            PermissionError_: it does not.
            StoreUnavailableError: nobody can say.
            MalformedRequestError: it does, but the request cannot be read.
            OverloadedError: there is no room for this tenant's calls.
        """
        authorization = authorization_of(context.invocation_metadata() or ())
        key = self._authenticator.known(authorization) or await self._authenticator.authenticate(authorization)
        if room is not None and not info.tenant_id and not room.move("", key.tenant_id):
            raise OverloadedError
        info.tenant_id = key.tenant_id
        if key.scopes.isdisjoint(method.rule.scopes):
            raise ScopeMissingError(scope=method.rule.scopes[0].value, key_id=key.key_id)
        if isinstance(request, Unreadable):
            raise request.error
        info.request = request
        return key

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

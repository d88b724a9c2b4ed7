"""The one thin wrapper around every servicer method: key, scope, deadline, in-flight limit, errors, metrics, log.

A call is begun, and told its end, without a task; a servicer's coroutine is adapted to that (`at_work.py`). A servicer
method takes `(request, Call)` and answers a response, or an async iterator of them; it knows no transport.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf.message import Message

from tallygate.data_plane.burst import Burst
from tallygate.domain.credential import KeyRecord, Scope
from tallygate.domain.errors import ShuttingDownError, TallygateError
from tallygate.domain.key_errors import ScopeMissingError
from tallygate.records.audit_log import ORIGIN, Origin
from tallygate.server.calls.at_work import CallAtWork
from tallygate.server.calls.audited import origin_of
from tallygate.server.calls.authentication import Authenticator
from tallygate.server.calls.card_numbers import refuse_card_numbers
from tallygate.server.calls.deadlines import DeadlineSweep
from tallygate.server.calls.method import Call, Method, UnaryMethod, Unreadable
from tallygate.server.calls.port import (
    Begin,
    Follower,
    Leaving,
    Metadata,
    NamedPort,
    Port,
    Waiting,
    actor_of,
    authorization_of,
    caller_of,
    named,
)
from tallygate.server.calls.room import Room
from tallygate.server.calls.self_service import bind
from tallygate.server.operations.logs import CallInfo, new_call_id
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.errors import (
    DeadlineExceededError,
    Failure,
    InternalError,
    Trailing,
    failure_of,
)

_IDLE_SECONDS = 0.005
_FOREVER = 1e12
"""Longer than any deadline that can be sent, which is 99,999,999 hours: a transport says so of a call without one."""
_log = logging.getLogger("tallygate.server.calls.wrapper")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """Limits of all calls together and of each; deadlines in seconds, sizes in bytes."""

    default_deadline: float = 5.0
    max_deadline: float = 60.0
    max_in_flight: int = 1024
    max_message_bytes: int = 256 * 1024
    max_batch_message_bytes: int = 1024 * 1024
    max_streams: int = 256

    def patience(self, remaining: float | None) -> float:
        """How many seconds a call may take whose caller waits so many more; None, or forever: by default."""
        if remaining is None or remaining >= _FOREVER:
            return self.default_deadline
        return min(remaining, max(self.max_deadline, self.default_deadline))


class Context(Protocol):
    """What this room needs of a transport's context: the part of grpc.aio's that every transport offers."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Pairs, keys in lower case."""
        ...

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None, or longer than one can be, where it has none."""
        ...

    def set_trailing_metadata(self, trailing_metadata: Trailing) -> None:
        """Send these pairs with the end of the answer."""
        ...

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: Trailing) -> NoReturn:
        """End the call with an error; always raises."""
        ...


Handler = Callable[[bytes, Context], Awaitable[bytes]]
Note = Callable[[str, Origin], Awaitable[None]]
"""Notes what a tenant's call did that wrote nothing here, as what is prepared at a gateway."""


class Calls:
    """Wraps servicers, and knows all calls at work."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        metrics: Metrics,
        options: CallOptions,
        new_id: Callable[[], str] = new_call_id,
        burst: Burst | None = None,
        follower: Follower | None = None,
        note: Note | None = None,
    ) -> None:
        self.note = note
        self.burst = burst or Burst()
        self.options = options
        self.metrics = metrics
        self.follower = follower
        self._authenticator = authenticator
        self.room = Room(options.max_in_flight)
        self._new_id = new_id
        self._kept: set[asyncio.Task[Any]] = set()
        self._at_work: set[CallAtWork] = set()
        self._sweep = DeadlineSweep(self._end_overdue, lambda: bool(self._at_work))
        self._refusing = False
        self.refused = 0
        metrics.watch("tallygate_calls_in_flight", "Calls whose work is not finished.", self.in_flight)

    def in_flight(self) -> int:
        """How many calls are at work."""
        return len(self._at_work) + len(self._kept)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Count a task as work in flight until it is done."""
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    def add(self, call: CallAtWork) -> None:
        """Look after a call from now on."""
        self._at_work.add(call)
        if not self._sweep.is_watching:
            self._sweep.watch()

    def remove(self, call: CallAtWork) -> None:
        """It is over."""
        self._at_work.discard(call)

    def refuse_new(self) -> None:
        """Answer calls that begin from now on with SHUTTING_DOWN, which clients retry elsewhere."""
        self._refusing = True

    async def idle(self, seconds: float) -> bool:
        """Wait until no work is running; whether that happened in time."""
        deadline = perf_counter() + seconds
        while self.in_flight() and perf_counter() < deadline:  # noqa: ASYNC110 - most calls have no task to wait for
            await asyncio.sleep(_IDLE_SECONDS)
        return not self.in_flight()

    def unary(self, method: Method, function: UnaryMethod) -> Handler:
        """A handler of bytes for a method that answers once; a transport that needs no task takes its `begin`."""
        answered = self.metrics.timer(method.name, grpc.StatusCode.OK)
        begin = self._beginner(replace(method, function=function, answered=answered))
        if self.follower is not None:
            begin = self.follower.unary(method.name, begin)

        async def serve(data: bytes, context: Context) -> bytes:
            port = Waiting()
            call = begin(data, context.invocation_metadata() or (), context.time_remaining(), port, None)
            try:
                outcome = await port.outcome()
            except asyncio.CancelledError:
                if call is not None:
                    call.leave()
                raise
            if isinstance(outcome, Failure):
                await context.abort(outcome.code, outcome.message, outcome.trailing)
            if port.trailing:
                context.set_trailing_metadata(port.trailing)
            return outcome

        serve.begin = begin  # type: ignore[attr-defined] # functions have no declared attributes
        return serve

    def _beginner(self, method: Method) -> Begin:
        """What begins calls of this method."""
        known, scopes, fast, answered = self._authenticator.known, method.rule.scopes, method.fast, method.answered
        limit, audited = method.max_bytes, method.rule.audited

        def begin(
            data: bytes, metadata: Metadata, remaining: float | None, port: Port, token: object
        ) -> Leaving | None:
            refusal = self._refusal(remaining)
            authorization, name = caller_of(metadata)
            if name:
                port = NamedPort(port, name)
            key = known(authorization) if refusal is None else None
            if fast is not None and key is not None and len(data) <= limit and not key.scopes.isdisjoint(scopes):
                started = perf_counter()
                try:
                    answer = fast(key.tenant_id, data)
                except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
                    answer, refusal = None, error
                if answer is not None:
                    answered(perf_counter() - started)
                    port.answer(token, answer)
                    return None
            actor = actor_of(metadata) if audited else ""
            call = CallAtWork(self, method, data, port, token, (key, authorization, actor))
            if refusal is not None:
                call.tell(refusal)
            else:
                call.begin(self.options.patience(remaining))
            return None if call.is_told else call

        return begin

    def _refusal(self, remaining: float | None) -> Exception | None:
        """Why no work is begun for a call with so many seconds left, or None."""
        if self._refusing:
            self.refused += 1
            return ShuttingDownError()
        return DeadlineExceededError() if remaining is not None and remaining <= 0 else None

    def _end_overdue(self, now: float) -> None:
        for call in [call for call in self._at_work if call.deadline <= now]:
            call.overdue()

    async def authenticated(self, authorization: str | None, method: Method) -> KeyRecord:
        """The caller's key; of a method that answers by policy, one that was valid when the store went away will do.

        Raises:
            UnauthenticatedError: it has none that is valid.
            StoreUnavailableError: nobody can say.
        """
        known, in_outage = self._authenticator.known(authorization), method.rule.by_policy
        return known or await self._authenticator.authenticate(authorization, in_outage=in_outage)

    async def served(self, method: Method, data: bytes, key: KeyRecord, info: CallInfo) -> bytes:
        """What the servicer answers.

        Raises:
            TallygateError: the call is refused, or the servicer says so.
        """
        if method.function is None:
            raise TypeError(method)
        request = self.allowed(method, method.decode(data), key, info)
        if Scope.DATA not in method.rule.scopes:
            refuse_card_numbers(method.name, request, data)
        call = Call(key.tenant_id, key, data)
        if not method.rule.audited:
            return (await method.function(request, call)).SerializeToString()
        origin = origin_of(method, request, key, info)
        ORIGIN.set(origin)
        response = await method.function(request, call)
        if not origin.noted and self.note is not None:
            await self.note(key.tenant_id, origin)
        return response.SerializeToString()

    async def admit(self, method: Method, request: Message | Unreadable, context: Context, info: CallInfo) -> KeyRecord:
        """The caller's key, if it allows this method.

        Raises:
            PermissionError_: it does not.
            StoreUnavailableError: nobody can say.
            MalformedRequestError: it does, but the request cannot be read.
        """
        key = await self.authenticated(authorization_of(context.invocation_metadata() or ()), method)
        self.allowed(method, request, key, info)
        return key

    def allowed(self, method: Method, request: Message | Unreadable, key: KeyRecord, info: CallInfo) -> Message:
        """The request, if the key allows this method; raises as `admit`."""
        info.tenant_id = key.tenant_id
        if key.scopes.isdisjoint(method.rule.scopes):
            raise ScopeMissingError(scope=method.rule.scopes[0].value, key_id=key.key_id)
        if isinstance(request, Unreadable):
            raise request.error
        if key.account_id:
            bind(method.name, request, key)
        info.request = request
        return request

    def failure(self, error: Exception, info: CallInfo) -> Failure:
        """What is answered to this error, under the call's name; one that nobody expected is logged and not shown."""
        info.call_id = info.call_id or self._new_id()
        if isinstance(error, TallygateError):
            failure = failure_of(error)
            if failure.code is not grpc.StatusCode.INTERNAL:
                _log.debug("refused", extra={"reason": error.reason.value})
                return named(failure, info.request_id)
        _log.error("unexpected error", exc_info=error)
        return named(failure_of(InternalError(request_id=info.request_id)), info.request_id)

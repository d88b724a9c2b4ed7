"""One call at work, from its key to its answer: it is called with its end; a coroutine is one way to get there.

What was sent to a store is never torn apart, whatever becomes of the call that sent it: a method that is not `inline`
runs to its end in its task; an inline one ends with its call, and leaves what it sent to the connection, which keeps
the order of replies whoever waits for them.
"""

import asyncio
import logging
from time import perf_counter
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message

from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import OverloadedError
from tallygate.server.calls.method import Method
from tallygate.server.calls.port import NamedPort, Port
from tallygate.server.calls.room import Room
from tallygate.server.operations.logs import CURRENT_CALL, CallInfo
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.errors import DeadlineExceededError, Failure, overloaded

_NEVER = float("inf")
_log = logging.getLogger("tallygate.server.calls.wrapper")


class Keeper(Protocol):
    """Whoever looks after all calls at work."""

    room: Room
    metrics: Metrics

    def add(self, call: "CallAtWork") -> None:
        """Look after a call from now on."""
        ...

    def remove(self, call: "CallAtWork") -> None:
        """It is over."""
        ...

    async def authenticated(self, authorization: str | None, method: Method) -> KeyRecord:
        """The caller's key. Raises UnauthenticatedError, StoreUnavailableError."""
        ...

    async def served(self, method: Method, data: bytes, key: KeyRecord, info: CallInfo) -> bytes:
        """What the servicer answers. Raises whatever it does, and TallygateError where the call is refused."""
        ...

    def failure(self, error: Exception, info: CallInfo) -> Failure:
        """What is answered to this error."""
        ...


class CallAtWork:
    """A call at work; called with its end. Only the first end counts, and its caller hears of one alone."""

    __slots__ = (
        "_actor",
        "_authorization",
        "_calls",
        "_data",
        "_key",
        "_method",
        "_place",
        "_port",
        "_started",
        "_task",
        "_token",
        "_weight",
        "deadline",
        "is_told",
    )

    def __init__(
        self,
        calls: Keeper,
        method: Method,
        data: bytes,
        port: Port,
        token: Any,  # noqa: ANN401 - what the port knows the call by
        who: tuple[KeyRecord | None, str | None, str],
    ) -> None:
        """`who` calls: the key, if it is known already, what carries it, and the person that it is for."""
        self._calls = calls
        self._method = method
        self._data = data
        self._port = port
        self._token = token
        self._started = perf_counter()
        self._key, self._authorization, self._actor = who
        self._place: str | None = None
        self._weight = 1
        self._task: asyncio.Task[None] | None = None
        self.deadline = _NEVER
        self.is_told = False

    def begin(self, patience: float) -> None:
        """Begin it, for so many seconds, if there is room; a key that is not known yet is looked for first."""
        calls, method, key = self._calls, self._method, self._key
        if method.pace.is_hopeless(patience, self._started):
            self.tell(DeadlineExceededError())
            return
        place, weight = (
            key.tenant_id if key is not None else "",
            1 if method.weigh is None else method.weigh(self._data),
        )
        if not calls.room.enter(place, weight):
            self.tell(overloaded())
            return
        self._weight, self._place = weight, place
        self.deadline = self._started + patience
        calls.add(self)
        if key is None or not self._goes_straight(key):
            self._serve()

    def leave(self) -> None:
        """The caller has left."""
        if not self.is_told:
            self.is_told = True
            self._calls.metrics.call(self._method.name, grpc.StatusCode.CANCELLED, perf_counter() - self._started)
            self._cancel()

    def overdue(self) -> None:
        """The deadline has passed: the caller is told, and what was sent may still happen."""
        self.deadline = _NEVER
        try:
            if not self.is_told:
                self.tell(DeadlineExceededError())
        finally:  # it is over, even where that could not be told
            self._cancel()
            if self._task is None:
                self._end()

    def __call__(self, outcome: bytes | Exception | None) -> None:
        """This is what it came to; None where a coroutine has to serve it after all."""
        if outcome is None and not self.is_told:
            self._serve()
            return
        if outcome is not None and not self.is_told:
            self.tell(outcome)
        if self._task is None:
            self._end()

    def tell(self, outcome: bytes | Exception | Failure) -> None:
        """Answer the caller, and count how."""
        self.is_told = True
        now = perf_counter()
        seconds = now - self._started
        if isinstance(outcome, bytes):
            self._method.answered(seconds)
            self._method.pace.note(seconds, now)
            self._port.answer(self._token, outcome)
            return
        failure = outcome if isinstance(outcome, Failure) else self._failure(outcome)
        self._calls.metrics.call(self._method.name, failure.code, seconds)
        self._port.answer(self._token, failure)

    def _goes_straight(self, key: KeyRecord) -> bool:
        """Whether it was taken on without a task; what is not clear at once needs one, and so does what is logged."""
        method = self._method
        if method.straight is None or len(self._data) > method.max_bytes:
            return False
        if key.scopes.isdisjoint(method.rule.scopes) or _log.isEnabledFor(logging.DEBUG):
            return False
        try:
            return method.straight(key.tenant_id, self._data, self)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
            self(error)
            return True

    def _serve(self) -> None:
        self._task = asyncio.create_task(self._work())
        self._task.add_done_callback(self._done)

    async def _work(self) -> None:
        info = self._info()
        CURRENT_CALL.set(info)
        outcome: bytes | Exception
        try:
            outcome = await self._calls.served(self._method, self._data, await self._found_key(), info)
        except Exception as error:  # noqa: BLE001 - as above
            outcome = error
        if not self.is_told:
            self.tell(outcome)
        _log.debug("answered")

    async def _found_key(self) -> KeyRecord:
        """The caller's key; the call's place in the room is its tenant's from now on.

        Raises:
            UnauthenticatedError: it has none that is valid.
            StoreUnavailableError: nobody can say.
            OverloadedError: there is no room for this tenant's calls.
        """
        if self._key is None:
            self._key = await self._calls.authenticated(self._authorization, self._method)
            if not self._calls.room.move("", self._key.tenant_id, self._weight):
                raise OverloadedError
            self._place = self._key.tenant_id
        return self._key

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and not self.is_told:
            self.tell(RuntimeError("the method cancelled itself"))
        self._end()

    def _cancel(self) -> None:
        if self._task is not None and self._method.rule.inline:
            self._task.cancel()

    def _end(self) -> None:
        """Its work is over: nothing is known of it any more."""
        if self._place is not None:
            self._calls.remove(self)
            self._calls.room.leave(self._place, self._weight)
            self._place = None

    def _info(self) -> CallInfo:
        """What log lines say of it; its request as well, once it was read."""
        tenant_id = self._key.tenant_id if self._key is not None else ""
        name = self._port.request_id if isinstance(self._port, NamedPort) else ""
        return CallInfo(self._method.name, tenant_id=tenant_id, name=name, actor=self._actor)

    def _failure(self, error: Exception) -> Failure:
        info = CURRENT_CALL.get() if self._task is not None else None
        if info is None:
            info, request = self._info(), self._method.decode(self._data)
            info.request = request if isinstance(request, Message) else None
        told = CURRENT_CALL.set(info)
        try:
            return self._calls.failure(error, info)
        finally:
            CURRENT_CALL.reset(told)

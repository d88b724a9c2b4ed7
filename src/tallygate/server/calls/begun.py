"""Calls that need no task: answered at once from what was answered before, or later by the short way.

A task and its switches cost more than such a call. Key, scope, deadline, in-flight limit and metrics are as in
`calls.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from tallygate.domain.credential import KeyRecord
from tallygate.server.calls.deadlines import DeadlineSweep
from tallygate.server.calls.room import Room
from tallygate.server.calls.scopes import MethodRule
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.errors import DeadlineExceededError, Failure, overloaded

Metadata = Iterable[tuple[str, str | bytes]]
FastAnswer = Callable[[str, bytes], bytes | None]
"""Answers a tenant's request, as bytes, from what was answered before; None where that does not hold any more."""

_log = logging.getLogger("tallygate.server.calls.wrapper")


class Port(Protocol):
    """Where a call that was begun is answered."""

    def answer(self, token: Any, outcome: bytes | Failure) -> None:  # noqa: ANN401 - what the port knows the call by
        """Answer the call; one that its caller has left is nobody's."""
        ...

    def serve(self, token: Any) -> None:  # noqa: ANN401 - as above
        """Serve the call in a task after all."""
        ...


Begin = Callable[[bytes, Metadata, float | None, Port, Any], bool]
"""Takes on a call: its request, metadata, seconds left, and the port to answer at with what that knows the call by.

False where it needs a task: nothing has begun then.
"""

StraightMethod = Callable[[str, bytes, "_Begun"], bool]
"""Takes on a tenant's request, as bytes, and tells later; False where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """How calls of a method may be answered without a task."""

    method: str
    rule: MethodRule
    fast: FastAnswer | None = None
    straight: StraightMethod | None = None
    answered: Callable[[float], None]
    """Counts one that was, after so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for all calls: whose key it is, how many there may be, how long each may take, how it failed.

    `refusing` says that no call may begin.
    """

    known: Callable[[str | None], KeyRecord | None]
    room: Room
    refusing: Callable[[], bool]
    failure: Callable[[str, Exception], Failure]
    default_deadline: float
    max_bytes: int


class BegunCalls:
    """The calls at work without a task."""

    def __init__(self, rules: Rules, metrics: Metrics) -> None:
        self.rules = rules
        self.metrics = metrics
        self._calls: set[_Begun] = set()
        self._sweep = DeadlineSweep(self._end_overdue, lambda: bool(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def beginner(self, quick: Quick) -> Begin:
        """What begins calls of this method."""
        rules = self.rules
        known, scopes, fast = rules.known, quick.rule.scopes, quick.fast
        answered = quick.answered

        def begin(data: bytes, metadata: Metadata, remaining: float | None, port: Port, token: Any) -> bool:  # noqa: ANN401 - the port's
            if rules.refusing() or len(data) > rules.max_bytes or (remaining is not None and remaining <= 0):
                return False
            key = known(authorization_of(metadata))
            if key is None or key.scopes.isdisjoint(scopes):
                return False
            started = perf_counter()
            try:
                answer = fast(key.tenant_id, data) if fast is not None else None
            except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
                self.failed(quick, error, started, port, token)
                return True
            if answer is None:
                call = _Begun(self, quick, key.tenant_id, started, remaining, port, token)
                return self._go_straight(quick, data, call)
            answered(perf_counter() - started)
            port.answer(token, answer)
            return True

        return begin

    def failed(self, quick: Quick, error: Exception | Failure, started: float, port: Port, token: object) -> None:
        """Answer a call that was begun at `started`, with why it failed."""
        failure = self.rules.failure(quick.method, error) if isinstance(error, Exception) else error
        self.metrics.call(quick.method, failure.code, perf_counter() - started)
        port.answer(token, failure)

    def _go_straight(self, quick: Quick, data: bytes, call: "_Begun") -> bool:
        if quick.straight is None or _log.isEnabledFor(logging.DEBUG):
            return False  # what is logged call by call is told where its context is
        if not self.rules.room.enter(call.tenant_id):
            call.fail(overloaded())
            return True
        self._calls.add(call)
        self._sweep.watch()
        try:
            taken_on = quick.straight(call.tenant_id, data, call)
        except Exception as error:  # noqa: BLE001 - as above
            call(error)
            return True
        if not taken_on:
            self.ended(call)
        return taken_on

    def ended(self, call: "_Begun") -> bool:
        """Count a call out; whether it was still at work."""
        if call not in self._calls:
            return False
        self._calls.remove(call)
        self.rules.room.leave(call.tenant_id)
        return True

    def _end_overdue(self, now: float) -> None:
        """End the calls that outstay their deadline; what they sent may still happen, as in any call."""
        for call in [call for call in self._calls if call.deadline <= now]:
            call(DeadlineExceededError())


class _Begun:
    """A call at work; called with its end. Only the first end counts."""

    __slots__ = ("_calls", "_port", "_quick", "_started", "_token", "deadline", "tenant_id")

    def __init__(
        self,
        calls: BegunCalls,
        quick: Quick,
        tenant_id: str,
        started: float,
        remaining: float | None,
        port: Port,
        token: object,
    ) -> None:
        self.tenant_id = tenant_id
        limit = calls.rules.default_deadline
        self._calls = calls
        self._quick = quick
        self._started = started
        self._port = port
        self._token = token
        self.deadline = started + (limit if remaining is None or remaining > limit else remaining)

    def __call__(self, outcome: bytes | Exception | Failure | None) -> None:
        calls = self._calls
        if not calls.ended(self):
            return
        if isinstance(outcome, bytes):
            self._quick.answered(perf_counter() - self._started)
            self._port.answer(self._token, outcome)
        elif outcome is None:
            self._port.serve(self._token)
        else:
            self.fail(outcome)

    def fail(self, error: Exception | Failure) -> None:
        """Answer that it failed."""
        self._calls.failed(self._quick, error, self._started, self._port, self._token)


class Waiting:
    """A port for one call, for a transport that has a task for each anyhow.

    Once it was `told`, the `outcome` is what the call came to; None where the task has to serve it.
    """

    __slots__ = ("_future", "outcome", "told")

    def __init__(self) -> None:
        self.told = False
        self.outcome: bytes | Failure | None = None
        self._future: asyncio.Future[None] | None = None

    def answer(self, token: object, outcome: bytes | Failure | None) -> None:  # noqa: ARG002 - there is but one call
        """Take the outcome."""
        self.told, self.outcome = True, outcome
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def serve(self, token: object) -> None:
        """Take that there is none: the task has to serve the call."""
        self.answer(token, None)

    async def wait(self) -> bytes | Failure | None:
        """Wait until it is told; the outcome."""
        if not self.told:
            self._future = asyncio.get_running_loop().create_future()
            await self._future
        return self.outcome


def authorization_of(metadata: Metadata) -> str | None:
    """The value that carries the key, as it came."""
    for key, value in metadata:
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None

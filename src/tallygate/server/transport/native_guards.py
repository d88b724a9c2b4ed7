"""pygrpc-native's server behind guards: every fault of the pinned version that Python can close is closed here.

It overrides private methods of exactly that version, which `native.py` asserts before it loads this module.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pygrpc_native.aio as library  # `from pygrpc_native import aio` recurses for ever
from pygrpc_native import EVENT_CANCEL
from typing_extensions import override

from tallygate.data_plane.burst import Burst
from tallygate.domain.errors import ShuttingDownError, TallygateError
from tallygate.server.transport.arrivals import Arrivals
from tallygate.server.transport.lending import LendingLoop
from tallygate.server.wire.errors import (
    PUSHBACK_KEY,
    DeadlineExceededError,
    Failure,
    InternalError,
    Trailing,
    failure_of,
    overloaded,
)

if TYPE_CHECKING:
    from tallygate.server.calls.port import Begin, Leaving

_BATCH = 64
_log = logging.getLogger(__name__)


class _Context(library._Context):  # noqa: SLF001 - see the module's docstring
    """Costs less per call, and says None where the caller has no deadline."""

    @override
    def invocation_metadata(self) -> Any:
        return self._call.metadata

    @override
    def time_remaining(self) -> Any:
        return None if self._call.deadline is None else super().time_remaining()


class GuardedServer(library.Server):
    """One listener's server. Calls of `always` services, by name, are neither limited nor waited for by `drain`."""

    def __init__(
        self,
        *,
        options: list[tuple[str, int]],
        io_threads: int,
        max_calls: int,
        always: frozenset[str],
        burst: Burst | None = None,
        in_place: bool = True,
    ) -> None:
        super().__init__(options=options, io_threads=io_threads)
        self._in_place = in_place
        self._burst = burst or Burst()
        self._burst.at_end(self._respond)
        self._answered: list[tuple[int, bytes]] = []
        self.refused = 0
        self._arrivals = Arrivals(
            max_calls,
            self._burst,
            begin=self._take,
            leave=self._leave,
            refuse=lambda call_id: self._refuse(call_id, InternalError()),
            soon=self._call_soon,
        )
        self._always_services = always
        self._always: frozenset[int] = frozenset()
        self._begins: dict[int, Begin] = {}
        self._at_work: dict[int, Leaving] = {}
        self._draining = False

    @property
    def registered(self) -> int:
        """Calls that the server still knows."""
        return len(self._calls) + len(self._at_work)

    async def drain(self, seconds: float) -> bool:
        """Refuse new calls with SHUTTING_DOWN and wait for the tasks of those that run; whether they ended in time.

        Calls that were begun without one are waited for by whoever began them (`Calls.idle`).
        """
        self._draining = True
        deadline = monotonic() + seconds
        while (tasks := self._awaited()) and (left := deadline - monotonic()) > 0:
            await asyncio.wait(tasks, timeout=left)
        return not self._awaited()

    def _awaited(self) -> set[asyncio.Task[None]]:
        calls = self._calls.values()
        return {call.task for call in calls if call.task is not None and not self._is_always(call.method)}

    def _is_always(self, path: str) -> bool:
        return path[1:].partition("/")[0] in self._always_services

    @override
    def _dispatch(self) -> None:
        """Run in a thread of its own: hand events to the loop, but never more calls than it may hold.

        While the loop waits, they are worked on here, if that is wanted: a call may then be answered before the loop
        would have woken up.
        """
        front, loop = self._front, self._loop
        if front is None or loop is None:
            return
        borrow = None
        if self._in_place and isinstance(loop, LendingLoop):
            loop.lend()
            borrow = loop.borrow
        self._always = frozenset(index for index, (path, _) in enumerate(self._table) if self._is_always(path))
        for index, (_, handler) in enumerate(self._table):
            begin = getattr(handler.unary_unary, "begin", None)
            if begin is not None:
                self._begins[index] = begin
        while (events := front.recv_batch_details(_BATCH)) is not None:
            arrivals = self._arrivals
            is_next = arrivals.nothing_waits  # else those come first that wait for the loop
            admitted, holders, refused = arrivals.admit(events, self._always, self.registered)
            self._turn_away(refused)
            try:
                batch = admitted, monotonic(), holders
                if not (is_next and borrow is not None and borrow(self._on_events, *batch)):
                    loop.call_soon_threadsafe(self._on_events, *batch)
            except RuntimeError:  # the loop was closed without stop()
                front.close()
                return

    def _turn_away(self, refused: list[int]) -> None:
        """Here, while the loop may be too busy to."""
        self.refused += len(refused)
        for call_id in refused:
            self._answer(call_id, overloaded())

    @override
    def _on_events(self, events: list[Any], arrived: float = 0.0, holders: Sequence[str | None] = ()) -> None:
        self._arrivals.take(events, arrived, holders)

    def _call_soon(self, work: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon(work)

    def _take(self, event: Any, late: float) -> None:  # noqa: ANN401 - the library's tuple
        kind, call_id, method_id, payload, _, details = event
        if kind == EVENT_CANCEL:
            self._leave(call_id)
            return
        if self._stopping or (self._draining and method_id not in self._always):
            self._refuse(call_id, ShuttingDownError())
            return
        metadata, _, remaining = details
        if remaining is not None:
            remaining -= late  # measured when the event arrived, not now
            if remaining <= 0:
                self._refuse(call_id, DeadlineExceededError())
                return
        begin = self._begins.get(method_id)
        if begin is not None and len(payload) <= (self._receive_limit or len(payload)):
            at_work = begin(payload, metadata, remaining, self, call_id)
            if at_work is not None:
                self._at_work[call_id] = at_work
            return
        self._start(event, remaining)

    def _start(self, event: Any, remaining: float | None) -> None:  # noqa: ANN401 - the library's tuple
        """Serve a call in a task of its own."""
        _, call_id, method_id, payload, _, details = event
        path, handler = self._table[method_id]
        call = library._Call(call_id, path, handler, details[0], details[1], remaining)  # noqa: SLF001 - as above
        self._calls[call_id] = call
        call.task = asyncio.create_task(self._run(call, payload))

    def answer(self, token: int, outcome: bytes | Failure, trailing: Trailing = ()) -> None:
        """Answer a call that the wrapper has begun, by its id."""
        call_id = token
        self._at_work.pop(call_id, None)
        if isinstance(outcome, Failure):
            self._answer(call_id, outcome)
        elif trailing and self._front is not None:
            self._front.respond(call_id, outcome, None, list(trailing))
        elif self._burst.is_open:
            self._answered.append((call_id, outcome))
        elif self._front is not None:
            self._front.respond(call_id, outcome)

    def _respond(self) -> None:
        """Hand over what one burst has answered at once: the front then writes it in fewer pieces."""
        answered, front = self._answered, self._front
        if answered and front is not None:
            self._answered = []
            for call_id, data in answered:
                front.respond(call_id, data)

    @override
    async def stop(self, grace: float | None) -> Any:
        for call in (*self._at_work.values(),):
            call.leave()
        self._at_work.clear()
        return await super().stop(grace)

    def _leave(self, call_id: int) -> None:
        """The caller left or its deadline passed. A task that never began runs no `finally`: its call is forgotten."""
        at_work = self._at_work.pop(call_id, None)
        if at_work is not None:
            at_work.leave()
        call = self._calls.get(call_id)
        if call is None or call.task is None:
            return
        work = call.task.get_coro()
        if inspect.iscoroutine(work) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
            del self._calls[call_id]
        call.cancel()

    @override
    async def _run(self, call: Any, payload: bytes) -> None:
        """Serve a call; whatever goes wrong is answered, for one that is not hangs until its deadline."""
        context = _Context(self, call)
        try:
            ok, request = self._request(call, payload)
            if ok:
                serve = self._run_stream if call.streaming else self._run_unary
                await serve(call, context, request)
        except asyncio.CancelledError:
            if not call.cancelled and not self._stopping:
                self._broken(call, "the handler cancelled itself")
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
            self._broken(call, error)
        finally:
            self._calls.pop(call.call_id, None)
            call.finish(context)

    @override
    def _failed(self, call: Any, context: Any, exc: Exception) -> None:
        if isinstance(exc, grpc.aio.AbortError):
            self._fail(call, context, None)
        else:
            self._broken(call, exc)

    def _broken(self, call: Any, error: Exception | str) -> None:  # noqa: ANN401 - the library's class
        cause = error if isinstance(error, Exception) else None
        _log.error("%s: no valid answer: %s", call.method, error, exc_info=cause)
        self._refuse(call.call_id, InternalError())

    @override
    def _fail(self, call: Any, context: Any, details: str | None) -> None:
        context.set_trailing_metadata(_carried(context.trailing_metadata()))
        super()._fail(call, context, details)

    def _refuse(self, call_id: int, error: TallygateError) -> None:
        self._answer(call_id, failure_of(error))

    def _answer(self, call_id: int, failure: Failure) -> None:
        if self._front is not None:
            self._front.fail(call_id, failure.code.value[0], failure.message, _carried(failure.trailing))


def _carried(trailing: Any) -> list[Any]:  # noqa: ANN401 - whatever a handler gave
    """All but the pushback, which this front keeps to itself; google.rpc's RetryInfo says the same."""
    return [pair for pair in trailing if pair[0] != PUSHBACK_KEY]

"""Drives calls whose every request differs, which h2load cannot: closed loop, or open loop at a fixed rate.

In an open loop a call's latency counts from when it was due, not from when there was room to send it.
"""

import gc
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

from load.connection import Connection
from load.sample import Driven

_IDLE_SECONDS = 30.0
_SHORTEST_WAIT = 0.0002


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a run: latencies in seconds of the calls that were answered, and this driver's share of one CPU."""

    latencies: list[float]
    failed: int
    unsent: int
    seconds: float
    driver_cpu: float
    replies: list[bytes]

    @property
    def calls(self) -> int:
        return len(self.latencies) + self.failed

    def driven(self) -> Driven:
        return Driven(
            calls=self.calls,
            failed=self.failed,
            seconds=self.seconds,
            latencies=self.latencies,
            driver_cpu=self.driver_cpu,
        )


def closed_loop(connections: Sequence[Connection], in_flight: int) -> Outcome:
    """Keep `in_flight` calls open on each connection until its payloads are used up."""

    def top_up(connection: Connection, _now: float) -> None:
        connection.send(in_flight - connection.in_flight)

    def finished(_now: float) -> bool:
        return all(connection.exhausted and not connection.in_flight for connection in connections)

    with _measured(connections) as result:
        started = perf_counter()
        for connection in connections:
            top_up(connection, started)
        _run(connections, top_up, finished)
        result.append(perf_counter() - started)
    return _outcome(connections, result, unsent=0)


def open_loop(
    connections: Sequence[Connection], *, rate: float, seconds: float, drop: bool = False, max_streams: int = 1 << 20
) -> Outcome:
    """Start calls by the clock. One that finds no free stream waits, or with `drop` is never sent.

    Afterwards whatever is in flight may take five seconds to be answered.
    """
    gap = len(connections) / rate
    taken = dict.fromkeys(connections, 0)
    unsent = 0
    started = perf_counter()

    def start_due(connection: Connection, now: float) -> None:
        nonlocal unsent
        due = int(min(now - started, seconds) / gap) - taken[connection]
        room = min(connection.max_streams, max_streams) - connection.in_flight
        first = started + gap * taken[connection]
        sent = connection.send(min(due, room), [first + gap * n for n in range(max(0, min(due, room)))])
        taken[connection] += due if drop else sent
        unsent += due - sent if drop else 0

    def finished(now: float) -> bool:
        over = now - started - seconds
        return over > 5.0 or (over > 0 and not any(connection.in_flight for connection in connections))

    def until_due(now: float) -> float:
        return max(_SHORTEST_WAIT, started + gap * (min(taken.values()) + 1) - now)

    with _measured(connections) as result:
        _run(connections, start_due, finished, until_due)
        result.append(seconds)
    unsent += sum(connection.in_flight for connection in connections)
    return _outcome(connections, result, unsent=unsent)


def _run(
    connections: Sequence[Connection],
    act: Callable[[Connection, float], None],
    finished: Callable[[float], bool],
    until_due: Callable[[float], float] | None = None,
) -> None:
    """Read what arrives and `act` on the connections it arrived on; with `until_due` on all, at least that often."""
    last = now = perf_counter()
    while not finished(now):
        readable, _, _ = select.select(connections, (), (), until_due(now) if until_due else _IDLE_SECONDS)
        now = perf_counter()
        for connection in readable:
            connection.receive()
        for connection in connections if until_due else readable:
            act(connection, now)
        last = now if readable else last
        if now - last > _IDLE_SECONDS:
            msg = f"no answer for {_IDLE_SECONDS:.0f} s"
            raise TimeoutError(msg)


@contextmanager
def _measured(connections: Sequence[Connection]) -> Iterator[list[float]]:
    """Collects [CPU seconds, seconds]; the garbage collector rests meanwhile."""
    result = [process_time()]
    gc.disable()
    try:
        yield result
    finally:
        gc.enable()
        result[0] = process_time() - result[0]
        for connection in connections:
            connection.close()


def _outcome(connections: Sequence[Connection], result: list[float], *, unsent: int) -> Outcome:
    cpu, seconds = result
    return Outcome(
        latencies=sorted(latency for connection in connections for latency in connection.latencies),
        failed=sum(connection.failed for connection in connections),
        unsent=unsent,
        seconds=seconds,
        driver_cpu=cpu / seconds,
        replies=[reply for connection in connections for reply in connection.replies],
    )

"""Measures rows in short rounds, each between two looks at echo, so that a noisy neighbour disturbs both or neither."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

from load import frames, h2load
from load.connection import Connection
from load.processes import cpu_seconds
from load.rows import LEVELS, Row
from load.sample import Driven, Sample, middle, quantile
from load.world import World

_FIRST_CALLS = {1: 150, 16: 600, 128: 2_000}
_MOST_CALLS = 400_000
_WARM_SECONDS = 0.1

Key = tuple[str, int]
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured: so many rounds of so many seconds each, at so many calls in flight."""

    rounds: int
    seconds: float
    levels: tuple[int, ...] = (1, 16, 128)


def measure(world: World, rows: Sequence[Row], effort: Effort, say: Say) -> dict[Key, Sample]:
    """The median of each row at each level; rows of the same list share their rounds with echo."""
    found: dict[Key, list[Sample]] = {}
    rates: dict[Key, float] = {}
    for number in range(effort.rounds):
        say(f"{world.name}, AOF {world.fsync}: round {number + 1} of {effort.rounds}")
        for level in effort.levels:
            for echo in (row for row in rows if row.echo):
                beside = [row for row in rows if not row.echo and row.driver == echo.driver and level in row.levels]
                for row, sample in _round(world, echo, beside, level, rates, effort.seconds):
                    found.setdefault((row.name, level), []).append(sample)
        world.forget_events()
    return {key: middle(samples) for key, samples in found.items()}


def _round(
    world: World, echo: Row, rows: Sequence[Row], level: int, rates: dict[Key, float], seconds: float
) -> Iterator[tuple[Row, Sample]]:
    """Each row between two looks at echo, of which the later one is the next row's earlier one."""
    before = _sample(world, echo, level, rates, seconds / 2)
    yield echo, _compared(before, before, before)
    for row in rows:
        seen = _sample(world, row, level, rates, seconds)
        after = _sample(world, echo, level, rates, seconds / 2)
        yield row, _compared(seen, before, after)
        yield echo, _compared(after, after, after)
        before = after


def drive(world: World, row: Row, level: int, calls: int) -> Driven:
    """Send about so many calls of a row at one level."""
    connections, streams = LEVELS[level]
    address = world.echo.address if row.echo else world.sidecar.address
    if row.payload is not None:
        return h2load.drive(
            world.directory,
            address,
            row.path,
            world.headers,
            row.payload(world),
            connections=connections,
            streams=streams,
            calls=max(calls, connections * streams),
        )
    each = max(1, calls // connections)
    with opened(world, row, connections, addresses=[address], calls=each) as links:
        outcome = frames.closed_loop(links, streams)
    return outcome.driven()


@contextlib.contextmanager
def opened(
    world: World,
    row: Row,
    count: int,
    *,
    addresses: Sequence[str] = (),
    calls: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[list[Connection]]:
    """Connections that share the row's payloads; with `calls` each has so many, one more to warm up.

    They are spread over the addresses, by default the sidecar's.
    """
    assert row.payloads is not None
    payloads = row.payloads(world)
    sources = [
        islice(payloads, None) if calls is None else iter(list(islice(payloads, calls + 1))) for _ in range(count)
    ]
    metadata = world.headers | dict(headers or {})
    places = cycle(addresses or [world.sidecar.address])
    links = [Connection(place, row.path, metadata, source) for place, source in zip(places, sources, strict=False)]
    try:
        yield links
    finally:
        for link in links:
            link.close()


def _sample(world: World, row: Row, level: int, rates: dict[Key, float], seconds: float) -> Sample:
    key = (row.name, level)
    if key not in rates:
        first = drive(world, row, level, max(_FIRST_CALLS[level] // row.checks, level))
        rates[key] = first.calls / first.seconds
    warm_up = row.met if row.payloads is not None and row.checks == 1 else int(rates[key] * _WARM_SECONDS)
    drive(world, row, max(row.levels) if row.payloads is not None else level, max(level, warm_up // row.checks))
    pid = world.echo.pid if row.echo else world.sidecar.pid
    right = 0 if row.echo else _right_answers(world, row)
    before = cpu_seconds(pid), cpu_seconds(world.valkey.pid)
    seen = drive(world, row, level, min(_MOST_CALLS, int(rates[key] * seconds)))
    after = cpu_seconds(pid), cpu_seconds(world.valkey.pid)
    lost = 0 if row.echo else seen.calls - (_right_answers(world, row) - right)
    rates[key] = seen.calls / seen.seconds
    server, valkey = ((later - earlier) / seen.calls * 1e6 for earlier, later in zip(before, after, strict=True))
    return Sample(
        calls_per_second=rates[key],
        p50=quantile(seen.latencies, 0.5) * 1e6,
        p99=quantile(seen.latencies, 0.99) * 1e6,
        cpu_server=server,
        cpu_valkey=0.0 if row.echo else valkey,
        driver_cpu=seen.driver_cpu,
        failed=max(seen.failed, lost),
    )


def _right_answers(world: World, row: Row) -> int:
    return world.sidecar.right_answers(row.measured, row.reason, row.decisions)


def _compared(sample: Sample, before: Sample, after: Sample) -> Sample:
    p50 = (before.p50 + after.p50) / 2
    return replace(
        sample,
        ratio=2 * sample.calls_per_second / (before.calls_per_second + after.calls_per_second),
        p50_ratio=sample.p50 / p50 if p50 else None,
        cpu_ratio=(before.cpu_server + after.cpu_server) / 2 / sample.cpu_server if sample.cpu_server else None,
    )

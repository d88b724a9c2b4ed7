"""Measures rows in short rounds, each beside echo, so that a noisy neighbour disturbs both or neither."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

from load import frames, h2load
from load.connection import Connection
from load.processes import cpu_seconds
from load.rows import ECHO, LEVELS, Row
from load.sample import Driven, Sample, middle, quantile
from load.world import World

_FIRST_CALLS = {1: 150, 16: 600, 128: 2_000}
_MOST_CALLS = 400_000
_MET_CALLS = 2_000

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
        say(f"{world.transport}, AOF {world.fsync}: round {number + 1} of {effort.rounds}")
        for level in effort.levels:
            present = [row for row in rows if level in row.levels]
            one = {row.name: _sample(world, row, level, rates, effort.seconds) for row in present}
            for row in present:
                beside = one[row.name] if row.echo else one[ECHO[row.driver]]
                found.setdefault((row.name, level), []).append(_compared(one[row.name], beside))
        world.forget_events()
    return {key: middle(samples) for key, samples in found.items()}


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
    if row.payloads is not None and row.checks == 1:  # its accounts have been met before: cold ones have a row
        drive(world, row, max(row.levels), _MET_CALLS)
    pid = world.echo.pid if row.echo else world.sidecar.pid
    answered = 0 if row.echo else world.sidecar.answered(row.method)
    before = cpu_seconds(pid), cpu_seconds(world.valkey.pid)
    seen = drive(world, row, level, min(_MOST_CALLS, int(rates[key] * seconds)))
    after = cpu_seconds(pid), cpu_seconds(world.valkey.pid)
    lost = 0 if row.echo else seen.calls - (world.sidecar.answered(row.method) - answered)
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


def _compared(sample: Sample, echo: Sample) -> Sample:
    return replace(
        sample,
        ratio=sample.calls_per_second / echo.calls_per_second,
        p50_ratio=sample.p50 / echo.p50 if echo.p50 else None,
        cpu_ratio=echo.cpu_server / sample.cpu_server if sample.cpu_server else None,
    )

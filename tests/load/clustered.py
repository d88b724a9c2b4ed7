"""Three primaries of a Redis Cluster beside one Redis: `python -m load.clustered [native|grpcio]`.

The same consumes in turns. On a machine whose two cores the driver, the sidecar and all primaries share, three of them
cannot answer more than one: so what is compared is CPU, of the sidecar and of all servers of keys, per call.
"""

import sys
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from clusters import cluster
from load import requests
from load.figure import Figure
from load.processes import cpu_seconds
from load.rounds import drive
from load.rows import ROWS
from load.world import World

ROUNDS = 5
_LEVELS = (16, 128)
_FIRST_CALLS, _SECONDS = 4_000, 0.6
_CONSUME = next(row for row in ROWS if row.name == "ConsumeQuota")


class Cost(NamedTuple):
    """CPU of a call in microseconds, by whose it is; calls a second; how many failed."""

    server: float
    valkey: float
    rate: float
    failed: int


def figures(transport: str, rounds: int = ROUNDS) -> list[Figure]:
    """What a consume costs on three primaries, as a multiple of what it costs on one Redis."""
    with (
        cluster() as nodes,
        World(transport, fsync="everysec", population=requests.CONSUMERS) as alone,
        World(transport, fsync="everysec", population=requests.CONSUMERS, nodes=nodes) as spread,
    ):
        return [each for level in _LEVELS for each in _compared(alone, spread, level, rounds)]


def _compared(alone: World, spread: World, level: int, rounds: int) -> list[Figure]:
    calls = {}
    for world in (alone, spread):
        first = drive(world, _CONSUME, level, _FIRST_CALLS)
        calls[world] = int(first.calls / first.seconds * _SECONDS)
    one: list[Cost] = []
    three: list[Cost] = []
    for _ in range(rounds):
        one.append(_cost(alone, level, calls[alone]))
        three.append(_cost(spread, level, calls[spread]))
        for world in (alone, spread):
            world.forget_events()
    parts = {"the sidecar": "server", "all primaries": "valkey"}
    return [_figure(whose, one, three, level, part, alone.transport) for whose, part in parts.items()]


def _figure(whose: str, one: Sequence[Cost], three: Sequence[Cost], level: int, part: str, transport: str) -> Figure:
    pairs = [(getattr(a, part), getattr(b, part)) for a, b in zip(one, three, strict=True)]
    before, after = (median(costs) for costs in zip(*pairs, strict=True))
    note = (
        f"{before:.1f} us with one, {after:.1f} us with three; {median(each.rate for each in one):,.0f} and "
        f"{median(each.rate for each in three):,.0f} calls/s on the same two cores; "
        f"{sum(each.failed for each in (*one, *three))} failed; median of {len(one)} rounds"
    )
    return Figure(
        name=f"CPU of {whose} per ConsumeQuota at {level}, three primaries / one Redis",
        unit="x",
        value=median(b / a for a, b in pairs),
        transport=transport,
        note=note,
    )


def _cost(world: World, level: int, calls: int) -> Cost:
    before = _spent(world)
    seen = drive(world, _CONSUME, level, calls)
    server, valkey = (
        (after - earlier) / seen.calls * 1e6 for earlier, after in zip(before, _spent(world), strict=True)
    )
    return Cost(server=server, valkey=valkey, rate=seen.calls / seen.seconds, failed=seen.failed)


def _spent(world: World) -> tuple[float, float]:
    return cpu_seconds(world.sidecar.pid), sum(cpu_seconds(node.pid) for node in world.nodes)


def main(arguments: list[str]) -> None:
    """Print the figures."""
    for one in figures(arguments[0] if arguments else "native"):
        sys.stdout.write(f"{one.transport} {one.name}: {one.value or 0.0:.2f} {one.unit}; {one.note}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

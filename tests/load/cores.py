"""Two workers beside one on the same calls: what a call costs in CPU, of all processes that serve it."""

from itertools import repeat
from statistics import median

from load import frames, requests
from load.figure import Figure
from load.processes import Sidecar, cpu_seconds
from load.rounds import opened
from load.rows import LEVELS, ROWS, SINGLE, Row
from load.sample import Driven
from load.world import World

_FIRST_CALLS = 2_000
_BUSY = 128
_CHECK = Row(name=SINGLE, method="CheckEntitlement", payloads=lambda _: repeat(requests.check("sso")))
_CONSUME = next(row for row in ROWS if row.name == "ConsumeQuota")


def figures(world: World, *, rounds: int, seconds: float) -> list[Figure]:
    """The ratio for each kind of call, with few calls in flight and with enough to keep two workers busy."""
    two = world.beside({"SERVER__WORKERS": 2})
    try:
        two.start()
        cases = [(row, level) for row in (_CHECK, _CONSUME) for level in (16, _BUSY)]
        return [_compared(world, two, row, level, rounds=rounds, seconds=seconds) for row, level in cases]
    finally:
        two.stop()


def _compared(world: World, two: Sidecar, row: Row, level: int, *, rounds: int, seconds: float) -> Figure:
    first = _driven(world, world.sidecar, row, level, _FIRST_CALLS)
    _driven(world, two, row, level, _FIRST_CALLS)
    calls = int(first.calls / first.seconds * seconds)
    failed, costs = 0, []
    for _ in range(rounds):
        cost = []
        for sidecar in (world.sidecar, two):
            before = cpu_seconds(sidecar.pid)
            seen = _driven(world, sidecar, row, level, calls)
            cost.append((cpu_seconds(sidecar.pid) - before) / seen.calls * 1e6)
            failed += seen.failed
        costs.append(cost)
        world.forget_events()
    alone, both = (median(cost) for cost in zip(*costs, strict=True))
    return Figure(
        name=f"CPU per call with 2 workers / with 1, {row.name} at {level}",
        unit="x",
        value=median(cost[1] / cost[0] for cost in costs),
        target="<= 1" if level == _BUSY else "",
        transport=world.transport,
        note=f"{alone:,.1f} us with 1, {both:,.1f} us with 2; {failed} failed; median of {rounds} rounds",
    )


def _driven(world: World, sidecar: Sidecar, row: Row, level: int, calls: int) -> Driven:
    connections, streams = LEVELS[level]
    with opened(world, row, connections, addresses=sidecar.addresses, calls=max(1, calls // connections)) as links:
        return frames.closed_loop(links, streams).driven()

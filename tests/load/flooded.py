"""A quiet tenant beside one that floods its sidecar: `python -m load.flooded [native|grpcio]` prints how late it is.

The quiet one makes single checks that ask Valkey, by the clock; the flood is five times what the sidecar can do, from a
process of its own. How late the hundredth answer is is compared with the same alone, in turns. All of it shares the
machine: how late it is while the same flood goes to the echo server tells how much of that is the machine's doing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice, repeat
from math import inf
from statistics import median

from load import frames, requests
from load.connection import Connection
from load.figure import Figure
from load.processes import REPOSITORY
from load.rounds import opened
from load.rows import KEPT, ROWS
from load.sample import quantile
from load.world import World

ROUNDS, TIMES = 5, 5.0
_RATE, _SECONDS, _ACCOUNTS = 200, 3.0, 1_000
_CONNECTIONS, _PATIENCE = 8, 1.0
_CALLS = {"ConsumeQuota": 20_000, "BatchCheckEntitlements": 400}
_AT_ONCE = {"ConsumeQuota": (8, 16), "BatchCheckEntitlements": (2, 2)}
"""How many calls, and how many at a time over how many connections, say how fast the sidecar answers them."""
_ROW = replace(
    next(row for row in ROWS if row.name == "CheckEntitlement metered"),
    payloads=lambda _: requests.checks_of("api_calls", range(100)),
)


@dataclass(frozen=True, kw_only=True)
class Flood:
    """What one tenant floods the sidecar with."""

    name: str
    method: str

    def payloads(self, first: int) -> Iterator[bytes]:
        """Its requests; those that differ are numbered from `first`."""
        if self.method == "ConsumeQuota":
            return requests.consumes(first)
        return repeat(requests.pairs(range(140), ["sso", "retention_days", "api_calls", "storage_bytes", "seats"]))


FLOODS = (
    Flood(name="consumes", method="ConsumeQuota"),
    Flood(name="batches of 700 pairs", method="BatchCheckEntitlements"),
)


def figures(world: World, rounds: int = ROUNDS) -> list[Figure]:
    """How late the quiet tenant is beside each flood, and how many of its calls are lost."""
    headers = world.another_tenant("flood", _ACCOUNTS)
    return [each for flood in FLOODS for each in _beside(world, flood, headers, rounds)]


def _beside(world: World, flood: Flood, headers: Mapping[str, str], rounds: int) -> list[Figure]:
    rate = max(1.0, TIMES * _said("capacity", world.sidecar.address, flood, headers, world)["rate"])
    alone, beside, machine = [], [], []
    for _ in range(rounds):
        alone.append(_quiet(world))
        with _flooding(world.sidecar.address, flood, headers, world, rate) as told:
            beside.append(_quiet(world))
        with _flooding(world.echo.address, flood, headers, world, rate):
            machine.append(_quiet(world))
        world.forget_events()
    late, on_machine = _ratio(beside, alone), _ratio(machine, alone)
    lost = sum(each.failed + each.unsent for each in beside)
    name = f"checks of a quiet tenant beside {TIMES:.0f} x as many {flood.name} as are possible"
    note = (
        f"p99 alone {_ms(alone):.2f} ms, beside {_ms(beside):.2f} ms; beside the same flood of an echo server "
        f"{on_machine:.1f} x; {told['answered'] / told['seconds']:,.0f}/s of {rate:,.0f}/s answered to the flood, "
        f"{told['failed'] / told['seconds']:,.0f}/s refused; medians of {rounds}"
    )
    total = sum(each.calls + each.unsent for each in beside)
    return [
        Figure(name=f"{name}: p99 / alone", unit="x", value=late, target="<= 5", transport=world.transport, note=note),
        Figure(
            name=f"{name}: lost",
            unit="calls",
            value=lost,
            target="0",
            transport=world.transport,
            note=f"of {total:,}; {sum(each.failed for each in alone)} alone",
        ),
    ]


def _quiet(world: World) -> frames.Outcome:
    with opened(world, _ROW, 2) as links:
        return frames.open_loop(links, rate=_RATE, seconds=_SECONDS)


def _late(seen: frames.Outcome) -> float:
    """When the hundredth answer came; never, where none did."""
    return quantile(seen.latencies, 0.99) if seen.latencies else inf


def _ms(outcomes: list[frames.Outcome]) -> float:
    return median(map(_late, outcomes)) * 1e3


def _ratio(outcomes: list[frames.Outcome], alone: list[frames.Outcome]) -> float:
    """The median of the rounds' ratios of p99."""
    pairs = zip(outcomes, alone, strict=True)
    return median(_late(one) / _late(other) for one, other in pairs)


@contextmanager
def _flooding(
    address: str, flood: Flood, headers: Mapping[str, str], world: World, rate: float
) -> Iterator[dict[str, float]]:
    """The flood from a process of its own, from when its calls are on their way; what it was answered is told then."""
    told: dict[str, float] = {}
    argv = _argv("flood", address, flood, headers, world, rate)
    with subprocess.Popen(argv, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "begun\n"
            yield told
        finally:
            last = running.stdout.read()
    told.update(json.loads(last))


def _said(order: str, address: str, flood: Flood, headers: Mapping[str, str], world: World) -> dict[str, float]:
    argv = _argv(order, address, flood, headers, world)
    done = subprocess.run(argv, cwd=REPOSITORY / "tests", capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _argv(
    order: str, address: str, flood: Flood, headers: Mapping[str, str], world: World, rate: float = 0.0
) -> list[str]:
    first = world.take_numbers(10_000_000)
    words = [order, address, flood.method, headers["authorization"], first, rate]
    return [sys.executable, "-m", "load.flooded", *map(str, words)]


@contextmanager
def _links(
    address: str,
    flood: Flood,
    authorization: str,
    payloads: Iterator[bytes],
    count: int = _CONNECTIONS,
    *,
    seconds: float = _PATIENCE,
) -> Iterator[list[Connection]]:
    metadata = {"authorization": authorization, "grpc-timeout": f"{seconds * 1000:.0f}m"}
    path = f"/{_ROW.service}/{flood.method}"
    links = [Connection(address, path, metadata, payloads) for _ in range(count)]
    try:
        yield links
    finally:
        for link in links:
            link.close()


def _capacity(address: str, flood: Flood, authorization: str, first: int) -> None:
    """Closed loop, twice: the first warms up."""
    for _ in range(2):
        payloads = islice(flood.payloads(first), _CALLS[flood.method])
        first += _CALLS[flood.method]
        connections, streams = _AT_ONCE[flood.method]
        with _links(address, flood, authorization, payloads, connections, seconds=30.0) as links:
            seen = frames.closed_loop(links, streams)
    _tell(json.dumps({"rate": (seen.calls - seen.failed) / seen.seconds}))


def _flood(address: str, flood: Flood, authorization: str, first: int, rate: float) -> None:
    """Open loop until a little after the quiet tenant has ended."""
    seconds = _SECONDS + 1.0
    with _links(address, flood, authorization, flood.payloads(first)) as links:
        _tell("begun")
        seen = frames.open_loop(links, rate=rate, seconds=seconds, drop=True)
    _tell(json.dumps({"answered": len(seen.latencies), "failed": seen.failed, "seconds": seconds}))


def main(arguments: list[str]) -> None:
    """Print the figures, or do one part of them and say what came of it."""
    by_method = {flood.method: flood for flood in FLOODS}
    match arguments:
        case ["capacity", address, method, authorization, first, _]:
            _capacity(address, by_method[method], authorization, int(first))
        case ["flood", address, method, authorization, first, rate]:
            with suppress(BrokenPipeError):
                _flood(address, by_method[method], authorization, int(first), float(rate))
        case _:
            transport = arguments[0] if arguments else "native"
            with World(transport, fsync="everysec", population=KEPT.stop) as world:
                for one in figures(world):
                    _tell(f"{one.transport} {one.name}: {one.value or 0.0:.2f} {one.unit}; {one.note}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

"""The data plane beside a running close: `python -m load.beside [native|grpcio] [accounts]` prints both its p99.

A sidecar answers 1,000 checks a second that ask Valkey, first alone, then while a process closes accounts behind
the same Valkey and on the same machine.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from load import closing, frames, requests
from load.figure import Figure
from load.rounds import opened
from load.rows import KEPT, ROWS
from load.sample import quantile
from load.world import World

ACCOUNTS = 2_000
_RATE, _ALONE, _WINDOW = 1_000, 10, 1
_ROW = replace(
    next(row for row in ROWS if row.name == "CheckEntitlement metered"),
    payloads=lambda _: requests.checks_of("api_calls", KEPT),
)


def figures(transport: str, accounts: int = ACCOUNTS) -> list[Figure]:
    """How late the hundredth answer is, alone and beside the close of so many accounts on SQLite.

    In a world of its own: what others consumed waits in Valkey to be collected, and no period closes before it is.
    """
    with World(transport, fsync="everysec", population=KEPT.stop) as world, closing.database("sqlite") as url:
        address = url()
        closing.populated(address, world.valkey.url, accounts)
        alone = _driven(world, _ALONE)
        with closing.started("close", address, world.valkey.url, accounts, 3) as running:
            beside = list(_while(running, lambda: _driven(world, _WINDOW)))
    late = sorted(latency for window in beside for latency in window.latencies)
    failed = sum(window.failed for window in beside)
    note = (
        f"alone {_ms(alone.latencies, 0.99):.2f} ms; p50 {_ms(late, 0.5):.2f} beside, {_ms(alone.latencies, 0.5):.2f} "
        f"alone; {failed:,} of {len(late) + failed:,} refused beside, {alone.failed:,} of {alone.calls:,} alone"
    )
    name = f"{_ROW.name}, {_RATE:,} calls/s beside a close of {accounts:,} accounts: p99"
    value = _ms(late, 0.99) if late else None
    return [Figure(name=name, unit="ms", value=value, target="<= 10", transport=world.transport, note=note)]


def _driven(world: World, seconds: float) -> frames.Outcome:
    with opened(world, _ROW, 2) as links:
        return frames.open_loop(links, rate=_RATE, seconds=seconds)


def _while(running: Any, drive: Callable[[], frames.Outcome]) -> Iterator[frames.Outcome]:
    """Windows that lay within the close."""
    while running.poll() is None:
        window = drive()
        if running.poll() is None:
            yield window


def _ms(latencies: Sequence[float], share: float) -> float:
    return quantile(latencies, share) * 1e3 if latencies else 0.0


def main(arguments: list[str]) -> None:
    """Print the figure."""
    accounts = next((int(word) for word in arguments if word.isdigit()), ACCOUNTS)
    transport = next((word for word in arguments if not word.isdigit()), "grpcio")
    for one in figures(transport, accounts):
        sys.stdout.write(f"{one.transport} {one.name}: {one.value or 0.0:.2f} {one.unit}; {one.note}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

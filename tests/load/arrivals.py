"""Load that does not wait for answers: 1,000 calls/s for a while, and five times what the sidecar can do."""

from load import frames
from load.figure import Figure
from load.processes import resident_bytes
from load.rounds import drive, opened
from load.rows import Row
from load.sample import quantile
from load.world import World

_PATIENCE = 1.0
_CONNECTIONS = 8


def open_loop(world: World, row: Row, *, rate: float, seconds: float) -> list[Figure]:
    """Latency from when each call was due, on two connections."""
    with opened(world, row, 2) as links:
        seen = frames.open_loop(links, rate=rate, seconds=seconds)
    world.forget_events()
    name = f"open loop, {row.name}, {rate:,.0f} calls/s for {seconds:.0f} s"
    note = f"p50 {quantile(seen.latencies, 0.5) * 1e3:.2f} ms, p99.9 {quantile(seen.latencies, 0.999) * 1e3:.1f} ms"
    p99 = quantile(seen.latencies, 0.99) * 1e3
    return [
        Figure(name=f"{name}: p99", unit="ms", value=p99, target="<= 10", transport=world.transport, note=note),
        Figure(
            name=f"{name}: errors",
            unit="calls",
            value=seen.failed + seen.unsent,
            target="0",
            transport=world.transport,
            note=f"{seen.calls:,} calls",
        ),
    ]


def overload(world: World, row: Row, *, times: float, seconds: float) -> list[Figure]:
    """Goodput under an open loop of `times` the peak: answers within the call's deadline of one second.

    A call that finds no free stream on its connection is never sent.
    """
    first = drive(world, row, 128, 3_000)
    peak = drive(world, row, 128, int(first.calls / first.seconds * 2))
    rate = times * peak.calls / peak.seconds
    with opened(world, row, _CONNECTIONS, headers={"grpc-timeout": f"{_PATIENCE * 1000:.0f}m"}) as links:
        seen = frames.open_loop(links, rate=rate, seconds=seconds, drop=True)
    world.forget_events()  # whoever closes accounts waits until all that was counted is collected
    good = sum(latency <= _PATIENCE for latency in seen.latencies) / seconds
    share = good / (peak.calls / peak.seconds)
    note = (
        f"peak {peak.calls / peak.seconds:,.0f}/s, offered {rate:,.0f}/s, sent {seen.calls / seconds:,.0f}/s, "
        f"refused {seen.failed / seconds:,.0f}/s, p99 of answers {quantile(seen.latencies, 0.99) * 1e3:.0f} ms, "
        f"driver {seen.driver_cpu:.0%} of a core, RSS {resident_bytes(world.sidecar.pid) / 2**20:.0f} MiB after"
    )
    name = f"{times:.0f} x overload for {seconds:.0f} s, {row.name}: goodput / peak"
    return [Figure(name=name, unit="x", value=share, target=">= 0.80", transport=world.transport, note=note)]

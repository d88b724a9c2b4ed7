"""What TLS costs on `grpcio`, the transport for networks: the same cached checks over TCP with it and without.

Alone: `PYTHONPATH=tests .venv/bin/python -m load.encrypted`.
"""

import sys
from statistics import median

from certificates import Authority
from load import h2load, requests
from load.figure import Figure
from load.processes import Sidecar, cpu_seconds
from load.rows import LEVELS
from load.sample import Driven
from load.world import World

_METHOD = "/tallygate.v1.EntitlementService/CheckEntitlement"
_FIRST_CALLS = 1_000


def figures(world: World, *, rounds: int, seconds: float) -> list[Figure]:
    """Calls a second over TLS, one at a time, a few, and many in flight, and what of it TLS takes."""
    signed = Authority(world.directory).issue("server")
    encrypted = {"SERVER__TRANSPORT": "grpcio", "SERVER__TLS_CERT": signed.cert, "SERVER__TLS_KEY": signed.key}
    both = world.beside({"SERVER__TRANSPORT": "grpcio"}, tcp=True), world.beside(encrypted, tcp=True)
    try:
        for sidecar in both:
            sidecar.start()
        return [_compared(world, both, level, rounds=rounds, seconds=seconds) for level in LEVELS]
    finally:
        for sidecar in both:
            sidecar.stop()


def _compared(world: World, both: tuple[Sidecar, Sidecar], level: int, *, rounds: int, seconds: float) -> Figure:
    first = _driven(world, both, level, _FIRST_CALLS)
    calls = max(_FIRST_CALLS, int(min(each.calls / each.seconds for each in first) * seconds))
    rates, costs, failed = [], [], 0
    for _ in range(rounds):
        before = [cpu_seconds(sidecar.pid) for sidecar in both]
        seen = _driven(world, both, level, calls)
        rates.append([each.calls / each.seconds for each in seen])
        costs.append([(cpu_seconds(one.pid) - was) / calls * 1e6 for one, was in zip(both, before, strict=True)])
        failed += sum(each.failed for each in seen)
    plain, over_tls = (median(rate) for rate in zip(*rates, strict=True))
    cost, cost_over_tls = (median(each) for each in zip(*costs, strict=True))
    return Figure(
        name=f"cached check over TLS at {level}",
        unit="calls/s",
        value=over_tls,
        transport="grpcio, TCP",
        note=f"{plain:,.0f} without; CPU a call {cost_over_tls:,.0f} us, {cost:,.0f} without; {failed} failed; "
        f"median of {rounds} rounds",
    )


def _driven(world: World, both: tuple[Sidecar, Sidecar], level: int, calls: int) -> list[Driven]:
    connections, streams = LEVELS[level]
    return [
        h2load.drive(
            world.directory,
            sidecar.address,
            _METHOD,
            world.headers,
            requests.check("sso"),
            connections=connections,
            streams=streams,
            calls=calls,
            scheme=scheme,
        )
        for sidecar, scheme in zip(both, ("http", "https"), strict=True)
    ]


if __name__ == "__main__":
    with World("grpcio", fsync="everysec", population=10) as alone:
        for figure in figures(alone, rounds=3, seconds=2.0):
            sys.stdout.write(f"{figure.name}: {figure.value:,.0f} {figure.unit} ({figure.note})\n")

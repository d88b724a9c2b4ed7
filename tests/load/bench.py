"""`python -m load.bench`: every figure of the performance targets in one run and one table, written to RESULTS.md.

Nothing is asserted: a figure stands beside its target. Load goes to Unix sockets of this machine only.
"""

import argparse
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import grpc

from load import (
    arrivals,
    beside,
    closing,
    clustered,
    cores,
    encrypted,
    flooded,
    h2load,
    memory,
    paying,
    rebuild,
    startup,
)
from load.figure import Figure
from load.processes import REPOSITORY, NotReadyError, installed_versions
from load.report import Report, compared
from load.rounds import Effort, measure
from load.rows import BEYOND_CACHE, ECHO, ROWS, Row
from load.sample import Sample
from load.verify import verify
from load.world import World
from servers import valkey_binary

HERE = Path(__file__).parent
FULL = Effort(rounds=5, seconds=0.6)
QUICK = Effort(rounds=1, seconds=0.3)
_CONSUME = next(row for row in ROWS if row.name == "ConsumeQuota")
_BUSY = 128
_GROWTH_CALLS = 1_000_000
_POPULATIONS = (10_000, 1_000_000)
_TRANSPORTS = ["native", "grpcio"]
_STOPPED = (NotReadyError, grpc.RpcError, OSError, subprocess.SubprocessError)
_PREAMBLE = "# Load figures\n\nWritten by `make bench`; README.md says how to read them.\n\n"


def main() -> int:
    """Measure, print, write."""
    options = _options()
    if not h2load.is_installed():
        sys.stderr.write(f"{h2load.MISSING}\n")
        return 1
    report = Report(about=_about())
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = replace(effort, rounds=options.rounds)
    for transport in options.transport:
        if transport == "native" and find_spec("pygrpc_native") is None:
            report.notes.append("native: not installed; pip install 'tallygate[native]'")
            continue
        _on(report, transport, effort, options)
    if _is_whole(options):
        report.figures += startup.startup(5)
        _say("billing")
        report.figures += closing.figures()
        _say("payments")
        report.figures += paying.figures()
        _say("rebuild")
        report.figures += rebuild.figures()
    _publish(report, options)
    return 0


def _on(report: Report, transport: str, effort: Effort, options: argparse.Namespace) -> None:
    rows = _chosen(options)
    for fsync in ("everysec",) if options.quick else ("everysec", "always"):
        present = [row for row in rows if fsync == "everysec" or row.writes]
        try:
            with World(transport, fsync=fsync, population=BEYOND_CACHE.stop) as world:
                _rounds(report, world, present, effort)
                if fsync == "everysec" and _is_whole(options):
                    for found in _figures(world, once=transport == options.transport[0]):
                        report.figures += found
        except _STOPPED as error:
            report.notes.append(f"{transport}, AOF {fsync}: stopped by {type(error).__name__}: {_line(error)}")
    if not options.quick:
        _on_tcp(report, transport, [row for row in rows if row.tcp], effort)


def _on_tcp(report: Report, transport: str, rows: list[Row], effort: Effort) -> None:
    try:
        with World(transport, fsync="everysec", population=BEYOND_CACHE.stop, tcp=True) as world:
            _rounds(report, world, rows, effort)
    except _STOPPED as error:
        report.notes.append(f"{transport}, TCP: stopped by {type(error).__name__}: {_line(error)}")


def _rounds(report: Report, world: World, rows: list[Row], effort: Effort) -> None:
    hot = [row for row in rows if row.role == "data"]
    report.notes += [f"{world.name}, AOF {world.fsync}: WRONG ANSWER: {line}" for line in verify(world, hot)]
    report.add(world.name, world.fsync, measure(world, hot, effort, _say))
    whole = [row for row in rows if row.role == "all"]
    if whole:
        world.serve("all")
        echo = [row for row in rows if row.name == ECHO["frames"]]
        measured = measure(world, [*echo, *whole], effort, _say)
        names = {row.name for row in whole}
        report.add(world.name, world.fsync, {key: value for key, value in measured.items() if key[0] in names})
        report.figures += [_lateness(world, row, measured[row.name, _BUSY]) for row in whole]
        world.serve("data")


def _lateness(world: World, row: Row, sample: Sample) -> Figure:
    """How much later than the middle one the hundredth answer is, while a worker takes CPU and disk, too."""
    late = sample.p99 / sample.p50 if sample.p50 else None
    note = f"AOF {world.fsync}; p50 {sample.p50 / 1e3:.1f} ms, p99 {sample.p99 / 1e3:.1f} ms"
    name = f"{row.name}, at {_BUSY}: p99 / p50"
    return Figure(name=name, unit="x", value=late, target="<= 3", transport=world.name, note=note)


def _figures(world: World, *, once: bool) -> Iterator[list[Figure]]:
    """Those of one transport, and with `once` those that the transport does not change."""
    yield [startup.resident(world)]
    _say(f"{world.transport}: open loop")
    yield arrivals.open_loop(world, _CONSUME, rate=1_000, seconds=30)
    _say(f"{world.transport}: overload")
    yield arrivals.overload(world, _CONSUME, times=5, seconds=20)
    _say(f"{world.transport}: beside a close")
    yield beside.figures(world.transport)
    _say(f"{world.transport}: beside a flood")
    yield flooded.figures(world)
    _say(f"{world.transport}: two workers beside one")
    yield cores.figures(world, rounds=5, seconds=0.6)
    if world.transport == "grpcio":
        _say("grpcio: TLS")
        yield encrypted.figures(world, rounds=5, seconds=1.0)
    if once:
        yield memory.account_figures(world)
        yield memory.growth(world, _CONSUME, _GROWTH_CALLS, _say)
        _say(f"{world.transport}: three primaries beside one")
        yield clustered.figures(world.transport)
        with World(world.transport, fsync=world.fsync, population=0) as empty:
            yield memory.by_population(empty, _POPULATIONS, replace(FULL, levels=(16, 128)), _say)


def _publish(report: Report, options: argparse.Namespace) -> None:
    content = report.as_markdown()
    sys.stdout.write(content)
    if options.compare:
        sys.stdout.write("\n" + compared(report, options.compare) + "\n")
    whole = _is_whole(options) and options.transport == _TRANSPORTS
    if whole:
        (HERE / "RESULTS.md").write_text(_PREAMBLE + content)
    (HERE / ("results.json" if whole else "latest.json")).write_text(report.as_json())


def _is_whole(options: argparse.Namespace) -> bool:
    return not options.quick and not options.rows


def _chosen(options: argparse.Namespace) -> list[Row]:
    wanted = [row for row in ROWS if not options.quick or row.quick]
    if not options.rows:
        return wanted
    return [row for row in ROWS if row.echo or any(word.lower() in row.name.lower() for word in options.rows)]


def _about() -> dict[str, str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    cores = len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    valkey = subprocess.run([valkey_binary(), "--version"], capture_output=True, text=True, check=True).stdout.split()[
        2
    ]
    versions = installed_versions() | {
        "valkey": valkey,
        "h2load": h2load.version(),
        "python": platform.python_version(),
    }
    return {
        "machine": f"{cores} x {model}, Linux {platform.release()}; the load drivers run on the same cores",
        "commit": commit.stdout.strip() or "none",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "load average before": " ".join(Path("/proc/loadavg").read_text().split()[:3]),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="load.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and one short round each: within a minute")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="print each row beside that of an earlier run's JSON"
    )
    parser.add_argument("--transport", action="append", choices=_TRANSPORTS, help="only this one")
    parser.add_argument("--rows", action="append", metavar="WORD", help="only rows whose name holds the word, and echo")
    parser.add_argument("--rounds", type=int, help="another number of rounds")
    options = parser.parse_args()
    options.transport = options.transport or _TRANSPORTS
    return options


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


if __name__ == "__main__":
    sys.exit(main())

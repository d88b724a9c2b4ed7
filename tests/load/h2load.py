"""Runs h2load with one request body and reads what it saw. It cannot see grpc-status: the server's own counts can."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from load.sample import Driven

_SECONDS = 60
MISSING = "h2load is missing: apt-get install nghttp2-client"


def is_installed() -> bool:
    return shutil.which("h2load") is not None


def version() -> str:
    return subprocess.run(["h2load", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]


def drive(
    directory: Path,
    address: str,
    path: str,
    headers: Mapping[str, str],
    payload: bytes,
    *,
    connections: int,
    streams: int,
    calls: int,
    scheme: str = "http",
) -> Driven:
    """Send `calls` equal gRPC calls over so many connections with so many calls in flight on each."""
    body, log = directory / "h2load.body", directory / "h2load.log"
    body.write_bytes(payload)
    log.unlink(missing_ok=True)
    argv = ["h2load", "-n", str(calls), "-c", str(connections), "-m", str(streams), "-d", str(body)]
    argv += ["--log-file", str(log)]
    for name, value in {"content-type": "application/grpc", "te": "trailers", **headers}.items():
        argv += ["-H", f"{name}: {value}"]
    unix = address.removeprefix("unix:")
    argv += ["-B", f"unix:{unix}", f"http://localhost{path}"] if unix != address else [f"{scheme}://{address}{path}"]
    before = getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_SECONDS)
    after = getrusage(RUSAGE_CHILDREN)
    seconds = _seconds(done.stdout)
    latencies = sorted(int(line.rsplit(b"\t", 1)[1]) / 1e6 for line in log.read_bytes().splitlines())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    failed = calls - int(_found(r"(\d+) succeeded", done.stdout)[0])
    return Driven(calls=calls, failed=failed, seconds=seconds, latencies=latencies, driver_cpu=cpu / seconds)


def _seconds(output: str) -> float:
    amount, unit = _found(r"finished in ([\d.]+)(us|ms|s)", output)
    return float(amount) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def _found(pattern: str, output: str) -> tuple[str, ...]:
    match = re.search(pattern, output)
    assert match is not None, f"h2load says: {output}"
    return match.groups()

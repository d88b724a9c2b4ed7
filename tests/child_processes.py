"""Child processes that die with the test run, whatever ends it."""

import atexit
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefork import Forked, begun

STOP_SECONDS = 60.0

# Outlives the tests by a moment: whatever ends them, kill -9 included, closes its standard input.
_REAPER = """
import os, shutil, signal, sys
pids, paths = set(), set()
for line in sys.stdin:
    verb, _, what = line.rstrip("\\n").partition(" ")
    {"spawn": pids.add, "exit": pids.discard, "keep": paths.add}[verb](what)
for pid in pids:
    try:
        os.killpg(int(pid), signal.SIGKILL)
    except OSError:
        pass
for path in paths:
    shutil.rmtree(path, ignore_errors=True)
"""
_reapers: list[subprocess.Popen[str]] = []


def _tell_reaper(verb: str, what: object) -> None:
    if not _reapers:
        argv = [sys.executable, "-I", "-c", _REAPER]
        # The signals of the terminal belong to the tests; the reaper comes after them.
        _reapers.append(subprocess.Popen(argv, stdin=subprocess.PIPE, text=True, start_new_session=True))
        atexit.register(_dismiss_reaper, _reapers[0])
    stdin = _reapers[0].stdin
    assert stdin is not None
    stdin.write(f"{verb} {what}\n")
    stdin.flush()


def _dismiss_reaper(reaper: subprocess.Popen[str]) -> None:
    assert reaper.stdin is not None
    reaper.stdin.close()
    reaper.wait(STOP_SECONDS)


def temporary_directory(prefix: str = "tg-") -> Path:
    """Make a directory that is removed after the test run; short enough to hold a Unix socket."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))  # TMPDIR may be too long for a socket
    _tell_reaper("keep", path)
    return path


def free_port() -> int:
    """Find a free TCP port on loopback; another process may take it before its user does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ChildProcess:
    """One child process in a session of its own, with a log; `command`: a tallygate command's words."""

    def __init__(self, argv: Sequence[str], *, log: Path, command: bool = False, **options: Any) -> None:
        self.popen: subprocess.Popen[bytes] | Forked
        with log.open("ab") as output:
            if command:
                self.popen = begun(argv, stdout=output, stderr=output, **options)
            else:
                self.popen = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **options
                )
        _tell_reaper("spawn", self.popen.pid)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def end(self, number: signal.Signals) -> None:
        """Signal the process, wait for it, and kill it when it outstays the deadline."""
        self.popen.send_signal(number)
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(STOP_SECONDS)
        _tell_reaper("exit", self.popen.pid)

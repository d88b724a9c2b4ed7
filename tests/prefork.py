"""Starts `python -m tallygate` by forking a process that has already imported what commands import.

A server's imports cost a second of CPU and more; the tests start hundreds. What is forked has the arguments,
environment, directory, streams and session of its own that an executed command would have. Tests about the start
itself, or about what is imported, execute it.
"""

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

MODULES = (
    "alembic.command",
    "tallygate.app",
    "tallygate.app.control_side",
    "tallygate.app.installation",
    "tallygate.app.running",
    "tallygate.app.worker",
    "tallygate.cli.client",
    "tallygate.cli.main",
    "tallygate.cli.output",
)
COMMAND = [sys.executable, "-m", "tallygate"]
_MOST_BYTES = 1 << 20
_parents: list["_Parent"] = []


def begun(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stdout: IO[Any], stderr: IO[Any]
) -> "Forked | subprocess.Popen[bytes]":
    """A command in a session of its own: forked, or executed where the environment names other sources."""
    if env.get("PYTHONPATH") == os.environ.get("PYTHONPATH"):  # noqa: TID251 - that of the tests
        return Forked(words, env=env, cwd=cwd, stdout=stdout, stderr=stderr)
    return subprocess.Popen(
        [*COMMAND, *words],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


class Forked:
    """What tests use of `subprocess.Popen`, for a forked command.

    Its status comes through a pipe: first the process id, and the exit code when it has ended.
    """

    def __init__(
        self, words: Sequence[str], *, env: Mapping[str, str], cwd: Path | None, stdout: IO[Any], stderr: IO[Any]
    ) -> None:
        if not _parents:
            _parents.append(_Parent())
        self.args = words
        self.returncode: int | None = None
        self._status, theirs = os.pipe()
        request = {"words": [str(word) for word in words], "env": dict(env), "cwd": str(cwd or Path.cwd())}
        _parents[0].ask(request, [stdout.fileno(), stderr.fileno(), theirs])
        os.close(theirs)
        self.pid = int(os.read(self._status, 16))

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
            self.returncode = int(os.read(self._status, 16))
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Parent:
    """The process that forks, seen from the tests; it ends when they do."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def ask(self, request: Mapping[str, Any], descriptors: list[int]) -> None:
        socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)


def main(descriptor: int) -> None:
    """Fork whenever asked to, until nobody can ask; returns in each child once it is what was asked for."""
    for module in MODULES:
        import_module(module)
    gc.freeze()
    asking = socket.socket(fileno=descriptor)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}
    while True:
        ready = select.select([asking, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if asking in ready:
            asked, descriptors, _, _ = socket.recv_fds(asking, _MOST_BYTES, 3)
            if not asked:
                sys.exit()
            pid = os.fork()
            if pid == 0:
                _become(json.loads(asked), descriptors)
                return
            for each in descriptors[:2]:
                os.close(each)
            running[pid] = descriptors[2]
            os.write(descriptors[2], b"%d" % pid)


def _reap(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        status_pipe = running.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(status_pipe, b"%d" % os.waitstatus_to_exitcode(status))
        os.close(status_pipe)


def _become(request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(descriptors[0], 1)
    os.dup2(descriptors[1], 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.chdir(request["cwd"])
    os.environ.clear()  # noqa: TID251 - the child's own
    os.environ.update(request["env"])  # noqa: TID251 - the child's own
    sys.argv = ["tallygate", *request["words"]]


if __name__ == "__main__":
    sys.path.pop(0)  # this directory: the command does not see it
    main(int(sys.argv[1]))
    from tallygate.__main__ import main as command

    command()

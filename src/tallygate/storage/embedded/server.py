"""A private Valkey in a data directory: knows how to start, take over and stop it.

Refuses to know what is stored in it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from tallygate.storage.embedded.binary import find_server_binary
from tallygate.storage.embedded.directory import DataDirectory, EmbeddedServerError

__all__ = ["EmbeddedServerError", "EmbeddedValkey"]

_POLL_SECONDS = 0.01
_ASK_SECONDS = 1.0
_TERMINATE_SECONDS = 3.0


class EmbeddedValkey:
    """A Valkey that only this process uses, on a Unix socket in `directory`, with its data on disk.

    Methods block (for the deadlines given here at most); call them from a thread when a loop is running.
    Valkey outlives a killed parent; the next `start()` in the same directory takes its data over.
    """

    def __init__(
        self,
        directory: Path,
        *,
        append_fsync: Literal["everysec", "always"] = "everysec",
        start_seconds: float = 30.0,
        stop_seconds: float = 10.0,
    ) -> None:
        self._directory = DataDirectory(directory)
        self._append_fsync = append_fsync
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """Where Valkey listens; known after `start()`."""
        return self._directory.socket_path

    @property
    def url(self) -> str:
        """The address in the form that redis-py and `RedisAddress.parse` read."""
        return f"unix://{quote(str(self.socket_path))}"

    @property
    def pid(self) -> int | None:
        """The process id of the running Valkey."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def running(self) -> bool:
        """Whether the process lives; not whether it answers."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start Valkey and wait until it has loaded its data; nothing when it runs already.

        Called again after Valkey died under a living parent, it starts a new one on the same data and address.

        Raises:
            EmbeddedServerError: No server binary, an unusable directory, a live owner, or a failed start.
        """
        if self.running:
            return self
        binary = find_server_binary()
        self._directory.claim()
        try:
            self._evict_orphan()
            self._launch(binary)
            self._wait_until_ready()
        except OSError as error:
            self.stop()
            where = error.filename or self._directory.path
            cause = f"cannot start {binary} in {self._directory.path} ({where}: {error.strerror})"
            raise EmbeddedServerError(cause=cause, fix="make both usable by this user") from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop Valkey after it wrote its AOF and give the directory up; leaves no process."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):  # deaf or gone: the signals below settle it
                _ask(self.socket_path, b"SHUTDOWN\r\n", seconds=_ASK_SECONDS)
            if not _ended(process, self._stop_seconds):
                _signal_group(process.pid, signal.SIGTERM)
            if not _ended(process, _TERMINATE_SECONDS):
                _signal_group(process.pid, signal.SIGKILL)
                process.wait(self._stop_seconds)
        self._process = None
        self._directory.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _evict_orphan(self) -> None:
        """Take Valkey's own lock, from an orphan when there is one: it gets SHUTDOWN, SIGTERM, SIGKILL in turn."""
        directory = self._directory
        if directory.lock_valkey():
            return
        with contextlib.suppress(OSError):  # deaf, gone or not listening yet: the signals settle it
            _ask(directory.recorded_socket, b"SHUTDOWN\r\n", seconds=_ASK_SECONDS)
            if self._wait_for_lock(self._stop_seconds):
                return
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in directory.lock_holders():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if self._wait_for_lock(_TERMINATE_SECONDS):
                return
        holders = ", ".join(map(str, directory.lock_holders())) or "unknown"
        raise EmbeddedServerError(
            cause=f"an orphaned Valkey (pid {holders}) keeps {directory.path} and does not stop",
            fix="end it and start again",
        )

    def _wait_for_lock(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not (locked := self._directory.lock_valkey()) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return locked

    def _launch(self, binary: str) -> None:
        directory = self._directory
        directory.place_socket()
        directory.rotate_log()
        options = {
            "port": "0",
            "unixsocket": str(directory.socket_path),
            "unixsocketperm": "700",
            "dir": str(directory.path),
            "pidfile": str(directory.pid_path),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": self._append_fsync,
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        argv = [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]
        with directory.log_path.open("wb") as log:
            # Own session: Ctrl-C in the terminal reaches the parent only, which stops Valkey last.
            self._process = subprocess.Popen(  # noqa: S603 - the binary is ours or the operator's, no shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory.path,
                start_new_session=True,
                pass_fds=[directory.valkey_lock],
                umask=0o077,
            )
        # From here the lock lives and dies with Valkey alone.
        directory.hand_over_valkey_lock()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_seconds
        answer = b"no answer"
        while time.monotonic() < deadline:
            if not self.running:
                raise EmbeddedServerError(
                    cause=f"Valkey did not start ({self._directory.last_log_line()})",
                    fix=f"see {self._directory.log_path}",
                )
            with contextlib.suppress(OSError):  # does not listen yet
                answer = _ask(self.socket_path, b"PING\r\n", seconds=_ASK_SECONDS)
            if answer.startswith(b"+PONG"):
                return
            time.sleep(_POLL_SECONDS)
        raise EmbeddedServerError(
            cause=f"Valkey was not ready within {self._start_seconds:g} s ({answer.decode(errors='replace').strip()})",
            fix=f"see {self._directory.log_path}",
        )


def _ask(path: Path, command: bytes, *, seconds: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(seconds)
        link.connect(str(path))
        link.sendall(command)
        return link.recv(256)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The group: a child that rewrites the AOF must not outlive Valkey with the lock in its hands.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)

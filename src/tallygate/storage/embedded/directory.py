"""The embedded Valkey's data directory: who owns it, who still holds it, where its socket lies.

Two locks, both released by the kernel when their holder dies, however it dies: `owner.lock` belongs to the
Tallygate process, `valkey.lock` is inherited by its Valkey. Only `valkey.lock` held means: an orphan.
"""

import contextlib
import os
import stat
import sys
import tempfile
import time
from pathlib import Path

from tallygate.storage.file_locks import try_lock

_MAX_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
_PID_SECONDS = 0.2
_PRIVATE = 0o700


class EmbeddedServerError(Exception):
    """The embedded Valkey cannot run; the text is one line with the cause and the fix."""

    def __init__(self, *, cause: str, fix: str) -> None:
        super().__init__(f"{cause}: {fix}")


class DataDirectory:
    """One data directory; everything but `claim` needs the claim."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.socket_path = self.path / "valkey.sock"
        self.log_path = self.path / "valkey.log"
        self.pid_path = self.path / "valkey.pid"
        self._owner_lock: int | None = None
        self._valkey_lock: int | None = None

    @property
    def valkey_lock(self) -> int:
        """The descriptor that Valkey inherits."""
        if self._valkey_lock is None:
            raise EmbeddedServerError(cause=f"the lock of {self.path} is not held", fix="claim the directory first")
        return self._valkey_lock

    @property
    def recorded_socket(self) -> Path:
        """Where the Valkey before this one listened."""
        try:
            return Path(os.fsdecode(self._record.read_bytes()))
        except FileNotFoundError:
            return self.path / "valkey.sock"

    def claim(self) -> None:
        """Make the directory private and ours; nothing when it is ours already.

        Raises:
            EmbeddedServerError: It cannot be used, or a live process owns it.
        """
        if self._owner_lock is not None:
            return
        try:
            self._make()
            lock = os.open(self._owner_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedServerError(
                cause=f"cannot use {self.path} as a data directory ({error.strerror})",
                fix="name one that this user may write",
            ) from error
        if not try_lock(lock):
            os.close(lock)
            raise EmbeddedServerError(
                cause=f"{self.path} is in use by a running Tallygate (pid {self._owner_pid()})",
                fix="stop it or name another data directory",
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._owner_lock = lock

    def release(self) -> None:
        """Give the claim up and remove the socket; the data stays."""
        if self._owner_lock is None:
            return
        # Valkey's lock first, and the socket only if it is free: without it nobody unlinks a socket.
        if self.lock_valkey():
            self._remove_socket()
        self.hand_over_valkey_lock()
        os.close(self._owner_lock)
        self._owner_lock = None

    def lock_valkey(self) -> bool:
        """Take the lock that says "no Valkey runs here"; False while one does."""
        if self._valkey_lock is not None:
            return True
        lock = os.open(self._valkey_file, os.O_RDWR | os.O_CREAT, 0o600)
        if not try_lock(lock):
            os.close(lock)
            return False
        self._valkey_lock = lock
        return True

    def hand_over_valkey_lock(self) -> None:
        """Close our copy of the descriptor: a Valkey that inherited it is now its only holder."""
        if self._valkey_lock is not None:
            os.close(self._valkey_lock)
            self._valkey_lock = None

    def lock_holders(self) -> list[int]:
        """Find the processes that hold Valkey's lock file open."""
        if not Path("/proc/self/fd").is_dir():  # no such file system: trust what Valkey wrote about itself
            with contextlib.suppress(OSError, ValueError):
                return [int(self.pid_path.read_text())]
            return []
        own, lock = str(os.getpid()), self._valkey_file.stat()
        pids = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and entry.name != own)
        return [int(entry.name) for entry in pids if _has_open(entry, lock)]

    def place_socket(self) -> None:
        """Choose the socket's path, record it, and remove what an earlier Valkey left.

        A Unix socket's path is short (107 bytes on Linux): a long one moves to a private directory.
        """
        self._remove_socket()
        self.socket_path = self.path / "valkey.sock"
        if len(os.fsencode(self.socket_path)) <= _MAX_SOCKET_PATH:
            return
        short = Path(tempfile.mkdtemp(prefix="tallygate-")) / "valkey.sock"
        if len(os.fsencode(short)) > _MAX_SOCKET_PATH:
            short.parent.rmdir()
            short = Path(tempfile.mkdtemp(prefix="tallygate-", dir="/tmp")) / "valkey.sock"
        self._record.write_bytes(os.fsencode(short))
        self.socket_path = short

    def rotate_log(self) -> None:
        """Keep the log of the life before: it says why that one ended."""
        with contextlib.suppress(FileNotFoundError):
            self.log_path.replace(self.path / "valkey.log.1")

    def last_log_line(self) -> str:
        """What Valkey said last."""
        with contextlib.suppress(OSError):
            lines = self.log_path.read_text(errors="replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return "it said nothing"

    @property
    def _owner_file(self) -> Path:
        return self.path / "owner.lock"

    @property
    def _valkey_file(self) -> Path:
        return self.path / "valkey.lock"

    @property
    def _record(self) -> Path:
        return self.path / "socket-path"

    def _make(self) -> None:
        self.path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        # Closing an existing directory to others is ours to do only when it is Valkey's: /tmp is not.
        if stat.S_IMODE(self.path.stat().st_mode) != _PRIVATE and {p.name for p in self.path.iterdir()} <= _KNOWN_NAMES:
            self.path.chmod(_PRIVATE)

    def _owner_pid(self) -> str:
        deadline = time.monotonic() + _PID_SECONDS
        while not (pid := self._owner_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)  # the winner of a race has the lock and has not written its pid yet
        return pid or "unknown"

    def _remove_socket(self) -> None:
        recorded = self.recorded_socket
        recorded.unlink(missing_ok=True)
        if recorded.parent != self.path:
            with contextlib.suppress(OSError):  # cleaned away with the other temporary files, or not ours alone
                recorded.parent.rmdir()
        self._record.unlink(missing_ok=True)


_KNOWN_NAMES = {
    "owner.lock", "valkey.lock", "valkey.sock", "valkey.log", "valkey.log.1", "valkey.pid", "socket-path",
    "appendonlydir",
}  # fmt: skip


def _has_open(process: Path, file: os.stat_result) -> bool:
    with contextlib.suppress(OSError):  # it ended meanwhile, or belongs to somebody else
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.path.samestat(descriptor.stat(), file):
                    return True
    return False

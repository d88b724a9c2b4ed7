"""A README as its tests read it: fenced blocks and the settings table, and the server that a stranger would start."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from child_processes import ChildProcess, free_port, temporary_directory
from tallygate.settings import Settings, environment_name, known_keys, schema

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SECONDS = 90.0
DECLARED_SKIPS = {"go": "there is no Go on the PATH, so the Go block of the README is not run"}
"""Toolchains that a machine may lack, and what is not tested there."""

_BLOCK = re.compile(
    r"^(?:<!-- (?P<how>[^\n]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")


@dataclass(frozen=True)
class Block:
    """A fenced block; `how` is the comment before it, which says how it is run where that is not plain."""

    language: str
    how: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a shell block, and what the comments below it say that it prints."""

    line: str
    printed: str


def blocks(path: Path) -> list[Block]:
    found = _BLOCK.finditer(path.read_text())
    return [Block(match["language"], match["how"] or "", match["text"]) for match in found]


def block(path: Path, language: str, how: str = "") -> str:
    """The text of the one block of this language that is run this way."""
    [found] = [block for block in blocks(path) if block.language == language and block.how.startswith(how)]
    return found.text


def commands(text: str) -> list[Command]:
    """The commands of a shell block, each with its output."""
    found: list[Command] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            found[-1] = Command(found[-1].line, f"{found[-1].printed} {line[1:]}")
        else:
            found.append(Command(line, ""))
    return found


def normal(text: str) -> str:
    """Text without what differs from run to run or from terminal to terminal: instants, and where lines are broken."""
    return " ".join(_INSTANT.sub("INSTANT", " ".join(text.split())).split())


class Shell:
    """Runs the commands of a block one by one, as one terminal would: what was exported stays."""

    def __init__(self, *, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TALLYGATE_")}  # noqa: TID251 - a child's
        self.environment = {**inherited, **(environment or {})}
        self.directory = directory
        self._exports = ""

    def script(self, line: str) -> str:
        return f"{self._exports}{line}"

    def run(self, line: str, *, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        if line.startswith("export "):
            line = f"{line}\nexport -p"
        done = self._run(line, seconds)
        if line.endswith("export -p"):
            self._exports, done.stdout = done.stdout, ""
        return done

    def _run(self, line: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", self.script(line)],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def expect(self, command: Command, *, seconds: float = SECONDS) -> None:
        """Run a command, which must print what its comments say; events take a moment to arrive."""
        deadline = time.monotonic() + 20.0
        wanted = normal(command.printed)
        code = 1 if wanted.startswith("denied:") else 0
        while True:
            done = self.run(command.line, seconds=seconds)
            matches = done.returncode == code and (not wanted or normal(done.stdout) == wanted)
            if matches or "events" not in command.line or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert done.returncode == code, (command.line, done.stdout, done.stderr)
        assert not wanted or normal(done.stdout) == wanted, (command.line, done.stdout)


@dataclass(frozen=True)
class Dev:
    """A running `tallygate dev`, in a directory that looks like the top of the repository."""

    directory: Path
    address: str
    key: str

    def filled(self, text: str) -> str:
        """The text with this server's address and key in the place of those shown."""
        return text.replace("127.0.0.1:7420", self.address).replace("tg_...", self.key)


@contextmanager
def running_dev(start: str = ".venv/bin/tallygate dev") -> Iterator[Dev]:
    """Start it as this line does, on free ports, and stop it as Ctrl-C does."""
    directory = temporary_directory("tg-readme-")
    (directory / ".venv").symlink_to(sys.prefix)
    (directory / "examples").symlink_to(ROOT / "examples")
    argv = [*start.split(), "--listen", f"127.0.0.1:{free_port()}", "--admin", f"127.0.0.1:{free_port()}"]
    log = directory / "log"
    child = ChildProcess(argv, log=log, cwd=directory, env=Shell(directory=directory).environment)
    try:
        deadline = time.monotonic() + SECONDS
        while "Ctrl-C stops it" not in log.read_text():
            assert child.alive, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        context = json.loads((directory / ".tallygate" / "context.json").read_text())
        yield Dev(directory=directory, address=context["server"], key=context["key"])
    finally:
        if child.alive:
            child.end(signal.SIGINT)


def settings_table() -> str:
    """The settings as the README shows them."""
    document, values = schema(), Settings().model_dump()
    rows = ["| setting | environment | default | |", "| --- | --- | --- | --- |"]
    for key in known_keys():
        group, _, leaf = key.rpartition(".")
        place = document["$defs"][document["properties"][group]["$ref"].split("/")[-1]] if group else document
        default = _shown((values[group] if group else values)[leaf])
        text = place["properties"][leaf]["description"]
        rows.append(f"| `{key}` | `{environment_name(key)}` | {default} | {text} |")
    return "\n".join(rows)


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return f"`{text.lower() if isinstance(value, bool) else text}`" if text else ""

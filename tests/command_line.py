"""The command line as a child process, as an operator types it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import patience

SECONDS = patience.SECONDS


def tallygate(
    *words: str, environment: Mapping[str, str], directory: Path, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, which must be with this exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tallygate", *words],
        env=dict(environment),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


def one_clear_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said: one line, and no traceback."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")

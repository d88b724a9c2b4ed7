"""The command line as a process of its own, as an operator types it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

import patience
from prefork import begun

SECONDS = patience.SECONDS


def tallygate(
    *words: str, environment: Mapping[str, str], directory: Path, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, which must be with this exit code."""
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        process = begun(words, env=environment, cwd=directory, stdout=stdout, stderr=stderr)
        try:
            process.wait(SECONDS)
        finally:
            process.kill()
        for stream in (stdout, stderr):
            stream.seek(0)
        done = subprocess.CompletedProcess(words, process.wait(SECONDS), stdout.read(), stderr.read())
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


def one_clear_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said: one line, and no traceback."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")

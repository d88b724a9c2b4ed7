"""What the READMEs show is run as it stands there, and prints what they say."""

import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from child_processes import ChildProcess, free_port, temporary_directory
from readme import BIN, ROOT, SECONDS, Command, Shell, block, blocks, commands, running_dev, settings_table
from servers import PostgresServer, ValkeyServer
from tallygate.domain.gating.decision import Reason
from tallygate_process import TallygateProcess

README = ROOT / "README.md"
CLIENT_README = ROOT / "clients" / "python" / "README.md"
MAKE = "run: what make runs"
STORES = "run: with the URLs"
BESIDE = "run: in a directory beside"
RUNNING = "run: with the address and key"
TESTING = "run: on a server with --testing"
RUN_HERE = {
    README: [("sh", MAKE), *[("sh", "")] * 9, ("python", ""), ("sh", STORES)],
    CLIENT_README: [("python", RUNNING), ("python", TESTING)],
}
RUN_BY_THE_GO_CLIENT = [("yaml", "file: buf.gen.yaml"), ("go", "file: main.go"), ("sh", BESIDE)]


def last_line(make_command):
    """What a make target runs once everything is installed; what these tests were given is not its."""
    argv = ["env", "-u", "ARGS", "-u", "MAKEFLAGS", *make_command.split(), "--dry-run", "--no-print-directory"]
    printed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return printed.splitlines()[-1].removeprefix("exec ").strip()


def run_python(text, directory):
    """Run a block; what it prints stands in the comment behind each print."""
    argv = [sys.executable, "-c", text]
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == re.findall(r"^ *print\(.*\)  # (.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def dev():
    with running_dev(last_line("make dev")) as found:
        yield found


@pytest.mark.parametrize("readme", RUN_HERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_is_run(readme):
    wanted = RUN_HERE[readme] + (RUN_BY_THE_GO_CLIENT if readme == README else [])
    found = [block for block in blocks(readme) if block.language != "text"]
    assert len(found) == len(wanted)
    for language, how in wanted:
        assert any(b.language == language and b.how.startswith(how) and bool(b.how) == bool(how) for b in found), how
    assert readme.read_text().count("```") == 2 * len(blocks(readme))


def test_the_two_commands():
    assert [command.line for command in commands(block(README, "sh", MAKE))] == ["make dev", "make test"]
    assert last_line("make dev") == ".venv/bin/tallygate dev"
    assert last_line("make test").startswith(".venv/bin/python -m pytest")


def test_the_calls_by_command_line(dev):
    shell = Shell(directory=dev.directory)
    plain = [found for found in blocks(README) if found.language == "sh" and not found.how]
    for command in [command for found in plain for command in commands(found.text)]:
        shell.expect(command)
    told = shell.run("tallygate invoice explain INV-2026-000002").stdout
    shown = next(found.text for found in blocks(README) if found.text.startswith("2. API calls"))
    assert shown in told  # to the second, as the clock stands


def test_the_calls_from_python(dev):
    run_python(block(README, "python"), dev.directory)


def test_the_calls_of_the_python_client(dev):
    run_python(dev.filled(block(CLIENT_README, "python", RUNNING)), dev.directory)


def test_months_pass_in_a_test(tmp_path):
    with TallygateProcess() as server:
        text = block(CLIENT_README, "python", TESTING).replace("127.0.0.1:7420", server.address)
        run_python(text, tmp_path)


def test_an_installation_begins():
    home, admin = temporary_directory("tg-readme-"), f"127.0.0.1:{free_port()}"
    listeners = {
        "TALLYGATE_SERVER__GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "TALLYGATE_SERVER__ADMIN_ADDRESS": admin,
    }
    with PostgresServer() as postgres, ValkeyServer(tcp=True, append_only=True) as valkey:
        text = block(README, "sh", STORES)
        database = shlex.quote(postgres.create_database())
        text = text.replace("postgresql://tallygate@db/tallygate", database).replace("redis://cache:6379", valkey.url)
        shell = Shell(directory=home, environment=listeners)
        shell.run(f'export PATH="{BIN}:$PATH"')
        serving = None
        try:
            for command in commands(text):
                if command.line == "tallygate serve":
                    serving = serve(shell, command, admin)
                else:
                    shell.expect(command)
            assert serving is not None
            metrics = ask(admin, "/metrics")
            for alert in ("tallygate_decisions_total", "tallygate_stream_lag_seconds"):
                assert alert in metrics
            assert ask(admin, "/live") == "live\n"
        finally:
            if serving is not None:
                serving.end(signal.SIGTERM)
        assert serving.popen.returncode == 0


def serve(shell: Shell, command: Command, admin: str) -> ChildProcess:
    """Start the server in the background and wait until it is ready."""
    log = shell.directory / "log"
    argv = ["sh", "-c", shell.script(f"exec {command.line}")]
    child = ChildProcess(argv, log=log, cwd=shell.directory, env=shell.environment)
    deadline = time.monotonic() + SECONDS
    while not is_ready(admin):
        assert child.alive, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return child


def is_ready(admin):
    try:
        return '"ready":true' in ask(admin, "/ready")
    except OSError:
        return False


def ask(admin, path):
    with urllib.request.urlopen(f"http://{admin}{path}", timeout=5) as reply:
        return reply.read().decode()


def test_the_settings_are_those_of_the_code():
    table = settings_table()
    assert table in README.read_text(), f"the table of the README should read:\n{table}"


def test_every_reason_is_explained():
    explained = re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "concepts.md").read_text())
    assert {reason.name for reason in Reason} <= set(explained)


def test_a_reader_finds_every_room():
    text = README.read_text()
    rooms = {path.parent.name for path in (ROOT / "src" / "tallygate").glob("*/__init__.py")}
    assert {f"src/tallygate/{room}" for room in rooms} <= set(re.findall(r"src/tallygate/\w+", text))
    for room in rooms:
        assert (ROOT / "src" / "tallygate" / room / "README.md").is_file(), room


def test_what_is_linked_inside_a_page_is_there():
    for readme in (README, CLIENT_README, *sorted((README.parent / "docs").glob("*.md"))):
        for path, anchor in re.findall(r"\]\(([^)#:]*)#([\w-]+)\)", readme.read_text()):
            target = readme.parent / path if path else readme
            titles = re.findall(r"^#+ (.*)$", Path(target).read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}

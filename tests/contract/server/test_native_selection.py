"""Which transport is taken, and that what is refused says why and what to do."""

import asyncio
import importlib
import logging
import subprocess
import sys

import pytest

from tallygate.server.calls.authentication import AuthenticationOptions, Authenticator
from tallygate.server.calls.streams import Streams
from tallygate.server.calls.wrapper import CallOptions, Calls
from tallygate.server.listeners import ListenError, parse_address
from tallygate.server.operations.metrics import Metrics
from tallygate.server.transport import native
from tallygate.server.transport.native import NativeTransport
from tallygate.server.transport.selection import TransportError, new_transport
from tallygate.server.transport.transports import GrpcioTransport, TransportOptions

LOCAL = ("127.0.0.1:0", "[::1]:0", "localhost:0", "unix:/tmp/t.sock")


def transport(kind, *addresses, tls=None):
    authenticator = Authenticator(None, clock=lambda: 0, options=AuthenticationOptions())
    calls = Calls(authenticator=authenticator, metrics=Metrics(), options=CallOptions())
    parsed = [parse_address(address) for address in addresses]
    return new_transport(kind, parsed, [], calls=calls, streams=Streams(calls), options=TransportOptions(tls=tls))


@pytest.mark.parametrize("kind", ["auto", "native"])
def test_native_is_taken_where_every_listener_is_local(kind):
    assert isinstance(transport(kind, *LOCAL), NativeTransport)


def test_grpcio_is_taken_when_asked_for():
    assert isinstance(transport("grpcio", *LOCAL), GrpcioTransport)


@pytest.mark.parametrize("remote", ["0.0.0.0:0", "[::]:0", "10.1.2.3:7420", "example.test:7420"])
def test_a_remote_bind_is_refused_with_why_and_auto_says_so_once(remote, caplog):
    with pytest.raises(TransportError, match="never listens beyond this machine") as caught:
        transport("native", "127.0.0.1:0", remote)
    assert parse_address(remote).target in str(caught.value)
    assert "choose transport `grpcio`" in str(caught.value)
    with caplog.at_level(logging.INFO):
        assert isinstance(transport("auto", "127.0.0.1:0", remote), GrpcioTransport)
    (line,) = caplog.messages
    assert line.startswith("transport grpcio, not native: it never listens beyond")
    assert "\n" not in line


def test_tls_is_not_for_native_and_auto_says_so_once(caplog):
    with pytest.raises(TransportError, match="it speaks no TLS, for it never listens beyond this machine"):
        transport("native", *LOCAL, tls=object())
    with caplog.at_level(logging.INFO):
        assert isinstance(transport("auto", *LOCAL, tls=object()), GrpcioTransport)
    (line,) = caplog.messages
    assert line.startswith("transport grpcio, not native: it speaks no TLS")


@pytest.mark.parametrize("installed", ["0.4.9", "0.5.1", "0.5.0.post1", "1.0.0"])
def test_an_unknown_version_is_not_trusted(installed, monkeypatch, caplog):
    monkeypatch.setattr(native, "version", lambda _name: installed)
    with pytest.raises(TransportError, match=rf"guards know pygrpc-native 0\.5\.0, not {installed}"):
        transport("native", "127.0.0.1:0")
    with caplog.at_level(logging.INFO):
        assert isinstance(transport("auto", "127.0.0.1:0"), GrpcioTransport)
    assert len(caplog.messages) == 1


def test_the_pinned_version_is_the_one_that_is_tested():
    assert importlib.import_module("pygrpc_native").__version__ == native.SUPPORTED


def test_without_the_extra_auto_takes_grpcio_and_native_says_what_to_install(monkeypatch, caplog):
    def absent(name):
        raise native.PackageNotFoundError(name)

    monkeypatch.setattr(native, "version", absent)
    with pytest.raises(TransportError, match=r"pip install 'tallygate\[native\]'"):
        transport("native", "127.0.0.1:0")
    with caplog.at_level(logging.INFO):
        assert isinstance(transport("auto", "127.0.0.1:0"), GrpcioTransport)
    assert len(caplog.messages) == 1


def test_a_wheel_that_cannot_be_loaded_is_like_none(monkeypatch):
    def broken(_name):
        msg = "GLIBC_2.99 not found"
        raise ImportError(msg)

    monkeypatch.setattr(native, "import_module", broken)
    with pytest.raises(TransportError, match="GLIBC_2"):
        transport("native", "127.0.0.1:0")
    assert isinstance(transport("auto", "127.0.0.1:0"), GrpcioTransport)


async def test_a_name_that_only_looks_local_is_found_out(monkeypatch):
    def elsewhere(*_args, **_more):
        return [(2, 1, 6, "", ("0.0.0.0", 0))]  # noqa: S104 - the test is that this is refused

    monkeypatch.setattr("tallygate.server.listeners.socket.getaddrinfo", elsewhere)
    server = transport("native", "localhost:0")
    with pytest.raises(ListenError, match="never listens beyond this machine"):
        await server.start()
    assert server.addresses == ()


async def test_a_failing_listener_leaves_none_behind(tmp_path):
    first, missing = tmp_path / "a.sock", tmp_path / "absent" / "b.sock"
    server = transport("native", f"unix:{first}", f"unix:{missing}")
    with pytest.raises(ListenError, match="create it"):
        await server.start()
    assert not first.exists()
    assert server.addresses == ()


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 1), (16, 2)])
def test_a_small_machine_gets_one_io_thread(monkeypatch, cores, threads):
    monkeypatch.setattr(native.os, "sched_getaffinity", lambda _pid: set(range(cores)))
    assert native._io_threads() == threads


_FORKED = """
import asyncio, os, sys
import grpc
sys.path.insert(0, sys.argv[2])
from test_native_selection import transport
from grpc_health.v1 import health_pb2, health_pb2_grpc

def ask():
    with grpc.insecure_channel(f"unix:{sys.argv[1]}") as channel:
        request = health_pb2.HealthCheckRequest()
        return health_pb2_grpc.HealthStub(channel).Check(request, timeout=60, wait_for_ready=True).status

async def serve():
    await server.start()
    answer = await asyncio.to_thread(ask)
    await server.stop()
    return answer

server = transport("native", f"unix:{sys.argv[1]}")  # built before the fork
child = os.fork()
if child == 0:
    os._exit(asyncio.run(serve()))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


async def test_built_before_a_fork_it_serves_after(tmp_path):
    here = str(native.Path(__file__).parent)
    command = [sys.executable, "-c", _FORKED, str(tmp_path / "f.sock"), here]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stderr  # SERVING


async def test_a_forked_child_does_not_close_its_parents_sockets(tmp_path, monkeypatch):
    path = tmp_path / "t.sock"
    server = transport("native", f"unix:{path}")
    await server.start()
    with monkeypatch.context() as child:
        child.setattr(native.os, "getpid", lambda: -1)
        await server.drain()
        await server.stop()
    assert path.exists()
    await server.stop()
    assert not path.exists()

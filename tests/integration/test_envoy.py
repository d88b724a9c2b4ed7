"""A real Envoy with our example configuration, in front of a real backend, asking a real sidecar."""

import asyncio
import http.client
import random
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest

from child_processes import ChildProcess, free_port, temporary_directory
from servers import ValkeyServer
from tallygate.domain.credential import mint_key
from tallygate_process import TallygateProcess
from tenants import Tenant, eventually

EXAMPLE = Path(__file__).parents[2] / "deploy/envoy/envoy.yaml"
ENVOY = Path(sys.executable).parent / "envoy"
KEY = mint_key(b"envoy".ljust(32))
START_SECONDS = 180.0
CATALOG = {
    "currency": "USD",
    "rate_limits": {"api_rps": {"owner": "account", "algorithm": "token_bucket"}},
    "plans": {
        "five": {"version": 1, "rate_limits": {"api_rps": {"limit": 5, "window": "1s", "burst": 5}}},
        "none": {"version": 1, "rate_limits": {"api_rps": {"limit": 0, "window": "1s"}}},
    },
}
ACTIONS = """\
                              - actions:
                                  - generic_key: {descriptor_key: account_id, descriptor_value: spent}
                                  - generic_key: {descriptor_key: limit_key, descriptor_value: api_rps}
                              - actions:
                                  - generic_key: {descriptor_value: a}
                                  - generic_key: {descriptor_value: b}
                                  - request_headers: {header_name: ":path", descriptor_key: path}
                                  - request_headers: {header_name: x-any, descriptor_key: any, skip_if_absent: true}
                                  - request_headers: {header_name: x-any, descriptor_key: any, skip_if_absent: true}
                              - actions:
                                  - request_headers: {header_name: x-account-id, descriptor_key: account_id}
                                  - generic_key: {descriptor_key: limit_key, descriptor_value: api_rps}
                              - actions:
                                  - request_headers: {header_name: x-limit, descriptor_key: limit_key}
"""
"""A key that is spent, beside whatever the client says."""


class Backend(BaseHTTPRequestHandler):
    """The application behind Envoy."""

    def do_GET(self):
        body = b"served"
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@dataclass
class Envoy:
    """An Envoy on the example configuration, with its addresses replaced by free ones."""

    sidecar_port: int
    backend_port: int
    deny: bool
    actions: str = ""
    port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    directory: Path = field(default_factory=lambda: temporary_directory("tg-envoy-"))

    def __enter__(self):
        config = self.directory / "envoy.yaml"
        config.write_text(self._config())
        argv = [str(ENVOY), "--config-path", str(config), "--concurrency", "1", "--disable-hot-restart"]
        environment = {"TALLYGATE_API_KEY": KEY, "HOME": str(self.directory)}
        log = self.directory / "envoy.log"
        self._process = ChildProcess(argv, log=log, env=environment, cwd=self.directory)
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            assert self._process.alive, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self._process.alive:
            self._process.popen.kill()
            self._process.popen.wait()

    def _config(self):
        text = EXAMPLE.read_text()
        changes = {
            "port_value: 9901": f"port_value: {self.admin_port}",
            "port_value: 8080": f"port_value: {self.port}",
            "port_value: 7420": f"port_value: {self.sidecar_port}",
            "port_value: 8081": f"port_value: {self.backend_port}",
            "failure_mode_deny: false": f"failure_mode_deny: {str(self.deny).lower()}",
            "timeout: 0.05s": "timeout: 20s",  # this machine may be busy with other tests
        }
        for old, new in changes.items():
            assert text.count(old) == 1, f"the example no longer says {old!r} once"
            text = text.replace(old, new)
        if self.actions:
            head, _, rest = text.partition("                              - actions:\n")
            _, http_filters, tail = rest.partition("                http_filters:\n")
            text = head + self.actions + http_filters + tail
        return text

    def ready(self):
        try:
            return ask(self.admin_port, "/ready")[0] == 200
        except OSError:
            return False

    def get(self, account="acme"):
        return ask(self.port, "/", {"x-account-id": account} if account else {})


def ask(port, path, headers=None):
    """Status and headers of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


@pytest.fixture(scope="module")
def backend_port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
async def world():
    """A control plane with accounts of 5 calls a second, and a sidecar on the same Redis for Envoy to ask."""
    with ValkeyServer() as valkey:
        shared = {"TALLYGATE_REDIS__URL": valkey.url}
        whole = TallygateProcess(environment=shared)
        sidecar = TallygateProcess(role="data", environment=shared)
        with whole, sidecar:
            async with grpc.aio.insecure_channel(whole.address) as channel:
                tenant = Tenant(channel, KEY)
                await tenant.apply(CATALOG)
                yield tenant, sidecar


async def one_second_of(envoy, tenant, calls):
    """Statuses of calls within one second by an account of 5 a second; a slow machine is given another account."""
    for attempt in range(50):
        account = f"acme/{envoy.port}/{attempt}"
        await tenant.call("UpsertAccount", account_id=account, plan_key="five")
        await warm(envoy, account)
        await tenant.advance(60)
        started = time.monotonic()
        answers = [await asyncio.to_thread(envoy.get, account) for _ in range(calls)]
        if time.monotonic() - started < 0.15:  # before the bucket of 5 a second has refilled by one
            return answers
    msg = f"{calls} requests never fitted into 0.15 s"
    raise AssertionError(msg)


async def warm(envoy, account):
    """Wait until Envoy has found the sidecar, and the sidecar knows the account."""

    async def limited():
        return "x-ratelimit-limit" in (await asyncio.to_thread(envoy.get, account))[1]

    await eventually(limited)


async def test_the_sixth_call_within_the_second_is_answered_429(world, backend_port):
    tenant, sidecar = world
    with Envoy(port_of(sidecar), backend_port, deny=True) as envoy:
        answers = await one_second_of(envoy, tenant, 6)
        assert [status for status, _ in answers] == [200] * 5 + [429]
        refused = answers[-1][1]
        assert refused["x-envoy-ratelimited"] == "true"
        assert refused["x-ratelimit-remaining"] == "0"
        assert refused["x-ratelimit-limit"].startswith("5, 5;w=1")
        unlimited = [await asyncio.to_thread(envoy.get, "") for _ in range(10)]
        assert Counter(status for status, _ in unlimited) == {200: 10}  # no descriptor, no limit


@pytest.mark.parametrize(("deny", "expected"), [(False, 200), (True, 500)])
async def test_failure_mode_deny_decides_when_the_sidecar_is_stopped(world, backend_port, deny, expected):
    tenant, sidecar = world
    with Envoy(port_of(sidecar), backend_port, deny=deny) as envoy:
        await tenant.call("UpsertAccount", account_id="steady", plan_key="five")
        await warm(envoy, "steady")
        await asyncio.to_thread(sidecar.stop)
        try:
            answers = [await asyncio.to_thread(envoy.get, "steady") for _ in range(10)]
            assert Counter(status for status, _ in answers) == {expected: 10}
        finally:
            await asyncio.to_thread(sidecar.start)
        await warm(envoy, "steady")  # and it decides again once it is back


def request_bytes(path=b"/", **headers):
    """A request as a client may write it, byte by byte."""
    lines = [b"%b: %b\r\n" % (name.replace("_", "-").encode(), value) for name, value in headers.items()]
    return b"GET %b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n%b\r\n" % (path, b"".join(lines))


def status_of(port, request):
    """The status that answers these bytes; 0 where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        line = connection.makefile("rb").readline()
    return int(line.split()[1]) if line else 0


def strange_requests():
    """What has fooled limiters before, and noise that is the same each time."""
    yield request_bytes()
    yield request_bytes(b"/" + b"x" * 1_025)
    yield request_bytes(b"/" + b"x" * 20_000, x_any=b"y" * 20_000, x_account_id=b"z" * 10_000)
    for value in (b"", b" ", b"nobody", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"a\tb", b"%00", "\U0001f600".encode()):
        yield request_bytes(x_any=value)
        yield request_bytes(x_account_id=value)
        yield request_bytes(x_limit=value)
        yield request_bytes(b"/?q=" + value.replace(b" ", b"+").replace(b"\t", b"+"))
    yield request_bytes().replace(b"host: a", b"host: a\r\n" + b"\r\n".join(b"x-any: %d" % n for n in range(90)))
    noise = random.Random(7)
    for _ in range(60):
        value = bytes(noise.choice(range(0x80, 0x100)) for _ in range(noise.randrange(1, 40)))
        path = b"/" + bytes(noise.choice(b"abc019/?&=.~-_+;,") for _ in range(noise.randrange(1_500)))
        yield request_bytes(path, x_any=value, x_account_id=value[::-1], x_limit=value)


async def test_nothing_that_a_client_sends_passes_beside_a_spent_key(world, backend_port):
    tenant, sidecar = world
    await tenant.call("UpsertAccount", account_id="spent", plan_key="none")
    with Envoy(port_of(sidecar), backend_port, deny=False, actions=ACTIONS) as envoy:

        async def denied():
            return await asyncio.to_thread(status_of, envoy.port, request_bytes()) == 429

        await eventually(denied)
        passed, answered = [], Counter()
        for request in strange_requests():
            status = await asyncio.to_thread(status_of, envoy.port, request)
            answered[status] += 1
            if status == 200:
                passed.append(request[:200])
        assert passed == []
        assert answered[429] > 80, answered  # Envoy itself refuses the rest


def port_of(process):
    return int(process.address.rpartition(":")[2])

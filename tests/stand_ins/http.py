"""A gateway's HTTP API, spoken by a server in a thread: what was asked of it, and how it can fail."""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from tallygate.app import clock

SILENT = "silent"  # it does what it is asked for, and hangs up
LOST = "lost"  # it hangs up, and has not done it
HANGS = "hangs"  # it does what it is asked for, and answers much too late
BROKEN = "broken"  # it does what it is asked for, and answers 500 with a page for people
BUSY = "busy"  # it answers 429, and has not done it
FAULTS = (SILENT, LOST, HANGS, BROKEN, BUSY)


def seconds():
    return clock.now() // 1_000_000


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body) if self.body else {}


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """An answer that is none of success."""

    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


@dataclass
class StandIn:
    """A gateway. Subclasses have `routes`: (method, pattern, handler), which answer a body."""

    requests: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    done: set = field(default_factory=set)
    hang_seconds: float = 8.0
    lock: threading.RLock = field(default_factory=threading.RLock)
    too_busy: ClassVar[dict] = {}

    def fault(self, kind, *, method="POST", path=""):
        """The next request whose path is so fails in this manner."""
        self.faults.append((kind, method, re.compile(path)))

    def count(self, method, path):
        return sum(1 for one in self.requests if one.method == method and re.fullmatch(path, one.path))

    def scripted(self, _asked):
        """The fault that a method's name asks for, when it is first used."""

    def script(self, name, fault):
        """A fault once a name."""
        if name in self.done:
            return None
        self.done.add(name)
        return fault

    def _planned(self, asked):
        for planned in self.faults:
            kind, method, path = planned
            if method == asked.method and path.search(asked.path):
                self.faults.remove(planned)
                return kind
        return None

    def answer(self, asked):
        """Status and body of an answer; None where there is none."""
        self.requests.append(asked)
        kind = self._planned(asked) or self.scripted(asked)
        if kind == LOST:
            return None
        if kind == BUSY:
            return 429, self.too_busy
        with self.lock:
            status, body = self._handled(asked)
        if kind == BROKEN:
            return 500, "<html>Internal Server Error: card 4111 of sk_live_hidden</html>"
        if kind == HANGS:
            time.sleep(self.hang_seconds)
        return None if kind == SILENT else (status, body)

    def _handled(self, asked):
        for method, pattern, handler in self.routes():
            found = re.fullmatch(pattern, asked.path)
            if method == asked.method and found:
                try:
                    return 200, handler(asked, *found.groups())
                except Refused as refused:
                    return refused.status, refused.body
        return 404, {"error": f"no such path: {asked.method} {asked.path}"}

    def __enter__(self):
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                found = stand_in.answer(Asked(self.command, parts.path, parse_qs(parts.query), headers, body))
                self.close_connection = True
                if found is None:
                    return
                status, body = found
                sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "text/html" if isinstance(body, str) else "application/json")
                    self.send_header("content-length", str(len(sent)))
                    self.send_header("connection", "close")
                    self.end_headers()
                    self.wfile.write(sent)
                except OSError:
                    pass  # who asked has gone

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library's names

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

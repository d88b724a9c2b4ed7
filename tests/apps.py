"""Apps on this machine that tell charges of their own, by https: a test says what each answers."""

import json
import secrets
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from certificates import Authority


@dataclass
class App:
    """One app: `charges` are what it answers to each period, or a function of what it is asked."""

    address: str
    limit: Any = "50.00"
    charges: Any = ()
    currency: str | None = None
    status: int = 200
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def listed(self, intent: str) -> list[dict[str, Any]]:
        """What it was asked of its charges for an intent."""
        return [asked for path, asked in self.asked if path == "v1/charges" and asked["intent"] == intent]

    def limits(self) -> list[dict[str, Any]]:
        """What it was asked of its limit."""
        return [asked for path, asked in self.asked if path == "v1/charge-limit"]

    def answer(self, path: str, asked: dict[str, Any]) -> Any:
        self.asked.append((path, asked))
        if path == "v1/charge-limit":
            return {"chargeLimit": self.limit}
        charges = self.charges(asked) if callable(self.charges) else self.charges
        if isinstance(charges, str):
            return charges  # what is no list of charges
        told = [{"chargeId": name, "amount": amount, "description": name} for name, amount in charges]
        return {"currency": self.currency or asked["currency"], "charges": told}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, token, path = self.path.split("/", 2)
        app = self.server.apps[token]
        body = json.dumps(app.answer(path, asked)).encode()
        self.send_response(app.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Apps:
    """Where they are; who trusts `authority` trusts them."""

    def __init__(self, directory):
        authority = Authority(directory, "apps")
        own = authority.issue("app")
        self.authority = authority.cert
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.cert, own.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._server.apps = {}
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def open(self, **answers):
        """One more app."""
        token = secrets.token_hex(8)
        app = App(address=f"https://127.0.0.1:{self._server.server_port}/{token}", **answers)
        self._server.apps[token] = app
        return app

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

"""A register of VAT numbers on this machine that speaks as VIES' REST service does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VALID, UNKNOWN, SILENT, DOWN, BROKEN = "136695976", "111111125", "222222220", "333333339", "444444443"
"""German numbers with right check digits: one that is held, one that is not, and three of which nothing is learned."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, asked))
        number = asked["vatNumber"]
        if number == SILENT:
            self.server.patience.wait(5)
            return
        if number == BROKEN:
            self._answer(502, b"<html>Bad Gateway</html>")
        elif number == DOWN:
            told = {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}
            self._answer(500, json.dumps(told).encode())
        else:
            own = asked.get("requesterNumber")
            told = {
                "countryCode": asked["countryCode"],
                "vatNumber": number,
                "requestDate": "2026-11-29T20:00:00.000Z",
                "valid": number != UNKNOWN,
                "requestIdentifier": "WAPIAAAAZ1" if own else "",
                "name": "Acme Aktiengesellschaft" if number != UNKNOWN else "---",
                "address": "---",
            }
            self._answer(200, json.dumps(told).encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Register:
    """The register; `asked` is what it was asked, `url` where it is."""

    def __init__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.asked = []
        self._server.patience = threading.Event()
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/rest-api"

    @property
    def asked(self):
        return self._server.asked

    def close(self):
        self._server.patience.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

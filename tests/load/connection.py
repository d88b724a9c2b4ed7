"""One HTTP/2 connection that sends unary gRPC calls in bulk and counts what comes back.

It reads frame heads only: a call is answered when its stream brought a message before it ended.
"""

import socket
from collections.abc import Iterator
from itertools import islice
from time import perf_counter

from load import http2
from load.http2 import DATA, END_STREAM, FRAME_HEAD, HEADERS

_FIRST_STREAM = 3  # stream 1 carries the first call, which fills the server's header table
_SECONDS = 30.0
_ANSWERED, _ENDED = 1, 2


class Connection:
    """Calls of one method, with payloads taken in order from `payloads`; used up when those are."""

    def __init__(
        self, address: str, path: str, headers: dict[str, str], payloads: Iterator[bytes], *, keep_replies: bool = False
    ) -> None:
        self.started: list[float] = []
        self.latencies: list[float] = []
        self.failed = 0
        self.replies: list[bytes] = []
        self.max_streams = 2**31
        self.exhausted = False
        self._keep = keep_replies
        self._payloads = payloads
        self._window = http2.DEFAULT_WINDOW
        self._largest = 0
        self._pending = b""
        self._states = bytearray()
        self._ended = -1  # the first call is none of those counted
        first, later = http2.header_blocks(path, headers)
        self._head = len(later).to_bytes(3, "big") + bytes((HEADERS, http2.END_HEADERS))
        self._later = later
        self._socket = _connect(address)
        self._socket.sendall(http2.opening())
        self._warm_up(first)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def in_flight(self) -> int:
        return len(self.started) - self._ended

    def send(self, count: int, times: list[float] | None = None) -> int:
        """Start up to `count` calls, all of them now unless `times` says since when each waits; how many were."""
        if self._largest:
            count = min(count, self._window // self._largest)
        if count <= 0 or self.exhausted:
            return 0
        payloads = list(islice(self._payloads, count))
        self.exhausted = len(payloads) < count
        self._write(payloads)
        self.started += times[: len(payloads)] if times is not None else [perf_counter()] * len(payloads)
        return len(payloads)

    def receive(self) -> int:
        """Read what there is; how many calls ended by it."""
        data = self._socket.recv(1 << 18)
        if not data:
            msg = "the server closed the connection"
            raise ConnectionError(msg)
        before = self._ended
        self._parse(self._pending + data if self._pending else data, perf_counter())
        return self._ended - before

    def close(self) -> None:
        self._socket.close()

    def _write(self, payloads: list[bytes]) -> None:
        stream = _FIRST_STREAM + 2 * len(self.started)
        middles: dict[int, bytes] = {}
        parts: list[bytes] = []
        for payload in payloads:
            size = len(payload)
            middle = middles.get(size)
            if middle is None:
                middle = middles[size] = self._later + size.to_bytes(3, "big") + bytes((DATA, END_STREAM))
            number = stream.to_bytes(4, "big")
            parts += (self._head, number, middle, number, payload)
            stream += 2
        self._states += bytes(len(payloads))
        self._window -= sum(map(len, payloads))
        self._largest = max(self._largest, *middles, 1)
        self._socket.sendall(b"".join(parts))

    def _parse(self, data: bytes, now: float) -> None:
        position, end, unpack = 0, len(data), FRAME_HEAD.unpack_from
        while end - position >= 9:
            high, low, kind, flags, stream = unpack(data, position)
            following = position + 9 + (high << 8 | low)
            if following > end:
                break
            if kind == HEADERS:
                if flags & END_STREAM:
                    self._end(stream, now)
            elif kind == DATA:
                self._answer(stream, data[position + 9 : following] if self._keep else b"")
            else:
                self._control(kind, flags, stream, data[position + 9 : following], now)
            position = following
        self._pending = data[position:]

    def _end(self, stream: int, now: float) -> None:
        call = (stream - _FIRST_STREAM) >> 1
        if call < 0:
            self._ended += 1
            return
        state = self._states[call]
        if state & _ENDED:  # a server may reset a stream that it has ended
            return
        self._ended += 1
        self._states[call] = state | _ENDED
        if state & _ANSWERED:
            self.latencies.append(now - self.started[call])
        else:
            self.failed += 1

    def _answer(self, stream: int, message: bytes) -> None:
        if stream >= _FIRST_STREAM:
            self._states[(stream - _FIRST_STREAM) >> 1] |= _ANSWERED
        if message:
            self.replies.append(message)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes, now: float) -> None:
        if kind == http2.RST_STREAM:
            self._end(stream, now)
        elif kind == http2.WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload, "big")
        elif kind == http2.PING and not flags & http2.ACK:
            self._socket.sendall(http2.frame(http2.PING, http2.ACK, 0, payload))
        elif kind == http2.SETTINGS and not flags & http2.ACK:
            self._obey(http2.settings_of(payload))
        elif kind == http2.GOAWAY:
            msg = f"the server says GOAWAY: {payload!r}"
            raise ConnectionError(msg)

    def _obey(self, wanted: dict[int, int]) -> None:
        assert wanted.get(http2.HEADER_TABLE_SIZE, 4096) >= 4096, "the server's header table is too small"
        self.max_streams = wanted.get(http2.MAX_CONCURRENT_STREAMS, self.max_streams)
        self._socket.sendall(http2.frame(http2.SETTINGS, http2.ACK, 0))

    def _warm_up(self, block: bytes) -> None:
        payload = next(self._payloads)
        self._window -= len(payload)
        headers = http2.frame(HEADERS, http2.END_HEADERS, 1, block)
        self._socket.sendall(headers + http2.frame(DATA, END_STREAM, 1, payload))
        while self._ended < 0:
            self.receive()
        self._ended = 0  # also where the stream was reset after its end


def _connect(address: str) -> socket.socket:
    path = address.removeprefix("unix:")
    family = socket.AF_UNIX if path != address else socket.AF_INET
    host, _, port = address.rpartition(":")
    link = socket.socket(family)
    link.settimeout(_SECONDS)
    link.connect(path if family is socket.AF_UNIX else (host, int(port)))
    if family is socket.AF_INET:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link

"""As much of HTTP/2 as sending unary gRPC calls takes: frames, and header blocks that shrink to a few bytes.

The first call of a connection puts its headers into the server's dynamic HPACK table, later calls name them by index,
as every real client does. Knows no socket.
"""

from struct import Struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM = ACK = 1
END_HEADERS = 4
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 2, 3, 4
DEFAULT_WINDOW = 65_535
LARGEST_WINDOW = 2**31 - 1
FRAME_HEAD = Struct(">HBBBL")
"""Length (upper 16 and lower 8 bits), type, flags, stream id."""

_POST, _HTTP, _FIRST_DYNAMIC = b"\x83", b"\x86", 62
_SETTING = Struct(">HL")


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def grpc_message(body: bytes) -> bytes:
    """A serialized message as gRPC frames it: not compressed, length, bytes."""
    return b"\x00" + len(body).to_bytes(4, "big") + body


def opening() -> bytes:
    """What a client says first; its windows are so large that no answer ever waits for one."""
    wanted = _SETTING.pack(ENABLE_PUSH, 0) + _SETTING.pack(INITIAL_WINDOW_SIZE, LARGEST_WINDOW)
    more = (LARGEST_WINDOW - DEFAULT_WINDOW).to_bytes(4, "big")
    return PREFACE + frame(SETTINGS, 0, 0, wanted) + frame(WINDOW_UPDATE, 0, 0, more)


def settings_of(payload: bytes) -> dict[int, int]:
    """What a SETTINGS frame says."""
    return dict(_SETTING.iter_unpack(payload))


def header_blocks(path: str, headers: dict[str, str]) -> tuple[bytes, bytes]:
    """The header block of a connection's first call, which indexes every header, and that of all later ones."""
    indexed = {":path": path, ":authority": "localhost", "content-type": "application/grpc", "te": "trailers"} | headers
    first = b"".join(b"\x40" + _text(name) + _text(value) for name, value in indexed.items())
    newest_last = range(_FIRST_DYNAMIC + len(indexed) - 1, _FIRST_DYNAMIC - 1, -1)
    return _POST + _HTTP + first, _POST + _HTTP + bytes(0x80 | index for index in newest_last)


def _text(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 127, "a longer text needs HPACK's longer integers"
    return bytes((len(data),)) + data

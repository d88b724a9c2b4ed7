"""Commands as bytes (RESP2): knows how to pack them fast, refuses to know what they mean."""

import hashlib
from collections.abc import Sequence

Argument = bytes | str | int
Reply = bytes | int | None | list["Reply"] | Exception
"""What hiredis returns; an exception inside a list is one entry's error."""


def pack(*arguments: Argument) -> bytes:
    """Pack one command."""
    parts = [b"*%d\r\n" % len(arguments)]
    _append(parts, arguments)
    return b"".join(parts)


def pack_arguments(arguments: Sequence[Argument]) -> bytes:
    """Pack arguments as they stand inside a command."""
    parts: list[bytes] = []
    _append(parts, arguments)
    return b"".join(parts)


class Script:
    """A Lua script, called by its digest; the server learns the body when it does not know it."""

    __slots__ = ("_call", "_prefixes", "body", "sha1")

    def __init__(self, body: str | bytes) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.sha1 = hashlib.sha1(self.body, usedforsecurity=False).hexdigest()
        self._call = pack_arguments(["EVALSHA", self.sha1])
        self._prefixes: dict[tuple[int, int], bytes] = {}

    def with_text(self, command: bytes) -> bytes:
        """The same call, packed, with the script's text in the place of its digest: whoever executes it learns it."""
        by_digest = b"$7\r\nEVALSHA\r\n$40\r\n%b\r\n" % self.sha1.encode()
        by_text = b"$4\r\nEVAL\r\n$%d\r\n%b\r\n" % (len(self.body), self.body)
        return command.replace(by_digest, by_text, 1)

    def head(self, keys: int, arguments: int) -> bytes:
        """What stands before so many keys and arguments of an EVALSHA."""
        return b"*%d\r\n%b%b" % (3 + keys + arguments, self._call, pack_arguments([keys]))

    def prefix(self, keys: int, arguments: int) -> bytes:
        """What stands before so many keys and arguments of an EVALSHA; packed once per shape."""
        shape = (keys, arguments)
        prefix = self._prefixes.get(shape)
        if prefix is None:
            head = pack(b"EVALSHA", self.sha1, keys)
            prefix = b"*%d\r\n%b" % (3 + keys + arguments, head.partition(b"\r\n")[2])
            self._prefixes[shape] = prefix
        return prefix


def _append(parts: list[bytes], arguments: Sequence[Argument]) -> None:
    for argument in arguments:
        value = argument if type(argument) is bytes else _encode(argument)
        parts.append(b"$%d\r\n%b\r\n" % (len(value), value))


def _encode(argument: Argument) -> bytes:
    if isinstance(argument, str):
        return argument.encode()
    return b"%d" % argument if isinstance(argument, int) else bytes(argument)

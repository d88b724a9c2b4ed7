"""Where a call is answered, whatever carries it: a transport hands calls over with a port, and is told there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote

from tallygate.domain.fields import MAX_ID_CHARACTERS
from tallygate.server.wire.errors import Failure, Trailing

REQUEST_ID = "x-request-id"
"""Metadata with the caller's own name for a call, in which the answer brings it back; each failure has one."""
ACTOR = "x-actor"
"""Metadata with the person whom a call is made for, as its caller knows them: the audit log keeps it."""
_LONGEST_ID = 128
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
Metadata = Iterable[tuple[str, str | bytes]]


class Port(Protocol):
    """Where a call is answered, once."""

    def answer(self, token: Any, outcome: bytes | Failure, trailing: Trailing = ()) -> None:  # noqa: ANN401 - what the port knows the call by
        """Answer the call, with this metadata beside an answer; one that its caller has left is nobody's."""
        ...


class Leaving(Protocol):
    """A call at work, as its transport knows it."""

    def leave(self) -> None:
        """The caller has left: nobody waits for an answer any more."""
        ...


Begin = Callable[[bytes, Metadata, float | None, Port, Any], Leaving | None]
"""Takes on a call: its request, metadata, seconds left, and the port to answer at with what that knows the call by.

None where it is answered already.
"""


Follow = Callable[[bytes, Any], AsyncIterator[bytes]]
"""Serves a method that streams: its request, and the transport's context."""


class Follower(Protocol):
    """Who follows calls from their beginning to their end, for traces; they go the same way without one."""

    def unary(self, name: str, begin: Begin) -> Begin:
        """What begins calls of a method, followed."""
        ...

    def streaming(self, name: str, serve: Follow) -> Follow:
        """What serves a method that streams, followed."""
        ...


class Waiting:
    """A port for one call, for a transport that has a task for each anyhow."""

    __slots__ = ("_future", "_outcome", "trailing")

    def __init__(self) -> None:
        self.trailing: Trailing = ()
        self._outcome: bytes | Failure | None = None
        self._future: asyncio.Future[None] | None = None

    def answer(self, token: object, outcome: bytes | Failure, trailing: Trailing = ()) -> None:  # noqa: ARG002 - there is but one call
        """Take the outcome."""
        self._outcome, self.trailing = outcome, trailing
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def outcome(self) -> bytes | Failure:
        """What the call came to, once that is known."""
        while self._outcome is None:
            self._future = asyncio.get_running_loop().create_future()
            await self._future
        return self._outcome


class NamedPort:
    """A port for one call that its caller has named."""

    __slots__ = ("_port", "_trailing", "request_id")

    def __init__(self, port: Port, request_id: str) -> None:
        self._port = port
        self.request_id = request_id
        self._trailing: Trailing = ((REQUEST_ID, request_id),)

    def answer(self, token: Any, outcome: bytes | Failure, trailing: Trailing = ()) -> None:  # noqa: ANN401 - as above
        """Answer the call under its name."""
        if isinstance(outcome, Failure):
            self._port.answer(token, named(outcome, self.request_id))
        else:
            self._port.answer(token, outcome, (*trailing, *self._trailing))


def named(failure: Failure, request_id: str) -> Failure:
    """The failure under a call's name, if it does not bring one.

    Of a name that a request brought metadata may hold the first 255 characters, per cent encoded where they are not
    visible ASCII.
    """
    if any(key == REQUEST_ID for key, _ in failure.trailing):
        return failure
    name = quote(request_id[:MAX_ID_CHARACTERS], safe=_VISIBLE, errors="replace")
    return replace(failure, trailing=(*failure.trailing, (REQUEST_ID, name)))


def caller_of(metadata: Metadata) -> tuple[str | None, str]:
    """The value that carries the key, as it came, and the caller's name for the call; one that is no name is none."""
    authorization: str | bytes | None = None
    name: str | bytes = ""
    for key, value in metadata:
        if key == "authorization":
            authorization = value if authorization is None else authorization
        elif key == REQUEST_ID:
            name = value
    if not name:
        return authorization if isinstance(authorization, str) else None, ""
    is_name = isinstance(name, str) and len(name) <= _LONGEST_ID and name.isascii() and name.isprintable()
    return authorization if isinstance(authorization, str) else None, str(name).strip() if is_name else ""


def actor_of(metadata: Metadata) -> str:
    """The person whom a call is made for, as its caller says; what is no name is nobody's."""
    for key, value in metadata:
        if key == ACTOR:
            is_name = isinstance(value, str) and len(value) <= _LONGEST_ID and value.isascii() and value.isprintable()
            return str(value).strip() if is_name else ""
    return ""


def authorization_of(metadata: Metadata) -> str | None:
    """The value that carries the key, as it came."""
    for key, value in metadata:
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None

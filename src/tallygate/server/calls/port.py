"""Where a call is answered, whatever carries it: a transport hands calls over with a port, and is told there."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from tallygate.server.wire.errors import Failure

Metadata = Iterable[tuple[str, str | bytes]]


class Port(Protocol):
    """Where a call is answered, once."""

    def answer(self, token: Any, outcome: bytes | Failure) -> None:  # noqa: ANN401 - what the port knows the call by
        """Answer the call; one that its caller has left is nobody's."""
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


class Waiting:
    """A port for one call, for a transport that has a task for each anyhow."""

    __slots__ = ("_future", "_outcome")

    def __init__(self) -> None:
        self._outcome: bytes | Failure | None = None
        self._future: asyncio.Future[None] | None = None

    def answer(self, token: object, outcome: bytes | Failure) -> None:  # noqa: ARG002 - there is but one call
        """Take the outcome."""
        self._outcome = outcome
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def outcome(self) -> bytes | Failure:
        """What the call came to, once that is known."""
        while self._outcome is None:
            self._future = asyncio.get_running_loop().create_future()
            await self._future
        return self._outcome


def authorization_of(metadata: Metadata) -> str | None:
    """The value that carries the key, as it came."""
    for key, value in metadata:
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None

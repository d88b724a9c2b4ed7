"""What the wrapper knows of a method: its name, its rule, how its requests are read, and who answers them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError, Message

from tallygate.domain.credential import KeyRecord
from tallygate.server.calls.pace import Pace
from tallygate.server.calls.scopes import MethodRule
from tallygate.server.wire.errors import MalformedRequestError


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls: the tenant is that of the key, never of the request. `data` is the request as it came."""

    tenant_id: str
    key: KeyRecord
    data: bytes = b""


UnaryMethod = Callable[[Any, Call], Awaitable[Message]]
FastAnswer = Callable[[str, bytes], bytes | None]
"""Answers a tenant's request, as bytes, from what was answered before; None where that does not hold any more."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a request that could not be decoded, until the call is known to be allowed at all."""

    error: MalformedRequestError


Done = Callable[[bytes | Exception | None], None]
"""Told once how a call ended: its response, what went wrong, or None where a coroutine has to answer it after all."""


def tell(done: Done, answer: Callable[..., bytes], *asked: Any) -> None:  # noqa: ANN401 - whatever `answer` takes
    """Tell how a call ended: with what `answer` makes of this, or with what went wrong there."""
    try:
        done(answer(*asked))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
        done(error)


StraightMethod = Callable[[str, bytes, Done], bool]
"""Takes on a tenant's request, as bytes, and tells later; False where it does not."""

Weigh = Callable[[bytes], int]

Decode = Callable[[bytes], Message | Unreadable]


@dataclass(frozen=True, slots=True)
class Method:
    """A method as metrics and logs name it, its row in the table of rules, and how its requests are read and answered.

    `fast` answers at once where it can, `straight` takes calls on without a task where it can, `function` always can.
    Requests longer than `max_bytes` are left to it, for it to say so.
    """

    name: str
    rule: MethodRule
    decode: Decode
    max_bytes: int = 0
    fast: FastAnswer | None = None
    straight: StraightMethod | None = None
    function: UnaryMethod | None = None
    answered: Callable[[float], None] = lambda _: None
    """Counts a call that was answered, after so many seconds."""
    weigh: Weigh | None = None
    """How many places a request takes of those for work under way; without it one."""
    pace: Pace = field(default_factory=Pace)


def decoder(
    message: type[Message], limit: int, read: Callable[[bytes], Message] | None = None
) -> Callable[[bytes], Message | Unreadable]:
    """A deserializer that never raises: what it cannot `read` is answered by the wrapper, once the key is known."""
    read = read or message.FromString

    def decode(data: bytes) -> Message | Unreadable:
        expected = message.DESCRIPTOR.full_name
        if len(data) > limit:
            return Unreadable(MalformedRequestError(expected=f"at most {limit} bytes", got=len(data)))
        try:
            return read(data)
        except DecodeError:
            return Unreadable(MalformedRequestError(expected=expected))

    return decode

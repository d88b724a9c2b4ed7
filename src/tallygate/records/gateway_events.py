"""What gateways told by themselves: what is kept of it, and where. Instants are microseconds since the Unix epoch.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Effect(StrEnum):
    """What followed from an event."""

    APPLIED = "applied"
    """The books changed."""
    REPEATED = "repeated"
    """It had been told before."""
    OLD = "old"
    """The books are as far, or further."""
    ASKED = "asked"
    """It does not fit what is known: its gateway is asked."""
    FOREIGN = "foreign"
    """It is about nothing that is in the books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """One event. Of its bytes only the SHA-256 is kept, for they may hold personal data.

    `subject` is our id of what it is about, `problem` what of it does not fit the books, `time` when it happened at the
    gateway, `create_time` when it came.
    """

    gateway: str
    event_id: str
    kind: str
    subject: str
    effect: Effect
    problem: str = ""
    digest: str
    time: int
    create_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events, newest first; what is left out restricts nothing. `before` is when one came, and its id."""

    limit: int = 0
    gateway: str = ""
    effect: Effect | None = None
    subject: str = ""
    before: tuple[int, str] | None = None


class GatewayEvents(Protocol):
    """The events of one tenant's gateways; what is in them never changes."""

    async def is_known(self, gateway: str, event_id: str) -> bool:
        """Whether an event came before."""
        ...

    async def add(self, event: ToldEvent) -> None:
        """Keep one; the same again fails the transaction."""
        ...

    async def list(self, wanted: EventQuery) -> Sequence[ToldEvent]:
        """Those asked for, newest first."""
        ...

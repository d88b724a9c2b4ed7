"""Who did what: noted by the unit of work that does it, in its transaction, once for each call.

A call's *origin* is told by whoever takes calls on; no use-case knows of it, so none can forget to note itself.
"""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from tallygate.domain.audit_log import Anchor, AuditEntry


@dataclass(slots=True, kw_only=True)
class Origin:
    """Where a write comes from, as `AuditEntry` has it; `asked` tells the request. `noted` once there is an entry."""

    method: str
    key_id: str = ""
    key_name: str = ""
    actor: str = ""
    source: str = ""
    request_id: str = ""
    asked: Callable[[], Mapping[str, Any]] = dict
    noted: bool = False


ORIGIN: ContextVar[Origin | None] = ContextVar("tallygate_origin", default=None)
"""The call that is at work, where it is one that writes; None: Tallygate itself."""


def unnoted() -> Origin | None:
    """The call at work, if nothing that it did is noted yet."""
    origin = ORIGIN.get()
    return None if origin is None or origin.noted else origin


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryQuery:
    """Which entries: of an account, a method, a key, a call's name, in a time; empty and None ask for all.

    Newest first, those before a place.
    """

    account_id: str = ""
    method: str = ""
    key_id: str = ""
    request_id: str = ""
    start_time: int | None = None
    end_time: int | None = None
    before: int | None = None
    limit: int = 25


class AuditLog(Protocol):
    """A tenant's entries; each is written when the unit of work that it tells of commits."""

    async def list(self, wanted: EntryQuery) -> Sequence[AuditEntry]:
        """Those asked for."""
        ...

    async def walk(self, *, after: int | None, limit: int) -> Sequence[tuple[AuditEntry, str | None]]:
        """Entries behind a place, or all, in order, each with the hash that it was chained with, if it was."""
        ...

    async def erasures(self) -> Mapping[str, int]:
        """Where each account's personal data was erased last."""
        ...

    async def erase(self, account_id: str) -> int:
        """Erase personal values from an account's entries; from how many."""
        ...


class AuditChain(Protocol):
    """The hashes of a tenant's entries, and what they came to when that was sealed."""

    async def head(self) -> tuple[int, str]:
        """The last place that is chained, and its hash; 0 where none is."""
        ...

    async def extend(self, links: Sequence[tuple[int, str]]) -> None:
        """Add the hashes of the next places."""
        ...

    async def anchors(self) -> Sequence[tuple[Anchor, str]]:
        """Every anchor with its seal, by place."""
        ...

    async def anchor(self, anchor: Anchor, seal: str) -> None:
        """Keep one."""
        ...

"""The records of a history, in the order in which they happened to whoever wrote them down.

Times are seconds of one clock of theirs. What a checker does not need may be left out.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Outcome = Literal["ok", "denied", "unknown"]
"""Admitted, denied, or ended with an error that leaves open whether it was admitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """An attempt was sent; negative quantities return units, and none is asked for by a check.

    `attempt` tells attempts of one request apart where several are under way. `deadline` is in seconds from `time`;
    `min_view_version` what the caller knew to be written.
    """

    account: str
    request_id: str
    quantity: int = 0
    tenant: str = ""
    attempt: str = ""
    time: float = 0.0
    deadline: float = 0.0
    min_view_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An attempt ended; `text` is all that its answer said, where somebody looks for what should not be in it."""

    account: str
    request_id: str
    outcome: Outcome
    granted: int = 0
    used: int = 0
    replayed: bool = False
    tenant: str = ""
    attempt: str = ""
    time: float = 0.0
    view_version: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it was collected; `entry` is its place in the account's stream."""

    account: str
    request_id: str
    quantity: int
    sequence: int = 0
    entry: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much an account may hold."""

    account: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What an account's counter said at the end."""

    account: str
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A text that is one tenant's own: no other tenant's answer may hold it."""

    tenant: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A write was answered with the version that its tenant's view has since."""

    tenant: str
    view_version: int
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something that is depended on went away."""

    what: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """It is there again."""

    what: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """How many bytes a process held."""

    process: str
    bytes: int
    time: float


Record = Invoked | Answered | Event | Limit | Counter | Canary | Written | Broken | Restored | Resident


def line(record: Record) -> str:
    """A record as a line of a file, which `tallygate verify` reads."""
    return json.dumps({"kind": type(record).__name__.lower(), **asdict(record)})


@dataclass(slots=True)
class History:
    """Records as they happened."""

    records: list[Record] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """This happened next."""
        self.records.append(record)

    def count(self, outcome: Outcome) -> int:
        """How many attempts ended so."""
        return sum(isinstance(record, Answered) and record.outcome == outcome for record in self.records)

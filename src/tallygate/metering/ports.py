"""What metering needs from the outside: a stream of facts, a ledger that keeps them, and ways to read it.

Nothing here knows Redis or SQL. Instants are microseconds since the Unix epoch.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.errors import ConflictError, ErrorReason
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import Pot
from tallygate.domain.period import UsagePeriod

Identity = tuple[str, str, str, str]
"""(tenant_id, account_id, feature_key, request_id): what one effect is."""

Clock = Callable[[], int]
"""Now, in microseconds since the Unix epoch."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits for some seconds; tests pass one that does not."""


class BatchRefusedError(ConflictError):
    """The ledger refuses something in this batch; trying the same batch again cannot help."""

    reason = ErrorReason.INTERNAL


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen: one is made an event, at a third of the cost
class Delivery:
    """One stream entry as it was read; `fact` is None where it cannot be read as one, and `problem` says why.

    `raw` holds the whole entry, so that nothing is lost by quarantining it.
    """

    source: FactSource
    raw: bytes
    fact: UsageFact | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLag:
    """How many entries wait to be collected, and when the oldest of them was added (None: none waits)."""

    entries: int
    oldest_time: int | None


class FactStream(Protocol):
    """The facts that wait to be collected: at least once each, in no order that anything may rely on.

    Raises StoreUnavailableError when it cannot be reached in time; what was read and not acknowledged comes again.
    """

    async def read(self) -> Sequence[Delivery]:
        """What this collector left unacknowledged, what dead ones did, then what is new; waits 0.5 s at most."""
        ...

    async def acknowledge(self, sources: Sequence[FactSource]) -> None:
        """Remove entries for good; those already gone are passed over."""
        ...

    async def give_back(self, facts: Sequence[UsageFact]) -> int:
        """Remove entries and return their units to the pots that paid, for those that nobody had removed before.

        Returns how many were returned now.
        """
        ...

    async def lag(self) -> StreamLag:
        """What waits at this moment, in all partitions."""
        ...


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen, as above
class Recorded:
    """How an identity stands in the ledger: enough to tell its duplicates apart.

    `forgotten` says that the store has lost the count of it: whoever repeats it is counted once again, not twice.
    """

    source: FactSource
    recorded_time: int
    payload_hash: bytes
    forgotten: bool = False


class LedgerTransaction(Protocol):
    """One transaction of one collector; the tenants of a batch are locked first."""

    async def lock(self, tenant_ids: Collection[str]) -> None:
        """Become the only writer of these tenants until the transaction ends."""
        ...

    async def known(self, identities: Collection[Identity]) -> Mapping[Identity, Recorded]:
        """Those of these identities that are in the ledger; right only for locked tenants."""
        ...

    async def append(self, facts: Sequence[UsageFact]) -> Sequence[UsageFact]:
        """Add facts of locked tenants, each under its tenant's next sequence number.

        Returns those that were counted under another epoch than the one that holds: their counts may be lost.
        """
        ...

    async def quarantine(self, deliveries: Sequence[Delivery]) -> int:
        """Set deliveries aside with their `problem`; returns how many were not there yet."""
        ...


class Ledger(Protocol):
    """Where facts are kept for good.

    Raises StoreUnavailableError when it cannot be reached or is too busy, BatchRefusedError when it refuses a value.
    """

    def transaction(self) -> AbstractAsyncContextManager[LedgerTransaction]:
        """Commits at the end of the block, rolls back on an exception."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFact:
    """A fact and its place in its tenant's log: 1, 2, 3, ... without gaps, in the order of their commits."""

    sequence: int
    fact: UsageFact


class EventReader(Protocol):
    """The log of one tenant's facts. Raises StoreUnavailableError when it cannot be read."""

    async def head(self, tenant_id: str) -> int:
        """The last sequence number given out and committed; 0 where there is none."""
        ...

    async def events_after(
        self, tenant_id: str, sequence: int, *, account_id: str = "", feature_key: str = "", limit: int = 500
    ) -> Sequence[RecordedFact]:
        """The next facts after this sequence number, in order; of one account or feature where it is named."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Whose use of what is read, and along which dimension it is grouped (empty: not).

    `apart` are the starts of trials with which another period begins: what they counted is told by itself.
    """

    tenant_id: str
    account_id: str
    feature_key: str
    group_by: str = ""
    apart: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPeriod:
    """A usage period in which facts were counted; `apart` says which of two that begin at one instant."""

    period: UsagePeriod
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTotal:
    """The facts counted in the period that starts at `period_start`, of one group: sum, greatest, distinct members.

    `count` is how many they are, `pots` what each pot paid in all; of facts that are grouped these are not told.
    `apart` says which of two periods it is that begin at one instant.
    """

    period_start: int
    group: str
    total: int
    greatest: int
    distinct: int
    count: int = 0
    pots: tuple[Pot, ...] = ()
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One observed level; `group` is the value of the dimension that the meter is grouped by."""

    occurred_time: int
    level: int
    group: str = ""


class UsageReader(Protocol):
    """A meter's facts of some kinds, added up or one by one. Raises StoreUnavailableError when they cannot be read."""

    async def periods(self, meter: Meter, start: int, end: int) -> Sequence[CountedPeriod]:
        """The periods that overlap [start, end) and hold a fact; a reset starts one that ends with the one it cut."""
        ...

    async def totals(
        self, meter: Meter, start: int, end: int, kinds: Collection[FactKind], *, unique_by: str = ""
    ) -> Sequence[PeriodTotal]:
        """Sums of the periods that overlap [start, end); of those that were reset at one instant the last one's alone.

        Members are the values of dimension `unique_by`, or users where that is empty; facts without one count for none.
        """
        ...

    def samples(self, meter: Meter, start: int, end: int, kinds: Collection[FactKind]) -> AsyncIterator[Sample]:
        """The levels that occurred in [start, end), in the order in which they occurred."""
        ...

    async def last_before(self, meter: Meter, instant: int, kinds: Collection[FactKind]) -> Sequence[Sample]:
        """The last level before an instant, one a group."""
        ...

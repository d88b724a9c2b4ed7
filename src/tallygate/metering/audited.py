"""What an audit needs from the store of the counters: to see them at one moment, and to set them right."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.gating.quota import CounterName, MeterState
from tallygate.domain.tenant_clock import TenantClock
from tallygate.metering.comparing import Difference
from tallygate.metering.recounting import AccountId, MeterId, Recounted
from tallygate.records.audits import Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Counters of one partition at one moment: all that its stream gave out up to `entry_id` is counted in them.

    `returned` tells how often units of late replays were returned in the partition by then.
    """

    epoch: str
    entry_id: str
    returned: int
    states: Mapping[MeterId, MeterState]


Counted = Mapping[MeterId, Collection[CounterName]]
"""Meters, and which counters the store has of each."""

NO_STRAYS: Counted = {}


class Looking(Protocol):
    """The counters, over one connection. Raises StoreUnavailableError when they cannot be read."""

    def counted(self) -> AsyncIterator[Counted]:
        """Every counter that there is all the while, in pages, whatever it counts; some may come twice."""
        ...

    async def look(self, partition: int, meters: Collection[Recounted], *, alone: bool = False) -> Seen | None:
        """What stands in the counters that these meters name.

        `alone` makes sure that nobody else mends this partition for a while; None where somebody does.
        """
        ...

    async def collected(self, partition: int, entry_id: str) -> bool:
        """Whether all entries up to this one have left the stream."""
        ...

    async def mend(
        self, partition: int, seen: Seen, differences: Sequence[Difference], clocks: Mapping[str, TenantClock]
    ) -> bool:
        """Add what is missing, and take off what is too much, of what was seen; what is counted meanwhile stays.

        False where the counters may be others by now: nothing was done.
        """
        ...

    async def note(self, audit: Audit) -> None:
        """Keep for operators what a round came to."""
        ...


class AuditedStore(Protocol):
    """Where counters live."""

    def home_of(self, account: AccountId) -> int:
        """The partition that an account's counters live in."""
        ...

    def looking(self) -> AbstractAsyncContextManager[Looking]:
        """A connection of its own."""
        ...

"""The log of usage as billing reads it, and what came too late for its invoice."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.late import LateFact, Unrated
from tallygate.domain.billing.windows import UsageWindow


class UsageLog(Protocol):
    """The facts that are charged: billable, outside of trials, and counted here."""

    def facts(
        self, account_id: str, window: UsageWindow, *, through: int, after: tuple[int, str] | None = None
    ) -> AsyncIterator[BillableFact]:
        """The facts of a window up to a sequence number, by (occurred_time, request_id), those behind `after`."""
        ...

    async def level_before(self, account_id: str, window: UsageWindow, *, through: int) -> int:
        """The last level observed before a window, if on trial; 0 where there was none."""
        ...

    async def head(self) -> int:
        """The last sequence number of the tenant's log, the same all through a unit of work."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncharged:
    """A fact that a price of an account counts in no line, and why."""

    fact: BillableFact
    feature_key: str
    price_key: str
    reason: Unrated


@dataclass(frozen=True, slots=True, kw_only=True)
class UnratedFact:
    """A billable fact that no price, or this one, charges; `request_id` is empty where the log has it no more."""

    sequence: int
    account_id: str
    feature_key: str
    price_key: str
    reason: Unrated
    occurred_time: int
    note_time: int
    request_id: str
    quantity: int


class LateUsage(Protocol):
    """Facts that came after the close of their period."""

    async def catch_up(self) -> None:
        """Note what came late since the last look, and let billing look at accounts that it would not look at again."""
        ...

    async def of(self, account_id: str) -> Sequence[LateFact]:
        """Those of an account that no close has settled, in the order of the log."""
        ...

    async def unrated(self, *, account_id: str, before: tuple[int, str] | None, limit: int) -> Sequence[UnratedFact]:
        """Those that are charged nowhere, of one account where it is named: the newest in the log first.

        `before` is the sequence number and price of the last that was seen.
        """
        ...

    async def note(self, account_id: str, uncharged: Sequence[Uncharged], *, now: int) -> None:
        """A close charges these nowhere; those that were noted before stay as they are."""
        ...

    async def settle(self, account_id: str, reasons: Mapping[int, Unrated], *, now: int) -> None:
        """A close has charged them, but for those, by sequence number, with a reason not to."""
        ...

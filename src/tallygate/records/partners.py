"""What is kept of those who earn beside the tenant: what was agreed with them, what they billed, what is theirs.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.bills import Bill, BillState
from tallygate.domain.billing.earning import Earning
from tallygate.domain.billing.recurring_bills import RecurringBill
from tallygate.domain.billing.sharing import ShareTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class BillQuery:
    """Which bills, newest first; what is left out restricts nothing. `before` is an instant of creation and an id."""

    limit: int
    provider: str = ""
    account_id: str = ""
    state: BillState | None = None
    before: tuple[int, str] | None = None


class ShareTermsRepository(Protocol):
    """What was agreed about shares in one tenant; nothing of it ever changes, and what is newer takes its place."""

    async def add(self, terms: ShareTerms) -> None:
        """Add terms, behind all others."""
        ...

    async def history(self) -> Sequence[ShareTerms]:
        """All that was ever agreed, in the order in which it was."""
        ...


class BillRepository(Protocol):
    """Bills of one tenant's providers."""

    async def add(self, bill: Bill) -> None:
        """Add one; there is none of its id."""
        ...

    async def get(self, bill_id: str) -> Bill | None:
        """One bill."""
        ...

    async def named(self, bill_ids: Collection[str]) -> Mapping[str, Bill]:
        """Bills by their ids, those that there are."""
        ...

    async def cancel(self, bill: Bill, *, now: int) -> None:
        """Let no invoice charge it any more."""
        ...

    async def list(self, wanted: BillQuery) -> Sequence[Bill]:
        """Those asked for, newest first."""
        ...


RECURRING_BILL = "recurring_bill"
"""The kind of the job that submits what is due of a recurring bill; its subject is the recurring bill."""


class RecurringBillRepository(Protocol):
    """Bills that come again, of one tenant's providers."""

    async def put(self, bill: RecurringBill) -> None:
        """Add one, or replace it."""
        ...

    async def get(self, recurring_bill_id: str) -> RecurringBill | None:
        """One of them."""
        ...

    async def list(self, *, provider: str, account_id: str) -> Sequence[RecurringBill]:
        """Those of a provider for an account, newest first, at most 1,000; what is empty restricts nothing."""
        ...


class EarningRepository(Protocol):
    """What documents of one tenant brought in, read from what never changes."""

    async def moved(self, *, start: int, end: int, after: str, limit: int) -> Sequence[str]:
        """Documents of which something was paid, taken back or given back in a time, by id, those behind `after`."""
        ...

    async def of(self, invoice_ids: Sequence[str]) -> Sequence[Earning]:
        """Documents with all that became of them, by id."""
        ...

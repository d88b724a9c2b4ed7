"""The books of billing: transfers, and the parts of lines that become income in time.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.posting import Balance, Transfer
from tallygate.domain.billing.recognition import Part

RECOGNISE = "recognise"
"""The kind of the job that posts what has become income of an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferQuery:
    """Which transfers, newest first or oldest; what is left out restricts nothing.

    Instants are half-open: from `start` on, before `end`. `beyond` is time, entry and line of the last one seen.
    """

    limit: int
    account_id: str = ""
    ledger_account: str = ""
    document_id: str = ""
    start: int | None = None
    end: int | None = None
    beyond: tuple[int, str, int] | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """A part of a line that becomes income later.

    `source` is the line whose part it is, or is taken from where it is another line's credit: then it is below zero.
    """

    part: Part
    account_id: str
    document_id: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one account of the ledger stands at for an account, by the records that it mirrors, in minor units."""

    ledger_account: str
    account_id: str
    currency: str
    amount: int


class LedgerRepository(Protocol):
    """Transfers of one tenant, which never change."""

    async def post(self, transfers: Sequence[Transfer]) -> None:
        """Add transfers; an entry that was posted before fails the transaction.

        What would take effect before the books were closed takes effect then.
        """
        ...

    async def close(self, time: int) -> None:
        """Let nothing take effect before an instant any more."""
        ...

    async def list(self, wanted: TransferQuery) -> Sequence[Transfer]:
        """Those asked for, by time, entry and line."""
        ...

    async def balances(self, *, at: int, account_id: str = "") -> Sequence[Balance]:
        """What every ledger account stands at with all that took effect by an instant, by name and currency."""
        ...

    async def stands(self, ledger_account: str, currency: str, *, at: int) -> int:
        """What one ledger account stands at in a currency: debits less credits by an instant."""
        ...

    async def with_unposted(self, account_ids: Sequence[str]) -> Sequence[str]:
        """Those of some accounts that have an issued document that no entry was posted of, in order."""
        ...

    async def unposted(self, account_id: str, *, limit: int) -> Sequence[str]:
        """Issued documents of an account that no entry was posted of, oldest first."""
        ...


class RecognitionRepository(Protocol):
    """Parts of lines that become income later, which never change."""

    async def plan(self, parts: Sequence[PlannedPart]) -> None:
        """Add parts; one that was added before fails the transaction."""
        ...

    async def due(self, account_ids: Sequence[str], *, now: int) -> Sequence[PlannedPart]:
        """Parts of accounts whose time has come and that are not posted, less what credits took from them."""
        ...

    async def next_times(self, account_ids: Sequence[str], *, after: int) -> Mapping[str, int]:
        """When the next one of each account is due after an instant, where there is one."""
        ...

    async def left(self, source: str, *, after: int) -> Sequence[Part]:
        """What is left of a line's parts that become income after an instant."""
        ...


class AuditRepository(Protocol):
    """Both sides of what the ledger must agree with."""

    async def posted(self) -> Sequence[Figure]:
        """What receivables, liabilities and backlog stand at by the ledger, by account."""
        ...

    async def owed(self) -> Sequence[Figure]:
        """What open invoices come to, and what is kept for accounts."""
        ...

    async def unrecognised(self) -> Sequence[Figure]:
        """What is charged and not posted as income."""
        ...

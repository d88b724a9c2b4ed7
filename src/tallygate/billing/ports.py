"""What billing needs besides the records."""

from collections.abc import Collection
from typing import Protocol

from tallygate.records.billing import IssuedLines, UsageLog


class Barrier(Protocol):
    """Proves that the events of accounts are in the log."""

    async def passed(self, tenant_id: str, account_ids: Collection[str]) -> None:
        """Return when every event of the accounts that was admitted before the call is in the log.

        Raises:
            StoreUnavailableError: that cannot be proved now; try again.
        """
        ...


class Sources(Protocol):
    """What documents are derived from besides an account's books."""

    @property
    def tenant_id(self) -> str:
        """Whose they are."""
        ...

    @property
    def issued_lines(self) -> IssuedLines:
        """What was charged already."""
        ...

    @property
    def usage_log(self) -> UsageLog:
        """The facts that are charged."""
        ...

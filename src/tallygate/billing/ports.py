"""What billing needs besides the records."""

from collections.abc import Collection
from typing import Protocol


class Barrier(Protocol):
    """Proves that the events of accounts are in the log."""

    async def passed(self, tenant_id: str, account_ids: Collection[str]) -> None:
        """Return when every event of the accounts that was admitted before the call is in the log.

        Raises:
            StoreUnavailableError: that cannot be proved now; try again.
        """
        ...

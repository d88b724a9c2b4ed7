"""What billing needs besides the records."""

from typing import Protocol


class Barrier(Protocol):
    """Proves that the events of an account are in the log."""

    async def passed(self, tenant_id: str, account_id: str) -> None:
        """Return when every event that was admitted before the call is in the log.

        Raises:
            StoreUnavailableError: that cannot be proved now; try again.
        """
        ...

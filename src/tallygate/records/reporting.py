"""What reports read besides what billing keeps.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class ReportRepository(Protocol):
    """Sums over one tenant."""

    async def last_activity(self, account_ids: Sequence[str]) -> Mapping[str, int]:
        """When the newest event of accounts occurred, of those that have any."""
        ...

    async def invoiced(self, *, start: int, end: int) -> Mapping[str, int]:
        """What documents that were issued in a time and are not void come to, by currency."""
        ...

    async def invoiced_to(self, account_ids: Sequence[str], *, start: int, end: int) -> Mapping[str, Mapping[str, int]]:
        """The same by account, of some of them, and currency."""
        ...

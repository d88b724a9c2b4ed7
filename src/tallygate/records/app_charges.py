"""What is kept of charges that apps tell: limits, and the runs of periods.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Sequence
from typing import Protocol

from tallygate.domain.billing.app_charges import ChargeLimit, ChargeRun

CHARGES = "charges"
"""The kind of the job that asks apps what they charge an account; its subject is the account."""


class AppChargeRecords(Protocol):
    """Limits and runs of one tenant."""

    async def limit(self, subscription_id: str) -> ChargeLimit | None:
        """The limit in force of a subscription; None where its app told none yet."""
        ...

    async def add_limit(self, limit: ChargeLimit) -> None:
        """Add a limit; it is in force from now on."""
        ...

    async def runs(self, account_id: str) -> Sequence[ChargeRun]:
        """The runs of an account, newest period first, at most 1,000."""
        ...

    async def put_run(self, run: ChargeRun) -> None:
        """Add a run, or replace it."""
        ...

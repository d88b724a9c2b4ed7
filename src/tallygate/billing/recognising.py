"""What has become income, posted when its time has come: some accounts at a time, in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.bookkeeping import recognise
from tallygate.records.jobs import Job
from tallygate.records.ledger import RECOGNISE
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_TOGETHER = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionRunner:
    """Runs jobs of the ledger; `clock` is real time."""

    transactions: Transactions
    clock: Callable[[], int]

    async def handle(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant; the order does not matter, as what is posted bears its own instant."""
        await self._post(jobs[0].tenant_id, [job.subject for job in jobs])

    async def run(self, tenant_id: str, account_id: str = "") -> None:
        """Post all that is due of a tenant, or of one account of it."""
        while jobs := await self.transactions.read(tenant_id, _due(account_id), now=self.clock()):
            await self._post(tenant_id, [job.subject for job in jobs])

    async def _post(self, tenant_id: str, account_ids: Sequence[str]) -> None:
        await self.transactions.write(
            tenant_id, lambda work, now: recognise(work, account_ids, now=now), now=self.clock()
        )


def _due(account_id: str) -> Callable[[BillingWork, int], Awaitable[Sequence[Job]]]:
    async def due(work: BillingWork, now: int) -> Sequence[Job]:
        return await work.jobs.due(RECOGNISE, now=now, limit=_TOGETHER, subject=account_id)

    return due

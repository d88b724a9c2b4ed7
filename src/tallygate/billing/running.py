"""What is due, done: some accounts at a time, behind the barrier and in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.closing import Closed, close_account, close_accounts
from tallygate.billing.ports import Barrier
from tallygate.domain.billing.documents import Invoice
from tallygate.records.billing import Job
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRunner:
    """Runs jobs of billing; `clock` is real time."""

    transactions: Transactions
    barrier: Barrier
    clock: Callable[[], int]

    async def handle(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: issue what is due of their accounts, and plan the next looks."""
        tenant_id, account_ids = jobs[0].tenant_id, [job.subject for job in jobs]
        await self.barrier.passed(tenant_id, account_ids)
        await self.transactions.write(
            tenant_id, lambda work, now: close_accounts(work, account_ids, now=now), now=self.clock()
        )

    async def look(self, tenant_id: str, account_id: str, *, due_time: int | None = None) -> tuple[Invoice, ...]:
        """Issue what is due of one account; of a test tenant only what the look at `due_time` is about.

        Raises:
            AccountNotFoundError: there is no such account.
        """
        await self.barrier.passed(tenant_id, [account_id])
        written = await self.transactions.write(tenant_id, _closing(account_id, due_time), now=self.clock())
        return written.value.invoices


def _closing(account_id: str, due_time: int | None = None) -> Callable[[BillingWork, int], Awaitable[Closed]]:
    async def close(work: BillingWork, now: int) -> Closed:
        await work.late_usage.catch_up()
        return await close_account(work, account_id, now=now, due_time=due_time)

    return close

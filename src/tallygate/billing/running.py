"""What is due, done: some accounts at a time, behind the barrier and in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.closing import Closed, close_account, close_accounts
from tallygate.billing.ports import Barrier
from tallygate.domain.billing.documents import Invoice
from tallygate.records.billing import CLOSE, Job
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_MOST_INVOICES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run issued, and whether there may be more."""

    invoices: tuple[Invoice, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRunner:
    """Runs jobs of billing; `clock` is real time."""

    transactions: Transactions
    barrier: Barrier
    clock: Callable[[], int]

    async def handle(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs, of one tenant: issue what is due of their accounts, and plan the next looks.

        Of a test tenant, whose clock leaps, all that is due, in the order in which it fell due.
        """
        tenant_id, account_ids = jobs[0].tenant_id, [job.subject for job in jobs]
        if await self.transactions.read(tenant_id, _is_test, now=self.clock()):
            await self.run(tenant_id)
            return
        await self.barrier.passed(tenant_id, account_ids)
        await self.transactions.write(
            tenant_id, lambda work, now: close_accounts(work, account_ids, now=now), now=self.clock()
        )

    async def run(self, tenant_id: str, account_id: str = "") -> Run:
        """Issue all that is due of a tenant, or of one account of it, oldest first.

        Raises:
            AccountNotFoundError: there is no such account.
        """
        found: list[Invoice] = []
        if account_id:
            await self._look(tenant_id, account_id, found)
        while len(found) < _MOST_INVOICES:
            job = await self.transactions.read(tenant_id, _next_due(account_id), now=self.clock())
            if job is None:
                return Run(invoices=tuple(found), more=False)
            await self._look(tenant_id, job.subject, found, due_time=job.due_time)
        return Run(invoices=tuple(found), more=True)

    async def _look(
        self, tenant_id: str, account_id: str, found: list[Invoice], *, due_time: int | None = None
    ) -> None:
        await self.barrier.passed(tenant_id, [account_id])
        written = await self.transactions.write(tenant_id, _closing(account_id, due_time), now=self.clock())
        found += written.value.invoices


async def _is_test(work: BillingWork, _now: int) -> bool:
    return (await work.tenants.get()).test


def _closing(account_id: str, due_time: int | None = None) -> Callable[[BillingWork, int], Awaitable[Closed]]:
    async def close(work: BillingWork, now: int) -> Closed:
        await work.late_usage.catch_up()
        return await close_account(work, account_id, now=now, due_time=due_time)

    return close


def _next_due(account_id: str) -> Callable[[BillingWork, int], Awaitable[Job | None]]:
    async def due(work: BillingWork, now: int) -> Job | None:
        jobs = await work.jobs.due(CLOSE, now=now, limit=1, subject=account_id)
        return jobs[0] if jobs else None

    return due

"""What is due, done: some accounts at a time, behind the barrier and in one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.closing import Closed, close_account, close_accounts, finalize_draft
from tallygate.billing.drafts import find_draft
from tallygate.billing.ports import Barrier
from tallygate.domain.billing.documents import Invoice
from tallygate.records.drafts import Draft
from tallygate.records.jobs import Job
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

    async def finalize(self, tenant_id: str, name: str) -> Invoice | None:
        """Issue what a draft charges; a document that was issued is answered as it is. None: nothing is left to charge.

        Raises:
            InvoiceNotFoundError: there is neither a draft nor a document of this id.
            DocumentIncompleteError: nobody is known to sell.
        """
        found = await self.transactions.read(tenant_id, lambda work, _: _issued_or_draft(work, name), now=self.clock())
        if isinstance(found, Invoice):
            return found
        await self.barrier.passed(tenant_id, [found.account_id])
        written = await self.transactions.write(
            tenant_id, lambda work, now: _finalized(work, name, now=now), now=self.clock()
        )
        return written.value


async def _issued_or_draft(work: BillingWork, name: str) -> Invoice | Draft:
    issued = await work.invoices.get(name)
    return await find_draft(work, name) if issued is None else issued


async def _finalized(work: BillingWork, name: str, *, now: int) -> Invoice | None:
    found = await _issued_or_draft(work, name)
    if isinstance(found, Invoice):
        return found  # somebody else was faster
    await work.late_usage.catch_up()
    issued = await finalize_draft(work, found, now=now)
    return next((each for each in issued if each.cause == found.cause), None)


def _closing(account_id: str, due_time: int | None = None) -> Callable[[BillingWork, int], Awaitable[Closed]]:
    async def close(work: BillingWork, now: int) -> Closed:
        await work.late_usage.catch_up()
        return await close_account(work, account_id, now=now, due_time=due_time)

    return close

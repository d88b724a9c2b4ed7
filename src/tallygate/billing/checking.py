"""What is proved of the books after they were written: all usage of closed periods is charged, and the ledger agrees.

What is found is noted until the next look finds nothing; it changes no document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallygate.billing.books import read_books
from tallygate.billing.due_lines import usage_lines
from tallygate.billing.ledger import audit_ledger
from tallygate.domain.billing.late import lookback
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.windows import usage_windows
from tallygate.records.billing import Finding
from tallygate.records.jobs import AUDIT, COMPLETENESS, Job
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import Transactions

_DAY = 86_400_000_000
_TOLD = 5
"""Differences that a finding names; the rest is a number."""


async def uncharged(work: BillingWork, account_id: str, *, now: int) -> tuple[Line, ...]:
    """What usage of an account's closed periods comes to that no line charges, as far back as late events are charged.

    Nothing, where all went well: every event is in a line, or in a period that came to nothing. What is known to be
    late and waits for its adjustment is left out.

    Raises:
        AccountNotFoundError: there is no such account.
    """
    books = await read_books(work, account_id, now=now)
    if books is None:
        return ()
    waiting = {fact.feature_key for fact in books.late}
    until, begins = books.closed_until, books.policy.start_time
    since = lookback(books.runs, until=until, periods=books.policy.late_periods)
    windows = [
        window
        for timeline in books.timelines
        for window in usage_windows(timeline, books.calendar, books.amounts, since=since, until=until, begins=begins)
    ]
    lines = await usage_lines(work, books, windows)
    return tuple(line for line in lines if line.inputs is not None and line.inputs.feature_key not in waiting)


async def check_charges(work: BillingWork, account_ids: Sequence[str], *, now: int) -> None:
    """Note of accounts what is charged nowhere, and that they were looked at."""
    await work.late_usage.catch_up()
    await work.gather(account_ids)
    for account_id in sorted(account_ids):
        known = await work.accounts.get(account_id) is not None
        found = await uncharged(work, account_id, now=now) if known else ()
        told = "; ".join(
            f"{line.line_key} lacks {line.amount} minor units of {line.currency}" for line in found[:_TOLD]
        )
        await _note(work, COMPLETENESS, account_id, len(found), told)
        await work.jobs.done(COMPLETENESS, account_id)


async def check_ledger(work: BillingWork, *, now: int) -> None:
    """Note where the ledger does not agree with the records that it mirrors, and look again tomorrow.

    What came late of accounts is looked for as well: nothing else would, where no account of a tenant is closed.
    """
    await work.late_usage.catch_up()
    found = await audit_ledger(work)
    told = "; ".join(
        f"{one.ledger_account} of {one.account_id}: {one.posted} posted, {one.expected} expected, minor units of "
        f"{one.currency}"
        for one in found[:_TOLD]
    )
    await _note(work, AUDIT, "", len(found), told)
    await work.jobs.schedule(AUDIT, "", due_time=now + _DAY)


async def _note(work: BillingWork, kind: str, subject: str, number: int, told: str) -> None:
    if number:
        detail = told if number <= _TOLD else f"{told}; and {number - _TOLD} more"
        await work.findings.put(Finding(kind=kind, subject=subject, number=number, detail=detail))
    else:
        await work.findings.clear(kind, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRunner:
    """Runs the checks that are due, of one tenant at a time; `clock` is real time."""

    transactions: Transactions
    clock: Callable[[], int]

    async def charges(self, jobs: Sequence[Job]) -> None:
        """A worker's jobs of accounts."""
        ids = [job.subject for job in jobs]
        await self.transactions.write(
            jobs[0].tenant_id, lambda work, now: check_charges(work, ids, now=now), now=self.clock()
        )

    async def ledger(self, jobs: Sequence[Job]) -> None:
        """A worker's job of a tenant's ledger."""
        await self.transactions.write(
            jobs[0].tenant_id, lambda work, now: check_ledger(work, now=now), now=self.clock()
        )

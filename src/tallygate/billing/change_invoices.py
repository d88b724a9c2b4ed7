"""The invoice of a change that is asked for at once: all that is due by then, but for usage."""

from tallygate.billing.books import Books, read_books
from tallygate.billing.closing import issue
from tallygate.billing.due_lines import due_fees, due_fixed_lines
from tallygate.billing.ports import Sources
from tallygate.billing.taxing import credited_lines
from tallygate.domain.billing.documents import Invoice, InvoiceKind, documents
from tallygate.domain.errors import BillingNotStartedError
from tallygate.domain.period import UsagePeriod
from tallygate.records.ports import BillingWork


async def invoice_change(work: BillingWork, account_id: str, *, now: int) -> tuple[Invoice, ...]:
    """Issue what an account owes by now, in the transaction of the change that made it due.

    It waits for nothing: usage stays for the invoice of its period, and how far the account is billed stays as it was.

    Raises:
        AccountNotFoundError: there is no such account.
        BillingNotStartedError: its tenant does not bill.
    """
    books = await read_books(work, account_id, now=now)
    if books is None:
        raise BillingNotStartedError
    made = await change_documents(work, books, now)
    return tuple(await issue(work, books, made, until=now, at_once=True, now=now))


async def change_documents(work: Sources, books: Books, now: int) -> list[Invoice]:
    """The documents of all that is due by now, without numbers; their cause is a line, which is issued but once."""
    lines = [*await due_fixed_lines(work, books, now), *due_fees(books, now + 1)]
    if not lines:
        return []
    cause = min(line.line_key for line in lines)
    period = UsagePeriod(now - 1, now)
    return list(
        documents(
            lines,
            tenant_id=work.tenant_id,
            account_id=books.account_id,
            kind=InvoiceKind.CHANGE,
            period=period,
            cause=cause,
            tax=books.tax,
            credited=await credited_lines(work, lines),
            redemptions=books.redemptions,
            rounding=books.amounts.rounding,
        )
    )

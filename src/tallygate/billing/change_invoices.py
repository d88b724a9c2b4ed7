"""The invoice of a change that is asked for at once: all that is due by then, but for usage."""

from tallygate.billing.books import read_books
from tallygate.billing.closing import issue
from tallygate.billing.due_lines import change_documents
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.errors import BillingNotStartedError
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

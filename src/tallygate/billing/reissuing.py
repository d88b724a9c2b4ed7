"""A void document's lines issued anew, to the buyer and by the rates of now."""

from dataclasses import replace

from tallygate.billing.books import Books, read_books
from tallygate.billing.closing import issue
from tallygate.domain.billing.documents import Invoice, documents
from tallygate.domain.billing.reissues import reissued
from tallygate.domain.errors import BillingNotStartedError
from tallygate.records.ports import BillingWork


async def reissue(work: BillingWork, void: Invoice, *, now: int) -> Invoice:
    """Issue what a void document charged as its next revision; where that was done it is answered.

    Raises:
        BillingNotStartedError: its tenant does not bill any more.
    """
    books = await read_books(work, void.account_id, now=now)
    if books is None:
        raise BillingNotStartedError
    made = again(void, books, tenant_id=work.tenant_id)
    known = await work.invoices.get(made.invoice_id)
    if known is not None:
        return known
    (issued,) = await issue(work, books, [made], until=void.period.end, reissues=void.invoice_id, now=now)
    return issued


def again(void: Invoice, books: Books, *, tenant_id: str) -> Invoice:
    """The document that stands in the place of a void one, without its number."""
    revision = void.revision + 1
    (made,) = documents(
        reissued(void.lines, revision),
        tenant_id=tenant_id,
        account_id=void.account_id,
        kind=void.kind,
        period=void.period,
        cause=void.cause.rpartition("/")[0],
        tax=books.tax,
        revision=revision,
    )
    return replace(made, currency=void.currency)

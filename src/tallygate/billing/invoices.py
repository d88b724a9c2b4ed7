"""Documents as they were issued."""

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.errors import InvoiceNotFoundError
from tallygate.records.billing import InvoiceQuery
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork


async def get_invoice(work: BillingWork, name: str) -> Invoice:
    """One document by its id or number, with its lines.

    Raises:
        InvoiceNotFoundError: there is none.
    """
    invoice = await work.invoices.get(name)
    if invoice is None:
        raise InvoiceNotFoundError(invoice_id=name)
    return invoice


async def list_invoices(
    work: BillingWork, page: PageRequest = FIRST_PAGE, *, account_id: str = "", state: InvoiceState | None = None
) -> Page[Invoice]:
    """Documents newest first, without their lines."""
    return await newest_of(
        page,
        lambda before, limit: work.invoices.list(
            InvoiceQuery(limit=limit, account_id=account_id, state=state, before=before)
        ),
        lambda invoice: (invoice.issue_time, invoice.invoice_id),
    )

"""Documents as they were issued."""

from dataclasses import replace

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.document_errors import InvoiceDraftError
from tallygate.domain.errors import InvalidFieldError, InvoiceNotFoundError
from tallygate.records.billing import InvoiceQuery
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork

_LONGEST_TEXT = 100
_ALL = InvoiceQuery(limit=0)


async def get_invoice(work: BillingWork, name: str, *, own_of: str = "") -> Invoice:
    """One document by its id or number, with its lines; to whoever sees what is `own_of` an account, of that alone.

    Raises:
        InvoiceNotFoundError: there is none.
        InvoiceDraftError: it is not issued yet.
    """
    invoice = await work.invoices.get(name)
    draft = await work.drafts.get(name) if invoice is None else None
    if draft is not None and own_of in {"", draft.account_id}:
        raise InvoiceDraftError(invoice_id=name)
    if invoice is None or own_of not in {"", invoice.account_id}:
        raise InvoiceNotFoundError(invoice_id=name)
    return invoice


async def list_invoices(
    work: BillingWork, wanted: InvoiceQuery = _ALL, page: PageRequest = FIRST_PAGE
) -> Page[Invoice]:
    """Documents newest first, without their lines; how many, and from where on, the page says.

    Raises:
        InvalidFieldError: the text is too long to look for, or nothing can lie between the instants.
    """
    if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
        raise InvalidFieldError(field="end_time", expected="an instant after start_time")
    if len(wanted.text) > _LONGEST_TEXT:
        raise InvalidFieldError(field="text", expected=f"at most {_LONGEST_TEXT} characters", got=len(wanted.text))
    return await newest_of(
        page,
        lambda before, limit: work.invoices.list(replace(wanted, limit=limit, before=before)),
        lambda invoice: (invoice.issue_time, invoice.invoice_id),
    )

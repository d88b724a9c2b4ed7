"""InvoiceService: documents as they were issued."""

from tallygate.billing.invoices import get_invoice, list_invoices
from tallygate.domain.fields import checked_page
from tallygate.records.paging import PageRequest
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.invoice import STATE, encode_invoice
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import invoice_service_pb2 as wire

_USUAL_PAGE, _LARGEST_PAGE = 25, 100


class InvoiceServicer:
    """Serves InvoiceService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GetInvoice(self, request: wire.GetInvoiceRequest, call: Call) -> wire.GetInvoiceResponse:  # noqa: N802 - the wire's name
        """One document with its lines."""
        invoice_id = identifier(request.invoice_id, "invoice_id")
        invoice = await self._work.read(call, lambda work, _: get_invoice(work, invoice_id))
        return wire.GetInvoiceResponse(invoice=encode_invoice(invoice))

    async def ListInvoices(self, request: wire.ListInvoicesRequest, call: Call) -> wire.ListInvoicesResponse:  # noqa: N802 - the wire's name
        """Documents newest first."""
        account_id = optional_identifier(request.account_id, "account_id")
        state = STATE.decode(request.state, "state") if request.state else None
        size = checked_page(request.page_size, usual=_USUAL_PAGE, most=_LARGEST_PAGE)
        page = PageRequest(page_size=size, page_token=request.page_token)
        found = await self._work.read(
            call, lambda work, _: list_invoices(work, page, account_id=account_id, state=state)
        )
        invoices = [encode_invoice(invoice) for invoice in found.items]
        return wire.ListInvoicesResponse(invoices=invoices, next_page_token=found.next_page_token)

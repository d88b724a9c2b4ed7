"""InvoiceService: documents as they were issued."""

from tallygate.billing.explaining import explain_line, line_events
from tallygate.billing.invoices import get_invoice, list_invoices
from tallygate.billing.verifying import verify_invoice
from tallygate.billing.voiding import void_invoice
from tallygate.records.paging import newest_of
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, document_page, page_request
from tallygate.server.wire.explanation import encode_difference, encode_event, encode_explanation
from tallygate.server.wire.invoice import STATE, encode_invoice
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import invoice_service_pb2 as wire


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
        page = document_page(request.page_size, request.page_token)
        found = await self._work.read(
            call, lambda work, _: list_invoices(work, page, account_id=account_id, state=state)
        )
        invoices = [encode_invoice(invoice) for invoice in found.items]
        return wire.ListInvoicesResponse(invoices=invoices, next_page_token=found.next_page_token)

    async def ExplainLine(self, request: wire.ExplainLineRequest, call: Call) -> wire.ExplainLineResponse:  # noqa: N802 - the wire's name
        """How one line came about."""
        name, number = identifier(request.invoice_id, "invoice_id"), request.line
        return encode_explanation(await self._work.read(call, lambda work, _: explain_line(work, name, number)))

    async def ListLineEvents(self, request: wire.ListLineEventsRequest, call: Call) -> wire.ListLineEventsResponse:  # noqa: N802 - the wire's name
        """The events that a line counted."""
        name, number = identifier(request.invoice_id, "invoice_id"), request.line
        page = page_request(request.page_size, request.page_token)
        found = await self._work.read(
            call,
            lambda work, _: newest_of(
                page,
                lambda after, limit: line_events(work, name, number, after=after, limit=limit),
                lambda fact: (fact.occurred_time, fact.request_id),
            ),
        )
        events = [encode_event(fact) for fact in found.items]
        return wire.ListLineEventsResponse(events=events, next_page_token=found.next_page_token)

    async def VerifyInvoice(self, request: wire.VerifyInvoiceRequest, call: Call) -> wire.VerifyInvoiceResponse:  # noqa: N802 - the wire's name
        """Whether a document comes out the same once more."""
        name = identifier(request.invoice_id, "invoice_id")
        verified = await self._work.read(call, lambda work, now: verify_invoice(work, name, now=now))
        return wire.VerifyInvoiceResponse(
            same=not verified.differences,
            differences=[encode_difference(difference) for difference in verified.differences],
            lines=len(verified.invoice.lines),
        )

    async def VoidInvoice(self, request: wire.VoidInvoiceRequest, call: Call) -> wire.VoidInvoiceResponse:  # noqa: N802 - the wire's name
        """Forgive an open invoice."""
        invoice_id = identifier(request.invoice_id, "invoice_id")
        void = await self._work.write(call, lambda work, now: void_invoice(work, invoice_id, now=now))
        return wire.VoidInvoiceResponse(invoice=encode_invoice(void.value))

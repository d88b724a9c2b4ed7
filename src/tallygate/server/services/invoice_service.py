"""InvoiceService: documents as they were issued."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from tallygate.billing.crediting import CreditNote, create_credit_note, dispute_line
from tallygate.billing.drafts import get_draft, list_drafts
from tallygate.billing.explaining import LineEvents, explain_line, line_events
from tallygate.billing.invoices import get_invoice, list_invoices
from tallygate.billing.reissuing import reissue
from tallygate.billing.situations import with_situation
from tallygate.billing.verifying import verify_invoice
from tallygate.billing.voiding import void_invoice
from tallygate.billing.writing_off import write_off_invoice
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.counting import Contribution
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.document_errors import InvoiceDraftError
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import exact_text
from tallygate.records.paging import Page, newest_of
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import UseCase
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, document_page, page_request
from tallygate.server.wire.credit import decode_credit, decode_line_dispute
from tallygate.server.wire.explanation import decode_place, encode_difference, encode_event, encode_explanation
from tallygate.server.wire.invoice import decode_query, encode_invoice, invoice_json
from tallygate.server.wire.scalars import identifier
from tallygate_api.v1 import invoice_service_pb2 as wire

_FORMS = {
    wire.DOCUMENT_FORMAT_UNSPECIFIED: "html",
    wire.DOCUMENT_FORMAT_HTML: "html",
    wire.DOCUMENT_FORMAT_JSON: "json",
    wire.DOCUMENT_FORMAT_PDF: "pdf",
    wire.DOCUMENT_FORMAT_UBL: "ubl",
    wire.DOCUMENT_FORMAT_CII: "cii",
}
_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "ubl": "application/xml; charset=utf-8",
    "cii": "application/xml; charset=utf-8",
}
_ENDINGS = {"ubl": "ubl.xml", "cii": "cii.xml"}
Render = Callable[[Invoice, str], bytes]
"""Makes a document in the language of a locale; empty: its buyer's."""
Finalize = Callable[[str, str], Awaitable[Invoice | None]]
"""Issues a draft of a tenant, by its id."""
_NO_FILE = re.compile(r"[^\w.-]+")


class InvoiceServicer:
    """Serves InvoiceService."""

    def __init__(
        self, work: TenantWork, renderers: Mapping[str, Render], finalize: Finalize, *, locales: Collection[str]
    ) -> None:
        self._work = work
        self._finalize = finalize
        self._renderers = renderers
        self._locales = locales

    async def GetInvoice(self, request: wire.GetInvoiceRequest, call: Call) -> wire.GetInvoiceResponse:  # noqa: N802 - the wire's name
        """One document with its lines."""
        invoice_id = identifier(request.invoice_id, "invoice_id")
        invoice = await self._work.read(call, _issued_or_draft(invoice_id, call.key.account_id))
        return wire.GetInvoiceResponse(invoice=encode_invoice(invoice))

    async def ListInvoices(self, request: wire.ListInvoicesRequest, call: Call) -> wire.ListInvoicesResponse:  # noqa: N802 - the wire's name
        """Documents newest first."""
        wanted, page = decode_query(request), document_page(request.page_size, request.page_token)
        drafts = wanted.state is InvoiceState.DRAFT
        found = await self._work.read(
            call,
            lambda work, now: list_drafts(work, wanted, page, now=now) if drafts else list_invoices(work, wanted, page),
        )
        invoices = [encode_invoice(invoice) for invoice in found.items]
        return wire.ListInvoicesResponse(invoices=invoices, next_page_token=found.next_page_token)

    async def ExplainLine(self, request: wire.ExplainLineRequest, call: Call) -> wire.ExplainLineResponse:  # noqa: N802 - the wire's name
        """How one line came about."""
        place = decode_place(request, call.key.account_id)
        found = await self._work.read(call, lambda work, now: explain_line(work, place, now=now))
        return encode_explanation(found)

    async def ListLineEvents(self, request: wire.ListLineEventsRequest, call: Call) -> wire.ListLineEventsResponse:  # noqa: N802 - the wire's name
        """The events that a line counted."""
        place, page = decode_place(request), page_request(request.page_size, request.page_token)
        seen = LineEvents()

        async def load(work: BillingWork, now: int) -> Page[Contribution]:
            async def behind(after: tuple[int, str] | None, limit: int) -> Sequence[Contribution]:
                nonlocal seen
                seen = await line_events(work, place, after=after, limit=limit, now=now)
                return seen.events

            return await newest_of(page, behind, lambda each: (each.fact.occurred_time, each.fact.request_id))

        found = await self._work.read(call, load)
        return wire.ListLineEventsResponse(
            events=[encode_event(each) for each in found.items],
            next_page_token=found.next_page_token,
            opening=exact_text(seen.opening),
        )

    async def VerifyInvoice(self, request: wire.VerifyInvoiceRequest, call: Call) -> wire.VerifyInvoiceResponse:  # noqa: N802 - the wire's name
        """Whether a document comes out the same once more."""
        name = identifier(request.invoice_id, "invoice_id")
        verified = await self._work.read(call, lambda work, now: verify_invoice(work, name, now=now))
        return wire.VerifyInvoiceResponse(
            same=not verified.differences,
            differences=[encode_difference(difference) for difference in verified.differences],
            lines=len(verified.invoice.lines),
        )

    async def WriteOffInvoice(  # noqa: N802 - the wire's name
        self, request: wire.WriteOffInvoiceRequest, call: Call
    ) -> wire.WriteOffInvoiceResponse:
        """Give up what is due of an invoice."""
        invoice_id, canceled = identifier(request.invoice_id, "invoice_id"), request.canceled
        given_up = await self._work.write(
            call, lambda work, now: write_off_invoice(work, invoice_id, canceled=canceled, now=now)
        )
        return wire.WriteOffInvoiceResponse(invoice=encode_invoice(given_up.value))

    async def CreateCreditNote(  # noqa: N802 - the wire's name
        self, request: wire.CreateCreditNoteRequest, call: Call
    ) -> wire.CreateCreditNoteResponse:
        """Give back lines of an invoice."""
        name = identifier(request.invoice_id, "invoice_id")

        async def credit(work: BillingWork, now: int) -> CreditNote:
            wanted = decode_credit(request, (await get_invoice(work, name)).currency)
            return await create_credit_note(work, wanted, now=now, new_id=self._work.new_id)

        done = (await self._work.write(call, credit, reason=request.reason)).value
        return wire.CreateCreditNoteResponse(
            credit_note=encode_invoice(done.note), invoice=encode_invoice(done.invoice)
        )

    async def DisputeLine(self, request: wire.DisputeLineRequest, call: Call) -> wire.DisputeLineResponse:  # noqa: N802 - the wire's name
        """Take a line off what is to be paid."""
        wanted, new_id = decode_line_dispute(request), self._work.new_id
        done = await self._work.write(
            call, lambda work, now: dispute_line(work, wanted, now=now, new_id=new_id), reason=request.reason
        )
        return wire.DisputeLineResponse(
            credit_note=encode_invoice(done.value.note), invoice=encode_invoice(done.value.invoice)
        )

    async def FinalizeInvoice(  # noqa: N802 - the wire's name
        self, request: wire.FinalizeInvoiceRequest, call: Call
    ) -> wire.FinalizeInvoiceResponse:
        """Issue a draft before its review is over."""
        issued = await self._finalize(call.tenant_id, identifier(request.invoice_id, "invoice_id"))
        return wire.FinalizeInvoiceResponse(invoice=encode_invoice(issued) if issued is not None else None)

    async def VoidInvoice(self, request: wire.VoidInvoiceRequest, call: Call) -> wire.VoidInvoiceResponse:  # noqa: N802 - the wire's name
        """Forgive an open invoice."""
        invoice_id = identifier(request.invoice_id, "invoice_id")

        async def void(work: BillingWork, now: int) -> tuple[Invoice, Invoice | None]:
            invoice = await void_invoice(work, invoice_id, now=now)
            return invoice, await reissue(work, invoice, now=now) if request.reissue else None

        invoice, instead = (await self._work.write(call, void)).value
        return wire.VoidInvoiceResponse(
            invoice=encode_invoice(invoice), reissued=encode_invoice(instead) if instead is not None else None
        )

    async def RenderInvoice(self, request: wire.RenderInvoiceRequest, call: Call) -> wire.RenderInvoiceResponse:  # noqa: N802 - the wire's name
        """A document to read."""
        name = identifier(request.invoice_id, "invoice_id")
        form = _FORMS.get(request.format)
        if form is None:
            expected = "DOCUMENT_FORMAT_HTML, _JSON, _PDF, _UBL or _CII"
            raise InvalidFieldError(field="format", expected=expected, got=request.format)
        if request.locale and request.locale.replace("_", "-").partition("-")[0] not in self._locales:
            expected = f"a locale in one of {', '.join(self._locales)}, as de-AT; empty: the buyer's"
            raise InvalidFieldError(field="locale", expected=expected, got=ascii(request.locale[:16]))
        invoice = await self._work.read(call, _whole(name, call.key.account_id))
        make = self._renderers.get(form, _as_json)
        content = await asyncio.to_thread(make, invoice, request.locale)  # a long one takes its time
        file_name = f"{_NO_FILE.sub('-', invoice.number)}.{_ENDINGS.get(form, form)}"
        return wire.RenderInvoiceResponse(content=content, content_type=_TYPES[form], file_name=file_name)


def _as_json(invoice: Invoice, locale: str) -> bytes:  # noqa: ARG001 - JSON is in no language
    return invoice_json(invoice)


def _whole(name: str, own_of: str) -> UseCase[Invoice]:
    async def whole(work: BillingWork, _now: int) -> Invoice:
        return await with_situation(work, await get_invoice(work, name, own_of=own_of))

    return whole


def _issued_or_draft(name: str, own_of: str) -> UseCase[Invoice]:
    async def seen(work: BillingWork, now: int) -> Invoice:
        try:
            invoice = await get_invoice(work, name, own_of=own_of)
        except InvoiceDraftError:
            return await get_draft(work, name, now=now)
        return await with_situation(work, invoice)

    return seen

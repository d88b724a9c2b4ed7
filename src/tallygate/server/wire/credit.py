"""Credit notes that are asked for, wire to domain."""

from tallygate.billing.crediting import CreateCreditNote, LineCredit
from tallygate.server.wire.fee import optional_amount
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import invoice_service_pb2 as wire


def decode_credit(request: wire.CreateCreditNoteRequest, currency: str) -> CreateCreditNote:
    """A note to issue; `currency` is its invoice's."""
    return CreateCreditNote(
        invoice=identifier(request.invoice_id, "invoice_id"),
        lines=tuple(
            LineCredit(number=one.line, amount=optional_amount(one, "amount", currency)) for one in request.lines
        ),
        credit_id=optional_identifier(request.credit_id, "credit_id"),
        reason=request.reason,
    )


def decode_line_dispute(request: wire.DisputeLineRequest) -> CreateCreditNote:
    """A line to take off whole."""
    return CreateCreditNote(
        invoice=identifier(request.invoice_id, "invoice_id"),
        lines=(LineCredit(number=request.line),),
        credit_id=optional_identifier(request.credit_id, "credit_id"),
        reason=request.reason,
    )

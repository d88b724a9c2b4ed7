"""Why a line says what it says, domain to wire."""

from tallygate.billing.explaining import Explained, LinePlace
from tallygate.billing.verifying import Difference
from tallygate.domain.billing.counting import Contribution
from tallygate.domain.billing.lines import UsageInputs
from tallygate.domain.billing.models_events import EventMark
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import exact_text
from tallygate.server.wire.decision import encode_pot
from tallygate.server.wire.invoice import encode_line
from tallygate.server.wire.price import encode_price
from tallygate.server.wire.scalars import WireEnum, identifier, timestamp
from tallygate_api.v1 import invoice_service_pb2 as wire

_LONGEST_KEY = 1_024
_MARK = WireEnum(wire.LineEventMark, EventMark)


def decode_place(request: wire.ExplainLineRequest | wire.ListLineEventsRequest, own_of: str = "") -> LinePlace:
    """Which line is asked for: by its key, or by its document and number there; for an account (empty: for any)."""
    if request.line_key:
        if request.invoice_id or request.line:
            raise InvalidFieldError(field="line_key", expected="no invoice_id and line beside it", got=request.line_key)
        if len(request.line_key) > _LONGEST_KEY or not request.line_key.isprintable():
            expected = f"1 to {_LONGEST_KEY} printable characters"
            raise InvalidFieldError(field="line_key", expected=expected)
        return LinePlace(line_key=request.line_key, own_of=own_of)
    invoice = identifier(request.invoice_id, "invoice_id")
    return LinePlace(invoice=invoice, number=request.line, own_of=own_of)


def encode_explanation(explained: Explained) -> wire.ExplainLineResponse:
    """A line with its price and the policy that its amount was made by."""
    policy, line = explained.invoice.policy, explained.line
    return wire.ExplainLineResponse(
        line=encode_line(line),
        invoice_id=explained.invoice.invoice_id,
        line_number=explained.number,
        price=encode_price(explained.price) if explained.price is not None else None,
        rounding=policy.rounding.value if policy is not None else "",
        proration=policy.proration.value if policy is not None else "",
        time_zone=explained.invoice.zone,
        inputs=_inputs(line.inputs, explained.unreadable) if line.inputs is not None else None,
    )


def _inputs(inputs: UsageInputs, unreadable: int) -> wire.LineInputs:
    return wire.LineInputs(
        feature_key=inputs.feature_key,
        plan=inputs.plan,
        start_time=timestamp(inputs.start),
        end_time=timestamp(inputs.end),
        through_sequence=inputs.through_sequence,
        billed_before=exact_text(inputs.billed),
        unreadable=unreadable,
    )


def encode_event(counted: Contribution) -> wire.LineEvent:
    """An event that a line counted, and how much of it."""
    fact = counted.fact
    return wire.LineEvent(
        request_id=fact.request_id,
        occurred_time=timestamp(fact.occurred_time),
        quantity=fact.quantity,
        pots=[encode_pot(pot) for pot in fact.pots],
        dimensions=fact.dimensions,
        user_id=fact.user_id,
        counted=exact_text(counted.counted),
        amount=exact_text(counted.fee) if counted.fee is not None else "",
        marks=[_MARK.encode(mark) for mark in counted.marks],
    )


def encode_difference(difference: Difference) -> wire.LineDifference:
    """A line that comes out otherwise."""
    return wire.LineDifference(
        line=difference.number,
        line_key=difference.line_key,
        issued=difference.issued,
        derived=difference.derived,
    )

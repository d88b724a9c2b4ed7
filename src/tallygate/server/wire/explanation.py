"""Why a line says what it says, domain to wire."""

from tallygate.billing.explaining import Explained
from tallygate.billing.verifying import Difference
from tallygate.domain.billing.counting import BillableFact
from tallygate.domain.billing.lines import UsageInputs
from tallygate.domain.money import exact_text
from tallygate.server.wire.decision import encode_pot
from tallygate.server.wire.invoice import encode_line
from tallygate.server.wire.price import encode_price
from tallygate.server.wire.scalars import timestamp
from tallygate_api.v1 import invoice_service_pb2 as wire


def encode_explanation(explained: Explained) -> wire.ExplainLineResponse:
    """A line with its price and the policy that its amount was made by."""
    policy, line = explained.invoice.policy, explained.line
    return wire.ExplainLineResponse(
        line=encode_line(line),
        price=encode_price(explained.price) if explained.price is not None else None,
        rounding=policy.rounding.value if policy is not None else "",
        proration=policy.proration.value if policy is not None else "",
        time_zone=explained.invoice.zone,
        inputs=_inputs(line.inputs) if line.inputs is not None else None,
    )


def _inputs(inputs: UsageInputs) -> wire.LineInputs:
    return wire.LineInputs(
        feature_key=inputs.feature_key,
        plan=inputs.plan,
        start_time=timestamp(inputs.start),
        end_time=timestamp(inputs.end),
        through_sequence=inputs.through_sequence,
        billed_before=exact_text(inputs.billed),
    )


def encode_event(fact: BillableFact) -> wire.LineEvent:
    """An event that a line counted."""
    return wire.LineEvent(
        request_id=fact.request_id,
        occurred_time=timestamp(fact.occurred_time),
        quantity=fact.quantity,
        pots=[encode_pot(pot) for pot in fact.pots],
        dimensions=fact.dimensions,
        user_id=fact.user_id,
    )


def encode_difference(difference: Difference) -> wire.LineDifference:
    """A line that comes out otherwise."""
    return wire.LineDifference(
        line=difference.number,
        line_key=difference.line_key,
        issued=difference.issued,
        derived=difference.derived,
    )

"""Messages of the outbox, domain to wire."""

from tallygate.billing.telling import Told
from tallygate.domain.billing.lines import LineKind
from tallygate.domain.billing.messages import Delivery, DeliveryState, MessageKind
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import WireEnum, timestamp
from tallygate_api.v1 import message_service_pb2 as wire

_STATE = WireEnum(wire.DeliveryState, DeliveryState)


def decode_kind(text: str) -> MessageKind | None:
    """Of which type messages are wanted; None: of any."""
    if not text:
        return None
    if text not in set(MessageKind):
        raise InvalidFieldError(field="type", expected=f"one of {', '.join(MessageKind)}", got=text)
    return MessageKind(text)


def encode_message(told: Told) -> wire.Message:
    """One message; its document is what GetInvoice answers, by the same code."""
    message, invoice = told.message, told.invoice
    return wire.Message(
        message_id=message.message_id,
        sequence=message.sequence,
        type=message.kind.value,
        account_id=message.account_id,
        create_time=timestamp(message.create_time),
        invoice=encode_invoice(invoice) if invoice is not None else None,
        recurring=invoice is not None and any(line.kind is LineKind.RECURRING for line in invoice.lines),
        facts=message.facts,
        deliveries=map(_encode_delivery, told.deliveries),
    )


def _encode_delivery(delivery: Delivery) -> wire.Delivery:
    return wire.Delivery(
        channel=delivery.channel.value,
        state=_STATE.encode(delivery.state),
        attempts=delivery.attempts,
        problem=delivery.problem,
        update_time=timestamp(delivery.update_time),
    )

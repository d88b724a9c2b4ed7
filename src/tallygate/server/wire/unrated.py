"""Events that no invoice charges, domain to wire."""

from tallygate.domain.billing.late import Unrated
from tallygate.records.late_usage import UnratedFact
from tallygate.server.wire.scalars import timestamp
from tallygate_api.v1 import billing_service_pb2 as wire

_REASONS = {
    Unrated.TOO_LATE: wire.UNRATED_REASON_TOO_LATE,
    Unrated.NO_PRICE: wire.UNRATED_REASON_NO_PRICE,
    Unrated.UNREADABLE: wire.UNRATED_REASON_UNREADABLE,
    Unrated.REFUND_EXCEEDS_PERIOD: wire.UNRATED_REASON_REFUND_EXCEEDS_PERIOD,
}


def encode_unrated(one: UnratedFact) -> wire.UnratedFact:
    """One of them."""
    return wire.UnratedFact(
        sequence=one.sequence,
        account_id=one.account_id,
        feature_key=one.feature_key,
        price_key=one.price_key,
        reason=_REASONS[one.reason],
        occurred_time=timestamp(one.occurred_time),
        note_time=timestamp(one.note_time),
        request_id=one.request_id,
        quantity=one.quantity,
    )

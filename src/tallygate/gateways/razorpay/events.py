"""What Razorpay tells by itself, signed in the header `X-Razorpay-Signature`."""

import hashlib
import hmac
import json
from typing import Any

from tallygate.billing.ports import UnverifiedEventError
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, DisputeState, GatewayEvent, RefundNews
from tallygate.gateways.razorpay.answers import (
    ATTEMPT,
    REFUND,
    TENANT,
    UNITS,
    notes_of,
    payment_outcome,
    refund_outcome,
)

HEADER = "x-razorpay-signature"
_SECOND = 1_000_000
_CHARGES = {"payment.authorized", "payment.captured", "payment.failed", "payment.pending"}
_REFUNDS = {"refund.created", "refund.processed", "refund.failed"}
_DISPUTES = {
    "payment.dispute.created": DisputeState.OPENED,
    "payment.dispute.under_review": DisputeState.OPENED,
    "payment.dispute.action_required": DisputeState.OPENED,
    "payment.dispute.won": DisputeState.WON,
    "payment.dispute.lost": DisputeState.LOST,
}
Record = dict[str, Any]


def read(raw: bytes, header: str, secret: str, *, tenant_id: str) -> GatewayEvent:
    """An event that Razorpay has signed.

    Its own id comes beside the bytes, unsigned: told under another it would be another event. Its bytes are its id.

    Raises:
        UnverifiedEventError: it has not.
    """
    made = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(made.encode(), header.encode()):
        raise UnverifiedEventError
    try:
        told = json.loads(raw)
        kind, payload = told["event"], told["payload"]
        event_id, time = hashlib.sha256(raw).hexdigest(), int(told["created_at"]) * _SECOND
        return GatewayEvent(event_id=event_id, kind=kind, time=time, news=_news(kind, payload, tenant_id))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnverifiedEventError from error


def _news(kind: str, payload: Record, tenant_id: str) -> ChargeNews | RefundNews | DisputeNews | None:
    if kind in _DISPUTES:
        return dispute_news(payload["dispute"]["entity"], _DISPUTES[kind])
    if kind not in _CHARGES | _REFUNDS:
        return None
    record = payload["payment" if kind in _CHARGES else "refund"]["entity"]
    marks = notes_of(record)
    if marks.get(TENANT) != tenant_id:
        return None
    currency, amount = _money(record)
    if kind in _CHARGES:
        own = str(marks.get(ATTEMPT) or "")
        return ChargeNews(attempt_id=own, currency=currency, amount=amount, outcome=payment_outcome(record))
    return RefundNews(
        refund_id=str(marks.get(REFUND) or ""),
        charge_id=record["payment_id"],
        currency=currency,
        amount=amount,
        outcome=refund_outcome(record),
    )


def dispute_news(dispute: Record, state: DisputeState) -> DisputeNews | None:
    """What takes money back; a retrieval of facts, or a warning of fraud, takes none."""
    if dispute.get("phase") in {"retrieval", "fraud"}:
        return None
    currency, amount = _money(dispute)
    reason = str(dispute.get("reason_code") or "")
    return DisputeNews(
        dispute_id=dispute["id"],
        charge_id=dispute["payment_id"],
        currency=currency,
        amount=amount,
        state=state,
        reason=reason,
    )


def _money(record: Record) -> tuple[str, int]:
    currency = record["currency"]
    return currency, UNITS.back(currency, int(record["amount"]))

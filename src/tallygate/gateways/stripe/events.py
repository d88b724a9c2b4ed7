"""What Stripe tells by itself, signed in the header `Stripe-Signature`."""

import json
from typing import Any

from tallygate.billing.ports import UnverifiedEventError
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, DisputeState, GatewayEvent, RefundNews
from tallygate.gateways.signed import verify
from tallygate.gateways.stripe.answers import ATTEMPT, AUTHENTICATION, REFUND, TENANT, UNITS, outcome, refund_outcome

HEADER = "stripe-signature"
_SECOND = 1_000_000
_CHARGES = {
    "payment_intent.succeeded", "payment_intent.processing", "payment_intent.requires_action",
    "payment_intent.payment_failed", "payment_intent.canceled",
}  # fmt: skip
_REFUNDS = {"refund.created", "refund.updated", "refund.failed"}
_DISPUTES = {
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed", "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
}  # fmt: skip
_DECIDED = {"won": DisputeState.WON, "lost": DisputeState.LOST}
Record = dict[str, Any]


def read(raw: bytes, header: str, secret: str, *, tenant_id: str, now: int, with_payer: bool) -> GatewayEvent:
    """An event that Stripe has signed; `with_payer`: who is asked for authentication can be sent there.

    Raises:
        UnverifiedEventError: it has not, or not lately.
    """
    verify(raw, header, secret, now=now)
    try:
        told = json.loads(raw)
        kind, record = told["type"], told["data"]["object"]
        news = _news(kind, record, tenant_id, with_payer=with_payer)
        return GatewayEvent(event_id=told["id"], kind=kind, time=told["created"] * _SECOND, news=news)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnverifiedEventError from error


def _news(
    kind: str, record: Record, tenant_id: str, *, with_payer: bool
) -> ChargeNews | RefundNews | DisputeNews | None:
    if kind in _CHARGES | _REFUNDS and _mark(record, TENANT) != tenant_id:
        return None
    if kind in _CHARGES:
        return _charge(record, with_payer=with_payer)
    if kind in _REFUNDS:
        return _refund(record)
    return dispute_news(record) if kind in _DISPUTES else None


def _mark(record: Record, name: str) -> str:
    """What went with it from here, by its name."""
    return str((record.get("metadata") or {}).get(name) or "")


def _charge(intent: Record, *, with_payer: bool) -> ChargeNews | None:
    error = intent.get("last_payment_error") or {}
    if with_payer and AUTHENTICATION in {error.get("code"), error.get("decline_code")}:
        return None  # it is being asked for once more, with the payer: that request's answer says what becomes of it
    currency = intent["currency"].upper()
    return ChargeNews(
        attempt_id=_mark(intent, ATTEMPT),
        currency=currency,
        amount=UNITS.back(currency, intent["amount"]),
        outcome=outcome(intent),
    )


def _refund(refund: Record) -> RefundNews:
    currency = refund["currency"].upper()
    return RefundNews(
        refund_id=_mark(refund, REFUND),
        charge_id=refund["payment_intent"] or "",
        currency=currency,
        amount=UNITS.back(currency, refund["amount"]),
        outcome=refund_outcome(refund),
    )


def dispute_news(dispute: Record) -> DisputeNews | None:
    """What takes money back; an inquiry (`warning_`) takes none, nor does a dispute that was prevented."""
    if dispute["status"].startswith("warning_") or dispute["status"] == "prevented":
        return None
    currency = dispute["currency"].upper()
    entries = dispute.get("balance_transactions") or []
    fee = sum(entry["fee"] for entry in entries if entry["currency"] == dispute["currency"])
    return DisputeNews(
        dispute_id=dispute["id"],
        charge_id=dispute.get("payment_intent") or "",
        currency=currency,
        amount=UNITS.back(currency, dispute["amount"]),
        state=_DECIDED.get(dispute["status"], DisputeState.OPENED),
        fee=UNITS.back(currency, max(fee, 0)),
        reason=dispute.get("reason") or "",
    )

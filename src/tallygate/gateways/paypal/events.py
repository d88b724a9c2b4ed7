"""What PayPal tells by itself; whether it has signed it, it is asked."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tallygate.billing.ports import UnverifiedEventError
from tallygate.domain.billing.gateway_events import ChargeNews, DisputeNews, DisputeState, GatewayEvent, RefundNews
from tallygate.gateways.paypal.answers import UNITS, capture_outcome, is_of, link, read_mark, refund_outcome

_SECOND = 1_000_000
_SHOWN = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}
_CHARGES = {
    "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED",
}  # fmt: skip
_REFUNDS = {"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED"}
_DISPUTES = {"CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED"}
_LOST = {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}
Record = dict[str, Any]


def question(raw: bytes, headers: Mapping[str, str], webhook_id: str) -> str:
    """What PayPal is asked about an event: its very bytes, for another spelling of them was not signed.

    Raises:
        UnverifiedEventError: it cannot have been signed.
    """
    shown = {name: headers.get(header, "") for name, header in _SHOWN.items()}
    try:
        text = raw.decode()
        told = json.loads(text)  # one document: nothing of it reaches beyond its place in the question
    except ValueError as error:
        raise UnverifiedEventError from error
    if not webhook_id or not all(shown.values()) or not isinstance(told, dict):
        raise UnverifiedEventError
    start = json.dumps(shown | {"webhook_id": webhook_id})
    return f'{start[:-1]}, "webhook_event": {text}}}'


def read(raw: bytes, tenant_id: str) -> GatewayEvent:
    """An event that was signed.

    Raises:
        UnverifiedEventError: it is none.
    """
    try:
        told = json.loads(raw)
        news = _news(told["event_type"], told["resource"], tenant_id)
        time = _instant(told["create_time"])
        return GatewayEvent(event_id=told["id"], kind=told["event_type"], time=time, news=news)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UnverifiedEventError from error


def _news(kind: str, resource: Record, tenant_id: str) -> ChargeNews | RefundNews | DisputeNews | None:
    if kind in _DISPUTES:
        return dispute_news(resource)
    if kind not in _CHARGES | _REFUNDS:
        return None
    tenant, _, own = read_mark(resource.get("custom_id") or "")
    if not is_of(tenant, tenant_id):
        return None
    currency, amount = _money(resource["amount"])
    if kind in _CHARGES:
        return ChargeNews(attempt_id=own, currency=currency, amount=amount, outcome=capture_outcome(resource))
    return RefundNews(
        refund_id=own,
        charge_id=link(resource, "up").rpartition("/")[2],
        currency=currency,
        amount=amount,
        outcome=refund_outcome(resource),
    )


def dispute_news(dispute: Record) -> DisputeNews:
    """A dispute, as PayPal shows it."""
    currency, amount = _money(dispute["dispute_amount"])
    decided = (dispute.get("dispute_outcome") or {}).get("outcome_code")
    state = DisputeState.OPENED
    if dispute.get("status") == "RESOLVED":
        state = DisputeState.LOST if decided in _LOST else DisputeState.WON
    return DisputeNews(
        dispute_id=dispute["dispute_id"],
        charge_id=dispute["disputed_transactions"][0]["seller_transaction_id"],
        currency=currency,
        amount=amount,
        state=state,
        reason=dispute.get("reason") or "",
    )


def _money(money: Record) -> tuple[str, int]:
    currency = money["currency_code"]
    return currency, UNITS.read(currency, money["value"])


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * _SECOND)

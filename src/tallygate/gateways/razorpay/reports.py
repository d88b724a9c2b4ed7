"""What Razorpay settled: payments, refunds and disputes, from its lists."""

from typing import TYPE_CHECKING, Any

from tallygate.billing.settlements import Settlement, SettlementKind, settled_dispute
from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.gateways.razorpay.answers import TENANT, TIME, UNITS, notes_of
from tallygate.gateways.razorpay.events import dispute_news

if TYPE_CHECKING:
    from tallygate.gateways.razorpay.client import Client

_SECOND = 1_000_000
_SKEW = 300
_LATE = 14 * 86_400
"""Seconds after which a charge that was begun may still become a payment: bank debits need days."""
_DECIDED = {"won": DisputeState.WON, "lost": DisputeState.LOST}
Record = dict[str, Any]


def settled(to: "Client", tenant_id: str, *, start: int, end: int, now: int) -> list[Settlement]:
    """Payments begun for a tenant in a time; of refunds and disputes since all, whose payments tell whose they are."""
    since, today = start // _SECOND - _SKEW, now // _SECOND + _SKEW
    found = [
        _payment(one)
        for one in to.payments(start=since, end=end // _SECOND + _LATE)
        if _is_of(one, tenant_id, start=start, end=end) and one.get("status") in {"captured", "refunded"}
    ]
    found += [_refund(one) for one in to.refunds(start=since, end=today) if one.get("status") == "processed"]
    for dispute in to.disputes():
        state = _DECIDED.get(str(dispute.get("status")), DisputeState.OPENED)
        news = dispute_news(dispute, state) if int(dispute.get("created_at") or 0) >= since else None
        if news is not None:
            found.append(settled_dispute(news))
    return found


def _is_of(payment: Record, tenant_id: str, *, start: int, end: int) -> bool:
    of = notes_of(payment)
    return of.get(TENANT) == tenant_id and start <= int(of.get(TIME) or 0) < end


def _payment(payment: Record) -> Settlement:
    currency, fee = payment["currency"], payment.get("fee")
    return Settlement(
        gateway_id=payment["id"],
        currency=currency,
        amount=UNITS.back(currency, int(payment["amount"])),
        fee=None if fee is None else UNITS.back(currency, int(fee)),
    )


def _refund(refund: Record) -> Settlement:
    return Settlement(
        kind=SettlementKind.REFUND,
        gateway_id=refund["id"],
        currency=refund["currency"],
        amount=UNITS.back(refund["currency"], int(refund["amount"])),
        charge_id=refund["payment_id"],
    )

"""What Stripe settled: charges on the account's balance, refunds, and disputes."""

from typing import TYPE_CHECKING, Any

from tallygate.billing.settlements import Settlement, SettlementKind, settled_dispute
from tallygate.gateways.stripe.answers import TENANT, TIME, UNITS
from tallygate.gateways.stripe.events import dispute_news

if TYPE_CHECKING:
    from tallygate.gateways.stripe.client import Client

_SECOND = 1_000_000
_SKEW = 300
"""Seconds by which Stripe's clock and ours may differ."""
_LATE = 14 * 86_400
"""Seconds after which a charge that was begun may still be taken: bank debits need days."""
_PAGE = 100
Record = dict[str, Any]


async def settled(to: "Client", tenant_id: str, *, start: int, end: int) -> list[Settlement]:
    """Charges begun for a tenant in a time; of refunds and disputes since all, whose charges tell whose they are."""
    since, until = start // _SECOND - _SKEW, end // _SECOND + _LATE
    found: list[Settlement] = []
    wanted = {"created": {"gte": since, "lt": until}, "limit": _PAGE, "expand": ["data.source"]}
    async for entry in to.all(to.v1.balance_transactions.list_async(wanted)):
        charge = entry.get("source")
        if entry["type"] in {"charge", "payment"} and isinstance(charge, dict):
            found.extend(_charge(entry, charge, tenant_id, start=start, end=end))
    wanted = {"created": {"gte": since}, "limit": _PAGE}
    refunds = to.all(to.v1.refunds.list_async(wanted))
    found += [_refund(one) async for one in refunds if one.get("status") == "succeeded"]
    async for dispute in to.all(to.v1.disputes.list_async(wanted)):
        news = dispute_news(dispute)
        if news is not None:
            found.append(settled_dispute(news))
    return found


def _charge(entry: Record, charge: Record, tenant_id: str, *, start: int, end: int) -> list[Settlement]:
    of = charge.get("metadata") or {}
    if of.get(TENANT) != tenant_id or charge.get("status") != "succeeded":
        return []
    if not start <= int(of.get(TIME) or 0) < end:
        return []
    currency = str(charge["currency"]).upper()
    converted = entry.get("currency") != charge["currency"]
    return [
        Settlement(
            gateway_id=str(charge["payment_intent"]),
            currency=currency,
            amount=UNITS.back(currency, int(charge["amount_captured"])),
            fee=None if converted else UNITS.back(currency, int(entry.get("fee") or 0)),
        )
    ]


def _refund(refund: Record) -> Settlement:
    currency = str(refund["currency"]).upper()
    return Settlement(
        kind=SettlementKind.REFUND,
        gateway_id=str(refund["id"]),
        currency=currency,
        amount=UNITS.back(currency, int(refund["amount"])),
        charge_id=str(refund.get("payment_intent") or ""),
    )

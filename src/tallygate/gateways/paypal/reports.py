"""PayPal's reports of transactions: complete three hours later, a month at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tallygate.billing.ports import ChargeRequest
from tallygate.billing.settlements import Settlement, SettlementKind, settled_dispute
from tallygate.domain.billing.payments import AttemptState, Outcome
from tallygate.gateways.paypal.answers import UNITS, failed, is_of, marked, read_mark
from tallygate.gateways.paypal.events import dispute_news

if TYPE_CHECKING:
    from tallygate.gateways.paypal.client import Client

_SECOND = 1_000_000
_SKEW = 300 * _SECOND
_DAY = 86_400 * _SECOND
_MONTH = 31 * _DAY
"""The longest time that one report covers."""
_LATE = 14 * _DAY
_PAGE = 500
_REFUNDS = {"T1107"}
"""What a seller gives back; its reference is the charge."""
_TAKEN = {"S", "V"}
"""Taken, perhaps given back since."""
_DISPUTES_LAST = 179 * _DAY
"""As far back as PayPal lists disputes."""
Record = dict[str, Any]


def found(to: "Client", request: ChargeRequest, *, now: int) -> Outcome | None:
    """What became of a charge that was begun some hours ago; None where PayPal never had it."""
    mark = marked(request)
    for entry in _transactions(to, request.time - _SKEW, min(now, request.time + _MONTH - _SKEW)):
        if entry.get("custom_field") == mark and not _amount(entry).startswith("-"):
            return _outcome(entry)
    return None


def settled(to: "Client", tenant_id: str, *, start: int, end: int, now: int) -> list[Settlement]:
    """Charges begun for a tenant in a time; of refunds and disputes since all, whose charges tell whose they are."""
    found: list[Settlement] = []
    for entry in _transactions(to, start - _SKEW, min(max(end + _LATE, now), now + _SKEW)):
        if str(entry.get("transaction_event_code")) in _REFUNDS:
            found += [_refund(entry)] if entry.get("transaction_status") == "S" else []
        elif _is_charge(entry, tenant_id, start=start, end=end):
            found.append(_charge(entry))
    since = max(start - _SKEW, now - _DISPUTES_LAST)
    return found + [settled_dispute(dispute_news(one)) for one in to.disputes(_text(since))]


def _is_charge(entry: Record, tenant_id: str, *, start: int, end: int) -> bool:
    tenant, time, _ = read_mark(entry.get("custom_field") or "")
    taken = entry.get("transaction_status") in _TAKEN and not _amount(entry).startswith("-")
    return is_of(tenant, tenant_id) and start <= time < end and taken


def _charge(entry: Record) -> Settlement:
    currency = entry["transaction_amount"]["currency_code"]
    kept = entry.get("fee_amount") or {}
    known = kept.get("currency_code") == currency
    return Settlement(
        gateway_id=entry["transaction_id"],
        currency=currency,
        amount=UNITS.read(currency, _amount(entry)),
        fee=UNITS.read(currency, str(kept["value"]).removeprefix("-")) if known else None,
    )


def _refund(entry: Record) -> Settlement:
    currency = entry["transaction_amount"]["currency_code"]
    return Settlement(
        kind=SettlementKind.REFUND,
        gateway_id=entry["transaction_id"],
        currency=currency,
        amount=UNITS.read(currency, _amount(entry).removeprefix("-")),
        charge_id=str(entry.get("paypal_reference_id") or ""),
    )


def _transactions(to: "Client", start: int, end: int) -> Iterator[Record]:
    while start < end:
        until, page = min(start + _MONTH, end), 1
        while True:
            report = to.transactions(
                start_date=_text(start), end_date=_text(until), fields="transaction_info", page_size=_PAGE, page=page
            )
            for detail in report.get("transaction_details") or []:
                yield detail["transaction_info"]
            if page >= int(report.get("total_pages") or 0):
                break
            page += 1
        start = until


def _outcome(entry: Record) -> Outcome:
    match entry.get("transaction_status"):
        case "S" | "V":  # taken, perhaps given back since
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=entry["transaction_id"])
        case "D":
            return failed("declined", gateway_id=entry["transaction_id"])
        case _:
            return Outcome(state=AttemptState.PENDING, gateway_id=entry["transaction_id"])


def _amount(entry: Record) -> str:
    return str(entry["transaction_amount"]["value"])


def _text(instant: int) -> str:
    return datetime.fromtimestamp(instant // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""PayPal's reports of transactions: complete three hours later, a month at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tallygate.billing.ports import ChargeRequest, Settlement
from tallygate.domain.billing.payments import AttemptState, Outcome
from tallygate.gateways.paypal.answers import UNITS, failed, is_of, marked, read_mark

if TYPE_CHECKING:
    from tallygate.gateways.paypal.client import Client

_SECOND = 1_000_000
_SKEW = 300 * _SECOND
_DAY = 86_400 * _SECOND
_MONTH = 31 * _DAY
"""The longest time that one report covers."""
_LATE = 14 * _DAY
_PAGE = 500
Record = dict[str, Any]


def found(to: "Client", request: ChargeRequest, *, now: int) -> Outcome | None:
    """What became of a charge that was begun some hours ago; None where PayPal never had it."""
    mark = marked(request)
    for entry in _transactions(to, request.time - _SKEW, min(now, request.time + _MONTH - _SKEW)):
        if entry.get("custom_field") == mark and not _amount(entry).startswith("-"):
            return _outcome(entry)
    return None


def settled(to: "Client", tenant_id: str, *, start: int, end: int) -> list[Settlement]:
    """Charges that were begun for a tenant in a time, and taken."""
    charges: list[Settlement] = []
    for entry in _transactions(to, start - _SKEW, end + _LATE):
        tenant, time, _ = read_mark(entry.get("custom_field") or "")
        taken = entry.get("transaction_status") == "S" and not _amount(entry).startswith("-")
        if is_of(tenant, tenant_id) and start <= time < end and taken:
            currency = entry["transaction_amount"]["currency_code"]
            amount = UNITS.read(currency, _amount(entry))
            charges.append(Settlement(gateway_id=entry["transaction_id"], currency=currency, amount=amount))
    return charges


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

"""What PayPal's answers mean: outcomes of orders and captures, advice by issue and processor code, and its amounts."""

from typing import Any

from tallygate.billing.ports import ChargeRequest, RefundRequest
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.currencies import Units
from tallygate.gateways.references import reference

_TWO = """
AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD
"""
UNITS = Units(decimals=dict.fromkeys(("HUF", "JPY", "TWD"), 0) | dict.fromkeys(_TWO.split(), 2), only=True)
"""The currencies that it knows; of HUF, JPY and TWD it takes no decimals."""

Record = dict[str, Any]
_LONGEST = 127
_NEVER = {"9500", "9520", "9540", "9510", "5560", "SUSPECTED_FRAUD", "PAYER_ACCOUNT_RESTRICTED"}
_NEW_METHOD = {
    "0580", "1330", "1335", "1380", "1382", "1393", "5110", "5140", "5180", "5190", "5200", "5210", "5400", "5700",
    "5800", "5900", "5910", "5920", "5930", "6300", "7600", "7700", "7710", "7800", "9100",
    "AGREEMENT_ALREADY_CANCELLED", "BILLING_AGREEMENT_NOT_FOUND", "CARD_CLOSED", "CARD_EXPIRED", "INSTRUMENT_DECLINED",
    "INVALID_RESOURCE_ID", "PAYER_CANNOT_PAY", "PAYER_COUNTRY_NOT_SUPPORTED", "PAYEE_BLOCKED_TRANSACTION",
    "PAYMENT_SOURCE_CANNOT_BE_USED", "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR", "PAYMENT_TOKEN_EXPIRED",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "RESOURCE_NOT_FOUND", "TOKEN_ID_NOT_FOUND", "TOKEN_EXPIRED",
    "VAULT_ID_NOT_FOUND",
}  # fmt: skip
_SHORT = {"INSUFFICIENT_FUNDS", "REFUND_FAILED_INSUFFICIENT_FUNDS", "PENDING_CAPTURE"}


def marked(request: ChargeRequest | RefundRequest) -> str:
    """What goes with money as `custom_id`: whose it is, when it was begun, and our id where it fits."""
    own = request.attempt_id if isinstance(request, ChargeRequest) else request.refund_id
    start = f"{_tenant(request.tenant_id)}-{request.time}-"
    fits = own.isascii() and len(start + own) <= _LONGEST and not own.startswith("#")
    return start + (own if fits else f"#{reference(own)[:40]}")


def read_mark(mark: str) -> tuple[str, int, str]:
    """Whose money it is (`is_of`), when it was begun, and our id; empty where it is none of ours, or did not fit."""
    tenant, _, rest = mark.partition("-")
    time, _, own = rest.partition("-")
    if not (time.isascii() and time.isdecimal()):
        return "", 0, ""
    return tenant, int(time), "" if own.startswith("#") else own


def is_of(tenant: str, tenant_id: str) -> bool:
    """Whether a mark's first part is a tenant's."""
    return tenant == _tenant(tenant_id)


def _tenant(tenant_id: str) -> str:
    return reference(tenant_id)[:16]


def issue(body: Record) -> str:
    """The code of a refusal."""
    details = body.get("details") or [{}]
    return str(details[0].get("issue") or body.get("name") or "declined")


def failed(code: str, *, gateway_id: str = "") -> Outcome:
    """A refusal by its issue, or by the code of who processes cards."""
    advice = Advice.NEVER if code in _NEVER else Advice.NEW_METHOD if code in _NEW_METHOD else Advice.RETRY_LATER
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code)


def order_outcome(order: Record) -> Outcome | None:
    """What became of an order; None where nobody has tried to take its money."""
    captures = payments_of(order).get("captures") or []
    if captures:
        return capture_outcome(captures[-1])
    if order.get("status") == "PAYER_ACTION_REQUIRED":
        return Outcome(state=AttemptState.PENDING, gateway_id=order["id"], next_action_url=_payers_page(order))
    if order.get("status") == "VOIDED":
        return failed("VOIDED", gateway_id=order["id"])
    return None


def payments_of(order: Record) -> Record:
    """What was captured of an order and given back."""
    found: Record = (order.get("purchase_units") or [{}])[0].get("payments") or {}
    return found


def capture_outcome(capture: Record) -> Outcome:
    """What became of a capture."""
    match capture.get("status"):
        case "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=capture["id"])
        case "DECLINED" | "FAILED" | "DENIED":
            code = (capture.get("processor_response") or {}).get("response_code")
            reason = (capture.get("status_details") or {}).get("reason")
            return failed(str(code or reason or "declined"), gateway_id=capture["id"])
        case _:
            return Outcome(state=AttemptState.PENDING, gateway_id=capture["id"])


def refund_outcome(refund: Record) -> Outcome:
    """What became of a refund."""
    match refund.get("status"):
        case "COMPLETED":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=refund["id"])
        case "FAILED" | "CANCELLED":
            reason = (refund.get("status_details") or {}).get("reason") or refund["status"]
            return not_given_back(str(reason), gateway_id=refund["id"])
        case _:
            return Outcome(state=AttemptState.PENDING, gateway_id=refund["id"])


def not_given_back(code: str, *, gateway_id: str = "") -> Outcome:
    """A refund that was refused; where only funds are short it can be asked for later."""
    advice = Advice.RETRY_LATER if code in _SHORT else Advice.NEVER
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code)


def link(record: Record, *names: str) -> str:
    """Where one of a record's links leads."""
    return next((str(one["href"]) for one in record.get("links") or [] if one.get("rel") in names), "")


def _payers_page(order: Record) -> str:
    return link(order, "payer-action", "approve")

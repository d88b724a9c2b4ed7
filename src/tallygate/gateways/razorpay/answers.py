"""What Razorpay's answers mean: outcomes of payments and refunds, advice by reason, and how it counts amounts."""

from collections.abc import Sequence
from typing import Any

from tallygate.billing.ports import ChargeRequest, RefundRequest
from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.currencies import Units
from tallygate.gateways.references import reference

ATTEMPT, REFUND, TENANT, TIME = "tallygate_attempt", "tallygate_refund", "tallygate_tenant", "tallygate_time"
"""Notes that go with a payment or refund."""
UNITS = Units(steps=dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 10))
"""Subunits of ISO 4217; of three decimals the last must be 0."""

Record = dict[str, Any]
_LONGEST_RECEIPT = 40
_NEVER = {"card_lost", "card_stolen", "card_reported_lost_or_stolen", "payment_risk_check_failed", "user_not_eligible"}
_NEW_METHOD = {
    "authentication_failed", "bank_account_invalid", "bank_account_validation_failed", "card_expired",
    "card_network_not_enabled", "card_not_enrolled", "card_number_invalid", "card_type_invalid",
    "card_type_not_enabled",
    "debit_instrument_blocked", "debit_instrument_inactive", "incorrect_card_details", "incorrect_card_expiry_date",
    "incorrect_cvv", "international_transaction_not_allowed", "mandate_cancelled", "mandate_expired", "mandate_paused",
    "token_cancelled", "token_expired", "token_not_found", "token_paused", "token_rejected", "transaction_not_allowed",
}  # fmt: skip
_SHORT = {"insufficient_balance", "insufficient_funds"}


def receipt(request: ChargeRequest | RefundRequest) -> str:
    """What an order or refund is found by."""
    return reference(request.tenant_id, request.key)[:_LONGEST_RECEIPT]


def notes(request: ChargeRequest | RefundRequest) -> Record:
    """What goes with it."""
    own = {ATTEMPT: request.attempt_id} if isinstance(request, ChargeRequest) else {REFUND: request.refund_id}
    return own | {TENANT: request.tenant_id, TIME: str(request.time)}


def notes_of(record: Record) -> Record:
    """What went with it; where there is nothing Razorpay writes an empty list."""
    found = record.get("notes")
    return found if isinstance(found, dict) else {}


def refused(body: Record, *, missing: str = "") -> Outcome:
    """A payment that was refused when it was asked for; `missing`: what a refusal without a reason says."""
    error = body.get("error") or {}
    reason = str(error.get("reason") or "")
    code = missing if reason in {"", "NA"} and missing else reason or str(error.get("code") or "declined")
    gateway_id = str((error.get("metadata") or {}).get("payment_id") or "")
    return failed(code, gateway_id=gateway_id)


def failed(code: str, *, gateway_id: str = "") -> Outcome:
    """A refusal by its reason."""
    advice = Advice.NEVER if code in _NEVER else Advice.NEW_METHOD if code in _NEW_METHOD else Advice.RETRY_LATER
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code)


def order_outcome(payments: Sequence[Record]) -> Outcome | None:
    """What became of an order: the best of how it was tried; None where it was not."""
    outcomes = [payment_outcome(payment) for payment in payments]
    return max(outcomes, key=lambda one: _RANK[one.state], default=None)


_RANK = {AttemptState.FAILED: 0, AttemptState.PENDING: 1, AttemptState.SUCCEEDED: 2}


def payment_outcome(payment: Record) -> Outcome:
    """What became of a payment."""
    match payment.get("status"):
        case "captured" | "refunded":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=payment["id"])
        case "failed":
            code = str(payment.get("error_reason") or payment.get("error_code") or "declined")
            return failed(code, gateway_id=payment["id"])
        case _:  # created: a bank debits hours later; authorized: captured within minutes
            return Outcome(state=AttemptState.PENDING, gateway_id=payment["id"])


def refund_outcome(refund: Record) -> Outcome:
    """What became of a refund."""
    match refund.get("status"):
        case "processed":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=refund["id"])
        case "failed":
            return not_given_back("refund_failed", gateway_id=refund["id"])
        case _:
            return Outcome(state=AttemptState.PENDING, gateway_id=refund["id"])


def not_given_back(code: str, *, gateway_id: str = "") -> Outcome:
    """A refund that was refused; where only the balance is short it can be asked for later."""
    advice = Advice.RETRY_LATER if code in _SHORT else Advice.NEVER
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code)

"""What Stripe's answers mean: outcomes of payment intents, advice by decline codes, and how it counts amounts."""

from typing import Any

from tallygate.domain.billing.payments import Advice, AttemptState, Outcome
from tallygate.gateways.currencies import Units

ATTEMPT, REFUND, TENANT, TIME = "tallygate_attempt", "tallygate_refund", "tallygate_tenant", "tallygate_time"
"""What goes with a charge or refund, so that it can be found again."""

UNITS = Units(
    decimals={"MGA": 0, "ISK": 2, "UGX": 2},
    steps={"ISK": 100, "UGX": 100} | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 10),
)
"""Of three decimals the last must be 0; ISK and UGX have none, but are counted in hundredths; MGA has none here."""

AUTHENTICATION = "authentication_required"
_NEVER = {
    "fraudulent", "highest_risk_level", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card",
    "security_violation", "stolen_card",
}  # fmt: skip
_NEW_METHOD = {
    AUTHENTICATION, "account_closed", "authentication_not_handled", "bank_account_declined", "bank_account_unusable",
    "card_not_supported", "currency_not_supported", "debit_not_authorized", "expired_card", "expired_payment_method",
    "incorrect_cvc", "incorrect_number", "incorrect_pin", "incorrect_zip", "invalid_account", "invalid_amount",
    "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year", "invalid_number", "invalid_pin", "mandate_invalid",
    "new_account_information_available", "no_account", "not_permitted", "payment_intent_authentication_failure",
    "payment_method_invalid_parameter", "payment_method_unactivated", "payment_method_unexpected_state",
    "pin_try_exceeded", "resource_missing", "revocation_of_all_authorizations", "revocation_of_authorization",
    "service_not_allowed", "stop_payment_order", "testmode_decline", "transaction_not_allowed",
}  # fmt: skip
_SHORT = {"balance_insufficient", "insufficient_funds"}
_PAGES = ("redirect_to_url", "verify_with_microdeposits", "boleto_display_details", "konbini_display_details")
_BY_ADVICE = {"do_not_try_again": Advice.NEVER, "confirm_card_data": Advice.NEW_METHOD}


class RefusedError(Exception):
    """Stripe understood and refused; what it was asked for has not been done."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__()
        self.code = str(error.get("decline_code") or error.get("code") or "")
        self.advice_code = str(error.get("advice_code") or "")
        self.intent_id = str((error.get("payment_intent") or {}).get("id") or "")


def failed(code: str, *, advice_code: str = "", gateway_id: str = "") -> Outcome:
    """A refusal by its code; Stripe's own advice counts where the code says nothing."""
    if code in _NEVER:
        advice = Advice.NEVER
    elif code in _NEW_METHOD:
        advice = Advice.NEW_METHOD
    else:
        advice = _BY_ADVICE.get(advice_code, Advice.RETRY_LATER)
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code or "declined")


def outcome(intent: Any) -> Outcome:  # noqa: ANN401 - the library's objects, which have no types here
    """What became of a payment intent."""
    match intent.get("status"):
        case "succeeded":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=intent["id"])
        case "processing" | "requires_capture":
            return Outcome(state=AttemptState.PENDING, gateway_id=intent["id"])
        case "requires_action":
            return Outcome(state=AttemptState.PENDING, gateway_id=intent["id"], next_action_url=_next(intent))
        case "requires_payment_method":
            error = intent.get("last_payment_error") or {}
            code = error.get("decline_code") or error.get("code") or ""
            return failed(code, advice_code=error.get("advice_code") or "", gateway_id=intent["id"])
        case "canceled":
            return failed(intent.get("cancellation_reason") or "canceled", gateway_id=intent["id"])
        case _:  # requires_confirmation: it has not been tried
            return Outcome(state=AttemptState.UNKNOWN, gateway_id=intent["id"])


def refund_outcome(refund: Any) -> Outcome:  # noqa: ANN401 - as above
    """What became of a refund."""
    match refund.get("status"):
        case "succeeded":
            return Outcome(state=AttemptState.SUCCEEDED, gateway_id=refund["id"])
        case "failed" | "canceled":
            return not_given_back(refund.get("failure_reason") or refund["status"], gateway_id=refund["id"])
        case _:
            return Outcome(state=AttemptState.PENDING, gateway_id=refund["id"])


def not_given_back(code: str, *, gateway_id: str = "") -> Outcome:
    """A refund that was refused; where only the balance is short it can be asked for later."""
    advice = Advice.RETRY_LATER if code in _SHORT else Advice.NEVER
    return Outcome(state=AttemptState.FAILED, gateway_id=gateway_id, advice=advice, reason=code or "not_refundable")


def _next(intent: Any) -> str:  # noqa: ANN401 - as above
    action = intent.get("next_action") or {}
    for kind in _PAGES:
        page = action.get(kind) or {}
        url = page.get("url") or page.get("hosted_verification_url") or page.get("hosted_voucher_url")
        if url:
            return str(url)
    return ""

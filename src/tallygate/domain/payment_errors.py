"""Ways in which a request about payments can fail; a declined payment is none of them, but an attempt that failed."""

from tallygate.domain.errors import ConflictError, ErrorReason, InvalidFieldError, NotFoundError, UnavailableError


class MethodNotFoundError(NotFoundError):
    """The account has no such payment method."""

    reason = ErrorReason.METHOD_NOT_FOUND


class PaymentNotFoundError(NotFoundError):
    """No gateway took such a payment."""

    reason = ErrorReason.PAYMENT_NOT_FOUND


class MethodMissingError(ConflictError):
    """The account has no payment method to charge; attach one, or record a payment that came otherwise."""

    reason = ErrorReason.METHOD_MISSING


class GatewayMissingError(ConflictError):
    """The tenant uses no such payment gateway; set it first."""

    reason = ErrorReason.GATEWAY_MISSING


class GatewayRefusedError(ConflictError):
    """The tenant may not use this payment gateway."""

    reason = ErrorReason.GATEWAY_REFUSED


class MasterKeyMissingError(ConflictError):
    """This installation has no master key to keep secrets with: its operator sets billing.master_key_file."""

    reason = ErrorReason.MASTER_KEY_MISSING


class MasterKeyWrongError(ConflictError):
    """A secret was sealed with a master key that billing.master_key_file does not have: its operator adds it."""

    reason = ErrorReason.MASTER_KEY_WRONG


class PaymentInFlightError(ConflictError):
    """Another attempt may still take money for it; wait until it is resolved."""

    reason = ErrorReason.PAYMENT_IN_FLIGHT


class NothingDueError(ConflictError):
    """Nothing of the invoice is due."""

    reason = ErrorReason.NOTHING_DUE


class CreditExceedsLineError(ConflictError):
    """Less is left to give back, after what was credited before and what was paid."""

    reason = ErrorReason.CREDIT_EXCEEDS_LINE


class FundsShortError(ConflictError):
    """The gateways hold less than is to be given back."""

    reason = ErrorReason.FUNDS_SHORT


class ReviewOverError(ConflictError):
    """The invoice is due or paid, so that its lines can only be credited."""

    reason = ErrorReason.REVIEW_OVER


class CurrencyMismatchError(ConflictError):
    """The invoice is in another currency."""

    reason = ErrorReason.CURRENCY_MISMATCH


class GatewayUnavailableError(UnavailableError):
    """The payment gateway does not answer; nothing was charged, try again."""

    reason = ErrorReason.GATEWAY_UNAVAILABLE


class CardNumberRefusedError(InvalidFieldError):
    """The text looks like it holds a payment card's number, which nothing here may store."""

    reason = ErrorReason.CARD_NUMBER_REFUSED

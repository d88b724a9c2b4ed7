"""Ways in which an order cannot be completed."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class OrderNotFoundError(NotFoundError):
    """The tenant has no such order."""

    reason = ErrorReason.ORDER_NOT_FOUND


class OrderClosedError(ConflictError):
    """It was not paid in time."""

    reason = ErrorReason.ORDER_CLOSED


class ClaimNotFoundError(NotFoundError):
    """Nobody has such a code to redeem."""

    reason = ErrorReason.CLAIM_NOT_FOUND


class ClaimRedeemedError(ConflictError):
    """Its code was redeemed already."""

    reason = ErrorReason.CLAIM_REDEEMED


class ClaimReplacedError(ConflictError):
    """Another code took its place, and this one is worth nothing any more."""

    reason = ErrorReason.CLAIM_REPLACED


class OrderChangedError(ConflictError):
    """It costs something else than what was accepted."""

    reason = ErrorReason.ORDER_CHANGED

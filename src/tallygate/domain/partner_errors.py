"""Ways in which a provider's bill cannot be changed."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class BillNotFoundError(NotFoundError):
    """The provider has no such bill."""

    reason = ErrorReason.BILL_NOT_FOUND


class BillInvoicedError(ConflictError):
    """The bill has already been set to invoiced and cannot be changed."""

    reason = ErrorReason.BILL_INVOICED


class AccountNotChargeableError(NotFoundError):
    """The account does not exist or cannot be charged by your service."""

    reason = ErrorReason.ACCOUNT_NOT_CHARGEABLE

"""What a subscription cannot be made into."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class SubscriptionNotFoundError(NotFoundError):
    """The account has no such subscription."""

    reason = ErrorReason.SUBSCRIPTION_NOT_FOUND


class SubscriptionConflictError(ConflictError):
    """The subscription's state does not allow this."""

    reason = ErrorReason.SUBSCRIPTION_CONFLICT


class ApprovalRequiredError(ConflictError):
    """The plan is renewed only with somebody's approval."""

    reason = ErrorReason.APPROVAL_REQUIRED

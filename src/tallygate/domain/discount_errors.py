"""Ways in which a coupon cannot be redeemed."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class CouponNotFoundError(NotFoundError):
    """The tenant has no such coupon, or nobody may redeem it any more."""

    reason = ErrorReason.COUPON_NOT_FOUND


class DiscountNotFoundError(NotFoundError):
    """The account has no such discount."""

    reason = ErrorReason.DISCOUNT_NOT_FOUND


class CouponExpiredError(ConflictError):
    """Its time is over."""

    reason = ErrorReason.COUPON_EXPIRED


class CouponExhaustedError(ConflictError):
    """It was redeemed as often as it may be, by all or by this account."""

    reason = ErrorReason.COUPON_EXHAUSTED


class CouponNotApplicableError(ConflictError):
    """The coupon is not for this, or not yet."""

    reason = ErrorReason.COUPON_NOT_APPLICABLE

"""Ways in which an app cannot be sold as it is asked for."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class ProductNotFoundError(NotFoundError):
    """The catalogue has no such app."""

    reason = ErrorReason.PRODUCT_NOT_FOUND


class UsagePlanNotApprovedError(ConflictError):
    """The app may not charge for usage until that was asked for and approved."""

    reason = ErrorReason.USAGE_PLAN_NOT_APPROVED


class UsagePlanKeptError(ConflictError):
    """A plan that charges for usage is not changed to a lesser one: it is cancelled."""

    reason = ErrorReason.USAGE_PLAN_KEPT


class NoChargeServiceError(ConflictError):
    """The account subscribes to no app that tells charges of its own."""

    reason = ErrorReason.NO_CHARGE_SERVICE


class ChargeLimitLoweredError(ConflictError):
    """A limit of charges is only ever raised."""

    reason = ErrorReason.CHARGE_LIMIT_LOWERED


class ChargesNotToldError(ConflictError):
    """The app does not tell its charges now; nothing was charged, and it is asked again."""

    reason = ErrorReason.CHARGES_NOT_TOLD

"""Every way in which a request can fail to be decided.

A denial is a value (`gating.decide.Decision`), never one of these.
"""

from enum import StrEnum
from inspect import cleandoc
from typing import ClassVar

MAX_QUANTITY = 2**53 - 1
"""Largest quantity, limit and counter: Lua's largest exact integer."""


class ErrorReason(StrEnum):
    """Why a request could not be decided; the wire's `ErrorReason`, name by name."""

    INVALID_FIELD = "INVALID_FIELD"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    TENANT_NOT_FOUND = "TENANT_NOT_FOUND"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    FEATURE_NOT_FOUND = "FEATURE_NOT_FOUND"
    LIMIT_NOT_FOUND = "LIMIT_NOT_FOUND"
    PLAN_NOT_FOUND = "PLAN_NOT_FOUND"
    ADD_ON_NOT_FOUND = "ADD_ON_NOT_FOUND"
    SUBSCRIPTION_NOT_FOUND = "SUBSCRIPTION_NOT_FOUND"
    GRANT_NOT_FOUND = "GRANT_NOT_FOUND"
    OVERRIDE_NOT_FOUND = "OVERRIDE_NOT_FOUND"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    API_KEY_NOT_FOUND = "API_KEY_NOT_FOUND"
    INVOICE_NOT_FOUND = "INVOICE_NOT_FOUND"
    FEE_NOT_FOUND = "FEE_NOT_FOUND"
    INVOICE_FINAL = "INVOICE_FINAL"
    INVOICE_DRAFT = "INVOICE_DRAFT"
    APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
    COUPON_NOT_FOUND = "COUPON_NOT_FOUND"
    COUPON_EXPIRED = "COUPON_EXPIRED"
    COUPON_EXHAUSTED = "COUPON_EXHAUSTED"
    COUPON_NOT_APPLICABLE = "COUPON_NOT_APPLICABLE"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_CLOSED = "ORDER_CLOSED"
    ORDER_CHANGED = "ORDER_CHANGED"
    CLAIM_NOT_FOUND = "CLAIM_NOT_FOUND"
    CLAIM_REDEEMED = "CLAIM_REDEEMED"
    CLAIM_REPLACED = "CLAIM_REPLACED"
    DISCOUNT_NOT_FOUND = "DISCOUNT_NOT_FOUND"
    BILL_NOT_FOUND = "BILL_NOT_FOUND"
    BILL_INVOICED = "BILL_INVOICED"
    ACCOUNT_NOT_CHARGEABLE = "ACCOUNT_NOT_CHARGEABLE"
    PRODUCT_NOT_FOUND = "PRODUCT_NOT_FOUND"
    USAGE_PLAN_NOT_APPROVED = "USAGE_PLAN_NOT_APPROVED"
    USAGE_PLAN_KEPT = "USAGE_PLAN_KEPT"
    NO_CHARGE_SERVICE = "NO_CHARGE_SERVICE"
    CHARGE_LIMIT_LOWERED = "CHARGE_LIMIT_LOWERED"
    CHARGES_NOT_TOLD = "CHARGES_NOT_TOLD"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    SUBSCRIPTION_CONFLICT = "SUBSCRIPTION_CONFLICT"
    IN_USE = "IN_USE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    KEY_EXPIRED = "KEY_EXPIRED"
    KEY_REVOKED = "KEY_REVOKED"
    SCOPE_MISSING = "SCOPE_MISSING"
    NOT_SELF_SERVICE = "NOT_SELF_SERVICE"
    NOT_A_TEST_TENANT = "NOT_A_TEST_TENANT"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    EPOCH_MISMATCH = "EPOCH_MISMATCH"
    NOT_REPLICATED = "NOT_REPLICATED"
    EVENT_BACKLOG = "EVENT_BACKLOG"
    STALE_VIEW = "STALE_VIEW"
    VIEW_NOT_READY = "VIEW_NOT_READY"
    OVERLOADED = "OVERLOADED"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    ACCOUNT_FULL = "ACCOUNT_FULL"
    BILLING_NOT_STARTED = "BILLING_NOT_STARTED"
    METHOD_NOT_FOUND = "METHOD_NOT_FOUND"
    METHOD_MISSING = "METHOD_MISSING"
    GATEWAY_MISSING = "GATEWAY_MISSING"
    PAYMENT_IN_FLIGHT = "PAYMENT_IN_FLIGHT"
    NOTHING_DUE = "NOTHING_DUE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    GATEWAY_UNAVAILABLE = "GATEWAY_UNAVAILABLE"
    GATEWAY_REFUSED = "GATEWAY_REFUSED"
    MASTER_KEY_MISSING = "MASTER_KEY_MISSING"
    MASTER_KEY_WRONG = "MASTER_KEY_WRONG"
    CARD_NUMBER_REFUSED = "CARD_NUMBER_REFUSED"
    PAYMENT_NOT_FOUND = "PAYMENT_NOT_FOUND"
    CREDIT_EXCEEDS_LINE = "CREDIT_EXCEEDS_LINE"
    REVIEW_OVER = "REVIEW_OVER"
    FUNDS_SHORT = "FUNDS_SHORT"
    RENDERER_MISSING = "RENDERER_MISSING"
    DOCUMENT_INCOMPLETE = "DOCUMENT_INCOMPLETE"
    CONTROL_PLANE_UNAVAILABLE = "CONTROL_PLANE_UNAVAILABLE"
    CERTIFICATE_MISMATCH = "CERTIFICATE_MISMATCH"


class TallygateError(Exception):
    """The request could not be decided.

    The class's docstring is the message; the keyword facts follow it and travel as metadata.
    """

    reason: ClassVar[ErrorReason] = ErrorReason.INTERNAL

    def __init__(self, **metadata: str | int) -> None:
        self.metadata = {key: str(value) for key, value in metadata.items()}
        message = cleandoc(type(self).__doc__ or "").splitlines()[0]
        facts = ", ".join(f"{key}={value}" for key, value in self.metadata.items())
        super().__init__(f"{message} ({facts})" if facts else message)


class InvalidError(TallygateError):
    """The request is malformed."""

    reason = ErrorReason.MALFORMED_REQUEST


class NotFoundError(TallygateError):
    """What the request names does not exist."""


class ConflictError(TallygateError):
    """The request contradicts what is already there."""

    reason = ErrorReason.ALREADY_EXISTS


class PermissionError_(TallygateError):  # noqa: N801, N818 - PermissionError is a built-in; this is the house's name for it
    """The credential does not allow this."""

    reason = ErrorReason.SCOPE_MISSING


class UnauthenticatedError(PermissionError_):
    """The call carries no valid API key; send metadata `authorization: Bearer tg_...`."""

    reason = ErrorReason.UNAUTHENTICATED


class UnavailableError(TallygateError):
    """The request cannot be decided now; retry it with the same request_id."""

    reason = ErrorReason.STORE_UNAVAILABLE


class InvalidFieldError(InvalidError):
    """A field does not hold what is expected."""

    reason = ErrorReason.INVALID_FIELD

    def __init__(self, *, field: str, expected: str, got: str | int | None = None) -> None:
        facts: dict[str, str | int] = {"field": field, "expected": expected}
        if got is not None:
            facts["got"] = str(got)[:200]
        super().__init__(**facts)


class OutOfRangeError(InvalidError):
    """The instant lies outside of what can still be decided."""

    reason = ErrorReason.OUT_OF_RANGE

    def __init__(self, *, field: str, expected: str, earliest: str, latest: str, got: str) -> None:
        super().__init__(field=field, expected=expected, earliest=earliest, latest=latest, got=got)


class RequestIdReusedError(InvalidError):
    """This request_id was already used with another payload."""

    reason = ErrorReason.REQUEST_ID_REUSED


class TenantNotFoundError(NotFoundError):
    """No tenant has this id."""

    reason = ErrorReason.TENANT_NOT_FOUND


class AccountNotFoundError(NotFoundError):
    """No account has this id."""

    reason = ErrorReason.ACCOUNT_NOT_FOUND


class FeatureNotFoundError(NotFoundError):
    """The catalogue has no such feature."""

    reason = ErrorReason.FEATURE_NOT_FOUND


class LimitNotFoundError(NotFoundError):
    """The catalogue has no such rate limit."""

    reason = ErrorReason.LIMIT_NOT_FOUND


class PlanNotFoundError(NotFoundError):
    """No plan has this key and version."""

    reason = ErrorReason.PLAN_NOT_FOUND


class FeeNotFoundError(NotFoundError):
    """The tenant has no fee with this id."""

    reason = ErrorReason.FEE_NOT_FOUND


class InvoiceNotFoundError(NotFoundError):
    """The tenant has no invoice with this id, or with a line of this key."""

    reason = ErrorReason.INVOICE_NOT_FOUND


class GrantNotFoundError(NotFoundError):
    """The account has no such grant."""

    reason = ErrorReason.GRANT_NOT_FOUND


class OverrideNotFoundError(NotFoundError):
    """The account has no such override."""

    reason = ErrorReason.OVERRIDE_NOT_FOUND


class AccountFullError(ConflictError):
    """The account holds as many of these as it can: revoke, delete or unassign some that serve no more."""

    reason = ErrorReason.ACCOUNT_FULL


class BillingNotStartedError(ConflictError):
    """The tenant's catalogue has no billing section, so nothing is invoiced; apply one with `billing:` first."""

    reason = ErrorReason.BILLING_NOT_STARTED


class InvoiceFinalError(ConflictError):
    """The document is final: credit what was paid instead; a void one, and a credit note, can be corrected no more."""

    reason = ErrorReason.INVOICE_FINAL


class NotATestTenantError(ConflictError):
    """Only a test tenant has a clock that can be moved."""

    reason = ErrorReason.NOT_A_TEST_TENANT


class StoreUnavailableError(UnavailableError):
    """The store cannot be reached, or lacks what a worker publishes to it; retry with the same request_id."""

    reason = ErrorReason.STORE_UNAVAILABLE


class NotReplicatedError(UnavailableError):
    """Replicas have not confirmed in time what may have been counted; retry with the same request_id."""

    reason = ErrorReason.NOT_REPLICATED


class EpochMismatchError(UnavailableError):
    """Counters were lost; a retry helps once a worker has rebuilt them from the events."""

    reason = ErrorReason.EPOCH_MISMATCH


class EventBacklogError(UnavailableError):
    """Too many events wait to be collected; retry with the same request_id."""

    reason = ErrorReason.EVENT_BACKLOG


class StaleViewError(UnavailableError):
    """The view changed while the call was decided; retry with the same request_id."""

    reason = ErrorReason.STALE_VIEW


class ViewNotReadyError(UnavailableError):
    """This sidecar has not applied the tenant's log up to min_view_version yet."""

    reason = ErrorReason.VIEW_NOT_READY


class OverloadedError(UnavailableError):
    """Too many calls are in flight."""

    reason = ErrorReason.OVERLOADED


class ControlPlaneUnavailableError(UnavailableError):
    """The control plane's process does not answer; look before you repeat what it may have done."""

    reason = ErrorReason.CONTROL_PLANE_UNAVAILABLE


class ShuttingDownError(UnavailableError):
    """The server is shutting down."""

    reason = ErrorReason.SHUTTING_DOWN

"""Why a key is not what it was taken for, not there, or not enough."""

from tallygate.domain.errors import ErrorReason, NotFoundError, PermissionError_, UnauthenticatedError


class CertificateMismatchError(PermissionError_):
    """The client's certificate is not for the tenant of this API key."""

    reason = ErrorReason.CERTIFICATE_MISMATCH


class ApiKeyNotFoundError(NotFoundError):
    """The tenant has no such API key."""

    reason = ErrorReason.API_KEY_NOT_FOUND


class KeyExpiredError(UnauthenticatedError):
    """The API key has expired."""

    reason = ErrorReason.KEY_EXPIRED


class KeyRevokedError(UnauthenticatedError):
    """The API key was revoked."""

    reason = ErrorReason.KEY_REVOKED


class ScopeMissingError(PermissionError_):
    """The API key lacks the scope that this method needs."""

    reason = ErrorReason.SCOPE_MISSING

"""What a catalogue cannot be made into."""

from tallygate.domain.errors import ConflictError, ErrorReason, NotFoundError


class AddOnNotFoundError(NotFoundError):
    """No add-on has this key and version."""

    reason = ErrorReason.ADD_ON_NOT_FOUND


class InUseError(ConflictError):
    """It is in use, and the change would mean something else to who uses it."""

    reason = ErrorReason.IN_USE


class VersionConflictError(ConflictError):
    """A published version never changes; raise its version to publish another."""

    reason = ErrorReason.VERSION_CONFLICT

"""What a document cannot be made into, each with the reason that callers see."""

from tallygate.domain.errors import ConflictError, ErrorReason


class RendererMissingError(ConflictError):
    """What makes documents of this form is not installed here."""

    reason = ErrorReason.RENDERER_MISSING


class DocumentIncompleteError(ConflictError):
    """The document lacks what an e-invoice must say; set the profile, make the invoice void and issue it anew."""

    reason = ErrorReason.DOCUMENT_INCOMPLETE

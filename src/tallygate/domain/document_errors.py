"""What a document cannot be made into, each with the reason that callers see."""

from tallygate.domain.errors import ConflictError, ErrorReason


class RendererMissingError(ConflictError):
    """What makes documents of this form is not installed here."""

    reason = ErrorReason.RENDERER_MISSING


class DocumentIncompleteError(ConflictError):
    """A document would lack what it must say: the field tells what, and how it is set."""

    reason = ErrorReason.DOCUMENT_INCOMPLETE


class InvoiceDraftError(ConflictError):
    """The invoice is a draft still, and can only be looked at until it is finalised."""

    reason = ErrorReason.INVOICE_DRAFT

"""Letters that bring a document carry it as a PDF too, for who files it, where the extra `tallygate[pdf]` is there."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.mail import Enclosure, Letter
from tallygate.domain.billing.messages import Message
from tallygate.domain.document_errors import RendererMissingError
from tallygate.rendering.letters import brings_document, letter_of

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_log = logging.getLogger(__name__)


def can_enclose() -> bool:
    """Whether there is what makes PDFs."""
    return find_spec("typst") is not None


def letter_writer(*, enclose: bool, fonts: Path | None = None) -> Callable[[Message, Invoice | None, str, str], Letter]:
    """What writes letters: with PDFs, where `enclose` says so; `fonts` is a directory of more of them."""

    def write(message: Message, invoice: Invoice | None, seller: str, locale: str) -> Letter:
        letter = letter_of(message, invoice, seller, locale)
        if invoice is None or not brings_document(message):
            return letter
        return replace(letter, enclosures=_enclosed(invoice, fonts))

    return write if enclose and can_enclose() else letter_of


def _enclosed(invoice: Invoice, fonts: Path | None) -> tuple[Enclosure, ...]:
    """A document's PDF; none where a font is missing: the letter itself is the document, and holds up for nothing."""
    from tallygate.rendering.pdf import pdf  # noqa: PLC0415 - only who encloses pays for it

    try:
        made = pdf(invoice, fonts=fonts)
    except RendererMissingError as error:
        _log.warning("the letter of %s goes without a PDF: %s", invoice.number, error)
        return ()
    name = _NO_NAME.sub("-", invoice.number).strip("-.") or "invoice"
    return (Enclosure(name=f"{name}.pdf", media_type="application/pdf", content=made),)

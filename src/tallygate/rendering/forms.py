"""The forms that documents have, by name; each is loaded when the first of it is asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tallygate.domain.billing.documents import Invoice


def renderers(*, fonts: Path | None = None) -> Mapping[str, Callable[[Invoice, str], bytes]]:
    """What makes a document in the language of a locale, by form; `fonts` is a directory of more of them for PDFs."""

    def html(invoice: Invoice, locale: str) -> bytes:
        from tallygate.rendering.html import page  # noqa: PLC0415 - as said above

        return page(invoice, locale)

    def pdf(invoice: Invoice, locale: str) -> bytes:
        from tallygate.rendering.pdf import pdf  # noqa: PLC0415 - as said above

        return pdf(invoice, locale, fonts=fonts)

    return {"html": html, "pdf": pdf, "ubl": _ubl, "cii": _cii}


def _ubl(invoice: Invoice, locale: str) -> bytes:  # noqa: ARG001 - its words are codes
    from tallygate.rendering.ubl import ubl  # noqa: PLC0415 - as said above

    return ubl(invoice)


def _cii(invoice: Invoice, locale: str) -> bytes:  # noqa: ARG001 - its words are codes
    from tallygate.rendering.cii import cii  # noqa: PLC0415 - as said above

    return cii(invoice)

"""A document as PDF/A-3 with its CII inside, as Factur-X (ZUGFeRD) has it. The extra `tallygate[pdf]` compiles it.

The same document on the same fonts is the same bytes: its date is that of its issue, and its id is its content's.
"""

import json
import re
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.document_errors import DocumentIncompleteError, RendererMissingError
from tallygate.rendering.cii import cii
from tallygate.rendering.sheet import Sheet, sheet

if TYPE_CHECKING:
    import typst

_SECOND = 1_000_000
_NO_GLYPH = re.compile(r'the text `"(?P<text>.+?)"` could not be displayed', re.DOTALL)
_FILE = "factur-x.xml"
_ATTACH = (
    f'#pdf.attach("{_FILE}", bytes(sys.inputs.xml), relationship: "alternative", mime-type: "text/xml", '
    'description: "The invoice in CII")\n'
)
_OBJECT = re.compile(
    rb"(?P<number>\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(?P<xmp>.*?)\nendstream", re.DOTALL
)
_TRAILER = re.compile(rb"trailer\n<<(?P<trailer>.*?)>>\nstartxref\n(?P<start>\d+)\n%%EOF\s*$", re.DOTALL)
_PROPERTIES = ("DocumentType", "DocumentFileName", "Version", "ConformanceLevel")
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"


def pdf(invoice: Invoice, locale: str = "", *, fonts: Path | None = None) -> bytes:
    """An issued document as PDF, in a language or its buyer's; what is no e-invoice has no XML inside.

    `fonts` is a directory of fonts for scripts besides Latin, Greek, Cyrillic and Hebrew.

    Raises:
        RendererMissingError: the extra is not installed, or no font has a character of it.
    """
    shown = sheet(invoice, locale)
    inputs = {"sheet": json.dumps(_told(shown), ensure_ascii=False, sort_keys=True)}
    source = _template()
    try:
        inputs["xml"] = cii(invoice).decode()
        source += _ATTACH
    except DocumentIncompleteError:
        return _compiled(source, inputs, invoice.issue_time, fonts)
    return _marked(_compiled(source, inputs, invoice.issue_time, fonts))


def _told(shown: Sheet) -> dict[str, object]:
    return {
        "lang": shown.language.locale.language,
        "dir": shown.language.direction,
        "words": shown.language.words,
        "title": shown.title,
        "number": shown.number,
        "stamp": shown.stamp,
        "facts": shown.facts,
        "seller": shown.seller,
        "buyer": shown.buyer,
        "currency": shown.currency,
        "taxed": shown.taxed,
        "rows": [asdict(row) for row in shown.rows],
        "sums": shown.sums,
        "due": shown.due,
        "notes": shown.notes,
    }


def _compiled(source: str, inputs: dict[str, str], issued: int, fonts: Path | None) -> bytes:
    try:
        import typst  # noqa: PLC0415 - an extra, loaded with the first PDF
    except ModuleNotFoundError:
        raise RendererMissingError(renderer="pdf", expected="the extra: pip install 'tallygate[pdf]'") from None
    compiler = typst.Compiler(font_paths=_fonts(fonts))
    try:
        made = compiler.compile(
            source.encode(), format="pdf", pdf_standards=["a-3b"], timestamp=issued // _SECOND, sys_inputs=inputs
        )
    except typst.TypstError as error:
        found = _NO_GLYPH.search(str(error))
        if found is None:
            raise
        points = " ".join(f"U+{ord(character):04X}" for character in found["text"][:8])
        expected = f"a font with {points} in the directory that the setting documents.font_dir names"
        raise RendererMissingError(renderer="pdf", expected=expected) from None
    if not isinstance(made, bytes):
        msg = "a document is one file"
        raise TypeError(msg)
    return made


@cache
def _fonts(directory: Path | None) -> "typst.Fonts":
    """Those that typst brings, and a directory's; never the machine's own, on which bytes would depend."""
    import typst  # noqa: PLC0415 - as above

    return typst.Fonts(include_system_fonts=False, font_paths=[directory] if directory is not None else [])


@cache
def _template() -> str:
    return resources.files(__package__).joinpath("page.typ").read_text(encoding="utf-8")


def _marked(made: bytes) -> bytes:
    """A PDF whose metadata say which e-invoice it holds: typst writes none of its own, so a newer version is appended.

    An incremental update (ISO 32000-1, 7.5.6): the metadata once more, a cross-reference of them, a trailer.
    """
    metadata, trailer = _OBJECT.search(made), _TRAILER.search(made)
    if metadata is None or trailer is None:
        msg = "a PDF has metadata and a trailer"
        raise ValueError(msg)
    xmp = metadata["xmp"].replace(
        b"</rdf:Bag></pdfaExtension:schemas>", _schema() + b"</rdf:Bag></pdfaExtension:schemas>", 1
    )
    xmp = xmp.replace(b"</rdf:RDF>", _values() + b"</rdf:RDF>", 1)
    number, place = metadata["number"], len(made)
    own = b"%s 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%s\nendstream\nendobj\n" % (
        number,
        len(xmp),
        xmp,
    )
    table = b"xref\n%s 1\n%010d 00000 n \n" % (number, place)
    last = b"trailer\n<<%s/Prev %s>>\nstartxref\n%d\n%%%%EOF\n" % (
        trailer["trailer"],
        trailer["start"],
        place + len(own),
    )
    return made + own + table + last


def _schema() -> bytes:
    """What the metadata's own properties are: PDF/A wants each of them described (ISO 19005-3, 6.6.2.3)."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{name} of the embedded invoice</pdfaProperty:description></rdf:li>"
        for name in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    ).encode()


def _values() -> bytes:
    values = ("INVOICE", _FILE, "1.0", "EN 16931")
    told = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in zip(_PROPERTIES, values, strict=True))
    return f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{told}</rdf:Description>'.encode()

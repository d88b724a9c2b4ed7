"""Documents as pages and PDFs: the same bytes each time, every text escaped. The goldens were looked at."""

import hashlib
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pypdf
import pytest

from documents import BUYER, INVOICE, LINES, NOTE, SELLER, at, line
from documents import invoice as invoice_of
from tallygate.domain.billing.documents import InvoiceKind
from tallygate.domain.billing.lines import LineDiscount, LineTax
from tallygate.domain.document_errors import RendererMissingError
from tallygate.domain.period import UsagePeriod
from tallygate.rendering.cii import cii
from tallygate.rendering.html import page
from tallygate.rendering.languages import LANGUAGES, language
from tallygate.rendering.pdf import pdf
from tallygate.rendering.semantic import semantic
from tallygate.rendering.sheet import sheet
from tallygate.rendering.ubl import ubl
from tallygate.server.wire.invoice import invoice_json

IMPORTS = "from documents import INVOICE; from tallygate.rendering.forms import renderers"
GOLDENS = Path(__file__).parent.parent / "pages"
THIN = "\u202f"


def goldens():
    """Every form of a document; `python tests/unit/test_rendering.py` writes them anew, for a reviewer to look at."""
    yield "invoice.json", invoice_json(INVOICE)
    yield from ((f"invoice.{tag}.html", page(INVOICE, tag)) for tag in LANGUAGES)
    for name, document in (("invoice", INVOICE), ("credit_note", NOTE)):
        yield f"{name}.ubl.xml", ubl(document)
        yield f"{name}.cii.xml", cii(document)
    shown = pdf(INVOICE, "de")
    (read,) = pypdf.PdfReader(io.BytesIO(shown)).pages
    text = "\n".join(line.rstrip() for line in read.extract_text(extraction_mode="layout").splitlines())
    yield "invoice.de.pdf.txt", f"SHA-256 {hashlib.sha256(shown).hexdigest()}\n{text}\n".encode()


@pytest.mark.parametrize("name", [name for name, _ in goldens()])
def test_the_goldens(name):
    made = dict(goldens())[name]
    assert made == (GOLDENS / name).read_bytes()


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_the_same_document_is_the_same_bytes_in_another_process(form):
    makes = f"renderers()['{form}'](INVOICE, '')"
    child = f"import sys; {IMPORTS}; sys.stdout.buffer.write({makes})"
    here = Path(__file__).parent.parent
    made = subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, timeout=60, cwd=here)
    assert hashlib.sha256(made.stdout).digest() == hashlib.sha256({"html": page, "pdf": pdf}[form](INVOICE)).digest()


def test_every_text_is_escaped_and_nothing_is_loaded():
    evil = replace(BUYER, name="Acme <script>alert(1)</script>")
    text = page(replace(INVOICE, buyer=evil)).decode()
    assert "Acme &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Tally &amp; Söhne" in text
    assert not [word for word in ("<script", "src=", "href=", "url(", "@import") if word in text]


def test_days_are_those_of_the_documents_zone():
    facts = dict(sheet(INVOICE).facts)
    assert facts["Period"] == "Mar 1, 2026 \N{EN DASH} Mar 31, 2026"
    assert (facts["Issued"], facts["Due"]) == ("Apr 1, 2026", "Apr 15, 2026")


def test_what_is_invoiced_at_once_at_midnight_is_of_the_day_that_begins():
    midnight = at("2026-03-31T22:00")
    lines = tuple(replace(one, period=UsagePeriod(midnight, midnight + 1)) for one in LINES)
    change = replace(INVOICE, kind=InvoiceKind.CHANGE, period=UsagePeriod(midnight - 1, midnight), lines=lines)
    assert dict(sheet(change).facts)["Period"] == "Apr 1, 2026"
    assert semantic(change).days(change.covered) == ("2026-04-01", "2026-04-01")


def test_a_documents_period_is_that_of_its_lines():
    """A year that was paid at once, with its first month's invoice; and a fee of the midnight after March."""
    year = replace(LINES[0], period=UsagePeriod(at("2024-01-30T23:00"), at("2025-01-30T23:00")))
    opening = invoice_of(year, kind=InvoiceKind.OPENING, period=UsagePeriod(year.period.start, at("2024-02-28T23:00")))
    assert dict(sheet(opening).facts)["Period"] == "Jan 31, 2024 \N{EN DASH} Jan 30, 2025"
    for form in (ubl, cii):
        found = re.findall(r"2024-?01-?31|2025-?01-?30|2024-?02-?\d\d", form(opening).decode())
        assert len(found) == 4, found
        assert len({day.replace("-", "") for day in found}) == 2
    midnight = at("2026-03-31T22:00")
    fee = replace(LINES[1], period=UsagePeriod(midnight, midnight + 1))
    assert dict(sheet(invoice_of(LINES[0], fee)).facts)["Period"] == "Mar 1, 2026 \N{EN DASH} Apr 1, 2026"


@pytest.mark.parametrize(
    ("tag", "name", "vat", "gst"),
    [
        ("en", "VAT DE", "VAT", "GST"),
        ("de", "USt. DE", "USt.", "GST"),
        ("fr", "TVA DE", "TVA", "TPS"),
        ("es", "IVA DE", "IVA", "GST"),
        ("ja", "消費税 (VAT) DE", "消費税 (VAT)", "GST"),
    ],
)
def test_a_tax_is_named_in_the_documents_language(tag, name, vat, gst):
    assert sheet(INVOICE, tag).sums[1][0].startswith(f"{name} 19 %")
    for known, told in (("VAT", vat), ("GST", gst), ("Levy", "Levy")):
        taxed = invoice_of(line("Pro", 100, 5, under=LineTax(country="CA", name=known, rate="5")))
        assert sheet(taxed, tag).sums[1][0].startswith(f"{told} CA 5 %")


@pytest.mark.parametrize(
    ("price", "currency", "shown"),
    [
        ("278", "EUR", "278,00"),
        ("0.5", "EUR", "0,50"),
        ("0.0001", "EUR", "0,0001"),
        ("1001", "JPY", "1.001"),
        ("", "EUR", ""),
    ],
)
def test_a_unit_price_has_at_least_its_currencys_decimals(price, currency, shown):
    (row,) = sheet(invoice_of(line("Pro", 27800, 0, unit_amount=price, currency=currency)), "de").rows
    assert row.unit_amount == shown


def test_sums_are_told_in_the_order_in_which_they_are_paid():
    labels = [label for label, _ in sheet(INVOICE).sums]
    assert labels == ["Subtotal", "VAT DE 19 % of 1,413.56", "Total", "From the wallet"]
    assert sheet(INVOICE).due == ("To be paid", "€1,632.14")


def test_a_line_shows_what_it_is_before_each_discount_and_what_they_take():
    """10 at 15.00 are 150.00, less 15.00: the figures of a column come to the subtotal, and each is carried."""
    users = sheet(INVOICE).rows[1]
    assert (users.quantity, users.unit_amount, users.amount, users.running) == ("10", "15.00", "150.00", "199.00")
    (off,) = users.discounts
    assert (off.text, off.amount, off.running) == ("Discount SPRING", "\N{MINUS SIGN}15.00", "184.00")
    assert [sheet(INVOICE, tag).rows[1].discounts[0].text for tag in LANGUAGES[1:]] == [
        *("Rabatt SPRING", "Remise SPRING", "Descuento SPRING", "割引 SPRING")
    ]


def test_a_line_with_two_discounts_shows_both_and_a_credit_what_was_off():
    """200.00 less 20.00 less 9.00 are 171.00; a credit of it gives 100.00 back less 10.00 that were off."""
    both = replace(
        line("Pro", 17100, 0),
        discounts=(
            LineDiscount(redemption_id="granted/1", code="Good friends", exact=Fraction(2000), amount=2000),
            LineDiscount(redemption_id="r", code="SPRING", exact=Fraction(900), amount=900),
        ),
    )
    off = LineDiscount(redemption_id="r", code="SPRING", exact=Fraction(-1000), amount=-1000)
    back = replace(line("Credit: Pro", -9000, 0), discounts=(off,))
    first, second = sheet(invoice_of(both, back)).rows
    assert (first.amount, [(each.text, each.amount, each.running) for each in first.discounts]) == (
        "200.00",
        [
            ("Discount Good friends", "\N{MINUS SIGN}20.00", "180.00"),
            ("Discount SPRING", "\N{MINUS SIGN}9.00", "171.00"),
        ],
    )
    assert (second.amount, second.discounts[0].amount) == ("\N{MINUS SIGN}100.00", "10.00")


def test_every_form_for_people_tells_the_discounts():
    told = "\N{MINUS SIGN}15.00"
    text = page(INVOICE).decode()
    assert "<bdi>Discount SPRING</bdi>" in text
    assert f'<td class="figure">{told}</td>' in text
    (read,) = pypdf.PdfReader(io.BytesIO(pdf(INVOICE))).pages
    assert re.search(rf"Discount SPRING\s+{told}", read.extract_text(extraction_mode="layout"))


def test_a_credit_note_says_where_its_money_went_and_a_void_invoice_that_it_is():
    assert (sheet(NOTE).title, sheet(NOTE).due) == ("Credit note", ("Credited to the wallet", "€38.88"))
    assert sheet(replace(INVOICE, balance=INVOICE.balance.voided())).stamp == "Void"


def test_without_tax_and_parties_there_is_neither_column_nor_seller():
    bare = replace(INVOICE, seller=None, buyer=None, taxes=(), lines=tuple(replace(one, tax=None) for one in LINES))
    assert (sheet(bare).seller, sheet(bare).buyer, sheet(bare).taxed) == ((), ("acme",), False)
    text = page(bare).decode()
    assert '<th class="figure">Tax</th>' not in text
    assert "From</h2>" not in text
    assert pypdf.PdfReader(io.BytesIO(pdf(bare))).attachments == {}  # no e-invoice, but a PDF


@pytest.mark.parametrize(
    ("tag", "vat", "other", "japanese"),
    [
        ("en", "VAT ID", "Tax id", "Tax id"),
        ("de", "USt-IdNr.", "Steuernummer", "Steuernummer"),
        ("fr", "N° TVA", "Identifiant fiscal", "Identifiant fiscal"),
        ("es", "NIF-IVA", "Identificación fiscal", "Identificación fiscal"),
        ("ja", "VAT番号", "税務番号", "登録番号"),
    ],
)
def test_a_tax_id_is_called_what_it_is(tag, vat, other, japanese):
    ids = ("DE136695976", "EL123456783", "29/815/08150", "T1180301018771")
    told = sheet(replace(INVOICE, seller=replace(SELLER, tax_ids=ids)), tag).seller
    assert [text for text in told if any(each in text for each in ids)] == [
        f"{vat} DE136695976",
        f"{vat} EL123456783",
        f"{other} 29/815/08150",
        f"{japanese} T1180301018771",
    ]


def test_how_to_pay_stands_below_what_is_to_be_paid():
    assert sheet(INVOICE).notes == ("Pay into: DE89 3704 0044 0532 0130 00 COBADEFFXXX", "Terms: 14 days net")
    assert sheet(NOTE).notes == ()


@pytest.mark.parametrize(
    ("tag", "title", "due", "issued", "amount"),
    [
        ("en", "Invoice", ("To be paid", "€1,632.14"), "Apr 1, 2026", "1,234.56"),
        ("en-GB", "Invoice", ("To be paid", "€1,632.14"), "1 Apr 2026", "1,234.56"),
        ("de", "Rechnung", ("Zu zahlen", "1.632,14\u00a0€"), "01.04.2026", "1.234,56"),
        ("fr", "Facture", ("À payer", f"1{THIN}632,14\u00a0€"), "1 avr. 2026", f"1{THIN}234,56"),
        ("es", "Factura", ("A pagar", "1.632,14\u00a0€"), "1 abr 2026", "1.234,56"),
        ("ja", "請求書", ("お支払金額", "€1,632.14"), "2026/04/01", "1,234.56"),
    ],
)
def test_a_language_has_its_own_words_days_numbers_and_money(tag, title, due, issued, amount):
    shown = sheet(INVOICE, tag)
    assert (shown.title, shown.due, shown.facts[0][1], shown.rows[2].amount) == (title, due, issued, amount)
    assert f'<html lang="{tag}" dir="ltr">' in page(INVOICE, tag).decode()


def test_a_document_is_in_its_buyers_language_or_in_english():
    assert sheet(replace(INVOICE, buyer=replace(BUYER, locale="fr-CA"))).title == "Facture"
    assert sheet(replace(INVOICE, buyer=replace(BUYER, locale="fr-CA")), "de").title == "Rechnung"
    for unknown in "sv", "xx", "":
        assert sheet(replace(INVOICE, buyer=replace(BUYER, locale=unknown))).title == "Invoice"


def test_every_language_says_everything():
    said = [set(language(tag).words) for tag in LANGUAGES]
    assert all(words == said[0] for words in said)
    assert not [word for tag in LANGUAGES for word in language(tag).words.values() if not word]


@pytest.mark.parametrize(
    ("amount", "currency", "tag", "text"),
    [
        (0, "EUR", "en", "0.00"),
        (5, "EUR", "de", "0,05"),
        (-123456789, "USD", "en", "\N{MINUS SIGN}1,234,567.89"),
        (123456789, "CHF", "de-CH", "1'234'567.89"),
        (1234567800, "INR", "en-IN", "1,23,45,678.00"),
        (1001, "JPY", "ja", "1,001"),
        (1234, "KWD", "en", "1.234"),
        (7, "KWD", "fr", "0,007"),
    ],
)
def test_figures_have_the_decimals_of_their_currency(amount, currency, tag, text):
    assert language(tag).figure(amount, currency) == text


def test_a_quantity_keeps_its_decimals():
    words = language("de")
    assert [words.number(text) for text in ("2469.12", "-10", "-1/3", "0.0001")] == [
        "2.469,12",
        "\N{MINUS SIGN}10",
        "\N{MINUS SIGN}1/3",
        "0,0001",
    ]


def test_nothing_is_loaded_before_it_is_asked_for():
    early = "bool({'jinja2', 'babel', 'typst'} & set(sys.modules))"
    loads = f"import sys; from tallygate.rendering.forms import renderers; renderers(); sys.exit({early})"
    subprocess.run([sys.executable, "-c", loads], check=True, timeout=60)


def test_a_pdf_is_an_archive_with_its_e_invoice_inside():
    made = pdf(INVOICE)
    reader = pypdf.PdfReader(io.BytesIO(made))
    assert reader.attachments == {"factur-x.xml": [cii(INVOICE)]}
    metadata = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in metadata
    assert metadata.count("<pdfaSchema:prefix>fx</pdfaSchema:prefix>") == 1
    (file,) = reader.trailer["/Root"]["/AF"]
    assert file["/AFRelationship"] == "/Alternative"
    assert reader.metadata.creation_date.isoformat() == "2026-03-31T23:00:00+00:00"


def test_a_long_document_repeats_its_head_and_carries_its_sums():
    """75 times 14.13 by four lines: a page begins with what the one before ended with; the last says 1,059.75."""
    many = tuple(line(f"{text} {number}", amount, 0) for number in range(75) for text, amount in FOUR)
    pages = [
        each.extract_text(extraction_mode="layout")
        for each in pypdf.PdfReader(io.BytesIO(pdf(invoice_of(*many)))).pages
    ]
    assert len(pages) > 5
    assert all("Description" in text and "Unit price" in text for text in pages)
    carried = [figure_behind(text, "Carried forward") for text in pages[:-1]]
    assert [figure_behind(text, "Brought forward") for text in pages[1:]] == carried
    shown = 0
    for text, figure in zip(pages, carried, strict=False):
        shown += sum(amount for number in range(75) for name, amount in FOUR if re.search(rf"{name} {number}\s", text))
        assert f"{shown / 100:,.2f}" == figure
    assert "Carried forward" not in pages[-1]
    assert "1,059.75" in pages[-1]
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]


def test_the_sums_of_a_document_of_any_length_have_a_row_beside_them():
    """Each document is one line longer than the one before, over all heights at which its first page may end."""
    for count in range(9, 21):
        many = [line(f"Line {number}.", 900, 171, discount=100) for number in range(count)]
        last = pypdf.PdfReader(io.BytesIO(pdf(invoice_of(*many)))).pages[-1].extract_text(extraction_mode="layout")
        assert f"Line {count - 1}." in last, count
        assert re.search(r"Discount SPRING\s+\N{MINUS SIGN}1.00", last), count
        assert last.index(f"Line {count - 1}.") < last.rindex("Discount SPRING") < last.index("Subtotal")


FOUR = (("plan", 1000), ("users", 500), ("calls", 13), ("credit", -100))


def figure_behind(text, label):
    (found,) = re.findall(rf"{label}\s+([\d.,]+)", text)
    return found


def test_texts_of_other_scripts_and_of_any_length_are_printed_or_refused_by_what_is_missing():
    long = "A text without end " * 12
    shown = pdf(invoice_of(line(f"{long} שלום עולם Ωμέγα Привет", 100, 19)))
    assert "Привет" in pypdf.PdfReader(io.BytesIO(shown)).pages[0].extract_text()
    with pytest.raises(RendererMissingError) as refused:
        pdf(replace(INVOICE, buyer=replace(BUYER, name="株式会社")))
    assert refused.value.metadata["expected"].startswith("a font with U+682A")
    with pytest.raises(RendererMissingError):
        pdf(INVOICE, "ja")


def test_a_text_is_a_text_and_no_markup_of_the_typesetter():
    name = '#eval("1 + 1") $x$ *bold* <label> // comment'
    shown = pdf(replace(INVOICE, seller=replace(SELLER, name=name)))
    assert name in " ".join(pypdf.PdfReader(io.BytesIO(shown)).pages[0].extract_text().split())


def test_without_the_extra_a_pdf_is_refused_by_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(RendererMissingError) as refused:
        pdf(INVOICE)
    assert refused.value.metadata == {"renderer": "pdf", "expected": "the extra: pip install 'tallygate[pdf]'"}


def test_json_is_in_no_language():
    assert json.loads(invoice_json(INVOICE))["number"] == INVOICE.number
    assert invoice_json(INVOICE) == invoice_json(replace(INVOICE, kind=InvoiceKind.PERIOD))


if __name__ == "__main__":
    GOLDENS.mkdir(exist_ok=True)
    for name, content in goldens():
        (GOLDENS / name).write_bytes(content)

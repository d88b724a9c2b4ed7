"""Documents as pages: the same bytes each time, every text escaped. The golden page was looked at in a browser."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.lines import Line, LineKind, LineTax
from tallygate.domain.billing.parties import Address, Party
from tallygate.domain.billing.tax import groups_of
from tallygate.domain.period import UsagePeriod
from tallygate.rendering.html import page
from tallygate.rendering.sheet import figure, sheet

GOLDEN = Path(__file__).parent.parent / "pages" / "invoice.html"


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


MONTH = UsagePeriod(at("2026-02-28T23:00"), at("2026-03-31T22:00"))  # March in Berlin


def line(text, amount, tax, *, quantity="1", unit_amount="", rate="19", period=MONTH):
    return Line(
        line_key=text,
        kind=LineKind.RECURRING,
        text=text,
        due=period.start,
        period=period,
        currency="EUR",
        exact=Fraction(amount),
        amount=amount,
        quantity=Fraction(quantity),
        unit_amount=unit_amount,
        tax=LineTax(country="DE", name="VAT", rate=rate, amount=tax),
    )


LINES = (
    line("Pro <b>plan</b>", 4900, 931, unit_amount="49.00"),
    line("Monthly user fees (10 @ €15.00)", 15000, 2850, quantity="10", unit_amount="15.00"),
    line("API calls", 123456, 23457, quantity="2469.12", unit_amount="0.50"),
    line("Credit: seats", -500, -95, quantity="-1/3"),
)
SELLER = Party(
    name="Tally & Söhne GmbH",
    address=Address(lines=("Hauptstr. 1",), city="Berlin", postal_code="10115", country="DE"),
    email="bills@tally.example",
    tax_ids=("DE123456789",),
)
INVOICE = Invoice(
    invoice_id="inv_1",
    account_id="acme",
    kind=InvoiceKind.PERIOD,
    cause="1/EUR",
    currency="EUR",
    period=MONTH,
    lines=LINES,
    subtotal=142856,
    tax=27143,
    taxes=groups_of(LINES),
    total=169999,
    number="INV-2026-000042",
    issue_time=at("2026-03-31T23:00"),
    due_time=at("2026-04-14T22:00"),
    zone="Europe/Berlin",
    balance=Balance(total=169999, wallet=5000, state=InvoiceState.OPEN),
    seller=SELLER,
    buyer=Party(name="Acme <script>alert(1)</script>", address=Address(city="Wien", country="AT")),
)


def test_the_golden_page():
    assert page(INVOICE).decode() == GOLDEN.read_text(encoding="utf-8")


def test_the_same_document_is_the_same_bytes_in_another_process():
    child = "import sys; from test_rendering import INVOICE, page; sys.stdout.buffer.write(page(INVOICE))"
    here = Path(__file__).parent
    made = subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, timeout=60, cwd=here)
    assert made.stdout == page(INVOICE)


def test_every_text_is_escaped_and_nothing_is_loaded():
    text = page(INVOICE).decode()
    assert "Acme &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Pro &lt;b&gt;plan&lt;/b&gt;" in text
    assert "Tally &amp; Söhne" in text
    assert not [word for word in ("<script", "src=", "href=", "url(", "@import") if word in text]


def test_days_are_those_of_the_documents_zone():
    facts = dict(sheet(INVOICE).facts)
    assert facts["Period"] == "2026-03-01 \N{EN DASH} 2026-03-31"
    assert (facts["Issued"], facts["Due"]) == ("2026-04-01", "2026-04-15")


def test_sums_are_told_in_the_order_in_which_they_are_paid():
    labels = [label for label, _ in sheet(INVOICE).sums]
    assert labels == ["Subtotal", "VAT DE 19 % of 1\u202f428.56", "Total", "From the wallet"]
    assert sheet(INVOICE).due == ("To be paid", "1\u202f649.99 EUR")


def test_a_credit_note_says_where_its_money_went_and_a_void_invoice_that_it_is():
    note = replace(INVOICE, kind=InvoiceKind.CREDIT_NOTE, total=-500, balance=Balance(total=-500, wallet=-500))
    assert (sheet(note).title, sheet(note).due) == ("Credit note", ("Credited to the wallet", "5.00 EUR"))
    assert sheet(replace(INVOICE, balance=INVOICE.balance.voided())).stamp == "Void"


def test_without_tax_and_parties_there_is_neither_column_nor_seller():
    bare = replace(INVOICE, seller=None, buyer=None, taxes=(), lines=tuple(replace(one, tax=None) for one in LINES))
    assert (sheet(bare).seller, sheet(bare).buyer, sheet(bare).taxed) == ((), ("acme",), False)
    text = page(bare).decode()
    assert '<th class="figure">Tax</th>' not in text
    assert "From</h2>" not in text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (-123456789, "USD", "\N{MINUS SIGN}1\u202f234\u202f567.89"),
        (1001, "JPY", "1\u202f001"),
        (1234, "KWD", "1.234"),
        (7, "KWD", "0.007"),
    ],
)
def test_figures_have_the_decimals_of_their_currency(amount, currency, text):
    assert figure(amount, currency) == text


def test_jinja_is_loaded_with_the_first_page():
    loads = "import sys, tallygate.rendering.html; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads], check=True, timeout=60)

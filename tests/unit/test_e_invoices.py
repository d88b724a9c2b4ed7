"""Documents as UBL and CII: valid by their schemas and by CEN's rules of EN 16931. Figures by hand."""

from dataclasses import replace

import pytest
from lxml import etree

from documents import BUYER, EXEMPT, INVOICE, NOTE, OUTSIDE, REVERSED, SELLER, VAT, credit_note, invoice, line
from e_invoices import broken, schema_errors
from tallygate.domain.billing.balances import Balance
from tallygate.domain.billing.discounts import DiscountTerms, DiscountType, Redemption, discounted
from tallygate.domain.billing.parties import Address, Party
from tallygate.domain.document_errors import DocumentIncompleteError
from tallygate.domain.money import Rounding
from tallygate.rendering.cii import cii
from tallygate.rendering.ubl import ubl

SWISS = replace(SELLER, tax_ids=("CHE-107.787.577",), address=Address(city="Bern", country="CH"))
AMERICAN = Party(name="Acme Inc.", address=Address(city="Austin", region="TX", country="US"))
DOCUMENTS = {
    "invoice": INVOICE,
    "credit note": NOTE,
    "reverse charge": invoice(line("Pro plan", 4900, 0, unit_amount="49.00", under=REVERSED)),
    "exempt": invoice(line("Pro plan", 4900, 0, unit_amount="49.00", under=EXEMPT), line("a", 100, 19)),
    "outside": invoice(line("Pro plan", 4900, 0, under=OUTSIDE), buyer=AMERICAN),
    "outside, and VAT given back": invoice(
        line("Pro plan", 4900, 0, under=OUTSIDE), line("Credit", -100, -19), buyer=AMERICAN
    ),
    "no tax at all": invoice(line("Pro plan", 4900, 0, under=None), seller=SWISS),
    "a rate of zero": invoice(line("Pro plan", 4900, 0, under=replace(VAT, rate="0"))),
    "two rates": invoice(line("Pro plan", 1001, 190), line("Book", 1000, 70, under=replace(VAT, rate="7"))),
    "two categories of a rate": invoice(
        line("Pro plan", 1001, 190), line("Bundle", 1000, 190, under=replace(VAT, category="bundle"))
    ),
    "a seller outside of the Union": invoice(line("Pro plan", 1000, 81, under=replace(VAT, rate="8.1")), seller=SWISS),
    "a Greek buyer": invoice(line("a", 1000, 190), buyer=replace(BUYER, tax_ids=("EL094259216",))),
    "yen": invoice(line("Pro plan", 1001, 100, unit_amount="1001", currency="JPY", under=replace(VAT, rate="10"))),
    "paid": replace(INVOICE, balance=Balance(total=INVOICE.total, paid=INVOICE.total)),
    "without terms": replace(INVOICE, seller=replace(SELLER, payment_terms="", iban=""), due_time=0),
    "a void one": replace(INVOICE, balance=INVOICE.balance.voided()),
    "a note of a discounted line": credit_note(line("Credit: users", -1350, -257, quantity="-1", discount=-150)),
}
DOCUMENTS["a note that is paid out"] = credit_note(line("Credit: Pro plan", -4900, -931), owed_back=5831)
SUM_OF_LINES = b'<cbc:LineExtensionAmount currencyID="EUR">1413.57<'


@pytest.mark.parametrize("form", [ubl, cii])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_e_invoice_keeps_every_rule_of_en_16931(form, name):
    xml = form(DOCUMENTS[name])
    assert (schema_errors(xml), broken(xml)) == ([], [])


@pytest.mark.parametrize(
    ("form", "told", "wrong", "rule"),
    [
        (
            ubl,
            b'LineExtensionAmount currencyID="EUR">1413.56<',
            b'LineExtensionAmount currencyID="EUR">1413.57<',
            "BR-CO-10",
        ),
        (ubl, b">268.58<", b">271.58<", "BR-CO-14"),
        (ubl, b"<cbc:ID>S</cbc:ID>", b"<cbc:ID>E</cbc:ID>", "BR-E-10"),
        (cii, b"LineTotalAmount>1413.56<", b"LineTotalAmount>1413.57<", "BR-CO-10"),
        (cii, b">1632.14<", b">1632.15<", "BR-CO-16"),
    ],
)
def test_the_rules_find_what_is_wrong(form, told, wrong, rule):
    xml = form(INVOICE)
    assert told in xml
    assert rule in broken(xml.replace(told, wrong, 1))


def texts(xml, path):
    root = etree.fromstring(xml)
    return [each.text for each in root.iterfind(path, {prefix or "x": uri for prefix, uri in root.nsmap.items()})]


def test_a_credit_note_tells_what_it_gives_back_above_zero():
    xml = ubl(NOTE)
    assert etree.QName(etree.fromstring(xml)).localname == "CreditNote"
    assert texts(xml, "cbc:CreditNoteTypeCode") == ["381"]
    assert texts(xml, "cac:CreditNoteLine/cbc:LineExtensionAmount") == ["49.00", "-16.33"]
    assert texts(xml, "cac:CreditNoteLine/cbc:CreditedQuantity") == ["1", "-1"]
    assert texts(xml, "cac:CreditNoteLine/cac:Price/cbc:PriceAmount") == ["49.00", "16.33"]
    assert texts(xml, "cac:LegalMonetaryTotal/*") == ["32.67", "32.67", "38.88", "38.88", "0.00"]
    assert texts(cii(NOTE), "rsm:ExchangedDocument/ram:TypeCode") == ["381"]


def test_a_credit_note_names_its_invoices_and_what_is_paid_out():
    """Their days are those of Berlin: half past midnight on March 1, and an hour into April."""
    note = credit_note(line("Credit: Pro plan", -4900, -931), owed_back=1000)
    numbers, days = ["INV-2026-000031", "INV-2026-000042"], ["2026-03-01", "2026-04-01"]
    xml = ubl(note)
    assert texts(xml, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == numbers
    assert texts(xml, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:IssueDate") == days
    assert texts(xml, "cac:LegalMonetaryTotal/*") == ["49.00", "49.00", "58.31", "48.31", "10.00"]
    xml = cii(note)
    assert texts(xml, ".//ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == numbers
    assert texts(xml, ".//ram:InvoiceReferencedDocument//qdt:DateTimeString") == ["20260301", "20260401"]
    assert texts(xml, ".//ram:DuePayableAmount") == ["10.00"]


def test_a_line_is_its_quantity_at_its_price_less_its_discount():
    xml = ubl(INVOICE)
    assert texts(xml, "cac:InvoiceLine/cbc:InvoicedQuantity") == ["1", "10", "2469.12", "-1"]
    assert texts(xml, "cac:InvoiceLine/cac:Price/cbc:PriceAmount") == ["49.00", "15.00", "0.50", "5.00"]
    assert texts(xml, "cac:InvoiceLine/cac:AllowanceCharge/cbc:Amount") == ["15.00"]
    assert texts(xml, "cac:InvoiceLine/cbc:LineExtensionAmount") == ["49.00", "135.00", "1234.56", "-5.00"]
    assert texts(xml, "cac:LegalMonetaryTotal/*") == ["1413.56", "1413.56", "1682.14", "50.00", "1632.14"]


def test_a_line_whose_price_is_no_price_of_one_is_one_at_all_of_it():
    xml = ubl(invoice(line("tiers", 1234, 234, quantity="1000", unit_amount="0.01")))
    assert texts(xml, "cac:InvoiceLine/cbc:InvoicedQuantity") == ["1"]
    assert texts(xml, "cac:InvoiceLine/cac:Price/cbc:PriceAmount") == ["12.34"]


def test_who_sells_and_buys_stands_with_all_that_is_known():
    xml = ubl(INVOICE)
    assert texts(xml, ".//cac:PartyTaxScheme/cbc:CompanyID") == ["DE136695976", "ATU12345675"]
    assert texts(xml, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") == ["DE89370400440532013000"]
    assert texts(xml, "cbc:BuyerReference") == ["PO-77"]
    assert texts(xml, ".//cac:AddressLine/cbc:Line") == ["Stiege 3, c/o Ada"]
    assert texts(xml, ".//cac:PartyLegalEntity/cbc:RegistrationName") == ["Tally & Söhne GmbH", "Acme <& Co>"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (replace(INVOICE, seller=None), "seller.address.country"),
        (replace(INVOICE, seller=replace(SELLER, tax_ids=(), registration_id="")), "seller.tax_ids"),
        (replace(INVOICE, buyer=None), "buyer.address.country"),
        (replace(INVOICE, buyer=replace(BUYER, address=Address())), "buyer.address.country"),
        (invoice(line("a", 1000, 0, currency="KWD")), "currency"),
    ],
)
@pytest.mark.parametrize("form", [ubl, cii])
def test_what_an_e_invoice_lacks_is_named(form, document, field):
    with pytest.raises(DocumentIncompleteError) as refused:
        form(document)
    assert refused.value.metadata["field"] == field


@pytest.mark.parametrize("form", [ubl, cii])
def test_what_a_coupon_took_off_is_an_allowance(form):
    """10 at 15.00 less 10 % are 135.00: the price stays 15.00, and the allowance is 15.00."""
    users = replace(line("Users", 15000, 2565, quantity="10", unit_amount="15.00"), subscription_id="sub")
    terms = DiscountTerms(type=DiscountType.PERCENTAGE, value="10")
    coupon = Redemption(
        redemption_id="r", code="TEN", account_id="acme", subscription_id="sub", redeem_time=0, terms=terms
    )
    xml = form(invoice(*discounted([users], [coupon], {}, Rounding.HALF_EVEN)))
    assert (schema_errors(xml), broken(xml)) == ([], [])
    found = etree.fromstring(xml)
    amounts = {etree.QName(each).localname: each.text for each in found.iter("{*}PriceAmount", "{*}ChargeAmount")}
    assert list(amounts.values()) == ["15.00"]
    (allowance,) = [*found.iter("{*}AllowanceCharge", "{*}SpecifiedTradeAllowanceCharge")]
    assert [each.text for each in allowance.iter("{*}Amount", "{*}ActualAmount")] == ["15.00"]

"""A document in UBL 2.1 (OASIS), as EN 16931-3-2 maps its business terms to it."""

from collections.abc import Iterator

from tallygate.domain.billing.documents import Invoice
from tallygate.rendering.semantic import EN16931, Document, Item, TaxBreakdown, TaxCategory, Trader, semantic
from tallygate.rendering.xml_tree import Node, document, node

_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_ROOT = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"
_UNIT = "C62"
"""One of something (UN/ECE recommendation 20): a meter's units have no code."""
_DISCOUNT = "95"


def ubl(invoice: Invoice) -> bytes:
    """An invoice or credit note as UBL.

    Raises:
        DocumentIncompleteError: it lacks what an e-invoice must say.
    """
    own = semantic(invoice)
    name = "CreditNote" if own.is_credit_note else "Invoice"
    return document(node(name, _content(own, name)), {"": _ROOT.format(name), "cac": _CAC, "cbc": _CBC})


def _content(own: Document, name: str) -> Iterator[Node | None]:
    start, end = own.days(own.invoice.covered)
    yield node("cbc:CustomizationID", EN16931)
    yield node("cbc:ID", own.invoice.number)
    yield node("cbc:IssueDate", own.issued)
    if not own.is_credit_note:
        yield node("cbc:DueDate", own.due)
    yield node(f"cbc:{name}TypeCode", own.type_code)
    for note in own.notes:
        yield node("cbc:Note", note)
    yield node("cbc:DocumentCurrencyCode", own.invoice.currency)
    yield node("cbc:BuyerReference", own.buyer.party.reference)
    yield node("cac:InvoicePeriod", [node("cbc:StartDate", start), node("cbc:EndDate", end)])
    for number, day in own.preceding:
        reference = [node("cbc:ID", number), node("cbc:IssueDate", day)]
        yield node("cac:BillingReference", [node("cac:InvoiceDocumentReference", reference)])
    yield node("cac:AccountingSupplierParty", [node("cac:Party", _party(own.seller))])
    yield node("cac:AccountingCustomerParty", [node("cac:Party", _party(own.buyer))])
    country = node("cac:Country", [node("cbc:IdentificationCode", own.buyer.party.address.country)])
    yield node("cac:Delivery", [node("cac:DeliveryLocation", [node("cac:Address", [country])])])
    yield node("cac:PaymentMeans", _means(own))
    yield node("cac:PaymentTerms", [node("cbc:Note", _terms(own))])
    yield node("cac:TaxTotal", [_amount("cbc:TaxAmount", own, own.tax), *(_subtotal(own, each) for each in own.taxes)])
    yield node("cac:LegalMonetaryTotal", _totals(own))
    for item in own.items:
        yield node(f"cac:{name}Line", _line(own, item))


def _terms(own: Document) -> str:
    """How it is to be paid; a note that nothing is due on any day still has to say how (BR-CO-25)."""
    return own.seller.party.payment_terms or ("" if own.due or own.payable <= 0 else "Due on receipt")


def _party(trader: Trader) -> Iterator[Node | None]:
    own, address = trader.party, trader.party.address
    yield node("cbc:EndpointID", own.electronic_address, schemeID=own.electronic_scheme)
    yield node("cac:PartyIdentification", [node("cbc:ID", trader.other_id)])
    street, more, rest = (*address.lines, "", "", "")[:3]
    yield node(
        "cac:PostalAddress",
        [
            node("cbc:StreetName", street),
            node("cbc:AdditionalStreetName", more),
            node("cbc:CityName", address.city),
            node("cbc:PostalZone", address.postal_code),
            node("cbc:CountrySubentity", address.region),
            node("cac:AddressLine", [node("cbc:Line", ", ".join([rest, *address.lines[3:]]) if rest else "")]),
            node("cac:Country", [node("cbc:IdentificationCode", address.country)]),
        ],
    )
    for number, scheme in ((trader.vat_id, "VAT"), (trader.tax_registration, "TAX")):
        if number:
            kind = node("cac:TaxScheme", [node("cbc:ID", scheme)])
            yield node("cac:PartyTaxScheme", [node("cbc:CompanyID", number), kind])
    names = [node("cbc:RegistrationName", own.name), node("cbc:CompanyID", own.registration_id)]
    yield node("cac:PartyLegalEntity", names)
    yield node("cac:Contact", [node("cbc:ElectronicMail", own.email)])


def _means(own: Document) -> Iterator[Node | None]:
    seller = own.seller.party
    if own.means:
        branch = node("cac:FinancialInstitutionBranch", [node("cbc:ID", seller.bic)])
        account = [node("cbc:ID", seller.iban), node("cbc:Name", seller.name), branch]
        yield node("cbc:PaymentMeansCode", own.means)
        yield node("cbc:PaymentID", own.invoice.number)
        yield node("cac:PayeeFinancialAccount", account)


def _subtotal(own: Document, tax: TaxBreakdown) -> Node | None:
    category = _category("cac:TaxCategory", tax.category, reason=tax.reason, code=tax.reason_code)
    return node(
        "cac:TaxSubtotal",
        [_amount("cbc:TaxableAmount", own, tax.base), _amount("cbc:TaxAmount", own, tax.amount), category],
    )


def _category(name: str, category: TaxCategory, *, reason: str = "", code: str = "") -> Node | None:
    return node(
        name,
        [
            node("cbc:ID", category.code),
            node("cbc:Percent", category.rate),
            node("cbc:TaxExemptionReasonCode", code),
            node("cbc:TaxExemptionReason", reason),
            node("cac:TaxScheme", [node("cbc:ID", "VAT")]),
        ],
    )


def _totals(own: Document) -> Iterator[Node | None]:
    yield _amount("cbc:LineExtensionAmount", own, own.subtotal)
    yield _amount("cbc:TaxExclusiveAmount", own, own.subtotal)
    yield _amount("cbc:TaxInclusiveAmount", own, own.total)
    if own.paid:
        yield _amount("cbc:PrepaidAmount", own, own.paid)
    yield _amount("cbc:PayableAmount", own, own.payable)


def _line(own: Document, item: Item) -> Iterator[Node | None]:
    start, end = own.days(item.stretch)
    quantity = "cbc:CreditedQuantity" if own.is_credit_note else "cbc:InvoicedQuantity"
    yield node("cbc:ID", str(item.number))
    yield node(quantity, item.quantity, unitCode=_UNIT)
    yield _amount("cbc:LineExtensionAmount", own, item.amount)
    yield node("cac:InvoicePeriod", [node("cbc:StartDate", start), node("cbc:EndDate", end)])
    if item.allowance:
        yield node(
            "cac:AllowanceCharge",
            [
                node("cbc:ChargeIndicator", "false"),
                node("cbc:AllowanceChargeReasonCode", _DISCOUNT),
                node("cbc:AllowanceChargeReason", "Discount"),
                _amount("cbc:Amount", own, item.allowance),
            ],
        )
    category = _category("cac:ClassifiedTaxCategory", item.category)
    yield node("cac:Item", [node("cbc:Name", item.text), category])
    yield node("cac:Price", [node("cbc:PriceAmount", item.price, currencyID=own.invoice.currency)])


def _amount(name: str, own: Document, amount: int) -> Node | None:
    return node(name, own.amount(amount), currencyID=own.invoice.currency)

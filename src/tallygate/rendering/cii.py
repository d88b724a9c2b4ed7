"""A document in UN/CEFACT CII (D22B), as EN 16931-3-3 maps its business terms to it: the XML inside of Factur-X."""

from collections.abc import Iterator

from tallygate.domain.billing.documents import Invoice
from tallygate.rendering.semantic import EN16931, Document, Item, TaxBreakdown, TaxCategory, Trader, semantic
from tallygate.rendering.xml_tree import Node, document, node

_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_UNIT = "C62"
"""One of something (UN/ECE recommendation 20): a meter's units have no code."""
_DISCOUNT = "95"


def cii(invoice: Invoice) -> bytes:
    """An invoice or credit note as CII.

    Raises:
        DocumentIncompleteError: it lacks what an e-invoice must say.
    """
    own = semantic(invoice)
    content = [
        node("rsm:ExchangedDocumentContext", [_guideline()]),
        node("rsm:ExchangedDocument", _head(own)),
        node("rsm:SupplyChainTradeTransaction", _transaction(own)),
    ]
    return document(node("rsm:CrossIndustryInvoice", content), _NAMESPACES)


def _guideline() -> Node | None:
    return node("ram:GuidelineSpecifiedDocumentContextParameter", [node("ram:ID", EN16931)])


def _head(own: Document) -> Iterator[Node | None]:
    yield node("ram:ID", own.invoice.number)
    yield node("ram:TypeCode", own.type_code)
    yield node("ram:IssueDateTime", [_day(own.issued)])
    for note in own.notes:
        yield node("ram:IncludedNote", [node("ram:Content", note)])


def _transaction(own: Document) -> Iterator[Node | None]:
    for item in own.items:
        yield node("ram:IncludedSupplyChainTradeLineItem", _line(own, item))
    yield node(
        "ram:ApplicableHeaderTradeAgreement",
        [
            node("ram:BuyerReference", own.buyer.party.reference),
            node("ram:SellerTradeParty", _party(own.seller)),
            node("ram:BuyerTradeParty", _party(own.buyer)),
        ],
    )
    yield node("ram:ApplicableHeaderTradeDelivery", [node("ram:ShipToTradeParty", [_country(own)])])
    yield node("ram:ApplicableHeaderTradeSettlement", _settlement(own))


def _country(own: Document) -> Node | None:
    """Where it is used (BT-80): the standard's element for that has to stand, and none may be empty."""
    return node("ram:PostalTradeAddress", [node("ram:CountryID", own.buyer.party.address.country)])


def _party(trader: Trader) -> Iterator[Node | None]:
    own, address = trader.party, trader.party.address
    yield node("ram:ID", trader.other_id)
    yield node("ram:Name", own.name)
    yield node("ram:SpecifiedLegalOrganization", [node("ram:ID", own.registration_id)])
    first, second, third = (*address.lines, "", "", "")[:3]
    yield node(
        "ram:PostalTradeAddress",
        [
            node("ram:PostcodeCode", address.postal_code),
            node("ram:LineOne", first),
            node("ram:LineTwo", second),
            node("ram:LineThree", ", ".join([third, *address.lines[3:]]) if third else ""),
            node("ram:CityName", address.city),
            node("ram:CountryID", address.country),
            node("ram:CountrySubDivisionName", address.region),
        ],
    )
    address_of = node("ram:URIID", own.electronic_address, schemeID=own.electronic_scheme)
    yield node("ram:URIUniversalCommunication", [address_of])
    for number, scheme in ((trader.vat_id, "VA"), (trader.tax_registration, "FC")):
        yield node("ram:SpecifiedTaxRegistration", [node("ram:ID", number, schemeID=scheme)])


def _settlement(own: Document) -> Iterator[Node | None]:
    seller = own.seller.party
    yield node("ram:PaymentReference", own.invoice.number if own.means else "")
    yield node("ram:InvoiceCurrencyCode", own.invoice.currency)
    if own.means:
        account = [node("ram:IBANID", seller.iban), node("ram:AccountName", seller.name)]
        yield node(
            "ram:SpecifiedTradeSettlementPaymentMeans",
            [
                node("ram:TypeCode", own.means),
                node("ram:PayeePartyCreditorFinancialAccount", account),
                node("ram:PayeeSpecifiedCreditorFinancialInstitution", [node("ram:BICID", seller.bic)]),
            ],
        )
    for tax in own.taxes:
        yield _breakdown(own, tax)
    yield _period(own, own.invoice.covered)
    terms = [node("ram:Description", seller.payment_terms), node("ram:DueDateDateTime", [_day(own.due)])]
    yield node("ram:SpecifiedTradePaymentTerms", terms)
    yield node("ram:SpecifiedTradeSettlementHeaderMonetarySummation", _totals(own))
    for number, day in own.preceding:
        issued = node("qdt:DateTimeString", day.replace("-", ""), format="102")
        reference = [node("ram:IssuerAssignedID", number), node("ram:FormattedIssueDateTime", [issued])]
        yield node("ram:InvoiceReferencedDocument", reference)


def _breakdown(own: Document, tax: TaxBreakdown) -> Node | None:
    return node(
        "ram:ApplicableTradeTax",
        [
            node("ram:CalculatedAmount", own.amount(tax.amount)),
            node("ram:TypeCode", "VAT"),
            node("ram:ExemptionReason", tax.reason),
            node("ram:BasisAmount", own.amount(tax.base)),
            node("ram:CategoryCode", tax.category.code),
            node("ram:ExemptionReasonCode", tax.reason_code),
            node("ram:RateApplicablePercent", tax.category.rate),
        ],
    )


def _totals(own: Document) -> Iterator[Node | None]:
    yield node("ram:LineTotalAmount", own.amount(own.subtotal))
    yield node("ram:TaxBasisTotalAmount", own.amount(own.subtotal))
    yield node("ram:TaxTotalAmount", own.amount(own.tax), currencyID=own.invoice.currency)
    yield node("ram:GrandTotalAmount", own.amount(own.total))
    if own.paid:
        yield node("ram:TotalPrepaidAmount", own.amount(own.paid))
    yield node("ram:DuePayableAmount", own.amount(own.payable))


def _line(own: Document, item: Item) -> Iterator[Node | None]:
    yield node("ram:AssociatedDocumentLineDocument", [node("ram:LineID", str(item.number))])
    yield node("ram:SpecifiedTradeProduct", [node("ram:Name", item.text)])
    price = node("ram:NetPriceProductTradePrice", [node("ram:ChargeAmount", item.price)])
    yield node("ram:SpecifiedLineTradeAgreement", [price])
    quantity = node("ram:BilledQuantity", item.quantity, unitCode=_UNIT)
    yield node("ram:SpecifiedLineTradeDelivery", [quantity])
    summation = node("ram:LineTotalAmount", own.amount(item.amount))
    yield node(
        "ram:SpecifiedLineTradeSettlement",
        [
            _line_tax(item.category),
            _period(own, item.stretch),
            _allowance(own, item.allowance) if item.allowance else None,
            node("ram:SpecifiedTradeSettlementLineMonetarySummation", [summation]),
        ],
    )


def _line_tax(category: TaxCategory) -> Node | None:
    kind = [node("ram:TypeCode", "VAT"), node("ram:CategoryCode", category.code)]
    return node("ram:ApplicableTradeTax", [*kind, node("ram:RateApplicablePercent", category.rate)])


def _allowance(own: Document, amount: int) -> Node | None:
    return node(
        "ram:SpecifiedTradeAllowanceCharge",
        [
            node("ram:ChargeIndicator", [node("udt:Indicator", "false")]),
            node("ram:ActualAmount", own.amount(amount)),
            node("ram:ReasonCode", _DISCOUNT),
            node("ram:Reason", "Discount"),
        ],
    )


def _period(own: Document, stretch: tuple[int, int]) -> Node | None:
    start, end = own.days(stretch)
    return node(
        "ram:BillingSpecifiedPeriod", [node("ram:StartDateTime", [_day(start)]), node("ram:EndDateTime", [_day(end)])]
    )


def _day(day: str) -> Node | None:
    return node("udt:DateTimeString", day.replace("-", ""), format="102")

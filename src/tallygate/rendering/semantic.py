"""A document by the semantic model of EN 16931: its business terms, which UBL and CII only spell.

Of a credit note (381) every amount is turned round: it says above zero what it gives back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.lines import Line, LineTax
from tallygate.domain.billing.parties import Party
from tallygate.domain.billing.tax_evidence import Treatment, is_vat_id
from tallygate.domain.currency import decimals_of
from tallygate.domain.document_errors import DocumentIncompleteError
from tallygate.domain.money import exact_text
from tallygate.domain.period import local_date

INVOICE, CREDIT_NOTE = "380", "381"
CREDIT_TRANSFER = "30"
SEPA_TRANSFER = "58"
EN16931 = "urn:cen.eu:en16931:2017"
_MOST_DECIMALS = 2
_ISSUED_AS = {Treatment.REVERSE_CHARGE: "AE", Treatment.EXEMPT: "E", Treatment.OUTSIDE: "O"}
_REASON_CODES = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
_EURO = "EUR"
_ANEW = ": SetBillingProfile, and then VoidInvoice with reissue, as an issued one keeps its parties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A party (BG-4, BG-7). One without a VAT id may have a `tax_registration`, or an `other_id`."""

    party: Party
    vat_id: str = ""
    tax_registration: str = ""
    other_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCategory:
    """Under what something is taxed (BT-118, BT-119, BT-151, BT-152)."""

    code: str
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxBreakdown:
    """What a document's lines come to under one category and rate (BG-23)."""

    category: TaxCategory
    base: int
    amount: int
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line (BG-25): a quantity at a price that is never below zero, less an allowance, makes its amount."""

    number: int
    text: str
    stretch: tuple[int, int]
    quantity: str
    price: str
    allowance: int
    amount: int
    category: TaxCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's business terms; amounts are minor units, days those of its zone.

    `preceding` are numbers and days of the invoices that a credit note gives back of (BG-3).
    """

    invoice: Invoice
    type_code: str
    issued: str
    due: str
    notes: tuple[str, ...]
    preceding: tuple[tuple[str, str], ...]
    seller: Trader
    buyer: Trader
    items: tuple[Item, ...]
    taxes: tuple[TaxBreakdown, ...]
    subtotal: int
    tax: int
    total: int
    paid: int

    @property
    def payable(self) -> int:
        """What is left to pay (BT-115)."""
        return self.total - self.paid

    @property
    def is_credit_note(self) -> bool:
        """Whether it gives back."""
        return self.type_code == CREDIT_NOTE

    @property
    def means(self) -> str:
        """How it is paid (BT-81): by a transfer, where the seller names an account."""
        if not self.seller.party.iban or self.is_credit_note:
            return ""
        return SEPA_TRANSFER if self.invoice.currency == _EURO else CREDIT_TRANSFER

    def amount(self, units: int) -> str:
        """An amount of minor units."""
        decimals = decimals_of(self.invoice.currency)
        return f"{Decimal(units).scaleb(-decimals):.{decimals}f}"

    def days(self, stretch: tuple[int, int]) -> tuple[str, str]:
        """The first and the last day of a stretch, whose end is excluded; of an instant its day."""
        (start, end), zone = stretch, self.invoice.zone or "UTC"
        return local_date(start, zone=zone).isoformat(), local_date(max(start, end - 1), zone=zone).isoformat()


def semantic(invoice: Invoice) -> Document:
    """The business terms of a document.

    Raises:
        DocumentIncompleteError: it lacks what an e-invoice must say.
    """
    _check(invoice)
    note = invoice.kind is InvoiceKind.CREDIT_NOTE
    sign, zone = -1 if note else 1, invoice.zone or "UTC"
    items = tuple(_items(invoice, sign, mixed=_mixed(invoice)))
    taxes = tuple(_taxes(invoice, sign))
    outside = any(each.category.code == "O" for each in taxes)
    balance = invoice.balance
    return Document(
        invoice=invoice,
        type_code=CREDIT_NOTE if note else INVOICE,
        issued=local_date(invoice.issue_time, zone=zone).isoformat(),
        due=local_date(invoice.due_time, zone=zone).isoformat() if invoice.due_time else "",
        notes=tuple(_notes(invoice)),
        preceding=tuple(
            (one.number, local_date(one.issue_time, zone=one.zone or "UTC").isoformat()) for one in invoice.preceding
        ),
        seller=_trader(invoice.seller, outside=outside),
        buyer=_trader(invoice.buyer, outside=outside),
        items=items,
        taxes=taxes,
        subtotal=sign * invoice.subtotal,
        tax=sign * invoice.tax,
        total=sign * invoice.total,
        paid=_settled(invoice) if note else balance.paid + balance.credited + balance.wallet,
    )


def _settled(note: Invoice) -> int:
    """What of a credit note is not to be paid out: it was taken off what is due, or is kept for what comes next."""
    return -note.balance.credited - note.balance.wallet


def _check(invoice: Invoice) -> None:
    seller, buyer = invoice.seller, invoice.buyer
    if decimals_of(invoice.currency) > _MOST_DECIMALS:
        raise DocumentIncompleteError(field="currency", expected="one of at most two decimals")
    if seller is None or not seller.address.country:
        raise DocumentIncompleteError(field="seller.address.country", expected=f"a country{_ANEW}")
    if not seller.tax_ids and not seller.registration_id:
        expected = f"a tax id, or a number in a register{_ANEW}"
        raise DocumentIncompleteError(field="seller.tax_ids", expected=expected)
    if buyer is None or not buyer.address.country:
        raise DocumentIncompleteError(field="buyer.address.country", expected=f"a country{_ANEW}")


def _trader(party: Party | None, *, outside: bool) -> Trader:
    """Who a party is; where nothing is subject to VAT its VAT id must not stand, but tells who it is all the same."""
    if party is None:  # _check has seen to it
        raise DocumentIncompleteError(field="buyer", expected=f"a billing profile{_ANEW}")
    held = sorted(filter(is_vat_id, party.tax_ids), key=lambda tax_id: not tax_id.startswith(party.address.country))
    other = next((tax_id for tax_id in party.tax_ids if tax_id not in held), "")
    if outside:
        return Trader(party=party, other_id=(held or [other])[0])
    return Trader(party=party, vat_id=_compact(held[0]) if held else "", tax_registration="" if held else other)


def _compact(tax_id: str) -> str:
    return "".join(character for character in tax_id if character.isalnum())


def _category(tax: LineTax | None, *, mixed: bool) -> TaxCategory:
    """Nothing else may stand on a document beside what is not subject to VAT: there it counts as exempt."""
    if tax is None or tax.treatment is Treatment.OUTSIDE or (not tax.name and tax.treatment is Treatment.TAXED):
        return TaxCategory(code="E" if mixed else "O", rate="0" if mixed else "")
    if tax.treatment is not Treatment.TAXED:
        return TaxCategory(code=_ISSUED_AS[tax.treatment], rate="0")
    return TaxCategory(code="S" if Fraction(tax.rate) else "Z", rate=tax.rate)


def _mixed(invoice: Invoice) -> bool:
    return len({_category(line.tax, mixed=False).code for line in invoice.lines} | {"O"}) > 1


def _items(invoice: Invoice, sign: int, *, mixed: bool) -> Iterator[Item]:
    for number, line in enumerate(invoice.lines, start=1):
        amount, discount = sign * line.amount, sign * sum(each.amount for each in line.discounts)
        allowance = max(discount, 0) if amount >= 0 else 0
        quantity, price = _priced(line, amount + allowance, decimals_of(invoice.currency), sign)
        yield Item(
            number=number,
            text=line.text,
            stretch=line.stretch,
            quantity=quantity,
            price=price,
            allowance=allowance,
            amount=amount,
            category=_category(line.tax, mixed=mixed),
        )


def _priced(line: Line, gross: int, decimals: int, sign: int) -> tuple[str, str]:
    """Its own quantity and price where they multiply to what it comes to, else one of it at all of that."""
    quantity, text = sign * line.quantity, exact_text(sign * line.quantity)
    priced = "/" not in text and line.unit_amount.replace(".", "", 1).isdecimal()
    if priced and quantity * Fraction(line.unit_amount) * 10**decimals == gross:
        return text, line.unit_amount
    whole = f"{Decimal(abs(gross)).scaleb(-decimals):.{decimals}f}"
    return ("-1" if gross < 0 else "1"), whole


def _taxes(invoice: Invoice, sign: int) -> Iterator[TaxBreakdown]:
    """What the lines come to by category and rate, in the order in which they stand on the document."""
    mixed = _mixed(invoice)
    found: dict[TaxCategory, tuple[int, int, str]] = {}
    for line in invoice.lines:
        category = _category(line.tax, mixed=mixed)
        base, amount, note = found.get(category, (0, 0, ""))
        tax = line.tax.amount if line.tax is not None else 0
        reason = line.tax.note if line.tax is not None else "No tax is charged"
        found[category] = base + sign * line.amount, amount + sign * tax, note or reason
    for category, (base, amount, reason) in found.items():
        untaxed = category.code in {"AE", "E", "O"}
        yield TaxBreakdown(
            category=category,
            base=base,
            amount=amount,
            reason=reason if untaxed else "",
            reason_code=_REASON_CODES.get(category.code, "") if untaxed else "",
        )


def _notes(invoice: Invoice) -> Iterator[str]:
    yield from sorted({group.note for group in invoice.taxes if group.note})
    if invoice.state is InvoiceState.VOID:
        yield "VOID"

"""What stands on the paper of a document: texts, rounded and dated, in the order of reading and a language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.parties import Party
from tallygate.domain.billing.tax import TaxGroup
from tallygate.domain.billing.tax_evidence import is_vat_id
from tallygate.domain.money import decimal_text
from tallygate.domain.period import local_date
from tallygate.rendering.languages import Language, language
from tallygate.rendering.phrases import text_of

_DASH = "\N{EN DASH}"
_JAPANESE = re.compile(r"T\d{13}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """What one discount took off the line above it; `running` is what all comes to up to here."""

    text: str
    amount: str
    running: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a document before its discounts, which stand below it, so that amounts come to the subtotal.

    `running` is what all comes to up to here, for a page that ends behind it.
    """

    text: str
    period: str
    quantity: str
    unit_amount: str
    tax: str
    amount: str
    running: str
    discounts: tuple[Off, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A document as it is read; what is empty is left out. Sums are pairs of a label and an amount, `due` the last."""

    language: Language
    title: str
    number: str
    stamp: str
    facts: tuple[tuple[str, str], ...]
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    currency: str
    taxed: bool
    rows: tuple[Row, ...]
    sums: tuple[tuple[str, str], ...]
    due: tuple[str, str]
    notes: tuple[str, ...]


def sheet(invoice: Invoice, locale: str = "") -> Sheet:
    """The sheet of an issued document, in the language of a locale; empty: its buyer's."""
    words = language(locale or (invoice.buyer.locale if invoice.buyer else "") or "en")
    note, zone = invoice.kind is InvoiceKind.CREDIT_NOTE, invoice.zone or "UTC"
    return Sheet(
        language=words,
        title=words["credit_note" if note else "invoice"],
        number=invoice.number,
        stamp=words["void"] if invoice.state is InvoiceState.VOID else "",
        facts=tuple(_facts(invoice, words, zone)),
        seller=tuple(_party(invoice.seller, words)) if invoice.seller else (),
        buyer=tuple(_party(invoice.buyer, words)) if invoice.buyer else (invoice.account_id,),
        currency=invoice.currency,
        taxed=bool(invoice.taxes),
        rows=tuple(_rows(invoice, words, zone)),
        sums=tuple(_sums(invoice, words)),
        due=_due(invoice, words),
        notes=tuple(_notes(invoice, words)),
    )


def _facts(invoice: Invoice, words: Language, zone: str) -> Iterator[tuple[str, str]]:
    yield words["issued"], _day(invoice.issue_time, words, zone)
    if invoice.due_time:
        yield words["due"], _day(invoice.due_time, words, zone)
    for one in invoice.preceding:
        yield words["credits"], f"{one.number}, {_day(one.issue_time, words, one.zone or 'UTC')}"
    yield words["period"], _days(invoice.covered, words, zone)
    yield words["currency"], invoice.currency
    if invoice.buyer and invoice.buyer.reference:
        yield words["reference"], invoice.buyer.reference


def _rows(invoice: Invoice, words: Language, zone: str) -> Iterator[Row]:
    before = 0
    for line in invoice.lines:
        yield _row(line, before, words, zone)
        before += line.amount


def _row(line: Line, before: int, words: Language, zone: str) -> Row:
    gross = line.amount + sum(each.amount for each in line.discounts)
    left = accumulate(line.discounts, lambda rest, each: rest - each.amount, initial=gross)
    return Row(
        text=text_of(line, words),
        period=_days(line.stretch, words, zone),
        quantity=words.number(decimal_text(line.quantity)),
        unit_amount=words.price(line.unit_amount, line.currency),
        tax=f"{words.number(line.tax.rate)} %" if line.tax is not None else "",
        amount=words.figure(gross, line.currency),
        running=words.figure(before + next(left), line.currency),
        discounts=tuple(
            Off(
                text=words["discount"].format(each.code),
                amount=words.figure(-each.amount, line.currency),
                running=words.figure(before + rest, line.currency),
            )
            for each, rest in zip(line.discounts, left, strict=True)
        ),
    )


def _party(party: Party, words: Language) -> Iterator[str]:
    own = party.address
    place = " ".join(part for part in (own.postal_code, own.city, own.region) if part)
    yield from (line for line in (party.name, *own.lines, place, own.country, party.email) if line)
    yield from (words[_kind_of(tax_id)].format(tax_id) for tax_id in party.tax_ids)
    if party.registration_id:
        yield words["registration"].format(party.registration_id)


def _kind_of(tax_id: str) -> str:
    """What word names it: what is of value added tax is no other number of a tax office; Japan has one of its own."""
    if is_vat_id(tax_id):
        return "vat_id"
    return "issuer_id" if _JAPANESE.fullmatch(tax_id) else "tax_id"


def _sums(invoice: Invoice, words: Language) -> Iterator[tuple[str, str]]:
    yield words["subtotal"], words.figure(invoice.subtotal, invoice.currency)
    for group in invoice.taxes:
        yield _tax(group, words, invoice.currency), words.figure(group.amount, invoice.currency)
    yield words["total"], words.figure(invoice.total, invoice.currency)
    for label, amount in (
        ("paid", invoice.balance.paid if invoice.total > 0 else 0),
        ("credited", invoice.balance.credited if invoice.total > 0 else 0),
        ("from_wallet", invoice.balance.wallet if invoice.total > 0 else 0),
        ("written_off", invoice.balance.written_off),
    ):
        if amount:
            yield words[label], words.figure(-amount, invoice.currency)
    stood = invoice.situation
    if stood is not None and stood.payable != invoice.total:
        yield words["due_before"], words.figure(stood.previous_due, invoice.currency)
        yield words["paid_since"], words.figure(-stood.paid, invoice.currency)
        yield words["credited_since"], words.figure(-stood.credit, invoice.currency)
        yield words["payable"], words.figure(stood.payable, invoice.currency)


def _tax(group: TaxGroup, words: Language, currency: str) -> str:
    place = f"{group.country}-{group.region}" if group.region else group.country
    name = f"{words.tax(group.name)} {place} {words.number(group.rate)} %" if group.name else words["no_tax"]
    return words["tax_of"].format(name, words.figure(group.base, currency))


def _due(invoice: Invoice, words: Language) -> tuple[str, str]:
    if invoice.total < 0:
        kept = invoice.balance.wallet == invoice.total
        return words["to_wallet" if kept else "credited"], words.money(-invoice.total, invoice.currency)
    return words["to_pay"], words.money(invoice.balance.due, invoice.currency)


def _notes(invoice: Invoice, words: Language) -> Iterator[str]:
    """Why there is no tax, and how to pay what is due."""
    yield from sorted({group.note for group in invoice.taxes if group.note})
    seller = invoice.seller
    if seller is None or invoice.total < 0:
        return
    if seller.iban:
        account = " ".join(part for part in (_in_fours(seller.iban), seller.bic) if part)
        yield f"{words['pay_into']}: {account}"
    if seller.payment_terms:
        yield f"{words['terms']}: {seller.payment_terms}"


def _in_fours(iban: str) -> str:
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def _days(stretch: tuple[int, int], words: Language, zone: str) -> str:
    start, end = stretch
    first, last = _day(start, words, zone), _day(max(start, end - 1), words, zone)
    return first if first == last else f"{first} {_DASH} {last}"


def _day(instant: int, words: Language, zone: str) -> str:
    return words.day(local_date(instant, zone=zone))

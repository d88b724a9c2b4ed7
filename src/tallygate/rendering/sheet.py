"""What stands on the paper of a document: texts, rounded and dated, in the order of reading."""

from collections.abc import Iterator
from dataclasses import dataclass

from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.parties import Party
from tallygate.domain.billing.tax import TaxGroup
from tallygate.domain.currency import decimals_of
from tallygate.domain.money import exact_text
from tallygate.domain.period import UsagePeriod, local_date

_THIN = "\N{NARROW NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_DASH = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a document."""

    text: str
    period: str
    quantity: str
    unit_amount: str
    tax: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A document as it is read; what is empty is left out. Sums are pairs of a label and an amount, `due` the last."""

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


def sheet(invoice: Invoice) -> Sheet:
    """The sheet of an issued document."""
    note, zone = invoice.kind is InvoiceKind.CREDIT_NOTE, invoice.zone or "UTC"
    facts = [("Issued", _day(invoice.issue_time, zone)), ("Period", _days(invoice.period, zone))]
    if invoice.due_time:
        facts.insert(1, ("Due", _day(invoice.due_time, zone)))
    return Sheet(
        title="Credit note" if note else "Invoice",
        number=invoice.number,
        stamp="Void" if invoice.state is InvoiceState.VOID else "",
        facts=(*facts, ("Currency", invoice.currency)),
        seller=tuple(_party(invoice.seller)) if invoice.seller else (),
        buyer=tuple(_party(invoice.buyer)) if invoice.buyer else (invoice.account_id,),
        currency=invoice.currency,
        taxed=bool(invoice.taxes),
        rows=tuple(_row(line, zone) for line in invoice.lines),
        sums=tuple(_sums(invoice)),
        due=_due(invoice),
        notes=tuple(sorted({group.note for group in invoice.taxes if group.note})),
    )


def figure(amount: int, currency: str) -> str:
    """An amount of minor units with all decimals of its currency, its thousands apart: 1 234.50, 1 001 of JPY."""
    decimals = decimals_of(currency)
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    whole = f"{int(digits[: len(digits) - decimals]):,}".replace(",", _THIN)
    text = f"{whole}.{digits[-decimals:]}" if decimals else whole
    return f"{_MINUS}{text}" if amount < 0 else text


def _row(line: Line, zone: str) -> Row:
    rate = f"{line.tax.rate} %" if line.tax is not None else ""
    return Row(
        text=line.text,
        period=_days(line.period, zone),
        quantity=exact_text(line.quantity).replace("-", _MINUS),
        unit_amount=line.unit_amount,
        tax=rate,
        amount=figure(line.amount, line.currency),
    )


def _party(party: Party) -> Iterator[str]:
    own = party.address
    place = " ".join(part for part in (own.postal_code, own.city, own.region) if part)
    yield from (line for line in (party.name, *own.lines, place, own.country, party.email) if line)
    yield from (f"Tax id {tax_id}" for tax_id in party.tax_ids)


def _sums(invoice: Invoice) -> Iterator[tuple[str, str]]:
    yield "Subtotal", figure(invoice.subtotal, invoice.currency)
    for group in invoice.taxes:
        yield _tax(group, invoice.currency), figure(group.amount, invoice.currency)
    yield "Total", figure(invoice.total, invoice.currency)
    for label, amount in (
        ("Paid", invoice.balance.paid if invoice.total > 0 else 0),
        ("Credited", invoice.balance.credited if invoice.total > 0 else 0),
        ("From the wallet", invoice.balance.wallet if invoice.total > 0 else 0),
        ("Written off", invoice.balance.written_off),
    ):
        if amount:
            yield label, figure(-amount, invoice.currency)
    stood = invoice.situation
    if stood is not None and stood.payable != invoice.total:
        yield "Due before", figure(stood.previous_due, invoice.currency)
        yield "Paid since", figure(-stood.paid, invoice.currency)
        yield "Credited since", figure(-stood.credit, invoice.currency)
        yield "Payable at issue", figure(stood.payable, invoice.currency)


def _tax(group: TaxGroup, currency: str) -> str:
    place = f"{group.country}-{group.region}" if group.region else group.country
    name = f"{group.name} {place} {group.rate} %" if group.name else "No tax"
    return f"{name} of {figure(group.base, currency)}"


def _due(invoice: Invoice) -> tuple[str, str]:
    if invoice.total < 0:
        kept = invoice.balance.wallet == invoice.total
        return (
            "Credited to the wallet" if kept else "Credited",
            f"{figure(-invoice.total, invoice.currency)} {invoice.currency}",
        )
    return "To be paid", f"{figure(invoice.balance.due, invoice.currency)} {invoice.currency}"


def _days(period: UsagePeriod, zone: str) -> str:
    first, last = _day(period.start, zone), _day(period.end - 1, zone)
    return first if first == last else f"{first} {_DASH} {last}"


def _day(instant: int, zone: str) -> str:
    return local_date(instant, zone=zone).isoformat()

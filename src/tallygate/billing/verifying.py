"""A document once more, whole, from what was known when it was made: what was issued must come out byte for byte.

Nothing that it says itself is believed: its lines, sums and period are derived from the history of what was held, from
the log of events up to where it was read then, and from the documents before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tallygate.billing.crediting import note_document
from tallygate.billing.due_lines import change_documents, made_at
from tallygate.billing.invoices import get_invoice
from tallygate.billing.order_invoices import order_documents
from tallygate.billing.past import Past, past_of
from tallygate.billing.reissuing import again
from tallygate.domain.billing.canonical import canonical
from tallygate.domain.billing.crediting import credit_line, left_of
from tallygate.domain.billing.documents import Basis, Invoice
from tallygate.domain.billing.orders import Sold
from tallygate.domain.billing.parties import parties_hash
from tallygate.domain.billing.reissues import first_key
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What comes out otherwise: the place of a line from 1 on (0: of no line, or of the document itself), and both.

    Lines are told as canonical JSON; nothing `issued` is a line that is missing, nothing `derived` one too many.
    """

    number: int
    line_key: str = ""
    issued: str = ""
    derived: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of making a document once more."""

    invoice: Invoice
    differences: tuple[Difference, ...]


async def verify_invoice(work: BillingWork, name: str, *, now: int) -> Verified:
    """Make a document again and compare all that it says.

    Raises:
        InvoiceNotFoundError: there is no such document.
    """
    invoice = await get_invoice(work, name)
    torn = await work.issued_lines.torn(invoice.invoice_id)
    if invoice.basis is None:
        unknown = "made before it was kept what documents are made of: not to be made again"
        return Verified(invoice=invoice, differences=(Difference(number=0, issued=unknown),))
    derived = await _made_again(work, invoice, invoice.basis, now=now)
    differences = (*_document(invoice, derived), *_parties(invoice), *_lines(invoice, derived), *_beside(invoice, torn))
    return Verified(invoice=invoice, differences=differences)


async def _made_again(work: BillingWork, invoice: Invoice, basis: Basis, *, now: int) -> Invoice | None:
    """The document of the same currency that the same cut or change makes; None where it makes none."""
    past = await past_of(work, invoice, basis, now=now)
    if past is None:
        return None
    if basis.reissues:
        void = await work.invoices.get(basis.reissues)
        return None if void is None else again(void, past.books, tenant_id=work.tenant_id)
    if basis.credits:
        return await _credited_again(work, past, invoice, basis.credits)
    if basis.order:
        sold = Sold(order_id=basis.order, subscription_ids=frozenset(basis.subscriptions))
        made = await order_documents(past.sources, past.books, sold, basis.until)
    elif basis.at_once:
        made = await change_documents(past.sources, past.books, basis.until, begun=basis.subscriptions)
    else:
        made = list(await made_at(past.sources, past.books, basis.until))
    return next((each for each in made if each.currency == invoice.currency), None)


async def _credited_again(work: BillingWork, past: Past, note: Invoice, credits_id: str) -> Invoice | None:
    """A note that somebody asked for: of which lines, and how much of each, nothing else can tell."""
    invoice = await work.invoices.get(credits_id)
    if invoice is None:
        return None
    keys = {first_key(line.line_key): line for line in invoice.lines}
    wanted = [line for line in note.lines if line.source_line in keys]
    credited = await past.sources.issued_lines.credited({line.source_line for line in wanted})
    lines = [
        replace(
            credit_line(keys[one.source_line], -one.amount, line_key=one.line_key, reason="", time=one.due),
            text=one.text,
        )
        for one in wanted
        if one.amount < 0 and -one.amount <= left_of(credited[one.source_line])
    ]
    if not lines:
        return None
    again = note_document(work.tenant_id, invoice, lines, credited)
    return replace(again, balance=replace(again.balance, total=again.total))


def _document(invoice: Invoice, again: Invoice | None) -> Iterator[Difference]:
    issued, derived = _told(invoice), "" if again is None else _told(again)
    if issued != derived:
        yield Difference(number=0, issued=issued, derived=derived)


def _told(invoice: Invoice) -> str:
    return (
        f"{invoice.kind.value} {invoice.invoice_id} of {invoice.account_id} in {invoice.currency}, "
        f"made by {invoice.cause}, for {invoice.period.start} to {invoice.period.end}: "
        f"subtotal {invoice.subtotal}, tax {invoice.tax}{_taxes(invoice)}, total {invoice.total}, "
        f"to be paid {invoice.balance.total}"
    )


def _taxes(invoice: Invoice) -> str:
    told = [f"{tax.name} {tax.country}{tax.region} {tax.rate}% of {tax.base}: {tax.amount}" for tax in invoice.taxes]
    return f" ({', '.join(told)})" if told else ""


def _parties(invoice: Invoice) -> Iterator[Difference]:
    if parties_hash(invoice.seller, invoice.buyer) != invoice.parties_hash:
        yield Difference(number=0, issued=f"seller and buyer are not those of hash {invoice.parties_hash or 'none'}")


def _lines(invoice: Invoice, again: Invoice | None) -> Iterator[Difference]:
    derived = {line.line_key: canonical(line) for line in again.lines} if again is not None else {}
    for number, line in enumerate(invoice.lines, start=1):
        issued, other = canonical(line), derived.pop(line.line_key, "")
        if issued != other:
            yield Difference(number=number, line_key=line.line_key, issued=issued, derived=other)
    for line_key, missing in derived.items():
        yield Difference(number=0, line_key=line_key, derived=missing)


def _beside(invoice: Invoice, torn: dict[int, str]) -> Iterator[Difference]:
    keys = {number: line.line_key for number, line in enumerate(invoice.lines, start=1)}
    for number, said in torn.items():
        yield Difference(number=number, line_key=keys.get(number, ""), issued=f"kept beside the line: {said}")

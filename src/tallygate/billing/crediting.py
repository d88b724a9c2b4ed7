"""Credit notes that somebody asks for: of lines, in part or whole, never more than is left of them.

A note first takes off what is due of its invoice; what was paid already is kept for the account, or goes back as it
came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallygate.billing.bookkeeping import post_note
from tallygate.billing.books import read_books
from tallygate.billing.closing import basis_of
from tallygate.billing.dunning_runs import review
from tallygate.billing.finalising import issue_note
from tallygate.billing.invoices import get_invoice
from tallygate.billing.wallets import pay_from_wallet, put_into_wallet
from tallygate.domain.billing.amounts import line_range
from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.crediting import credit_line, is_by_hand, key_of, left_of
from tallygate.domain.billing.documents import Invoice, InvoiceKind, documents
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.messages import priced
from tallygate.domain.billing.reissues import first_key
from tallygate.domain.billing.tax import Credited
from tallygate.domain.billing.wallet import WalletEntryKind
from tallygate.domain.errors import BillingNotStartedError, ConflictError, InvalidFieldError, InvoiceFinalError
from tallygate.domain.fields import checked_id
from tallygate.domain.payment_errors import CreditExceedsLineError, ReviewOverError
from tallygate.records.ports import BillingWork, NewId

_LONGEST_REASON = 200
_MOST_LINES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCredit:
    """What to give back of a line, by its place from 1 on, in minor units without tax; None: all that is left of it."""

    number: int
    amount: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCreditNote:
    """A note to issue; without `lines` it gives back whatever is left of the invoice."""

    invoice: str
    lines: tuple[LineCredit, ...] = ()
    credit_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A note that was issued, and the invoice as it stands after it."""

    note: Invoice
    invoice: Invoice


async def create_credit_note(work: BillingWork, wanted: CreateCreditNote, *, now: int, new_id: NewId) -> CreditNote:
    """Give back lines of an invoice; the same note again answers what there is.

    Raises:
        InvoiceNotFoundError: there is no such invoice.
        InvoiceFinalError: it is void, or a credit note itself.
        InvalidFieldError: it has no such line, or the amount is not above 0.
        CreditExceedsLineError: less is left of a line, or of what was paid.
        ConflictError: another note has this id.
    """
    invoice = await get_invoice(work, wanted.invoice)
    credit_id = checked_credit(wanted, new_id)
    known = await known_credit(work, invoice, wanted, credit_id)
    if known is not None:
        return CreditNote(note=known, invoice=invoice)
    note = await made_note(work, invoice, wanted, credit_id, now=now)
    off = min(-note.total, invoice.balance.due)
    kept = -note.total - off
    if kept > invoice.balance.returnable:
        available = priced(off + invoice.balance.returnable, invoice.currency)
        raise CreditExceedsLineError(invoice_id=invoice.invoice_id, available=available)
    issued = await issue_credit(work, invoice, note, Settled(off=off, kept=kept), now=now)
    await review(work, invoice.account_id, now=now)
    return issued


async def dispute_line(work: BillingWork, wanted: CreateCreditNote, *, now: int, new_id: NewId) -> CreditNote:
    """Give back what is left of a line that its buyer does not agree with, while its invoice is not due yet.

    Raises:
        ReviewOverError: the invoice is due, or paid.
        and whatever `create_credit_note` raises.
    """
    invoice = await get_invoice(work, wanted.invoice)
    repeated = wanted.credit_id and await known_credit(work, invoice, wanted, wanted.credit_id)
    if not repeated and (invoice.state is not InvoiceState.OPEN or now >= invoice.balance.due_time):
        raise ReviewOverError(invoice_id=invoice.invoice_id, state=invoice.state.value)
    return await create_credit_note(work, wanted, now=now, new_id=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Where the sum of a note goes, in minor units: off what is due, kept for the account, or owed back to it."""

    off: int = 0
    kept: int = 0
    owed_back: int = 0


async def made_note(
    work: BillingWork, invoice: Invoice, wanted: CreateCreditNote, credit_id: str, *, now: int
) -> Invoice:
    """The note that is asked for, without its number.

    Raises:
        InvoiceFinalError: the invoice is void, or a credit note itself.
        InvalidFieldError: it has no such line, or the amount is not above 0.
        CreditExceedsLineError: less is left of a line.
    """
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.state is InvoiceState.VOID:
        raise InvoiceFinalError(invoice_id=invoice.invoice_id, kind=invoice.kind.value, state=invoice.state.value)
    credited = await work.issued_lines.credited({first_key(line.line_key) for line in invoice.lines})
    amounts = dict(_amounts(invoice, wanted.lines, credited))
    if not amounts:
        raise CreditExceedsLineError(invoice_id=invoice.invoice_id, available=priced(0, invoice.currency))
    lines = [
        credit_line(
            invoice.lines[number - 1], amount, line_key=key_of(credit_id, place), reason=wanted.reason, time=now
        )
        for place, (number, amount) in enumerate(amounts.items(), start=1)
    ]
    return note_document(work.tenant_id, invoice, lines, credited)


def note_document(tenant_id: str, invoice: Invoice, lines: Sequence[Line], credited: Mapping[str, Credited]) -> Invoice:
    """The document of lines that credit those of an invoice."""
    (note,) = documents(
        lines,
        tenant_id=tenant_id,
        account_id=invoice.account_id,
        kind=InvoiceKind.CREDIT_NOTE,
        period=invoice.period,
        cause=lines[0].line_key,
        credited=credited,
    )
    return note


async def issue_credit(work: BillingWork, invoice: Invoice, note: Invoice, settled: Settled, *, now: int) -> CreditNote:
    """Issue a note, post it, and let what it gives take effect.

    Raises:
        BillingNotStartedError: the tenant does not bill any more.
    """
    books = await read_books(work, invoice.account_id, now=now)
    if books is None:
        raise BillingNotStartedError
    basis = replace(await basis_of(work, books, until=now, at_once=True), credits=invoice.invoice_id)
    balance = Balance(
        total=note.total,
        credited=-settled.off,
        wallet=-settled.kept,
        paid=-settled.owed_back,
        state=InvoiceState.PAID,
    )
    final = await issue_note(work, replace(note, basis=basis, balance=balance), books.issue_terms(now), now=now)
    sources = {first_key(line.line_key): line.line_key for line in invoice.lines}
    await post_note(work, final, sources, off=settled.off, kept=settled.kept, owed_back=settled.owed_back)
    after = replace(invoice, balance=invoice.balance.credit(settled.off).gave_back(settled.kept + settled.owed_back))
    await work.balances.put(invoice.invoice_id, after.balance)
    if settled.kept:
        await put_into_wallet(work, final, settled.kept, WalletEntryKind.CREDIT_NOTE, now=final.issue_time)
        await pay_from_wallet(work, final, now=final.issue_time)
    return CreditNote(note=final, invoice=after)


async def credits_by_hand(work: BillingWork, invoice: Invoice) -> list[Invoice]:
    """The notes that somebody had issued of an invoice and that count, oldest first."""
    credited = await work.issued_lines.credited({first_key(line.line_key) for line in invoice.lines})
    keys = [one.line_key for source in credited.values() for one in source.credits if is_by_hand(one.line_key)]
    places = [await work.issued_lines.place(key) for key in keys]
    ids = {place[0] for place in places if place is not None}
    notes = [await get_invoice(work, note_id) for note_id in sorted(ids)]
    mine = [note for note in notes if note.basis is not None and note.basis.credits == invoice.invoice_id]
    return sorted(mine, key=lambda note: note.issue_order)


def _amounts(
    invoice: Invoice, wanted: Sequence[LineCredit], credited: Mapping[str, Credited]
) -> Sequence[tuple[int, int]]:
    """What is given back by the place of a line."""
    left = {
        number: left_of(source) if line.amount > 0 and (source := credited.get(first_key(line.line_key))) else 0
        for number, line in enumerate(invoice.lines, start=1)
    }
    if not wanted:
        return [(number, amount) for number, amount in left.items() if amount > 0]
    found: list[tuple[int, int]] = []
    for one in wanted:
        if one.number not in left:
            raise InvalidFieldError(field="line", expected=line_range(len(left)), got=one.number)
        if one.number in dict(found):
            raise InvalidFieldError(field="line", expected="each line once", got=one.number)
        amount = left[one.number] if one.amount is None else one.amount
        if one.amount is not None and one.amount <= 0:
            raise InvalidFieldError(field="amount", expected="more than 0", got=priced(one.amount, invoice.currency))
        if not 0 < amount <= left[one.number]:
            available = priced(max(left[one.number], 0), invoice.currency)
            raise CreditExceedsLineError(line=one.number, available=available)
        found.append((one.number, amount))
    return found


def checked_credit(wanted: CreateCreditNote, new_id: NewId) -> str:
    """The id of a note to be issued.

    Raises:
        InvalidFieldError: what is asked for is too long.
    """
    if len(wanted.reason) > _LONGEST_REASON or not wanted.reason.isprintable():
        raise InvalidFieldError(field="reason", expected=f"up to {_LONGEST_REASON} printable characters")
    if len(wanted.lines) > _MOST_LINES:
        raise InvalidFieldError(field="lines", expected=f"at most {_MOST_LINES}", got=len(wanted.lines))
    return checked_id("credit_id", wanted.credit_id or f"credit_{new_id()}")


async def known_credit(work: BillingWork, invoice: Invoice, wanted: CreateCreditNote, credit_id: str) -> Invoice | None:
    """The note of this id, if there is one; it must be of the same lines and amounts.

    Raises:
        ConflictError: it is not.
    """
    place = await work.issued_lines.place(key_of(credit_id, 1))
    if place is None:
        return None
    note = await get_invoice(work, place[0])
    keys = {first_key(line.line_key): number for number, line in enumerate(invoice.lines, start=1)}
    given = {keys.get(line.source_line, 0): -line.amount for line in note.lines}
    same = not wanted.lines or (
        [one.number for one in wanted.lines] == list(given)
        and all(one.amount in {None, given[one.number]} for one in wanted.lines)
    )
    if note.basis is None or note.basis.credits != invoice.invoice_id or not same:
        raise ConflictError(credit_id=credit_id)
    return note

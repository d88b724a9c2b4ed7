"""How an account stood when a document was issued: what was due before, and what came since. Read from the ledger.

The ledger never changes, so neither does this, whatever is paid or credited later.
"""

from dataclasses import replace

from tallygate.domain.billing.documents import Invoice, InvoiceKind, Preceding, Situation
from tallygate.domain.billing.posting import RECEIVABLE
from tallygate.domain.billing.reissues import first_key
from tallygate.records.billing import InvoiceQuery
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork

_LOOKED_AT = 100
"""Documents and payments at a time."""


async def with_situation(work: BillingWork, invoice: Invoice) -> Invoice:
    """A document with how its account stood, a credit note with the invoices that it gives back of.

    One that was never posted is left as it is.
    """
    if not invoice.issue_time:
        return invoice
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return replace(invoice, preceding=await _preceding(work, invoice))
    before = await _before(work, invoice)
    previous_due = await _due(work, invoice, at=before) if before else 0
    paid = await _paid(work, invoice, since=before)
    payable = await _due(work, invoice, at=invoice.issue_time)
    credit = previous_due - paid + invoice.total - payable
    situation = Situation(previous_due=previous_due, paid=paid, credit=credit, payable=payable)
    return replace(invoice, situation=situation)


async def _preceding(work: BillingWork, note: Invoice) -> tuple[Preceding, ...]:
    """The invoices whose lines a note credits, oldest first; of one that was issued anew the one that stands."""
    ids = {note.basis.credits} if note.basis is not None and note.basis.credits else set()
    keys = {first_key(line.source_line) for line in note.lines if line.source_line and not ids}
    for credited in (await work.issued_lines.credited(keys)).values():
        standing = (credited.reissues or (credited.line,))[-1]
        place = await work.issued_lines.place(standing.line_key)
        ids |= {place[0]} if place is not None else set()
    found = [invoice for each in sorted(ids) if (invoice := await work.invoices.get(each)) is not None]
    ordered = sorted(found, key=lambda each: each.issue_order)
    return tuple(
        Preceding(invoice_id=one.invoice_id, number=one.number, issue_time=one.issue_time, zone=one.zone)
        for one in ordered
    )


async def _before(work: BillingWork, invoice: Invoice) -> int:
    """When the invoice before was issued; 0 where there was none."""
    query = InvoiceQuery(limit=_LOOKED_AT, account_id=invoice.account_id, before=(invoice.issue_time, ""))
    while found := await work.invoices.list(query):
        for one in found:
            if one.currency == invoice.currency and one.kind is not InvoiceKind.CREDIT_NOTE:
                return one.issue_time
        query = replace(query, before=(found[-1].issue_time, found[-1].invoice_id))
    return 0


async def _due(work: BillingWork, invoice: Invoice, *, at: int) -> int:
    stands = await work.ledger.balances(at=at, account_id=invoice.account_id)
    own = [one for one in stands if (one.ledger_account, one.currency) == (RECEIVABLE, invoice.currency)]
    return sum(one.net for one in own)


async def _paid(work: BillingWork, invoice: Invoice, *, since: int) -> int:
    """What came after the invoice before, up to this one."""
    query = MoneyQuery(limit=_LOOKED_AT, account_id=invoice.account_id, before=(invoice.issue_time + 1, ""))
    paid = 0
    while found := await work.payments.payments(query):
        inside = [one for one in found if one.create_time > since]
        paid += sum(one.amount for one in inside if one.currency == invoice.currency)
        if len(inside) < len(found):
            break
        query = replace(query, before=(found[-1].create_time, found[-1].payment_id))
    return paid

"""Giving up what an invoice did not bring: nobody pays it any more, and the books say so. It stays as it was issued."""

from dataclasses import replace

from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.posting import CANCELED, WRITEOFF, written_off_entry
from tallygate.domain.payment_errors import NothingDueError, PaymentInFlightError
from tallygate.records.ledger import TransferQuery
from tallygate.records.ports import BillingWork

_A_FEW = 10


async def write_off_invoice(work: BillingWork, invoice_id: str, *, canceled: bool, now: int) -> Invoice:
    """Give up what is due of an invoice: as uncollectible, or as cancelled. The same again changes nothing.

    Raises:
        InvoiceNotFoundError: there is none.
        NothingDueError: nothing of it is due, as where it was given up the other way.
        PaymentInFlightError: an attempt may still take money for it.
    """
    invoice = await get_invoice(work, invoice_id)
    if invoice.state is InvoiceState.UNCOLLECTIBLE:
        await _check_same(work, invoice, canceled=canceled)
        return invoice
    if invoice.state is not InvoiceState.OPEN or not invoice.balance.due:
        raise NothingDueError(invoice_id=invoice.invoice_id, state=invoice.state.value)
    for attempt in await work.payments.unresolved(invoice.account_id):
        if any(share.invoice_id == invoice.invoice_id for share in attempt.shares):
            raise PaymentInFlightError(attempt_id=attempt.attempt_id)
    given_up = replace(invoice, balance=invoice.balance.given_up())
    await work.balances.put(invoice.invoice_id, given_up.balance)
    await work.ledger.post([written_off_entry(invoice, canceled=canceled, time=now)])
    await review(work, invoice.account_id, now=now)
    return given_up


async def _check_same(work: BillingWork, invoice: Invoice, *, canceled: bool) -> None:
    """What was given up one way is not given up the other: the ledger says which it was."""
    other = WRITEOFF if canceled else CANCELED
    query = TransferQuery(limit=_A_FEW, document_id=invoice.invoice_id, ledger_account=other)
    entry_id = written_off_entry(invoice, canceled=canceled, time=0).entry_id
    if any(transfer.entry_id == entry_id for transfer in await work.ledger.list(query)):
        given_up = "written off" if canceled else "cancelled"
        raise NothingDueError(invoice_id=invoice.invoice_id, state=invoice.state.value, given_up=given_up)

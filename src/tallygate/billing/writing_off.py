"""Giving up what an invoice did not bring: nobody pays it any more, and the books say so. It stays as it was issued."""

from dataclasses import replace

from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.posting import written_off_entry
from tallygate.domain.payment_errors import NothingDueError, PaymentInFlightError
from tallygate.records.ports import BillingWork


async def write_off_invoice(work: BillingWork, invoice_id: str, *, canceled: bool, now: int) -> Invoice:
    """Give up what is due of an invoice: as uncollectible, or because the balance is cancelled. Again: no change.

    Raises:
        InvoiceNotFoundError: there is none.
        NothingDueError: nothing of it is due.
        PaymentInFlightError: an attempt may still take money for it.
    """
    invoice = await get_invoice(work, invoice_id)
    if invoice.state is InvoiceState.UNCOLLECTIBLE:
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

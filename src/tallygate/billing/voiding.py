"""Making an invoice void while nothing of it was paid: it is forgiven, and never deleted."""

from dataclasses import replace

from tallygate.billing.bookkeeping import reverse_document
from tallygate.billing.crediting import credits_by_hand
from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.billing.wallets import pay_from_wallet, put_into_wallet
from tallygate.domain.billing.balances import InvoiceState
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.wallet import WalletEntryKind
from tallygate.domain.errors import InvoiceFinalError
from tallygate.domain.payment_errors import PaymentInFlightError
from tallygate.records.ports import BillingWork


async def void_invoice(work: BillingWork, invoice_id: str, *, now: int) -> Invoice:
    """Forgive an open invoice; what the wallet gave for it goes back, and pays others. Again, it changes nothing.

    Notes that took something off it count no more.

    Raises:
        InvoiceNotFoundError: there is none.
        InvoiceFinalError: it was paid, in part or whole, or is a credit note.
        PaymentInFlightError: an attempt may still take money for it.
    """
    invoice = await get_invoice(work, invoice_id)
    if invoice.state is InvoiceState.VOID:
        return invoice
    if invoice.state is not InvoiceState.OPEN or invoice.balance.paid or invoice.balance.returned:
        raise InvoiceFinalError(invoice_id=invoice.invoice_id, state=invoice.state.value)
    for attempt in await work.payments.unresolved(invoice.account_id):
        if any(share.invoice_id == invoice.invoice_id for share in attempt.shares):
            raise PaymentInFlightError(attempt_id=attempt.attempt_id)
    void = replace(invoice, balance=invoice.balance.voided())
    await work.balances.put(invoice.invoice_id, void.balance)
    await reverse_document(work, invoice, now=now)
    for note in await credits_by_hand(work, invoice):  # what they took off is forgiven with the rest
        await work.balances.put(note.invoice_id, replace(note.balance, state=InvoiceState.VOID))
        await reverse_document(work, note, now=now)
    if invoice.balance.wallet:
        await put_into_wallet(work, invoice, invoice.balance.wallet, WalletEntryKind.RETURNED, now=now)
        await pay_from_wallet(work, invoice, now=now)
    await review(work, invoice.account_id, now=now)
    return void

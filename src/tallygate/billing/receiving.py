"""Money that came: whose it becomes, what is posted of it, and what is paid by it."""

from collections.abc import Sequence
from dataclasses import replace

from tallygate.domain.billing.payments import Payment, allocated
from tallygate.domain.billing.posting import payment_entry
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.records.ports import BillingWork


async def receive(work: BillingWork, payment: Payment, *, first: Sequence[str] = ()) -> Payment:
    """Take money in, once: for the invoices that it was meant for, then the oldest others, then for the wallet."""
    owed = {one.invoice_id: one for one in await work.payments.owed(payment.account_id)}
    same = tuple(one for one in owed.values() if one.currency == payment.currency)
    taken = replace(payment, shares=allocated(payment.amount, same, first=tuple(first)))
    await work.payments.add(taken)
    await work.ledger.post(payment_entry(taken))
    for share in taken.shares:
        if share.invoice_id:
            balance = owed[share.invoice_id].balance.received(share.amount)
            await work.balances.put(share.invoice_id, balance)
        else:
            await work.wallet.add(_kept(taken, share.amount))
    return taken


def _kept(payment: Payment, amount: int) -> WalletEntry:
    kind = WalletEntryKind.OVERPAID
    return WalletEntry(
        entry_id=f"{kind.value}/{payment.payment_id}",
        account_id=payment.account_id,
        create_time=payment.create_time,
        currency=payment.currency,
        amount=amount,
        kind=kind,
        invoice_id="",
    )

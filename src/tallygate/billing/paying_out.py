"""What an end of a subscription credits, paid back instead of kept: of each invoice as much as was paid for it."""

from dataclasses import dataclass, replace

from tallygate.billing.attempts import Moment
from tallygate.billing.change_invoices import invoice_change
from tallygate.billing.crediting import CreditNote
from tallygate.billing.dunning_runs import review
from tallygate.billing.invoices import get_invoice
from tallygate.billing.refunds import begin_part, check_funds, sources_of
from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.posting import paid_out_entry
from tallygate.domain.billing.refunds import Refund, RefundKind, Source, parted
from tallygate.domain.billing.wallet import WalletEntry, WalletEntryKind
from tallygate.records.ports import BillingWork


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    """The documents of an end, and the parts in which what was paid goes back."""

    invoices: tuple[Invoice, ...]
    parts: tuple[Refund, ...]


async def pay_out_end(work: BillingWork, account_id: str, moment: Moment) -> PaidOut:
    """Issue what an account's end credits, and begin to give it back as it came.

    What the wallet had paid, and what open invoices take, stays in the wallet.

    Raises:
        BillingNotStartedError: the tenant does not bill.
        FundsShortError: the gateways hold less than is to be given back.
    """
    issued = await invoice_change(work, account_id, now=moment.now)
    parts = [part for note in issued if note.total < 0 for part in await _pay_out(work, note, moment)]
    if parts:
        await review(work, account_id, now=moment.now)
    return PaidOut(invoices=tuple([await get_invoice(work, one.invoice_id) for one in issued]), parts=tuple(parts))


async def _pay_out(work: BillingWork, note: Invoice, moment: Moment) -> list[Refund]:
    left = min(-note.total, (await work.wallet.sums(note.account_id)).get(note.currency, 0))
    found: list[tuple[Invoice, Source, int]] = []
    for invoice_id, credited in sorted((await _credited(work, note)).items()):
        invoice = await get_invoice(work, invoice_id)
        sources = await sources_of(work, invoice)
        most = min(credited, left, invoice.balance.returnable, sum(source.left for source in sources))
        back = [one for one in parted(most, sources) if one[0].kind is not RefundKind.WALLET]
        left -= sum(amount for _, amount in back)
        found += [(invoice, source, amount) for source, amount in back]
    await check_funds(work, [(source, amount) for _, source, amount in found], note.currency, now=moment.now)
    total = sum(amount for _, _, amount in found)
    if not total:
        return []
    balance = replace(note.balance, wallet=note.balance.wallet + total, paid=note.balance.paid - total)
    await work.balances.put(note.invoice_id, balance)
    entry = _out_of_wallet(note, total, now=moment.now)
    await work.wallet.add(entry)
    await work.ledger.post([paid_out_entry(entry)])
    credit_id, begun = f"end/{note.invoice_id}", []
    for number, (invoice, source, amount) in enumerate(found, start=1):
        known = await get_invoice(work, invoice.invoice_id)
        await work.balances.put(invoice.invoice_id, known.balance.gave_back(amount))
        issued = CreditNote(note=note, invoice=invoice)
        begun.append(await begin_part(work, issued, source, amount, f"{credit_id}/{number}", credit_id, moment))
    return begun


async def _credited(work: BillingWork, note: Invoice) -> dict[str, int]:
    """What a note gives back of each invoice, with its tax, by the invoice's id."""
    found: dict[str, int] = {}
    for line in note.lines:
        place = await work.issued_lines.place(line.source_line) if line.source_line and line.amount < 0 else None
        if place is not None and place[0] != note.invoice_id:
            gross = -line.amount - (line.tax.amount if line.tax is not None else 0)
            found[place[0]] = found.get(place[0], 0) + gross
    return found


def _out_of_wallet(note: Invoice, amount: int, *, now: int) -> WalletEntry:
    kind = WalletEntryKind.REFUNDED
    return WalletEntry(
        entry_id=f"{kind.value}/{note.invoice_id}",
        account_id=note.account_id,
        create_time=now,
        currency=note.currency,
        amount=-amount,
        kind=kind,
        invoice_id=note.invoice_id,
    )

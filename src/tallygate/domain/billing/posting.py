"""What is posted of documents: transfers from a credit to a debit account, so that books balance by construction.

Accounts are `OWNER:Name`; an `account:` is the one that the transfer names, the seller is the tenant.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tallygate.domain.billing.documents import Invoice
from tallygate.domain.billing.payments import Payment, PaymentKind
from tallygate.domain.billing.recognition import Part
from tallygate.domain.billing.refunds import Refund, RefundKind
from tallygate.domain.billing.wallet import WalletEntry

RECEIVABLE = "account:Receivable"
"""What an account has to pay: the due of its open invoices."""
LIABILITY = "account:Liability"
"""What is kept for an account: its wallet."""
BACKLOG = "seller:Backlog"
"""Charged, and not yet income."""
INCOME = "seller:Income"
REFUND = "seller:Refund"
"""Income that was given back."""
PAYABLE = "authority:Payable"
"""Tax that is owed to an authority."""
FUNDS = "gateway:Funds"
"""What gateways took, and have not paid out."""
OFFLINE = "seller:Offline"
"""What came past every gateway: transfers, cheques, cash."""
EXPENSES = "seller:Expenses"
"""What the seller gave."""
REFUNDED = "account:Refunded"
"""What is owed back to an account: below zero while a refund is on its way."""
WRITEOFF = "seller:Writeoff"
"""What nobody will pay."""
CHARGEBACK = "seller:Chargeback"
"""What banks took back, and is disputed."""
CANCELED = "seller:Canceled"
"""What nobody has to pay any more."""

RECOGNITION = "recognition/"
"""How entries begin of what has become income."""

Move = tuple[str, str, int]
"""Debit account, credit account, amount; an amount below zero moves the other way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An amount > 0 of minor units that moves from the account `credit` to the account `debit`.

    Of `entry_id`, what happened in the business, and `line` there is one. `time` is when it takes effect, `document_id`
    the invoice or credit note behind it.
    """

    entry_id: str
    line: int
    time: int
    account_id: str
    debit: str
    credit: str
    currency: str
    amount: int
    document_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What moved into and out of one ledger account in one currency, in minor units."""

    ledger_account: str
    currency: str
    debits: int
    credits: int

    @property
    def net(self) -> int:
        """Debits less credits: over all ledger accounts of a currency it sums to zero."""
        return self.debits - self.credits


def invoice_entry(invoice: Invoice, parts: Iterable[Part]) -> tuple[Transfer, ...]:
    """The entry of an issued document: its lines and tax, and those parts that are income as it is issued.

    What comes to less than nothing is owed to the account: it is kept for it, not taken off what it has to pay.
    """
    counter = counter_of(invoice)
    moves = [(counter, BACKLOG, line.amount) for line in invoice.lines]
    moves.append((counter, PAYABLE, invoice.tax))
    moves += [(BACKLOG, INCOME, part.amount) for part in parts if part.time <= invoice.issue_time]
    return _entry(entry_of(invoice.invoice_id), moves, invoice, time=invoice.issue_time)


def credit_entry(
    note: Invoice, recognised: Sequence[int], *, off: int, kept: int, owed_back: int
) -> tuple[Transfer, ...]:
    """The entry of a note that credits lines: of each, `recognised` >= 0 was income already, the rest never will be.

    Of its sum a part is `off` what is due, one `kept` for the account, and one `owed_back` to it.
    """
    given: list[tuple[str, int]] = []
    for line, income in zip(note.lines, recognised, strict=True):
        given += [(BACKLOG, -line.amount - income), (REFUND, income)]
    given.append((PAYABLE, -note.tax))
    moves = tuple(_matched(given, [(RECEIVABLE, off), (LIABILITY, kept), (REFUNDED, owed_back)]))
    return _entry(entry_of(note.invoice_id), moves, note, time=note.issue_time)


def recognition_entry(part: Part, *, account_id: str, document_id: str) -> Transfer:
    """A part of a line that becomes income when its time has come."""
    debit, credit, amount = _forward((BACKLOG, INCOME, part.amount))
    return Transfer(
        entry_id=f"{RECOGNITION}{part.line_key}/{part.number}",
        line=1,
        time=part.time,
        account_id=account_id,
        debit=debit,
        credit=credit,
        currency=part.currency,
        amount=amount,
        document_id=document_id,
    )


def spent_entry(entry: WalletEntry) -> Transfer:
    """What a wallet pays of an invoice; `entry.amount` is below zero."""
    return Transfer(
        entry_id=f"wallet/{entry.entry_id}",
        line=1,
        time=entry.create_time,
        account_id=entry.account_id,
        debit=LIABILITY,
        credit=RECEIVABLE,
        currency=entry.currency,
        amount=-entry.amount,
        document_id=entry.invoice_id,
    )


def given_entry(entry: WalletEntry) -> Transfer:
    """What the seller gave into a wallet."""
    return Transfer(
        entry_id=f"wallet/{entry.entry_id}",
        line=1,
        time=entry.create_time,
        account_id=entry.account_id,
        debit=EXPENSES,
        credit=LIABILITY,
        currency=entry.currency,
        amount=entry.amount,
    )


def expired_entry(entry: WalletEntry) -> Transfer:
    """What was given and not spent in time; `entry.amount` is below zero."""
    return replace(given_entry(replace(entry, amount=-entry.amount)), debit=LIABILITY, credit=EXPENSES)


def written_off_entry(invoice: Invoice, *, canceled: bool, time: int) -> Transfer:
    """What was due of an invoice, and is not any more."""
    return Transfer(
        entry_id=f"written_off/{invoice.invoice_id}",
        line=1,
        time=time,
        account_id=invoice.account_id,
        debit=CANCELED if canceled else WRITEOFF,
        credit=RECEIVABLE,
        currency=invoice.currency,
        amount=invoice.balance.due,
        document_id=invoice.invoice_id,
    )


def payment_entry(payment: Payment) -> tuple[Transfer, ...]:
    """Money that came: what invoices took of it is to be paid no more, the rest is kept for the account."""
    held = OFFLINE if payment.kind is PaymentKind.OFFLINE else FUNDS
    return tuple(
        Transfer(
            entry_id=f"payment/{payment.payment_id}",
            line=number,
            time=payment.create_time,
            account_id=payment.account_id,
            debit=held,
            credit=RECEIVABLE if share.invoice_id else LIABILITY,
            currency=payment.currency,
            amount=share.amount,
            document_id=share.invoice_id,
        )
        for number, share in enumerate(payment.shares, start=1)
    )


def refund_entry(refund: Refund, *, time: int) -> Transfer:
    """What was owed back, and is paid."""
    return Transfer(
        entry_id=f"refund/{refund.refund_id}",
        line=1,
        time=time,
        account_id=refund.account_id,
        debit=REFUNDED,
        credit=OFFLINE if refund.kind is RefundKind.OFFLINE else FUNDS,
        currency=refund.currency,
        amount=refund.amount,
        document_id=refund.note_id,
    )


def paid_out_entry(entry: WalletEntry) -> Transfer:
    """What was kept for an account is owed back to it; `entry.amount` is below zero."""
    return replace(spent_entry(entry), credit=REFUNDED)


def refund_failed_entry(refund: Refund, *, paid_out: bool, time: int) -> Transfer:
    """What was owed back and did not arrive is kept for the account; `paid_out`: it seemed to have arrived."""
    failed = replace(refund_entry(refund, time=time), entry_id=f"refund/{refund.refund_id}/failed", credit=LIABILITY)
    return replace(failed, debit=FUNDS) if paid_out else failed


def is_money(transfer: Transfer) -> bool:
    """Whether money came or went by it, which stays true whatever becomes of the document that it was for."""
    return bool({transfer.debit, transfer.credit} & {FUNDS, OFFLINE, CHARGEBACK})


def reversed_entry(transfers: Iterable[Transfer], entry_id: str, *, time: int) -> tuple[Transfer, ...]:
    """Transfers taken back at an instant, each by the opposite one."""
    return tuple(
        replace(one, entry_id=entry_id, line=number, time=time, debit=one.credit, credit=one.debit)
        for number, one in enumerate(transfers, start=1)
    )


def counter_of(document: Invoice) -> str:
    """On which account of the buyer a document stands."""
    return LIABILITY if document.total < 0 else RECEIVABLE


def entry_of(document_id: str) -> str:
    """The entry of an issued document."""
    return f"document/{document_id}"


def _entry(entry_id: str, moves: Sequence[Move], document: Invoice, *, time: int) -> tuple[Transfer, ...]:
    return tuple(
        Transfer(
            entry_id=entry_id,
            line=number,
            time=time,
            account_id=document.account_id,
            debit=debit,
            credit=credit,
            currency=document.currency,
            amount=amount,
            document_id=document.invoice_id,
        )
        for number, (debit, credit, amount) in enumerate(map(_forward, filter(_moves, moves)), start=1)
    )


def _matched(debits: Sequence[tuple[str, int]], counters: Sequence[tuple[str, int]]) -> Iterator[Move]:
    """Amounts of the one side against those of the other, which sum to the same, in order."""
    left = [amount for _, amount in counters]
    for debit, amount in debits:
        rest = amount
        for place, (counter, _) in enumerate(counters):
            part = min(rest, left[place])
            left[place] -= part
            rest -= part
            yield debit, counter, part


def _moves(move: Move) -> bool:
    return move[2] != 0


def _forward(move: Move) -> Move:
    debit, credit, amount = move
    return (debit, credit, amount) if amount > 0 else (credit, debit, -amount)

"""What disputes move in the ledger."""

from collections.abc import Sequence

from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.posting import CHARGEBACK, EXPENSES, FUNDS, LIABILITY, RECEIVABLE, WRITEOFF, Transfer


def dispute_entry(dispute: Dispute, *, time: int) -> tuple[Transfer, ...]:
    """What a gateway no longer has since a dispute was opened: the money that is disputed, and its fee."""
    moves = [(CHARGEBACK, FUNDS, dispute.amount, ""), (EXPENSES, FUNDS, dispute.fee, "")]
    return _of_dispute(dispute, "", moves, time=time)


def won_entry(dispute: Dispute, *, time: int) -> tuple[Transfer, ...]:
    """What a gateway has again as a dispute was won; the fee is gone."""
    return _of_dispute(dispute, "/won", [(FUNDS, CHARGEBACK, dispute.amount, "")], time=time)


def lost_entry(dispute: Dispute, *, time: int) -> tuple[Transfer, ...]:
    """Who is to pay again what a dispute took; what nobody is asked for is lost."""
    moves = [
        (RECEIVABLE if share.invoice_id else LIABILITY, CHARGEBACK, share.amount, share.invoice_id)
        for share in dispute.shares
    ]
    moves.append((WRITEOFF, CHARGEBACK, dispute.amount - sum(share.amount for share in dispute.shares), ""))
    return _of_dispute(dispute, "/lost", moves, time=time)


def _of_dispute(
    dispute: Dispute, step: str, moves: Sequence[tuple[str, str, int, str]], *, time: int
) -> tuple[Transfer, ...]:
    """The entry of a step of a dispute; each move also names the document behind it."""
    return tuple(
        Transfer(
            entry_id=f"dispute/{dispute.gateway}/{dispute.dispute_id}{step}",
            line=number,
            time=time,
            account_id=dispute.account_id,
            debit=debit,
            credit=credit,
            currency=dispute.currency,
            amount=amount,
            document_id=document_id,
        )
        for number, (debit, credit, amount, document_id) in enumerate((one for one in moves if one[2]), start=1)
    )

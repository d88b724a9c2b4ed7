"""Disputes: a payer has a bank take a charge back. What became of it, and whose loss it is. No clock, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallygate.domain.billing.gateway_events import DisputeState
from tallygate.domain.billing.payments import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute of a payment, in minor units, under its gateway's own id. `fee` is what the gateway keeps for it.

    `shares` is what was taken back once it was lost: by invoice, which is to be paid again; of an empty one from the
    wallet. What is missing to `amount` nobody will pay. `payment_id` and `account_id` never change.
    """

    dispute_id: str
    gateway: str
    payment_id: str
    account_id: str
    currency: str
    amount: int
    fee: int
    state: DisputeState
    reason: str = ""
    shares: tuple[Share, ...] = ()
    create_time: int
    end_time: int | None = None


def taken_back(amount: int, shares: Iterable[Share], gone: Iterable[Share], *, wallet: int) -> tuple[Share, ...]:
    """Who is to pay an amount again: the invoices that a payment's shares are of, then a wallet, as far as it goes.

    What is `gone` of them already is not taken twice.
    """
    before: dict[str, int] = {}
    for share in gone:
        before[share.invoice_id] = before.get(share.invoice_id, 0) + share.amount
    found: list[Share] = []
    for share in sorted(shares, key=lambda one: not one.invoice_id):
        most = share.amount - before.get(share.invoice_id, 0)
        part = min(amount, max(most if share.invoice_id else min(most, wallet), 0))
        if part:
            found.append(Share(invoice_id=share.invoice_id, amount=part))
            amount -= part
    return tuple(found)

"""Referrals: who brought an account, and what that is worth once it has paid. No clock, no I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A credit of minor units for who referred an account, once the referee's first invoice (`invoice_id`) is paid.

    `credited` is what of that invoice was credited by then: whatever is given back of it later takes the credit back.
    """

    referee_id: str
    referrer_id: str
    currency: str
    amount: int
    create_time: int
    invoice_id: str = ""
    credited: int = 0
    earn_time: int | None = None
    return_time: int | None = None

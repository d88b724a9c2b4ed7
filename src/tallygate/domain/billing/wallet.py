"""The money of an account that no invoice has taken yet: entries that are only ever added. No clock, no I/O."""

from dataclasses import dataclass
from enum import StrEnum


class WalletEntryKind(StrEnum):
    """What moved money in or out of a wallet."""

    CREDIT_NOTE = "credit_note"
    SPENT = "spent"
    RETURNED = "returned"
    OVERPAID = "overpaid"
    GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletEntry:
    """One movement, in minor units: above zero into the wallet, below zero out of it.

    `invoice_id` is the document that it comes from or pays, empty where there is none. The same cause has the same
    `entry_id`, which exists once.
    """

    entry_id: str
    account_id: str
    create_time: int
    currency: str
    amount: int
    kind: WalletEntryKind
    invoice_id: str

"""The money of an account that no invoice has taken yet: entries that are only ever added. No clock, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_NEVER = 2**62


class WalletEntryKind(StrEnum):
    """What moved money in or out of a wallet."""

    CREDIT_NOTE = "credit_note"
    SPENT = "spent"
    RETURNED = "returned"
    OVERPAID = "overpaid"
    GIVEN = "given"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    REFUND_FAILED = "refund_failed"
    REFUNDED = "refunded"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletEntry:
    """One movement, in minor units: above zero into the wallet, below zero out of it.

    `invoice_id` is the document that it comes from or pays, empty where there is none. The same cause has the same
    `entry_id`, which exists once. What came in and is not spent by `expire_time` is taken out again; what has a lower
    `priority` is spent first.
    """

    entry_id: str
    account_id: str
    create_time: int
    currency: str
    amount: int
    kind: WalletEntryKind
    invoice_id: str
    expire_time: int | None = None
    priority: int = 0

    @property
    def spent_order(self) -> tuple[int, int, bool, int, str]:
        """Where it stands among what came in: total, so that whoever asks is told the same."""
        paid = self.kind is not WalletEntryKind.GIVEN
        return self.priority, self.expire_time or _NEVER, paid, self.create_time, self.entry_id


EXPIRED = "expired/"
"""How the id of an entry begins that takes out what another one put in, whose id is behind it."""


def left_of(entries: Iterable[WalletEntry], entry_id: str) -> int:
    """What is left of an entry that put money in, by all movements of its wallet in its currency.

    Money is spent by priority, then in the order in which it expires, what was given before what was paid, and then in
    that in which it came.
    """
    left: dict[str, int] = {}
    order: dict[str, tuple[int, int, bool, int, str]] = {}
    for entry in sorted(entries, key=lambda one: (one.create_time, one.amount < 0, one.entry_id)):
        if entry.amount > 0:
            left[entry.entry_id] = entry.amount
            order[entry.entry_id] = entry.spent_order
            continue
        if entry.kind in {WalletEntryKind.EXPIRED, WalletEntryKind.TAKEN_BACK}:
            left[entry.entry_id.removeprefix(EXPIRED)] += entry.amount
            continue
        spent = -entry.amount
        for one in sorted(left, key=order.__getitem__):
            part = min(spent, left[one])
            left[one] -= part
            spent -= part
    return left.get(entry_id, 0)

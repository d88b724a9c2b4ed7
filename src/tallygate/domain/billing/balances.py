"""What is left to pay of a document, and where it stands: all of it that changes after its issue. No clock, no I/O."""

from dataclasses import dataclass, replace
from enum import StrEnum


class InvoiceState(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A document's balance in minor units: its total, less what paid it, is due.

    A credit note's total is below zero, and moved into the wallet at once, so that nothing of it is due. `returned` is
    what of money that had come was given back by notes.
    """

    total: int = 0
    paid: int = 0
    credited: int = 0
    wallet: int = 0
    written_off: int = 0
    returned: int = 0
    state: InvoiceState = InvoiceState.DRAFT
    due_time: int = 0

    @property
    def due(self) -> int:
        """What is to be paid now."""
        if self.state is InvoiceState.VOID:
            return 0
        return self.total - self.paid - self.credited - self.wallet - self.written_off

    @property
    def returnable(self) -> int:
        """What of it came and was not given back."""
        return max(self.paid + self.wallet - self.returned, 0)

    def issued(self, *, due_time: int) -> "Balance":
        """As it stands when it is issued: open, or paid where nothing is due."""
        if self.total < 0:
            return replace(self, wallet=self.total, state=InvoiceState.PAID)
        return replace(self, due_time=due_time, state=InvoiceState.OPEN if self.total else InvoiceState.PAID)

    def spent(self, amount: int) -> "Balance":
        """The same with money from the wallet."""
        left = self.due - amount
        return replace(self, wallet=self.wallet + amount, state=self.state if left else InvoiceState.PAID)

    def received(self, amount: int) -> "Balance":
        """The same with money that came."""
        left = self.due - amount
        return replace(self, paid=self.paid + amount, state=self.state if left else InvoiceState.PAID)

    def credit(self, amount: int) -> "Balance":
        """The same with a credit note, which takes an amount off what is due."""
        paid = self.state is InvoiceState.OPEN and amount == self.due
        return replace(self, credited=self.credited + amount, state=InvoiceState.PAID if paid else self.state)

    def gave_back(self, amount: int) -> "Balance":
        """The same after money that had come was given back."""
        return replace(self, returned=self.returned + amount)

    def reopened(self, amount: int) -> "Balance":
        """The same without money that had come, and is gone again."""
        return replace(self, paid=self.paid - amount, state=InvoiceState.OPEN)

    def given_up(self) -> "Balance":
        """The same without hope: what is due is written off."""
        return replace(self, written_off=self.written_off + self.due, state=InvoiceState.UNCOLLECTIBLE)

    def voided(self) -> "Balance":
        """Made void: nothing is due any more, and what the wallet gave goes back."""
        return replace(self, wallet=0, state=InvoiceState.VOID)

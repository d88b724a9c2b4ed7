"""Bills: what a provider asks an account to pay for what is its own. No clock, no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.period import UsagePeriod


class BillState(StrEnum):
    """Where a bill stands: it is submitted, until an invoice charges it or its provider cancels it."""

    SUBMITTED = "submitted"
    INVOICED = "invoiced"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """So many units at an exact price in minor units each; the fee of the same id charges it.

    What is only passed on for a `third_party` is shared with nobody. It may say from when on and until when it is for:
    an invoice shows that where both are there.
    """

    bill_id: str
    provider: str
    account_id: str
    text: str
    currency: str
    price: int
    units: Fraction = Fraction(1)
    third_party: bool = False
    period_start: int | None = None
    period_end: int | None = None
    create_time: int = 0
    cancel_time: int | None = None
    invoiced: bool = False

    @property
    def state(self) -> BillState:
        """Where it stands."""
        if self.cancel_time is not None:
            return BillState.CANCELLED
        return BillState.INVOICED if self.invoiced else BillState.SUBMITTED

    @property
    def period(self) -> UsagePeriod | None:
        """What an invoice says that it is for."""
        if self.period_start is None or self.period_end is None:
            return None
        return UsagePeriod(self.period_start, self.period_end)

    @property
    def exact(self) -> Fraction:
        """What it comes to, in minor units, before rounding."""
        return self.price * self.units

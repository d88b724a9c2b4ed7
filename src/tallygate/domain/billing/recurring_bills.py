"""Bills that come again: what a provider asks an account to pay every so often. No clock, no I/O."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.billing.bills import Bill
from tallygate.domain.period import PeriodUnit, add_calendar

_HALF_A_MONTH = 15


class BillPeriod(StrEnum):
    """How often a bill comes; of half a month the second half begins 15 days behind the first."""

    DAY = "day"
    WEEK = "week"
    SEMI_MONTH = "semi_month"
    MONTH = "month"
    YEAR = "year"


MOST_OFTEN = {
    BillPeriod.DAY: 365,
    BillPeriod.WEEK: 52,
    BillPeriod.SEMI_MONTH: 1,
    BillPeriod.MONTH: 12,
    BillPeriod.YEAR: 1,
}
"""So many periods lie between two bills at most: a year, and half a month is not multiplied."""


class RecurringState(StrEnum):
    """Where it stands: it has not begun, it goes on, all its bills were submitted, or its provider cancelled it."""

    SUBMITTED = "submitted"
    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringBill:
    """A bill every `frequency` periods from `start_time` on, `cycles` times or for ever (None); `made` were submitted.

    Prices are in minor units. `initial` is due at once; 0: nothing is. Periods are of the tenant's zone as it was then.
    """

    recurring_bill_id: str
    provider: str
    account_id: str
    text: str
    currency: str
    price: int
    period: BillPeriod = BillPeriod.MONTH
    frequency: int = 1
    cycles: int | None = None
    start_time: int = 0
    initial: int = 0
    zone: str = "UTC"
    made: int = 0
    create_time: int = 0
    cancel_time: int | None = None

    @property
    def state(self) -> RecurringState:
        """Where it stands."""
        if self.cancel_time is not None:
            return RecurringState.CANCELLED
        if self.cycles is not None and self.made >= self.cycles:
            return RecurringState.EXPIRED
        return RecurringState.ACTIVE if self.made else RecurringState.SUBMITTED

    @property
    def ended(self) -> bool:
        """Whether no bill comes any more."""
        return self.state in {RecurringState.EXPIRED, RecurringState.CANCELLED}

    def due(self, number: int) -> int:
        """When its bill of a number, from 0 on, is due: from the start, never from the one before."""
        count = number * self.frequency
        if self.period is BillPeriod.SEMI_MONTH:
            whole = add_calendar(self.start_time, PeriodUnit.MONTH, count // 2, zone=self.zone)
            return add_calendar(whole, PeriodUnit.DAY, count % 2 * _HALF_A_MONTH, zone=self.zone)
        return add_calendar(self.start_time, PeriodUnit(self.period.value), count, zone=self.zone)

    def bill(self) -> Bill:
        """The next one to submit."""
        return Bill(
            bill_id=f"{self.recurring_bill_id}/{self.made + 1}",
            provider=self.provider,
            account_id=self.account_id,
            text=self.text,
            currency=self.currency,
            price=self.price,
            period_start=self.due(self.made),
            period_end=self.due(self.made + 1),
        )

    def first(self) -> Bill:
        """The one that is due at once."""
        return Bill(
            bill_id=f"{self.recurring_bill_id}/initial",
            provider=self.provider,
            account_id=self.account_id,
            text=f"Initial: {self.text}",
            currency=self.currency,
            price=self.initial,
            units=Fraction(1),
        )

"""A line of an invoice: what is charged or credited, for when, by which price, and how the amount came about."""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.billing.steps import Step
from tallygate.domain.billing.tax_evidence import Treatment
from tallygate.domain.period import UsagePeriod


class LineKind(StrEnum):
    """What a line is of."""

    RECURRING = "recurring"
    USAGE = "usage"
    SETUP = "setup"
    COMMITMENT = "commitment"
    FEE = "fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageInputs:
    """The events behind a line of usage: those of a feature and window up to a sequence, by the terms that they carry.

    `billed` is what earlier lines of the same service period came to, exactly, in minor units.
    """

    feature_key: str
    plan: str
    start: int
    end: int
    through_sequence: int = 0
    billed: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTax:
    """What tax a line has: its part of the document's, in minor units, so that the parts of all lines sum to it.

    A `note` says why there is none, `treatment` which of the reasons that e-invoices know it is. `source` is
    who published the rate.
    """

    country: str = ""
    region: str = ""
    name: str = ""
    rate: str = "0"
    amount: int = 0
    note: str = ""
    category: str = ""
    treatment: Treatment = Treatment.TAXED
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDiscount:
    """What a coupon took off a line, exactly and rounded, in minor units; below zero where a credit gives it back."""

    redemption_id: str
    code: str
    exact: Fraction
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `exact` is in minor units before rounding, `amount` after it; negative where something is credited.

    `line_key` exists once in a tenant, so nothing is charged twice however often, late or widely it is computed. `due`
    is when it may be invoiced; `period` is what it covers. `price` names the version, as plans/pro/2/prices/users.
    `amount` is without `tax`, which lines have once they are on a document of a tenant that charges it, and less
    `discounts`, which `exact` does not know. A line that credits another names it, `source_line`; one by which less is
    charged than before, as when seats go, credits none and names what it `reduces`. What was bought outright is of an
    order, and for a subscriber.
    """

    line_key: str
    kind: LineKind
    text: str
    due: int
    period: UsagePeriod
    currency: str
    exact: Fraction
    amount: int
    price: str = ""
    quantity: Fraction = Fraction(1)
    unit_amount: str = ""
    subscription_id: str = ""
    source_line: str = ""
    fraction: Fraction = Fraction(1)
    steps: tuple[Step, ...] = ()
    inputs: UsageInputs | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tax_category: str = ""
    tax: LineTax | None = None
    discounts: tuple[LineDiscount, ...] = ()
    order_id: str = ""
    subscriber: str = ""
    reduces: str = ""

    @property
    def stretch(self) -> tuple[int, int]:
        """From when until when it is shown to be; of what happens once both are its instant."""
        return self.period.start, self.period.start if self.period.is_instant else self.period.end

    @property
    def gives_back(self) -> str:
        """The issued line that it gives back something of, as that was charged; empty: none."""
        return self.source_line or self.reduces

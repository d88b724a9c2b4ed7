"""Fees of their own: what an account is charged, or credited, besides its prices."""

from dataclasses import dataclass
from fractions import Fraction

from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.period import UsagePeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A charge, or where `exact` is below zero a credit; `exact` is in minor units, as it was asked for.

    An offset corrects another fee, `offsets`, which itself never changes. What an order sold outright is of `order_id`,
    for a `subscriber`, at a `price`, and of a `period` where it is known when that begins; None: of its instant alone.
    An empty `tax_category` is the standard one.
    """

    fee_id: str
    account_id: str
    create_time: int
    currency: str
    text: str
    exact: Fraction
    quantity: Fraction = Fraction(1)
    unit_amount: str = ""
    offsets: str = ""
    order_id: str = ""
    subscriber: str = ""
    price: str = ""
    tax_category: str = ""
    period: UsagePeriod | None = None

    @property
    def line_key(self) -> str:
        """The line that charges it, which exists once."""
        return f"fee/{self.fee_id}"


def fee_line(fee: Fee, rounding: Rounding, *, decimals: int) -> Line:
    """The line of a fee; it is due when the fee was created."""
    return Line(
        line_key=fee.line_key,
        kind=LineKind.FEE,
        text=fee.text,
        due=fee.create_time,
        period=fee.period or UsagePeriod(fee.create_time, fee.create_time + 1),
        currency=fee.currency,
        exact=fee.exact,
        amount=rounded(fee.exact, rounding),
        quantity=fee.quantity,
        unit_amount=fee.unit_amount,
        source_line=f"fee/{fee.offsets}" if fee.offsets else "",
        price=fee.price,
        order_id=fee.order_id,
        subscriber=fee.subscriber,
        tax_category=fee.tax_category,
        steps=(Step(kind=StepKind.FLAT, amount=fee.exact / 10**decimals),),
    )

"""Models that take the amounts of single events, in the order in which they occurred."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.prices import UsagePrice, exact

_ZERO = Fraction(0)


class EventMark(StrEnum):
    """What is to be known of an event behind a line, beside what it counted and came to."""

    FREE = "free"
    PARTLY_FREE = "partly_free"
    MIN_AMOUNT = "min_amount"
    MAX_AMOUNT = "max_amount"
    UNREADABLE = "unreadable"
    CARRIED_OVER = "carried_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFee:
    """What one event comes to, in major units; and whether it was free, in part or whole, or at one of the bounds."""

    amount: Fraction = _ZERO
    marks: tuple[EventMark, ...] = ()


@dataclass(slots=True, kw_only=True)
class EventFees:
    """What a percentage price charges for events, told one by one in the order in which they occurred.

    What is free is the leading F of the running total of amounts above zero, the lesser of `free_amount` and what the
    first `free_events` come to: so of each event it is known without those behind it.
    """

    price: UsagePrice
    total: Fraction = _ZERO
    first: Fraction = _ZERO
    events: int = 0

    def charge(self, amount: Fraction) -> EventFee:
        """What the next event comes to."""
        if amount < 0:
            return _fee(self.price, amount)
        self.total += amount
        if amount:
            self.events += 1
            self.first += amount if self.events <= self.price.free_events else 0
        beyond = min(amount, self.total - self._free())
        if beyond <= 0:
            return EventFee(marks=(EventMark.FREE,))
        fee = _fee(self.price, beyond)
        return fee if beyond == amount else EventFee(amount=fee.amount, marks=(EventMark.PARTLY_FREE, *fee.marks))

    def _free(self) -> Fraction:
        bounds = [exact(self.price.free_amount)] if self.price.free_amount else []
        return min([*bounds, self.first] if self.price.free_events else bounds, default=_ZERO)


def percentage(price: UsagePrice, amounts: Sequence[Fraction]) -> tuple[Step, ...]:
    """A rate and a fixed amount of each event, within bounds; what is free comes first.

    The leading F of the running total is free: the lesser of `free_amount` and what the first `free_events` come to. An
    event that lies wholly in it pays nothing, one that reaches beyond it pays for the part beyond. A refund gives back
    the rate of its amount and nothing else, so that no bound or fixed amount turns it into a charge.
    """
    free, events = free_amount(price, amounts), EventFees(price=price)
    fees = [events.charge(amount) for amount in amounts]
    charged = sum((fee.amount for fee in fees), _ZERO)
    count = sum(EventMark.FREE not in fee.marks for fee in fees)
    whole = sum(amounts, _ZERO)
    steps = [Step(kind=StepKind.COUNTED, quantity=whole)]
    if free:
        steps.append(Step(kind=StepKind.FREE, quantity=min(free, events.total)))
    return (*steps, Step(kind=StepKind.EVENTS, quantity=Fraction(count), rate=exact(price.rate), amount=charged))


def dynamic(price: UsagePrice, amounts: Sequence[Fraction]) -> tuple[Step, ...]:
    """The sum of the amounts times a multiplier."""
    whole, multiplier = max(_ZERO, sum(amounts, _ZERO)), exact(price.multiplier)
    step = Step(kind=StepKind.MULTIPLIED, quantity=whole, rate=multiplier, amount=whole * multiplier)
    return (Step(kind=StepKind.COUNTED, quantity=whole), step)


def free_amount(price: UsagePrice, amounts: Sequence[Fraction]) -> Fraction:
    """How much of the running total of positive amounts is free."""
    positive = [amount for amount in amounts if amount > 0]
    bounds = []
    if price.free_amount:
        bounds.append(exact(price.free_amount))
    if price.free_events:
        bounds.append(sum(positive[: price.free_events], _ZERO))
    return min(bounds, default=_ZERO)


def _fee(price: UsagePrice, amount: Fraction) -> EventFee:
    part = amount * exact(price.rate) / 100
    if amount < 0:
        return EventFee(amount=part)
    fee = part + exact(price.fixed_amount)
    if price.min_amount and fee < exact(price.min_amount):
        return EventFee(amount=exact(price.min_amount), marks=(EventMark.MIN_AMOUNT,))
    if price.max_amount and fee > exact(price.max_amount):
        return EventFee(amount=exact(price.max_amount), marks=(EventMark.MAX_AMOUNT,))
    return EventFee(amount=fee)

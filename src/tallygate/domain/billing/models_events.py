"""Models that take the amounts of single events, in the order in which they occurred."""

from collections.abc import Sequence
from fractions import Fraction

from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.prices import UsagePrice, exact

_ZERO = Fraction(0)


def percentage(price: UsagePrice, amounts: Sequence[Fraction]) -> tuple[Step, ...]:
    """A rate and a fixed amount of each event, within bounds; what is free comes first.

    The leading F of the running total is free: the lesser of `free_amount` and what the first `free_events` come to. An
    event that lies wholly in it pays nothing, one that reaches beyond it pays for the part beyond. A refund gives back
    the rate of its amount and nothing else, so that no bound or fixed amount turns it into a charge.
    """
    free = free_amount(price, amounts)
    charged, before, count = _ZERO, _ZERO, 0
    for amount in amounts:
        beyond = min(amount, before + amount - free) if amount > 0 else amount
        before += max(amount, _ZERO)
        if beyond > 0 or amount < 0:
            charged += _fee(price, beyond)
            count += 1
    whole = sum(amounts, _ZERO)
    steps = [Step(kind=StepKind.COUNTED, quantity=whole)]
    if free:
        steps.append(Step(kind=StepKind.FREE, quantity=min(free, before)))
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


def _fee(price: UsagePrice, amount: Fraction) -> Fraction:
    part = amount * exact(price.rate) / 100
    if amount < 0:
        return part
    fee = part + exact(price.fixed_amount)
    if price.min_amount:
        fee = max(fee, exact(price.min_amount))
    return min(fee, exact(price.max_amount)) if price.max_amount else fee

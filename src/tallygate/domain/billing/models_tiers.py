"""Tiers: a quantity or an amount cut into stretches, each with figures of its own."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.prices import Tier, exact


def graduated(quantity: Fraction, tiers: Sequence[Tier]) -> tuple[Step, ...]:
    """Each tier charges the part of the quantity that lies in it."""
    steps: list[Step] = []
    for tier, inside, entered in _parts(quantity, tiers):
        steps += _flat(tier, entered=entered)
        steps += unit_steps(inside, exact(tier.unit_amount), tier.package)
    return tuple(steps)


def volume(quantity: Fraction, tiers: Sequence[Tier]) -> tuple[Step, ...]:
    """The tier in which the quantity lies charges all of it."""
    tier = next(tier for tier in tiers if tier.up_to is None or quantity <= exact(tier.up_to))
    entered = quantity > 0 or (tier is tiers[0] and tier.flat_at_zero)
    return (*_flat(tier, entered=entered), *unit_steps(quantity, exact(tier.unit_amount), tier.package))


def graduated_percentage(amount: Fraction, tiers: Sequence[Tier]) -> tuple[Step, ...]:
    """Each tier charges its rate of the part of the amount that lies in it."""
    steps: list[Step] = []
    for tier, inside, entered in _parts(amount, tiers):
        steps += _flat(tier, entered=entered)
        if inside:
            rate = exact(tier.rate)
            steps.append(Step(kind=StepKind.PERCENT, quantity=inside, rate=rate, amount=inside * rate / 100))
    return tuple(steps)


def unit_steps(quantity: Fraction, unit_amount: Fraction, package: str) -> tuple[Step, ...]:
    """A quantity at an amount each, or in started packages at an amount each; nothing for nothing."""
    if not quantity:
        return ()
    if not package:
        charged = Step(kind=StepKind.CHARGED, quantity=quantity, rate=unit_amount, amount=quantity * unit_amount)
        return (charged,)
    packages = Fraction(ceil(quantity / exact(package)))
    return (Step(kind=StepKind.PACKAGES, quantity=packages, rate=unit_amount, amount=packages * unit_amount),)


def _parts(quantity: Fraction, tiers: Sequence[Tier]) -> Iterator[tuple[Tier, Fraction, bool]]:
    """Each tier with what lies in it, and whether it is entered."""
    below = Fraction(0)
    for index, tier in enumerate(tiers):
        end = quantity if tier.up_to is None else min(quantity, exact(tier.up_to))
        inside = max(Fraction(0), end - below)
        yield tier, inside, inside > 0 or (index == 0 and quantity == 0 and tier.flat_at_zero)
        below += inside


def _flat(tier: Tier, *, entered: bool) -> tuple[Step, ...]:
    amount = exact(tier.flat_amount)
    return (Step(kind=StepKind.FLAT, amount=amount),) if entered and amount else ()

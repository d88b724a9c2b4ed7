"""What a usage price owes for what was counted in one service period: the one place where its parts come in order.

Limit, free quota, model, discount, least and greatest spend; each is a step.
"""

from dataclasses import dataclass
from fractions import Fraction

from tallygate.domain.billing import models_events, models_tiers
from tallygate.domain.billing.steps import Owed, Step, StepKind, total
from tallygate.domain.prices import ChargeModel, LimitAction, LimitUnit, UsagePrice, exact

_ZERO = Fraction(0)
_WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a service period holds: units of the meter, or the events' amounts (major units) in order.

    Units are in the meter's base unit; those of a time-weighted average are an exact fraction, those of a feature that
    counts distinct members are so many `members`.
    """

    units: int | Fraction = 0
    amounts: tuple[Fraction, ...] = ()
    members: frozenset[str] = frozenset()


def owed(price: UsagePrice, counted: Counted, *, fraction: Fraction = _WHOLE) -> Owed:
    """What is owed for all that was counted; `fraction` is the part of a whole period that a stub is of.

    Quotas, tiers and maxima hold whole on a stub; the least spend is prorated. Units below zero count as none.
    """
    steps = _by_amount(price, counted) if price.model.by_amount else _by_units(price, counted)
    steps = (*steps, *_limit_of_spend(price, steps))
    steps = (*steps, *_discount(price, steps))
    return total((*steps, *_bounds(price, steps, fraction)))


def _by_amount(price: UsagePrice, counted: Counted) -> tuple[Step, ...]:
    if price.model is ChargeModel.PERCENTAGE:
        return models_events.percentage(price, counted.amounts)
    if price.model is ChargeModel.DYNAMIC:
        return models_events.dynamic(price, counted.amounts)
    whole = max(_ZERO, sum(counted.amounts, _ZERO))
    return (Step(kind=StepKind.COUNTED, quantity=whole), *models_tiers.graduated_percentage(whole, price.tiers))


def _by_units(price: UsagePrice, counted: Counted) -> tuple[Step, ...]:
    quantity = max(_ZERO, Fraction(counted.units)) / price.per_units
    steps = [Step(kind=StepKind.COUNTED, quantity=quantity)]
    if price.max_limit and price.limit_unit is LimitUnit.USAGE and price.limit_action is not LimitAction.NOTIFY:
        limit = exact(price.max_limit)
        if quantity > limit:
            steps.append(Step(kind=StepKind.CAPPED, quantity=limit))
            quantity = limit
    free = min(quantity, exact(price.free_quota))
    if free:
        steps.append(Step(kind=StepKind.FREE, quantity=free))
        quantity -= free
    if price.model is ChargeModel.GRADUATED:
        return (*steps, *models_tiers.graduated(quantity, price.tiers))
    if price.model is ChargeModel.VOLUME:
        return (*steps, *models_tiers.volume(quantity, price.tiers))
    return (*steps, *models_tiers.unit_steps(quantity, exact(price.unit_amount), price.package))


def _limit_of_spend(price: UsagePrice, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not price.max_limit or price.limit_unit is LimitUnit.USAGE or price.limit_action is LimitAction.NOTIFY:
        return ()
    return _at_most(exact(price.max_limit), steps)


def _discount(price: UsagePrice, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    amount, rate = total(steps).amount, exact(price.discount_percent)
    if not rate or not amount:
        return ()
    return (Step(kind=StepKind.DISCOUNT, quantity=amount, rate=rate, amount=-amount * rate / 100),)


def _bounds(price: UsagePrice, steps: tuple[Step, ...], fraction: Fraction) -> tuple[Step, ...]:
    amount = total(steps).amount
    least = exact(price.min_spend) * fraction
    if amount < least:
        return (Step(kind=StepKind.MIN_SPEND, quantity=least, amount=least - amount),)
    if amount < 0:
        return (Step(kind=StepKind.MIN_SPEND, amount=-amount),)
    return _at_most(exact(price.max_spend), steps) if price.max_spend else ()


def _at_most(greatest: Fraction, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    beyond = total(steps).amount - greatest
    return (Step(kind=StepKind.MAX_SPEND, quantity=greatest, amount=-beyond),) if beyond > 0 else ()

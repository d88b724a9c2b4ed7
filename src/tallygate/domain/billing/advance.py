"""Advance discounts: several periods of a plan paid at once for less. No clock, no I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.billing_terms import AdvanceDiscount, AdvanceRounding, AdvanceType
from tallygate.domain.catalog import Plan
from tallygate.domain.currency import decimals_of, price_text
from tallygate.domain.money import Rounding, exact_text, rounded
from tallygate.domain.prices import ChargeModel, Due, Price, RecurringPrice, exact

_HUNDRED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to pay a plan: `length` of its periods at once for `amount`, in major units, instead of `full_amount`."""

    length: int
    amount: str
    full_amount: str
    text: str


def advance_price(plan: Plan) -> Price | None:
    """The price that advance discounts are on: the plan's only recurring one that is flat and in advance.

    What is held, as seats, goes on by its own period beside it.
    """
    found = [price for price in plan.prices if price.recurring is not None and _is_flat_in_advance(price.recurring)]
    return found[0] if len(found) == 1 else None


def _is_flat_in_advance(form: RecurringPrice) -> bool:
    return not form.per_quantity and form.model is ChargeModel.PER_UNIT and form.due is Due.ADVANCE


def amount_of(discount: AdvanceDiscount, amount: str, *, currency: str) -> str:
    """What the periods of a discount cost together, at `amount` each: decimal text in major units.

    The value is taken off all of them: per cent, an amount, or periods. What is left is rounded down to whole units, or
    to one minor unit less than that, or to the minor unit.
    """
    decimals = decimals_of(currency)
    left = _less(discount, exact(amount))
    if discount.rounding is AdvanceRounding.NONE:
        left = Fraction(rounded(left * 10**decimals, Rounding.HALF_EVEN), 10**decimals)
    else:
        under = Fraction(1, 10**decimals) if discount.rounding is AdvanceRounding.NINETY_NINE else 0
        left = floor(left) - Fraction(under)
    return exact_text(max(left, Fraction(0)))


def _less(discount: AdvanceDiscount, each: Fraction) -> Fraction:
    value, whole = exact(discount.value), each * discount.length
    match discount.type:
        case AdvanceType.PERCENTAGE:
            return whole * (_HUNDRED - value) / _HUNDRED
        case AdvanceType.CURRENCY:
            return whole - value
        case AdvanceType.PERIOD:
            return whole - each * value


def options(plan: Plan, *, currency: str) -> tuple[Option, ...]:
    """The ways to pay a plan: by its period, then one for each advance discount, by length."""
    price = advance_price(plan)
    if price is None or price.recurring is None:
        return ()
    used, form = price.currency or currency, price.recurring
    name = form.label or plan.name or plan.plan_key
    text = f"{price_text(form.amount, used)} {name} ({_span(price, 1)})"
    found = [Option(length=1, amount=form.amount, full_amount=form.amount, text=text)]
    for discount in sorted(plan.advance_discounts, key=lambda one: one.length):
        amount = amount_of(discount, form.amount, currency=used)
        label = f"{price_text(amount, used)} {label_of(plan, price, discount, currency=used)}"
        full = exact_text(exact(form.amount) * discount.length)
        found.append(Option(length=discount.length, amount=amount, full_amount=full, text=label))
    return tuple(found)


def paid_in_advance(plan: Plan, length: int, *, currency: str) -> Price | None:
    """The price of so many periods at once, which stands in for the plan's own; None where it is not offered."""
    price = advance_price(plan)
    chosen = next((one for one in plan.advance_discounts if one.length == length), None)
    if price is None or price.recurring is None or chosen is None:
        return None
    used, form = price.currency or currency, price.recurring
    amount = amount_of(chosen, form.amount, currency=used)
    label = label_of(plan, price, chosen, currency=used)
    return replace(price, recurring=replace(form, count=form.count * length, amount=amount, label=label))


def from_full_price(steps: Sequence[Step], plan: Plan, price: Price, *, currency: str) -> tuple[Step, ...]:
    """The steps of a charge by this price; where it is for periods paid at once, from what they cost one by one."""
    paid = next(
        (one for one in plan.advance_discounts if paid_in_advance(plan, one.length, currency=currency) == price), None
    )
    own = advance_price(plan)
    if paid is None or own is None or own.recurring is None or price.recurring is None:
        return tuple(steps)
    full, found = exact(own.recurring.amount) * paid.length, list[Step]()
    for step in steps:
        if step.kind is not StepKind.CHARGED or step.rate != exact(price.recurring.amount):
            found.append(step)
            continue
        whole = full * step.quantity
        rate = exact(paid.value) if paid.type is AdvanceType.PERCENTAGE else Fraction(0)
        found += [
            replace(step, rate=full, amount=whole),
            Step(kind=StepKind.ADVANCE, quantity=Fraction(paid.length), rate=rate, amount=step.amount - whole),
        ]
    return tuple(found)


def label_of(plan: Plan, price: Price, discount: AdvanceDiscount, *, currency: str) -> str:
    """What is said of periods paid at once, as Pro (12 months, 20% off)."""
    name = (price.recurring.label if price.recurring is not None else "") or plan.name or plan.plan_key
    return f"{name} ({_span(price, discount.length)}, {_value(discount, price, currency=currency)} off)"


def _span(price: Price, length: int) -> str:
    form = price.recurring
    count, unit = (form.count * length, form.every.value) if form is not None else (length, "period")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _value(discount: AdvanceDiscount, price: Price, *, currency: str) -> str:
    match discount.type:
        case AdvanceType.PERCENTAGE:
            return f"{discount.value}%"
        case AdvanceType.CURRENCY:
            return price_text(discount.value, currency)
        case AdvanceType.PERIOD:
            return _span(price, int(exact(discount.value)))


def problems(plan: Plan, *, currency: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a plan's advance discounts: the place within the plan, and what is expected there."""
    price = advance_price(plan)
    if plan.advance_discounts and price is None:
        yield "advance_discounts", "one recurring price beside them that is flat and due in advance"
        return
    lengths: set[int] = set()
    for index, discount in enumerate(plan.advance_discounts):
        place, value = f"advance_discounts[{index}]", exact(discount.value)
        if discount.length in lengths:
            yield f"{place}.length", "each length once"
        lengths.add(discount.length)
        if discount.type is AdvanceType.PERCENTAGE and not 0 < value < _HUNDRED:
            yield f"{place}.value", "more than 0 and less than 100 per cent"
        if discount.type is AdvanceType.PERIOD and not (value.denominator == 1 and 0 < value < discount.length):
            yield f"{place}.value", f"a whole number of periods, 1 to {discount.length - 1}"
        if discount.type is AdvanceType.CURRENCY and price is not None and price.recurring is not None:
            whole = exact(price.recurring.amount) * discount.length
            minor = value * 10 ** decimals_of(price.currency or currency)
            if not 0 < value < whole or minor.denominator != 1:
                yield f"{place}.value", "more than 0 and less than what the periods cost, in whole minor units"

"""The way from what was counted to what is owed, step by step: what a bill is explained by."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class StepKind(StrEnum):
    """What one step does; each says what its quantity and rate are."""

    COUNTED = "counted"
    """`quantity` units in `per_units`, or the sum of the events' amounts."""
    CAPPED = "capped"
    """Beyond `quantity` nothing more is charged."""
    FREE = "free"
    """`quantity` is free."""
    CHARGED = "charged"
    """`quantity` at `rate` each."""
    PACKAGES = "packages"
    """`quantity` started packages at `rate` each."""
    FLAT = "flat"
    """An amount for having entered a tier."""
    PERCENT = "percent"
    """`rate` per cent of `quantity`."""
    EVENTS = "events"
    """`quantity` events, each by itself."""
    MULTIPLIED = "multiplied"
    """`quantity` times `rate`."""
    DISCOUNT = "discount"
    """`rate` per cent off `quantity`."""
    MIN_SPEND = "min_spend"
    """What was missing to the least amount, `quantity`."""
    MAX_SPEND = "max_spend"
    """What was beyond the greatest amount, `quantity`."""
    BEFORE = "before"
    """What was charged for `quantity` that the price before this one had counted."""
    ADVANCE = "advance"
    """What is off for paying `quantity` periods at once: `rate` per cent, or where that is 0 an amount or periods."""
    FORGIVEN = "forgiven"
    """What is not given back, as its document is void."""
    NO_MORE = "no_more"
    """What is not given back, as the prices before had charged no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, and by how much it changes the amount (major units, exact)."""

    kind: StepKind
    quantity: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An exact amount in major units, and the steps whose amounts sum to it."""

    amount: Fraction = Fraction(0)
    steps: tuple[Step, ...] = ()


def total(steps: tuple[Step, ...]) -> Owed:
    """What the steps sum to."""
    return Owed(amount=sum((step.amount for step in steps), Fraction(0)), steps=steps)

"""Exact money: integers of minor units where it is owed, fractions until then, never a float."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import floor

_LONGEST_DECIMAL, _ROUNDED_DECIMAL = 12, 6


class Rounding(StrEnum):
    """Where an exact tie goes: to the even neighbour, or away from zero."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"


def rounded(amount: Fraction, rounding: Rounding) -> int:
    """The whole number nearest to an exact amount; ties go where `rounding` says, alike on both sides of zero."""
    if rounding is Rounding.HALF_EVEN:
        return round(amount)
    magnitude = floor(abs(amount) + Fraction(1, 2))
    return magnitude if amount >= 0 else -magnitude


def spread(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Parts of `total` in the proportion of the weights, which sum to it exactly: largest remainder, ties by order.

    Weights are not negative; where all are zero, they count as equal. Without weights there are no parts.
    """
    if not weights:
        return []
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights, Fraction(0))
    exact = [abs(total) * Fraction(weight) / whole for weight in weights]
    parts = [floor(part) for part in exact]
    missing = abs(total) - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[:missing]:
        parts[index] += 1
    return [part if total >= 0 else -part for part in parts]


def decimal_text(amount: Fraction) -> str:
    """An amount as a decimal to be read: as it is where it has an end within 12 places, else rounded to 6."""
    certain = _LONGEST_DECIMAL if (amount * 10**_LONGEST_DECIMAL).denominator == 1 else _ROUNDED_DECIMAL
    return exact_text(Fraction(round(amount * 10**certain), 10**certain))


def exact_text(amount: Fraction) -> str:
    """An exact amount as text that reads back as the same: a decimal where it has an end, else a fraction as 100/3."""
    denominator, twos, fives = amount.denominator, 0, 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return str(amount)
    places = max(twos, fives)
    digits = str(abs(amount.numerator) * 10**places // amount.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if amount < 0 else text

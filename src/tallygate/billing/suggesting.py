"""Which of the coupons that a buyer named, and of the ways to pay a plan, cost least together, and why."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallygate.domain.billing.advance import Option
from tallygate.domain.billing.discounts import DiscountType, Redemption, takes_all
from tallygate.domain.currency import decimals_of, major_units, price_text
from tallygate.domain.money import Rounding, exact_text, rounded

Charged = Callable[[int, Sequence[Redemption]], Awaitable[int]]
"""What is charged at once, in minor units with tax, where so many periods (0: by the period) are paid with coupons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to buy: periods paid at once (0: none), coupons in an order, and what is charged at once."""

    length: int
    redemptions: tuple[Redemption, ...]
    total: int

    @property
    def each(self) -> Fraction:
        """What it comes to for a period, in minor units."""
        return Fraction(self.total, max(self.length, 1))

    @property
    def codes(self) -> tuple[str, ...]:
        """Its coupons."""
        return tuple(each.code for each in self.redemptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The way that costs least for a period, and all that there are in words, the least first."""

    best: Way
    explanation: tuple[str, ...]


def options_with(options: Sequence[Option], redemptions: Sequence[Redemption]) -> Sequence[Option]:
    """The ways to pay that are left with coupons: with one that takes all there is nothing to pay in advance."""
    return options[:1] if any(takes_all(each.terms) for each in redemptions) else options


async def suggest(
    options: Sequence[Option], redemptions: Sequence[Redemption], charged: Charged, *, currency: str
) -> Suggestion | None:
    """What to take of these; None where there is nothing to choose.

    An amount takes the same wherever it stands, a percentage less behind one: the most is off where percentages come
    first. So it is that order, or the buyer's, and every way to pay that is left with them. Of two that cost the same
    the shorter one is suggested, and the buyer's own order.
    """
    orders = list(_orders(redemptions))
    lengths = [0, *(one.length for one in options_with(options, redemptions)[1:])]
    if len(lengths) * len(orders) == 1:
        return None
    ways = [
        Way(length=length, redemptions=order, total=await charged(length, order))
        for length in lengths
        for order in orders
    ]
    ways.sort(key=lambda way: (way.each, way.length))
    return Suggestion(best=ways[0], explanation=tuple(_told(way, currency) for way in ways))


def _orders(redemptions: Sequence[Redemption]) -> Iterator[tuple[Redemption, ...]]:
    named = tuple(redemptions)
    yield named
    first = tuple(sorted(named, key=lambda each: each.terms.type is not DiscountType.PERCENTAGE))
    if first != named:
        yield first


def _told(way: Way, currency: str) -> str:
    coupons = f" with {', then '.join(way.codes)}" if way.codes else ""
    if not way.length:
        return f"by the period{coupons}: {_price(Fraction(way.total), currency)}"
    each = Fraction(rounded(way.each, Rounding.HALF_EVEN))
    whole = _price(Fraction(way.total), currency)
    return f"{way.length} periods at once{coupons}: {whole}, {_price(each, currency)} for each"


def _price(amount: Fraction, currency: str) -> str:
    text = exact_text(major_units(amount, currency))
    whole, _, digits = text.partition(".")
    return price_text(f"{whole}.{digits.ljust(decimals_of(currency), '0')}" if digits else whole, currency)

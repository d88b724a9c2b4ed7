"""What plans cost by the month whatever is used, to compare them: which change is a downgrade."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction

from tallygate.domain.billing.cover import whole_charge
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import Price, RecurringPrice

_HOURS = 24
_DAYS = {PeriodUnit.WEEK: 7, PeriodUnit.DAY: 1, PeriodUnit.MONTH: 30, PeriodUnit.YEAR: 360}
"""A month counts as 30 days, a year as twelve of them."""


def per_30_days(prices: Iterable[Price], quantities: Mapping[str, int]) -> dict[str, Fraction]:
    """The recurring fees of 30 days, by currency; `quantities` are seats by feature, and users under an empty key."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for price in prices:
        recurring = price.recurring
        if recurring is not None:
            quantity = quantities.get(recurring.seats, 0) if recurring.per_quantity else 1
            found[price.currency] += per_30_days_of(recurring, quantity, 1)
    return {currency: amount for currency, amount in found.items() if amount}


def per_30_days_of(price: RecurringPrice, quantity: int, multiple: int) -> Fraction:
    """The fee of 30 days by one price, in major units."""
    return whole_charge(price, quantity, multiple) * 30 / _days(price.every, price.count)


def is_lower(after: Mapping[str, Fraction], before: Mapping[str, Fraction]) -> bool:
    """Whether fees come to less than others; those in another currency cannot be compared."""
    currencies = {*after, *before}
    return len(currencies) == 1 and all(after.get(one, 0) < before.get(one, 0) for one in currencies)


def _days(every: PeriodUnit, count: int) -> Fraction:
    return Fraction(count, _HOURS) if every is PeriodUnit.HOUR else Fraction(_DAYS[every] * count)

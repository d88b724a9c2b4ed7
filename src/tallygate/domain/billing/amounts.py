"""Amounts that somebody asks for: checked, and told in an error as they are typed, in major units. No I/O."""

from tallygate.domain.billing.messages import priced
from tallygate.domain.errors import InvalidFieldError

LARGEST = 10**15
"""The largest amount there is, in minor units."""


def check_amount(amount: int, currency: str, *, field: str = "amount", least: int = 1) -> None:
    """Check an amount of minor units that is not below `least`, 0 or 1.

    Raises:
        InvalidFieldError: it is less, or more than there is.
    """
    if least <= amount <= LARGEST:
        return
    begin = "more than 0" if least else "0 or more"
    expected = f"{begin}, and at most {priced(LARGEST, currency)}"
    raise InvalidFieldError(field=field, expected=expected, got=priced(amount, currency))


def line_range(count: int) -> str:
    """Which lines a document of so many has, as an error says it."""
    return f"1 to {count}" if count > 1 else "1, its only line" if count else "no line: it has none"

"""Amounts that are refused are told as they were typed: in major units."""

import pytest

from tallygate.domain.billing.amounts import check_amount, line_range
from tallygate.domain.errors import InvalidFieldError


@pytest.mark.parametrize(
    ("amount", "currency", "least", "told"),
    [
        (-100, "EUR", 1, "expected=more than 0, and at most 10000000000000.00 EUR, got=-1.00 EUR"),
        (0, "JPY", 1, "expected=more than 0, and at most 1000000000000000 JPY, got=0 JPY"),
        (-1, "BHD", 0, "expected=0 or more, and at most 1000000000000.000 BHD, got=-0.001 BHD"),
    ],
)
def test_an_amount_is_told_in_major_units(amount, currency, least, told):
    with pytest.raises(InvalidFieldError) as caught:
        check_amount(amount, currency, least=least)
    assert told in str(caught.value)
    check_amount(least, currency, least=least)
    check_amount(10**15, currency, least=least)


def test_lines_are_told_as_they_are_there():
    assert (line_range(3), line_range(1)) == ("1 to 3", "1, its only line")

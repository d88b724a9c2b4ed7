"""Exact money: rounding, parts that sum, decimals of currencies."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallygate.domain.currency import DECIMALS, decimals_of, minor_units
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import Rounding, decimal_text, exact_text, rounded, spread


@pytest.mark.parametrize(
    ("amount", "even", "up"),
    [("0.5", 0, 1), ("1.5", 2, 2), ("-0.5", 0, -1), ("-1.5", -2, -2), ("432.075", 432, 432), ("2.4999", 2, 2)],
)
def test_ties_go_to_the_even_neighbour_or_away_from_zero(amount, even, up):
    assert rounded(Fraction(amount), Rounding.HALF_EVEN) == even
    assert rounded(Fraction(amount), Rounding.HALF_UP) == up


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10_000, [1, 1, 1], [3334, 3333, 3333]),
        (100, [100, 200], [33, 67]),
        (10_001, [60, 25, 15], [6001, 2500, 1500]),
        (-100, [100, 200], [-33, -67]),
        (5, [0, 0], [3, 2]),
        (0, [1, 2], [0, 0]),
        (7, [], []),
    ],
)
def test_parts_by_largest_remainder(total, weights, parts):
    assert spread(total, weights) == parts


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_parts_sum_and_none_is_off_by_a_unit(total, weights):
    parts = spread(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - Fraction(total * weight, whole)) < 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1, 4), "0.25"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(100, 3), "100/3"),
        (Fraction(4900), "4900"),
        (Fraction(1, 100), "0.01"),
    ],
)
def test_exact_amounts_as_text(amount, text):
    assert exact_text(amount) == text


@given(st.fractions())
def test_texts_read_back(amount):
    assert Fraction(exact_text(amount)) == amount


def test_decimals_are_those_of_iso_4217():
    assert [decimals_of(code) for code in ("USD", "EUR", "JPY", "RWF", "BHD", "KWD", "CLF", "ISK", "HUF")] == [
        2,
        2,
        0,
        0,
        3,
        3,
        4,
        0,
        2,
    ]
    assert minor_units(Fraction("49.00"), "USD") == 4900
    assert minor_units(Fraction("49"), "JPY") == 49
    assert len(DECIMALS) > 160
    with pytest.raises(InvalidFieldError, match="ISO 4217"):
        decimals_of("ABC")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("186047/22290", "8.346658"),
        ("-1/3", "-0.333333"),
        ("2/3", "0.666667"),
        ("120000", "120000"),
        ("2469.12", "2469.12"),
        ("0.000000000001", "0.000000000001"),
        ("1/8192", "0.000122"),
    ],
)
def test_what_is_read_is_a_decimal(amount, text):
    assert decimal_text(Fraction(amount)) == text

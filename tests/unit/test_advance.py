"""Rows about advance discounts: what they cost and how they are offered. Figures by hand."""

import pytest

from tallygate.domain.billing.advance import amount_of, options, problems
from tallygate.domain.billing_terms import AdvanceDiscount, AdvanceRounding, AdvanceType
from tallygate.domain.catalog import Plan
from tallygate.domain.prices import Due, Price, RecurringPrice

PERCENT, CURRENCY, PERIOD = AdvanceType
WHOLE, NINETY_NINE, NONE = AdvanceRounding


def discount(type_, value, length=12, rounding=WHOLE):
    return AdvanceDiscount(type=type_, value=value, length=length, rounding=rounding)


def plan(*discounts, price=None):
    priced = price or RecurringPrice(amount="29.00")
    return Plan(
        plan_key="pro",
        version=1,
        name="Pro",
        prices=(Price(price_key="recurring", recurring=priced),),
        advance_discounts=discounts,
    )


@pytest.mark.parametrize(
    ("offered", "amount"),
    [
        (discount(PERCENT, "20"), "278"),  # 348.00 less 20 % is 278.40
        (discount(PERCENT, "20", rounding=NINETY_NINE), "277.99"),
        (discount(PERCENT, "20", rounding=NONE), "278.4"),
        (discount(CURRENCY, "25.00"), "323"),
        (discount(PERIOD, "1"), "319"),
        (discount(PERCENT, "99.99", length=2, rounding=NINETY_NINE), "0"),
    ],
)
def test_dj_26_27_28_what_periods_cost_at_once(offered, amount):
    assert amount_of(offered, "29.00", currency="USD") == amount


def test_dj_27_30_one_option_each_by_length_beside_the_usual_one():
    offered = options(plan(discount(PERCENT, "20"), discount(PERIOD, "1", length=6)), currency="USD")
    assert [(one.length, one.amount, one.full_amount) for one in offered] == [
        (1, "29.00", "29.00"),
        (6, "145", "174"),
        (12, "278", "348"),
    ]
    assert [one.text for one in offered] == [
        "$29.00 Pro (1 month)",
        "$145.00 Pro (6 months, 1 month off)",
        "$278.00 Pro (12 months, 20% off)",
    ]


@pytest.mark.parametrize(
    ("offered", "price", "place"),
    [
        (discount(PERCENT, "100"), None, "advance_discounts[0].value"),
        (discount(PERCENT, "0"), None, "advance_discounts[0].value"),
        (discount(PERIOD, "12"), None, "advance_discounts[0].value"),
        (discount(PERIOD, "0.5"), None, "advance_discounts[0].value"),
        (discount(CURRENCY, "348.00"), None, "advance_discounts[0].value"),
        (discount(CURRENCY, "0.001"), None, "advance_discounts[0].value"),
        (discount(PERCENT, "20"), RecurringPrice(amount="29.00", due=Due.ARREARS), "advance_discounts"),
        (discount(PERCENT, "20"), RecurringPrice(amount="29.00", seats="seats"), "advance_discounts"),
    ],
)
def test_what_cannot_be_offered_is_named(offered, price, place):
    assert [where for where, _ in problems(plan(offered, price=price), currency="USD")] == [place]


def test_each_length_is_offered_once():
    twice = plan(discount(PERCENT, "20"), discount(PERCENT, "30"))
    assert [where for where, _ in problems(twice, currency="USD")] == ["advance_discounts[1].length"]

"""What coupons take off lines: figures by hand."""

from fractions import Fraction

import pytest

from tallygate.domain.billing.crediting import credit_line, key_of
from tallygate.domain.billing.discounts import DiscountTerms, DiscountType, Redemption, discounted, taken_by
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.tax import Credited
from tallygate.domain.money import Rounding
from tallygate.domain.period import UsagePeriod


def line(amount, key="a", *, plan="pro", source="", **changes):
    return Line(
        **{
            "line_key": key,
            "kind": LineKind.RECURRING,
            "text": key,
            "due": 0,
            "period": UsagePeriod(0, 1),
            "currency": "USD",
            "exact": Fraction(amount),
            "amount": round(Fraction(amount)),
            "price": f"plans/{plan}/1/prices/recurring",
            "subscription_id": "s",
            "source_line": source,
            **changes,
        }
    )


def coupon(value, type_=DiscountType.PERCENTAGE, *, name="r", uses=0, **terms):
    currency = "" if type_ is DiscountType.PERCENTAGE else "USD"
    found = DiscountTerms(type=type_, value=value, currency=currency, **terms)
    return Redemption(
        redemption_id=name, code=name, account_id="a", subscription_id="s", redeem_time=0, terms=found, uses=uses
    )


def amounts(lines, *coupons, credited=None):
    return [each.amount for each in discounted(lines, coupons, credited or {}, Rounding.HALF_EVEN)]


AMOUNT = DiscountType.AMOUNT


@pytest.mark.parametrize(
    ("off", "left"),
    [
        (coupon("50"), 1450),
        (coupon("25.00", AMOUNT), 400),
        (coupon("35.00", AMOUNT), 0),
        (coupon("100"), 0),
    ],
)
def test_dj_22_a_percentage_or_a_value_never_below_nothing(off, left):
    assert amounts([line(2900)], off) == [left]


def test_an_amount_is_spread_by_largest_remainder():
    """10.00 over 1.00, 1.00 and 1.00 less 2.00: 0.666.. each, so 0.67, 0.67, 0.66."""
    assert amounts([line(100, key) for key in "abc"], coupon("2.00", AMOUNT)) == [33, 33, 34]


def test_percentages_round_on_each_line_and_follow_each_other():
    """Half of 0.05 is 0.025, to even 0.02; then 10 % of 0.03 is 0.003, which is nothing."""
    assert amounts([line(5)], coupon("50"), coupon("10", name="q")) == [3]


def test_scopes_and_what_is_spent():
    other = line(1000, "b", plan="basic")
    fee, credit = line(500, "c", kind=LineKind.FEE, subscription_id=""), line(-300, "d")
    lines = [line(1000), other, fee, credit, line(700, "e", subscription_id="another")]
    assert amounts(lines, coupon("10", plans=("pro",))) == [900, 1000, 500, -300, 700]
    assert amounts(lines, coupon("10")) == [900, 900, 500, -300, 700]
    assert amounts(lines, coupon("10", features=("calls",))) == [1000, 1000, 500, -300, 700]
    assert amounts(lines, coupon("10", uses=1)) == [1000, 1000, 500, -300, 700]
    assert amounts(lines, coupon("10", uses=1, invoices=2)) == [900, 900, 500, -300, 700]
    assert amounts(lines, coupon("10", uses=99, invoices=None)) == [900, 900, 500, -300, 700]


def test_what_repeats_is_taken_off_a_part_in_part():
    part = line(1500, fraction=Fraction(1, 2), exact=Fraction(1500))
    assert amounts([part], coupon("10.00", AMOUNT, invoices=3)) == [1000]
    assert amounts([part], coupon("10.00", AMOUNT)) == [500]


@pytest.mark.parametrize("amount", [500, 1450])
def test_what_is_given_back_by_hand_is_no_less_for_the_coupon_of_its_line(amount):
    """Of 29.00 less the half 5.00 are given back, or all 14.50."""
    (charged,) = discounted([line(2900)], [coupon("50")], {}, Rounding.HALF_EVEN)
    note = credit_line(charged, amount, line_key=key_of("c", 1), reason="", time=0)
    assert amounts([note], coupon("50"), credited={"a": Credited(line=charged)}) == [-amount]


def test_a_credit_gives_back_what_was_charged_in_fact():
    """29.00 less half was 14.50: half of the time is 7.25, not 14.50."""
    (charged,) = discounted([line(2900)], [coupon("50")], {}, Rounding.HALF_EVEN)
    credit = line(-1450, "a/credit", source="a")
    later = discounted([credit], [coupon("50", uses=1)], {"a": Credited(line=charged)}, Rounding.HALF_EVEN)
    assert [(each.amount, each.exact) for each in later] == [(-725, -1450)]
    beside = discounted([line(2900), credit], [coupon("50")], {}, Rounding.HALF_EVEN)
    assert [each.amount for each in beside] == [1450, -725]
    assert taken_by(beside) == {"r"}
    assert taken_by(later) == frozenset()

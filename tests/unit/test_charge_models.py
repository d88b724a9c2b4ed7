"""What usage prices owe: figures of the reference systems, computed by hand."""

from fractions import Fraction

import pytest

from tallygate.domain.billing.models_units import Counted, owed
from tallygate.domain.prices import ChargeModel, LimitAction, LimitUnit, Tier, UsagePrice


def of_units(units, **price):
    result = owed(UsagePrice(feature_key="f", **price), Counted(units=units))
    assert sum((step.amount for step in result.steps), Fraction(0)) == result.amount
    return result.amount


def of_amounts(*amounts, **price):
    result = owed(UsagePrice(feature_key="f", **price), Counted(amounts=tuple(Fraction(a) for a in amounts)))
    assert sum((step.amount for step in result.steps), Fraction(0)) == result.amount
    return result.amount


@pytest.mark.parametrize(
    ("units", "price", "amount"),
    [
        (10_500, {"unit_amount": "0.002"}, "21.00"),
        (1_500_000_000, {"unit_amount": "0.10", "per_units": 1_000_000_000}, "0.15"),
        (12_500, {"unit_amount": "4.00", "per_units": 1000}, "50.00"),
        (37, {"unit_amount": "0.25"}, "9.25"),
        (37, {"unit_amount": "0.50"}, "18.50"),
        (500, {"unit_amount": "0.05", "free_quota": "500"}, "0"),
        (501, {"unit_amount": "0.05", "free_quota": "500"}, "0.05"),
        (512, {"unit_amount": "0.05", "free_quota": "500"}, "0.60"),
        (1, {"unit_amount": "0.0001"}, "0.0001"),
        (0, {"unit_amount": "5.00", "package": "100"}, "0"),
        (1, {"unit_amount": "5.00", "package": "100"}, "5.00"),
        (100, {"unit_amount": "5.00", "package": "100"}, "5.00"),
        (101, {"unit_amount": "5.00", "package": "100"}, "10.00"),
        (-7, {"unit_amount": "0.50"}, "0"),
    ],
)
def test_units_at_a_price_each(units, price, amount):
    assert of_units(units, **price) == Fraction(amount)


@pytest.mark.parametrize(
    ("gigabytes", "amount"), [(10, "0"), (11, "0.01"), (25, "0.15"), (1010, "10.00"), (5000, "10.00")]
)
def test_a_maximum_of_usage_is_counted_before_the_free_quota(gigabytes, amount):
    price = {"unit_amount": "0.01", "per_units": 10**9, "free_quota": "10", "max_limit": "1010"}
    assert of_units(gigabytes * 10**9, **price) == Fraction(amount)


def test_without_a_maximum_there_is_none():
    assert of_units(1_000_010, unit_amount="0.01", free_quota="10") == Fraction("10000.00")


def test_a_maximum_that_only_notifies_charges_on():
    price = {"unit_amount": "0.15", "free_quota": "100", "max_limit": "150", "limit_action": LimitAction.NOTIFY}
    assert of_units(361, **price) == Fraction("39.15")


def test_a_maximum_of_spend():
    price = {"unit_amount": "0.15", "max_limit": "9.00", "limit_unit": LimitUnit.SPEND}
    assert of_units(60, **price) == Fraction("9.00")
    assert of_units(61, **price) == Fraction("9.00")
    assert of_units(59, **price) == Fraction("8.85")


MAILS = (Tier(up_to="1000", flat_amount="2.00"), Tier(unit_amount="0.001"))


@pytest.mark.parametrize(
    ("units", "amount"), [(0, "2.00"), (1, "2.00"), (1000, "2.00"), (1001, "2.001"), (3000, "4.00")]
)
def test_graduated_tiers_charge_their_own_units(units, amount):
    assert of_units(units, model=ChargeModel.GRADUATED, tiers=MAILS) == Fraction(amount)


def test_a_flat_amount_at_zero_can_be_waived():
    tiers = (Tier(up_to="10", flat_amount="2.00", flat_at_zero=False), Tier(unit_amount="1"))
    assert of_units(0, model=ChargeModel.GRADUATED, tiers=tiers) == 0
    assert of_units(1, model=ChargeModel.GRADUATED, tiers=tiers) == 2
    assert of_units(0, model=ChargeModel.VOLUME, tiers=tiers) == 0


@pytest.mark.parametrize(("units", "amount"), [(0, "0"), (10, "10.00"), (11, "8.80"), (100, "80.00"), (101, "55.50")])
def test_volume_charges_all_at_the_tier_that_holds_it(units, amount):
    tiers = (
        Tier(up_to="10", unit_amount="1.00"),
        Tier(up_to="100", unit_amount="0.80"),
        Tier(unit_amount="0.50", flat_amount="5.00"),
    )
    assert of_units(units, model=ChargeModel.VOLUME, tiers=tiers) == Fraction(amount)


def test_packages_in_a_tier():
    tiers = (Tier(up_to="100", unit_amount="0"), Tier(unit_amount="3.00", package="50"))
    assert of_units(151, model=ChargeModel.GRADUATED, tiers=tiers) == 6


_SALES = {"rate": "1", "fixed_amount": "0.30", "free_events": 2, "max_amount": "9.00"}


@pytest.mark.parametrize(
    ("amounts", "price", "amount"),
    [
        (("123.45",), {"rate": "3.5"}, "4.32075"),
        (("2345.67",), {"rate": "1"}, "23.4567"),
        (("1234.56",), {"rate": "0.75"}, "9.2592"),
        # 0.30 + 1 % each, at most 9.00; the first two are free
        (
            ("100", "50", "200", "1000"),
            {"rate": "1", "fixed_amount": "0.30", "free_events": 2, "max_amount": "9.00"},
            "11.30",
        ),
        # free are 120: all of the first, 20 of the second
        (("100", "50"), {"rate": "10", "free_amount": "120"}, "3"),
        # the lesser of both: 100
        (("100", "50"), {"rate": "10", "free_amount": "120", "free_events": 1}, "5"),
        (("1", "1"), {"rate": "1", "min_amount": "0.05"}, "0.10"),
        # a refund of 50 gives back its 5, neither fixed amount nor minimum
        (("100", "-50"), {"rate": "10", "fixed_amount": "1", "min_amount": "2"}, "6"),
        (("10", "-50"), {"rate": "10"}, "0"),
        ((), {"rate": "10", "fixed_amount": "1"}, "0"),
    ],
)
def test_a_percentage_of_each_event(amounts, price, amount):
    assert of_amounts(*amounts, model=ChargeModel.PERCENTAGE, **price) == Fraction(amount)


def test_a_percentage_in_tiers_takes_the_sum():
    tiers = (Tier(up_to="1000", rate="2"), Tier(rate="1", flat_amount="5"))
    assert of_amounts("600", "400", model=ChargeModel.GRADUATED_PERCENTAGE, tiers=tiers) == 20
    assert of_amounts("600", "600", model=ChargeModel.GRADUATED_PERCENTAGE, tiers=tiers) == 27


def test_dynamic_multiplies_the_sum():
    assert of_amounts("10.50", "4.50", model=ChargeModel.DYNAMIC, multiplier="1.2") == 18
    assert of_amounts("-4.50", model=ChargeModel.DYNAMIC, multiplier="1.2") == 0


def test_discount_then_least_and_greatest_spend():
    price = {"unit_amount": "1.00", "discount_percent": "10", "min_spend": "5.00", "max_spend": "50.00"}
    assert of_units(3, **price) == 5
    assert of_units(20, **price) == 18
    assert of_units(100, **price) == 50
    assert of_units(0, **price) == 5


def test_on_a_stub_the_least_spend_is_prorated_and_nothing_else():
    price = UsagePrice(feature_key="f", unit_amount="1.00", free_quota="2", min_spend="30.00", max_spend="40")
    assert owed(price, Counted(units=3), fraction=Fraction(1, 3)).amount == 10
    assert owed(price, Counted(units=90), fraction=Fraction(1, 3)).amount == 40

"""Every form of a price, and every mistake by its place."""

from dataclasses import replace

import pytest

from tallygate.control_plane.price_rules import check_charged, check_prices
from tallygate.domain.billing.published import published_prices
from tallygate.domain.catalog import Aggregation, Entitlement, Feature, FeatureKind, Overage
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.prices import (
    ChargeModel,
    CommitmentPrice,
    LimitAction,
    LimitUnit,
    Price,
    RecurringPrice,
    SetupPrice,
    Tier,
    Units,
    UsagePrice,
)

FEATURES = {
    feature.feature_key: feature
    for feature in (
        Feature(feature_key="calls", kind=FeatureKind.METERED, dimensions=("region", "amount")),
        Feature(feature_key="free", kind=FeatureKind.METERED, billable=False),
        Feature(feature_key="visitors", kind=FeatureKind.METERED, aggregation=Aggregation.UNIQUE, unique_by="visitor"),
        Feature(feature_key="seats", kind=FeatureKind.SEAT),
        Feature(feature_key="sso", kind=FeatureKind.BOOLEAN),
    )
}
SOFT = {"calls": Entitlement(limit=100, overage=Overage.ALLOW)}
UNITS = {"feature_key": "calls", "unit_amount": "0.50"}
TIERS = (Tier(up_to="10", unit_amount="1"), Tier(unit_amount="0.5"))
RATES = (Tier(up_to="10", rate="2"), Tier(rate="1"))


def check(*prices, entitlements=SOFT):
    check_prices("prices", prices, FEATURES, entitlements)


def complaint(*prices, entitlements=SOFT):
    with pytest.raises(InvalidFieldError) as raised:
        check(*prices, entitlements=entitlements)
    return raised.value.metadata["field"]


def usage(**fields):
    return Price(usage=UsagePrice(**{"feature_key": "calls", **fields}))


@pytest.mark.parametrize(
    "price",
    [
        Price(recurring=RecurringPrice(amount="49.00")),
        Price(recurring=RecurringPrice(amount="0")),
        Price(price_key="users", recurring=RecurringPrice(amount="15.00", seats="seats", label="Monthly user fees")),
        Price(recurring=RecurringPrice(users=True, model=ChargeModel.VOLUME, tiers=TIERS)),
        Price(setup=SetupPrice(amount="10.00")),
        Price(currency="JPY", setup=SetupPrice(amount="10")),
        usage(unit_amount="0.50", per_units=1000),
        usage(unit_amount="0.01", per_units=10**9, free_quota="10", max_limit="1010"),
        usage(unit_amount="5.00", package="100"),
        usage(unit_amount="1", max_limit="5", limit_unit=LimitUnit.SPEND, limit_action=LimitAction.NOTIFY),
        usage(model=ChargeModel.GRADUATED, where={"region": "eu"}, min_spend="5.00", max_spend="500.00", tiers=TIERS),
        usage(model=ChargeModel.PERCENTAGE, dimension="amount", rate="1", fixed_amount="0.30", free_events=2),
        usage(model=ChargeModel.GRADUATED_PERCENTAGE, tiers=RATES),
        usage(model=ChargeModel.DYNAMIC, dimension="amount", multiplier="1.2"),
        Price(commitment=CommitmentPrice(amount="200.00")),
        usage(feature_key="visitors", unit_amount="1", where={"visitor": "x"}),
    ],
)
def test_every_form_is_taken(price):
    check(price)


@pytest.mark.parametrize(
    ("price", "field"),
    [
        (Price(), "prices[0]"),
        (Price(recurring=RecurringPrice(amount="1"), setup=SetupPrice(amount="1")), "prices[0]"),
        (Price(currency="ABC", setup=SetupPrice(amount="1")), "prices[0].currency"),
        (Price(setup=SetupPrice(amount="-1")), "prices[0].setup.amount"),
        (Price(setup=SetupPrice(amount="")), "prices[0].setup.amount"),
        (Price(commitment=CommitmentPrice(amount="-1")), "prices[0].commitment.amount"),
        (Price(commitment=CommitmentPrice(amount="")), "prices[0].commitment.amount"),
        (Price(commitment=CommitmentPrice(amount="1", count=1201)), "prices[0].commitment.count"),
        (Price(recurring=RecurringPrice(amount="1", count=1201)), "prices[0].recurring.count"),
        (Price(recurring=RecurringPrice(amount="1", seats="calls")), "prices[0].recurring.quantity.seats"),
        (Price(recurring=RecurringPrice(amount="1", tiers=TIERS)), "prices[0].recurring.tiers"),
        (Price(recurring=RecurringPrice(model=ChargeModel.GRADUATED, tiers=TIERS)), "prices[0].recurring.quantity"),
        (Price(recurring=RecurringPrice(amount="1", model=ChargeModel.DYNAMIC)), "prices[0].recurring.model"),
        (usage(feature_key="sso", unit_amount="1"), "prices[0].usage.feature_key"),
        (usage(feature_key="free", unit_amount="1"), "prices[0].usage.feature_key"),
        (usage(feature_key="nothing", unit_amount="1"), "prices[0].usage.feature_key"),
        (usage(), "prices[0].usage.unit_amount"),
        (usage(unit_amount="1e3"), "prices[0].usage.unit_amount"),
        (usage(unit_amount="1", per_units=0), "prices[0].usage.per_units"),
        (usage(unit_amount="1", rate="2"), "prices[0].usage.rate"),
        (usage(unit_amount="1", tiers=TIERS), "prices[0].usage.tiers"),
        (usage(unit_amount="1", dimension="amount"), "prices[0].usage.of"),
        (usage(unit_amount="1", package="0"), "prices[0].usage.package"),
        (usage(unit_amount="1", where={"planet": "x"}), "prices[0].usage.where.planet"),
        (usage(unit_amount="1", discount_percent="101"), "prices[0].usage.discount_percent"),
        (usage(unit_amount="1", min_spend="5", max_spend="4.99"), "prices[0].usage.max_spend"),
        (usage(unit_amount="1", free_quota="10", max_limit="10"), "prices[0].usage.max_limit"),
        (usage(unit_amount="1", limit_action=LimitAction.NOTIFY), "prices[0].usage.limit_action"),
        (usage(unit_amount="1", max_limit="5", limit_action=LimitAction.CUT), "prices[0].usage.limit_action"),
        (usage(model=ChargeModel.GRADUATED), "prices[0].usage.tiers"),
        (usage(model=ChargeModel.GRADUATED, tiers=TIERS, unit_amount="1"), "prices[0].usage.unit_amount"),
        (usage(model=ChargeModel.GRADUATED, tiers=RATES), "prices[0].usage.tiers[0].rate"),
        (usage(model=ChargeModel.GRADUATED_PERCENTAGE, tiers=TIERS), "prices[0].usage.tiers[0].unit_amount"),
        (usage(model=ChargeModel.GRADUATED, tiers=(*TIERS, Tier())), "prices[0].usage.tiers[1].up_to"),
        (usage(model=ChargeModel.GRADUATED, tiers=TIERS[:1]), "prices[0].usage.tiers[0].up_to"),
        (usage(model=ChargeModel.GRADUATED, tiers=(TIERS[0], *TIERS)), "prices[0].usage.tiers[1].up_to"),
        (
            usage(model=ChargeModel.GRADUATED, tiers=(TIERS[0], Tier(flat_at_zero=False))),
            "prices[0].usage.tiers[1].flat_at_zero",
        ),
        (usage(model=ChargeModel.PERCENTAGE), "prices[0].usage.rate"),
        (usage(model=ChargeModel.PERCENTAGE, rate="1", units=Units.ALL), "prices[0].usage.units"),
        (usage(model=ChargeModel.PERCENTAGE, rate="1", max_limit="5"), "prices[0].usage.limit_unit"),
        (usage(model=ChargeModel.PERCENTAGE, rate="1", dimension="planet"), "prices[0].usage.of.dimension"),
        (
            usage(model=ChargeModel.PERCENTAGE, rate="1", min_amount="2", max_amount="1"),
            "prices[0].usage.max_amount",
        ),
        (usage(model=ChargeModel.DYNAMIC), "prices[0].usage.multiplier"),
        (usage(feature_key="visitors", model=ChargeModel.DYNAMIC, multiplier="1"), "prices[0].usage.feature_key"),
    ],
)
def test_a_mistake_is_named_by_its_place(price, field):
    assert complaint(price) == field


@pytest.mark.parametrize(
    ("price", "field"),
    [
        (usage(unit_amount="1", units=Units.OVERAGE), "price.usage.units"),
        (usage(model=ChargeModel.GRADUATED, tiers=(TIERS[0], Tier())), "price.usage.tiers[1].unit_amount"),
        (usage(model=ChargeModel.VOLUME, tiers=(Tier(package="9"),)), "price.usage.tiers[0].unit_amount"),
        (usage(model=ChargeModel.GRADUATED_PERCENTAGE, tiers=(Tier(),)), "price.usage.tiers[0].rate"),
        (
            Price(recurring=RecurringPrice(users=True, model=ChargeModel.VOLUME, tiers=(Tier(),))),
            "price.recurring.tiers[0].unit_amount",
        ),
    ],
)
def test_what_would_never_be_charged_is_refused(price, field):
    with pytest.raises(InvalidFieldError) as raised:
        check_charged("price", price, {"calls": Entitlement(unlimited=True)})
    assert raised.value.metadata["field"] == field


@pytest.mark.parametrize(
    "price",
    [
        usage(unit_amount="1", units=Units.OVERAGE),
        usage(unit_amount="0"),
        usage(model=ChargeModel.GRADUATED, tiers=(Tier(up_to="5", unit_amount="0"), Tier(flat_amount="2"))),
        usage(model=ChargeModel.GRADUATED_PERCENTAGE, tiers=RATES),
        Price(setup=SetupPrice(amount="0")),
    ],
)
def test_what_is_said_to_be_free_is_taken(price):
    check_charged("price", price, SOFT)
    check_charged("price", price, {})


def test_a_key_comes_once():
    price = Price(price_key="fee", setup=SetupPrice(amount="1"))
    assert complaint(price, price) == "prices[0].key"


def test_a_limit_that_cuts_is_the_entitlements_own():
    price = usage(unit_amount="1", per_units=10, max_limit="5", limit_action=LimitAction.CUT)
    hard = {"calls": Entitlement(limit=50)}
    check(price, entitlements=hard)
    assert complaint(price, entitlements={"calls": Entitlement(limit=51)}) == "prices[0].usage.limit_action"
    assert complaint(price, entitlements={}) == "prices[0].usage.limit_action"


def test_publishing_writes_out_keys_and_counted_units():
    prices = (
        Price(recurring=RecurringPrice(amount="1")),
        Price(price_key="recurring-2", recurring=RecurringPrice(amount="2")),
        Price(recurring=RecurringPrice(amount="3")),
        usage(unit_amount="1"),
        usage(unit_amount="1", free_quota="3"),
        usage(unit_amount="1", units=Units.ALL),
        usage(model=ChargeModel.DYNAMIC, multiplier="2"),
    )
    found = published_prices(prices, SOFT)
    assert [price.price_key for price in found] == [
        "recurring", "recurring-2", "recurring-3", "calls", "calls-2", "calls-3", "calls-4",
    ]  # fmt: skip
    assert [price.usage.units for price in found if price.usage] == [Units.OVERAGE, Units.ALL, Units.ALL, None]
    assert published_prices(found, SOFT) == found


def test_without_overage_all_units_count():
    (price,) = published_prices((Price(usage=UsagePrice(**UNITS)),), {"calls": Entitlement(unlimited=True)})
    assert price.usage.units is Units.ALL
    (other,) = published_prices((Price(usage=UsagePrice(**UNITS)),), {"calls": Entitlement(limit=5)})
    assert other.usage == replace(price.usage)

from dataclasses import replace

import pytest

from control_planes import SECOND, demo_catalog, pro
from tallygate.control_plane.catalog_rules import check_catalog
from tallygate.domain.billing_terms import BillingRule, Renewal
from tallygate.domain.catalog import (
    AddOn,
    Aggregation,
    Catalog,
    Durability,
    Entitlement,
    Feature,
    FeatureKind,
    Overage,
    Plan,
    Trial,
    TrialEnd,
    ValueType,
)
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.limits import Algorithm, DescriptorRule, LimitOwner, OnUnavailable, RateLimit, RateLimitRule
from tallygate.domain.prices import ChargeModel, Price, RecurringPrice, Tier, UsagePrice

EMPTY = Catalog()


def complaint(document: Catalog, stored: Catalog = EMPTY) -> str:
    with pytest.raises(InvalidFieldError) as raised:
        check_catalog(document, stored)
    return raised.value.metadata["field"]


def entitled(feature_key: str, **value) -> Catalog:
    plan = replace(pro(), entitlements={feature_key: Entitlement(**value)})
    catalog = demo_catalog()
    return replace(catalog, plans={**catalog.plans, "pro": {1: plan}})


def planned(**changes) -> Catalog:
    catalog = demo_catalog()
    return replace(catalog, plans={**catalog.plans, "pro": {1: replace(pro(), **changes)}})


def test_the_demo_catalogue_is_valid():
    check_catalog(demo_catalog(), EMPTY)


@pytest.mark.parametrize(
    ("feature_key", "value", "field"),
    [
        ("sso", {}, "enabled"),
        ("sso", {"limit": 5}, "limit"),
        ("sso", {"enabled": True, "number": 1}, "number"),
        ("retention_days", {}, "number"),
        ("retention_days", {"number": -1}, "number"),
        ("retention_days", {"number": MAX_QUANTITY + 1}, "number"),
        ("retention_days", {"number": 1, "unlimited": True}, "number"),
        ("retention_days", {"text": "x"}, "text"),
        ("support", {"text": "carrier pigeon"}, "text"),
        ("support", {"values": ("email", "pigeon")}, "text"),
        ("support", {}, "text"),
        ("support", {"number": 3, "text": "email"}, "number"),
        ("api_calls", {}, "limit"),
        ("api_calls", {"limit": -1}, "limit"),
        ("api_calls", {"limit": MAX_QUANTITY + 1}, "limit"),
        ("api_calls", {"limit": 1, "unlimited": True}, "limit"),
        ("api_calls", {"enabled": True, "limit": 1}, "enabled"),
        ("visitors", {"limit": 10}, "limit"),
        ("seats", {}, "limit"),
        ("api_calls", {"limit": 5, "hard_limit": 9}, "hard_limit"),
        ("api_calls", {"limit": 5, "overage": Overage.ALLOW, "hard_limit": 4}, "hard_limit"),
        ("api_calls", {"limit": 5, "overage": Overage.ALLOW, "hard_limit": MAX_QUANTITY + 1}, "hard_limit"),
        ("api_calls", {"unlimited": True, "overage": Overage.ALLOW, "hard_limit": 4}, "hard_limit"),
        ("seats", {"limit": 5, "hard_limit": 9}, "hard_limit"),
        ("sso", {"enabled": True, "hard_limit": 9}, "hard_limit"),
    ],
)
def test_a_value_must_suit_its_feature(feature_key, value, field):
    assert complaint(entitled(feature_key, **value)) == f"plans.pro.entitlements.{feature_key}.{field}"


def test_overage_may_have_a_hard_end():
    for key in ("api_calls", "seats"):
        check_catalog(entitled(key, limit=5, overage=Overage.ALLOW, hard_limit=9), EMPTY)


def test_a_measured_feature_is_unlimited():
    check_catalog(entitled("visitors", unlimited=True), EMPTY)


def test_an_unknown_feature_is_named():
    assert complaint(entitled("teleport", enabled=True)) == "plans.pro.entitlements.teleport"


def test_references_may_point_at_what_is_stored():
    plan = replace(pro(2), upgrades_to=("enterprise",))
    check_catalog(Catalog(plans={"pro": {2: plan}}, default_plan="free"), demo_catalog())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 0}, "version"),
        ({"upgrades_to": ("enterprise", "gold")}, "upgrades_to[1]"),
        ({"trial": Trial(days=0)}, "trial.days"),
        ({"trial": Trial(days=14, ends_in="gold")}, "trial.ends_in"),
        ({"trial": Trial(days=14, on_end=TrialEnd.DOWNGRADE)}, "trial.ends_in"),
        ({"trial": Trial(days=14, ends_in="free", on_end=TrialEnd.NOTIFY)}, "trial.on_end"),
        ({"billing": BillingRule(renewal=Renewal.ONE_TIME, renewal_approval=True)}, "billing.renewal_approval"),
        ({"rate_limits": {"nothing": RateLimit(limit=1, window=SECOND)}}, "rate_limits.nothing"),
        ({"rate_limits": {"login_attempts": RateLimit(limit=1, window=SECOND)}}, "rate_limits.login_attempts"),
        ({"rate_limits": {"api_rps": RateLimit(limit=1, window=0)}}, "rate_limits.api_rps.window"),
        ({"rate_limits": {"api_rps": RateLimit(limit=1, window=1_500)}}, "rate_limits.api_rps.window"),
        ({"rate_limits": {"api_rps": RateLimit(limit=-1, window=SECOND)}}, "rate_limits.api_rps.limit"),
        ({"rate_limits": {"api_rps": RateLimit(limit=1, window=SECOND, burst=0)}}, "rate_limits.api_rps.burst"),
        (
            {"rate_limits": {"api_rps": RateLimit(limit=7, window=1_001_000, burst=MAX_QUANTITY)}},
            "rate_limits.api_rps.burst",
        ),
        ({"prices": (Price(),)}, "prices[0]"),
        ({"prices": (Price(recurring=RecurringPrice(amount="49,00")),)}, "prices[0].recurring.amount"),
        ({"prices": (Price(recurring=RecurringPrice(amount="1e3")),)}, "prices[0].recurring.amount"),
        ({"prices": (Price(recurring=RecurringPrice(amount="-1")),)}, "prices[0].recurring.amount"),
        ({"prices": (Price(recurring=RecurringPrice(amount="1", count=0)),)}, "prices[0].recurring.count"),
        ({"prices": (Price(usage=UsagePrice(feature_key="sso", unit_amount="1")),)}, "prices[0].usage.feature_key"),
        (
            {"prices": (Price(usage=UsagePrice(feature_key="api_calls", unit_amount="1", per_units=0)),)},
            "prices[0].usage.per_units",
        ),
    ],
)
def test_a_wrong_field_of_a_plan_is_named(changes, field):
    assert complaint(planned(**changes)) == f"plans.pro.{field}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "usd"}, "currency"),
        ({"currency": "XXQ"}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"default_plan": "gold"}, "default_plan"),
    ],
)
def test_a_wrong_setting_is_named(changes, field):
    assert complaint(replace(demo_catalog(), **changes)) == field


@pytest.mark.parametrize(
    ("feature", "field"),
    [
        (Feature(feature_key="f", kind=FeatureKind.STATIC, value_type=ValueType.ENUM), "values"),
        (Feature(feature_key="f", kind=FeatureKind.STATIC, value_type=ValueType.ENUM, values=("a", "a")), "values"),
        (Feature(feature_key="f", kind=FeatureKind.METERED, aggregation=Aggregation.UNIQUE), "unique_by"),
        (Feature(feature_key="f", kind=FeatureKind.BOOLEAN, durability=Durability.STRICT), "durability"),
        (
            Feature(
                feature_key="f",
                kind=FeatureKind.METERED,
                durability=Durability.STRICT,
                on_unavailable=OnUnavailable.OPEN,
            ),
            "on_unavailable",
        ),
    ],
)
def test_a_wrong_feature_is_named(feature, field):
    assert complaint(Catalog(features={"f": feature})) == f"features.f.{field}"


RULE = RateLimitRule(limit_key="r", owner=LimitOwner.TENANT, algorithm=Algorithm.FIXED_WINDOW)
RATE = RateLimit(limit=5, window=SECOND)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (RULE, "value"),
        (replace(RULE, owner=LimitOwner.ACCOUNT, value=RATE), "value"),
        (replace(RULE, value=replace(RATE, burst=3)), "value.burst"),
        (replace(RULE, value=replace(RATE, window=-1)), "value.window"),
        (replace(RULE, value=RATE, descriptor=(DescriptorRule(key=""),)), "descriptor"),
        (replace(RULE, value=RATE, descriptor=(DescriptorRule(key="a"), DescriptorRule(key="a"))), "descriptor"),
    ],
)
def test_a_wrong_rate_limit_is_named(rule, field):
    assert complaint(Catalog(rate_limits={"r": rule})) == f"rate_limits.r.{field}"


def test_an_add_on_is_offered_on_plans_that_exist():
    add_on = AddOn(add_on_key="extra", version=1, offered_on=("gold",))
    assert complaint(replace(demo_catalog(), add_ons={"extra": {1: add_on}})) == "add_ons.extra.offered_on[0]"


def upgrading(version=1, **upgrades):
    return Catalog(
        plans={
            key: {version: Plan(plan_key=key, version=version, upgrades_to=tuple(to.split()))}
            for key, to in upgrades.items()
        }
    )


@pytest.mark.parametrize(
    ("upgrades", "steps", "circles"),
    [
        ({"a": "a"}, {"plans.a.upgrades_to[0]"}, {"a -> a"}),
        (
            {"c": "", "a": "c b", "b": "a"},
            {"plans.a.upgrades_to[1]", "plans.b.upgrades_to[0]"},
            {"a -> b -> a", "b -> a -> b"},
        ),
        (
            {"a": "b", "b": "c", "c": "a", "d": "a"},
            {"plans.a.upgrades_to[0]", "plans.b.upgrades_to[0]", "plans.c.upgrades_to[0]"},
            {"a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"},
        ),
    ],
)
def test_upgrades_never_lead_back(upgrades, steps, circles):
    with pytest.raises(InvalidFieldError) as raised:
        check_catalog(upgrading(**upgrades), EMPTY)
    assert raised.value.metadata["field"] in steps
    assert raised.value.metadata["got"] in circles


def test_a_tier_without_an_amount_is_refused_but_where_it_was_published_before():
    price = Price(price_key="one", recurring=RecurringPrice(users=True, model=ChargeModel.VOLUME, tiers=(Tier(),)))
    document = planned(prices=(price,))
    assert complaint(document) == "plans.pro.prices[0].recurring.tiers[0].unit_amount"
    check_catalog(document, document)
    assert complaint(planned(prices=(price,), version=9), document).endswith(".tiers[0].unit_amount")


def test_upgrades_may_meet_again():
    check_catalog(upgrading(a="b c", b="d", c="d", d=""), EMPTY)


def test_a_circle_is_found_through_what_is_stored_and_a_stored_one_may_stay():
    stored = upgrading(a="b", b="")
    with pytest.raises(InvalidFieldError) as raised:
        check_catalog(upgrading(2, b="a"), stored)
    assert raised.value.metadata == {
        "field": "plans.b.upgrades_to[0]",
        "expected": "a plan whose upgrades do not lead back to this one",
        "got": "b -> a -> b",
    }
    circle = upgrading(a="b", b="a")
    check_catalog(circle, circle)
    check_catalog(upgrading(2, a=""), circle)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"default_plan": "fre"}, "did you mean free?"),
        (planned(upgrades_to=("enterprize",)), "did you mean enterprise?"),
        (planned(trial=Trial(days=1, ends_in="fee")), "did you mean free?"),
        (planned(entitlements={"api_cals": Entitlement(limit=1)}), "did you mean api_calls?"),
        (planned(entitlements={"support": Entitlement(text="emial")}), "did you mean email?"),
        (planned(rate_limits={"api_rp": RateLimit(limit=1, window=SECOND)}), "did you mean api_rps?"),
        (planned(prices=(Price(usage=UsagePrice(feature_key="api_call", unit_amount="1")),)), "mean api_calls?"),
        ({"add_ons": {"x": {1: AddOn(add_on_key="x", version=1, offered_on=("pr",))}}}, "did you mean pro?"),
        ({"default_plan": "zzz"}, "known are"),
    ],
)
def test_a_wrong_reference_is_told_the_nearest_name(document, told):
    with pytest.raises(InvalidFieldError) as raised:
        check_catalog(document if isinstance(document, Catalog) else replace(demo_catalog(), **document), EMPTY)
    assert told in raised.value.metadata["expected"]


def test_the_mapping_and_its_items_agree_on_keys():
    assert complaint(Catalog(plans={"a": {1: Plan(plan_key="b", version=1)}})) == "plans.a"

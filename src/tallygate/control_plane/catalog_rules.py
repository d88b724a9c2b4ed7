"""What a catalogue document may say; every complaint names the path of the field.

References may point at what the document itself holds or at what the tenant already has, for absent keys are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallygate.control_plane.billing_rules import check_billing, check_degraded, check_rule
from tallygate.control_plane.price_rules import check_charged, check_count, check_prices
from tallygate.control_plane.upgrades import check_upgrades
from tallygate.domain.billing.advance import problems as advance_problems
from tallygate.domain.billing.published import published_prices
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
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.rate_limit import bucket
from tallygate.domain.limits import Algorithm, LimitOwner, OnUnavailable, RateLimit, RateLimitRule
from tallygate.domain.period import Anchor
from tallygate.domain.prices import Price
from tallygate.records.fields import check_id, check_label, check_quantity, check_text, check_zone
from tallygate.records.naming import one_of

_MILLISECOND = 1_000
_MAX_TRIAL_DAYS = 3_650
_LEAST_ADVANCE, _MOST_ADVANCE = 2, 120
_VALUE_FIELDS = ("enabled", "number", "text", "values", "limit", "unlimited", "overage", "hard_limit")
_FIELDS_OF = {
    FeatureKind.BOOLEAN: {"enabled"},
    FeatureKind.STATIC: {"number", "text", "values", "unlimited"},
    FeatureKind.METERED: {"limit", "unlimited", "overage", "hard_limit"},
    FeatureKind.SEAT: {"limit", "unlimited", "overage", "hard_limit"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What references may name."""

    features: Mapping[str, Feature]
    rate_limits: Mapping[str, RateLimitRule]
    plans: frozenset[str]
    currency: str = ""
    prices: Mapping[tuple[str, int], Sequence[Price]] = field(default_factory=dict)
    """Of what is published, by path and version."""


def known(document: Catalog, stored: Catalog) -> Known:
    """What references in a document may name: its own items, and those already there."""
    live = {key for key, versions in stored.plans.items() if not versions[max(versions)].archived}
    return Known(
        features={**stored.features, **document.features},
        rate_limits={**stored.rate_limits, **document.rate_limits},
        plans=frozenset(live | set(document.plans)),
        currency=document.currency or stored.currency,
        prices={
            (f"{room}.{key}", version): bundle.prices
            for room, bundles in (("plans", stored.plans), ("add_ons", stored.add_ons))
            for key, versions in bundles.items()
            for version, bundle in versions.items()
        },
    )


def check_catalog(document: Catalog, stored: Catalog) -> None:
    """Check a whole document, whose plans and add-ons hold one version each.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    names = known(document, stored)
    if document.currency != stored.currency or document.billing is not None:  # one that was there before shows prices
        decimals_of(document.currency)
    check_zone("time_zone", document.time_zone)
    if document.billing is not None:
        check_billing("billing", document.billing)
        check_degraded("billing.dunning", document.billing.dunning, {**stored.features, **document.features})
    if document.default_plan:
        _check_plan_key("default_plan", document.default_plan, names)
    for key, feature in document.features.items():
        _check_feature(f"features.{key}", feature)
    for key, rule in document.rate_limits.items():
        _check_rule(f"rate_limits.{key}", rule)
    for key, plan in ((key, plan) for key, versions in document.plans.items() for plan in versions.values()):
        _check_plan(f"plans.{key}", plan, names)
    for key, add_on in ((key, item) for key, versions in document.add_ons.items() for item in versions.values()):
        _check_add_on(f"add_ons.{key}", add_on, names)
    check_upgrades(document, stored)


def check_entitlement(path: str, feature: Feature, value: Entitlement) -> None:
    """Check that a value suits its feature.

    Raises:
        InvalidFieldError: it does not.
    """
    empty = Entitlement()
    for name in _VALUE_FIELDS:
        if name not in _FIELDS_OF[feature.kind] and getattr(value, name) != getattr(empty, name):
            raise InvalidFieldError(field=f"{path}.{name}", expected=f"nothing: the feature is {feature.kind}")
    match feature.kind:
        case FeatureKind.BOOLEAN:
            if value.enabled is None:
                raise InvalidFieldError(field=f"{path}.enabled", expected="true or false")
        case FeatureKind.STATIC:
            _check_static(path, feature, value)
        case FeatureKind.METERED | FeatureKind.SEAT:
            _check_allowance(path, feature, value)


def _check_static(path: str, feature: Feature, value: Entitlement) -> None:
    if feature.value_type is ValueType.NUMBER:
        if value.text is not None or value.values:
            raise InvalidFieldError(field=f"{path}.text", expected="nothing: the feature is a number")
        if (value.number is None) is not value.unlimited:
            raise InvalidFieldError(field=f"{path}.number", expected="either a number or unlimited")
        check_quantity(f"{path}.number", value.number or 0)
        return
    if value.number is not None or value.unlimited:
        raise InvalidFieldError(field=f"{path}.number", expected=f"nothing: the feature is {feature.value_type}")
    if (value.text is None) is (not value.values):
        raise InvalidFieldError(field=f"{path}.text", expected="either a text or a list of values")
    check_text(f"{path}.text", value.text or "")
    if feature.value_type is ValueType.ENUM:
        _check_choice(path, feature, value)


def _check_choice(path: str, feature: Feature, value: Entitlement) -> None:
    for text in (value.text, *value.values):
        if text is not None and text not in feature.values:
            expected = one_of("one of the feature's values", text, feature.values)
            raise InvalidFieldError(field=f"{path}.text", expected=expected, got=text)


def _check_allowance(path: str, feature: Feature, value: Entitlement) -> None:
    measured = feature.aggregation in {Aggregation.UNIQUE, Aggregation.TIME_WEIGHTED}
    if measured and feature.kind is FeatureKind.METERED and not value.unlimited:
        expected = f"unlimited: {feature.aggregation} is measured from events and carries no limit"
        raise InvalidFieldError(field=f"{path}.limit", expected=expected, got=value.limit)
    if (value.limit is None) is not value.unlimited:
        raise InvalidFieldError(field=f"{path}.limit", expected="either a limit or unlimited")
    if value.limit is not None:
        check_quantity(f"{path}.limit", value.limit)
    if value.hard_limit is not None:
        if value.overage is not Overage.ALLOW or value.limit is None:
            raise InvalidFieldError(field=f"{path}.hard_limit", expected="nothing without a limit and `overage: allow`")
        check_quantity(f"{path}.hard_limit", value.hard_limit, least=value.limit)


def _check_feature(path: str, feature: Feature) -> None:
    _check_key(path, feature.feature_key)
    check_label(f"{path}.name", feature.name)
    check_label(f"{path}.unit", feature.unit)
    if feature.durability is Durability.STRICT:
        _check_strict(path, feature)
    if feature.unique_by:
        check_id(f"{path}.unique_by", feature.unique_by)
    for index, name in enumerate(feature.dimensions):
        check_id(f"{path}.dimensions[{index}]", name)
    if len(set(feature.dimensions)) != len(feature.dimensions):
        raise InvalidFieldError(field=f"{path}.dimensions", expected="each dimension once")
    check_count(f"{path}.usage_period.count", feature.usage_period.every, feature.usage_period.count)
    if feature.kind is FeatureKind.STATIC and feature.value_type is ValueType.ENUM and not feature.values:
        raise InvalidFieldError(field=f"{path}.values", expected="the enum's values, the most generous last")
    if len(set(feature.values)) != len(feature.values):
        raise InvalidFieldError(field=f"{path}.values", expected="each value once")
    if feature.kind is FeatureKind.METERED and feature.aggregation is Aggregation.UNIQUE and not feature.unique_by:
        raise InvalidFieldError(field=f"{path}.unique_by", expected="the dimension that is counted")


def _check_strict(path: str, feature: Feature) -> None:
    if feature.kind is not FeatureKind.METERED:
        raise InvalidFieldError(field=f"{path}.durability", expected="fast, or a metered feature", got="strict")
    if feature.on_unavailable is OnUnavailable.OPEN:
        raise InvalidFieldError(field=f"{path}.on_unavailable", expected="closed, as durability is strict", got="open")


def _check_rule(path: str, rule: RateLimitRule) -> None:
    _check_key(path, rule.limit_key)
    keys = [entry.key for entry in rule.descriptor]
    for index, entry in enumerate(rule.descriptor):
        check_text(f"{path}.descriptor[{index}].value", entry.value or "")
    if "" in keys or len(set(keys)) != len(keys):
        raise InvalidFieldError(field=f"{path}.descriptor", expected="entries with keys, each key once")
    if rule.owner is LimitOwner.ACCOUNT and rule.value is not None:
        raise InvalidFieldError(field=f"{path}.value", expected="nothing: an account's figures stand in its plan")
    if rule.owner is LimitOwner.TENANT and rule.value is None:
        raise InvalidFieldError(field=f"{path}.value", expected="the figures of the tenant's own limit")
    if rule.value is not None:
        check_rate(f"{path}.value", rule.algorithm, rule.value)


def check_rate(path: str, algorithm: Algorithm, rate: RateLimit) -> None:
    """Check a rate limit's figures.

    Raises:
        InvalidFieldError: they cannot be counted with.
    """
    check_quantity(f"{path}.limit", rate.limit)
    check_quantity(f"{path}.window", rate.window, least=1)
    if rate.window % _MILLISECOND:
        raise InvalidFieldError(field=f"{path}.window", expected="whole milliseconds", got=rate.window)
    if rate.burst is not None and algorithm is not Algorithm.TOKEN_BUCKET:
        raise InvalidFieldError(field=f"{path}.burst", expected="nothing: only a token bucket has a burst")
    if rate.burst is not None:
        check_quantity(f"{path}.burst", rate.burst, least=1)
    if algorithm is Algorithm.TOKEN_BUCKET:
        try:
            bucket(rate)
        except InvalidFieldError as error:
            raise InvalidFieldError(field=f"{path}.burst", expected=error.metadata["expected"]) from None


def _check_plan(path: str, plan: Plan, names: Known) -> None:
    _check_bundle(path, plan, names)
    if plan.billing is not None:
        check_rule(f"{path}.billing", plan.billing)
    _check_advance(path, plan, names)
    for index, key in enumerate(plan.upgrades_to):
        _check_plan_key(f"{path}.upgrades_to[{index}]", key, names)
    if plan.trial is not None:
        if not 1 <= plan.trial.days <= _MAX_TRIAL_DAYS:
            raise InvalidFieldError(field=f"{path}.trial.days", expected=f"1 to {_MAX_TRIAL_DAYS}", got=plan.trial.days)
        _check_trial_end(f"{path}.trial", plan.trial, names)
    for key, rate in plan.rate_limits.items():
        rule = names.rate_limits.get(key)
        if rule is None or rule.owner is LimitOwner.TENANT:
            owned = [name for name, each in names.rate_limits.items() if each.owner is LimitOwner.ACCOUNT]
            expected = one_of("a rate limit that accounts own", key, owned)
            raise InvalidFieldError(field=f"{path}.rate_limits.{key}", expected=expected, got=key)
        check_rate(f"{path}.rate_limits.{key}", rule.algorithm, rate)


def _check_advance(path: str, plan: Plan, names: Known) -> None:
    for index, discount in enumerate(plan.advance_discounts):
        if not _LEAST_ADVANCE <= discount.length <= _MOST_ADVANCE:
            expected = f"{_LEAST_ADVANCE} to {_MOST_ADVANCE} periods"
            raise InvalidFieldError(field=f"{path}.advance_discounts[{index}].length", expected=expected)
    if plan.advance_discounts and plan.billing is not None and plan.billing.anchor is not Anchor.SUBSCRIPTION:
        raise InvalidFieldError(field=f"{path}.advance_discounts", expected="periods that hang on the subscription")
    for place, expected in advance_problems(plan, currency=names.currency):
        raise InvalidFieldError(field=f"{path}.{place}", expected=expected)


def _check_trial_end(path: str, trial: Trial, names: Known) -> None:
    if trial.ends_in:
        _check_plan_key(f"{path}.ends_in", trial.ends_in, names)
    if trial.on_end is TrialEnd.DOWNGRADE and not trial.ends_in:
        expected = "the plan that serves after it, with on_end downgrade"
        raise InvalidFieldError(field=f"{path}.ends_in", expected=expected)
    if trial.on_end is TrialEnd.NOTIFY and trial.ends_in:
        expected = "convert or downgrade, or no ends_in: no other plan follows"
        raise InvalidFieldError(field=f"{path}.on_end", expected=expected, got=trial.on_end)


def _check_add_on(path: str, add_on: AddOn, names: Known) -> None:
    _check_bundle(path, add_on, names)
    for index, key in enumerate(add_on.offered_on):
        _check_plan_key(f"{path}.offered_on[{index}]", key, names)
    if add_on.max_quantity is not None:
        check_quantity(f"{path}.max_quantity", add_on.max_quantity, least=1)


def _check_bundle(path: str, bundle: Plan | AddOn, names: Known) -> None:
    _check_key(path, bundle.plan_key if isinstance(bundle, Plan) else bundle.add_on_key)
    check_label(f"{path}.name", bundle.name)
    if not 1 <= bundle.version < 2**31:
        raise InvalidFieldError(field=f"{path}.version", expected="a version of 1 or more", got=bundle.version)
    for key, value in bundle.entitlements.items():
        feature = names.features.get(key)
        if feature is None:
            expected = one_of("a feature of the catalogue", key, names.features)
            raise InvalidFieldError(field=f"{path}.entitlements.{key}", expected=expected, got=key)
        check_entitlement(f"{path}.entitlements.{key}", feature, value)
    check_prices(f"{path}.prices", bundle.prices, names.features, bundle.entitlements)
    if published_prices(bundle.prices, bundle.entitlements) != names.prices.get((path, bundle.version)):
        for index, price in enumerate(bundle.prices):
            check_charged(f"{path}.prices[{index}]", price, bundle.entitlements)


def _check_key(path: str, key: str) -> None:
    check_id(path, key)
    if key != path.partition(".")[2]:
        raise InvalidFieldError(field=path, expected="the key that it is filed under", got=key)


def _check_plan_key(path: str, plan_key: str, names: Known) -> None:
    if plan_key not in names.plans:
        expected = one_of("a plan of the catalogue", plan_key, sorted(names.plans))
        raise InvalidFieldError(field=path, expected=expected, got=plan_key)

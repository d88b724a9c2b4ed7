"""What prices may say; every complaint names the path of the field.

No price is taken that would be billed for less than it says: what a model does not use is refused beside it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from tallygate.domain.catalog import Aggregation, Entitlement, Feature, FeatureKind, Overage
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import (
    TIER_AMOUNTS,
    USAGE_AMOUNTS,
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
    exact,
)
from tallygate.records.fields import check_id, check_label, check_quantity, check_text
from tallygate.records.naming import one_of

_AMOUNT = re.compile(r"(0|[1-9]\d{0,14})(\.\d{1,12})?", re.ASCII)
_PERCENT = 100
_MAX_TIERS = 100
_CENTURY = {
    PeriodUnit.HOUR: 876_000,
    PeriodUnit.DAY: 36_500,
    PeriodUnit.WEEK: 5_200,
    PeriodUnit.MONTH: 1_200,
    PeriodUnit.YEAR: 100,
}
"""The longest period there is, so that every one lies within what the calendar can say."""

_UNIT_FIELDS = {"unit_amount", "package", "free_quota", "units"}
_EVENT_FIELDS = {"rate", "fixed_amount", "free_events", "free_amount", "min_amount", "max_amount"}
_FIELDS = {
    ChargeModel.PER_UNIT: _UNIT_FIELDS,
    ChargeModel.GRADUATED: {"tiers", "free_quota", "units"},
    ChargeModel.VOLUME: {"tiers", "free_quota", "units"},
    ChargeModel.PERCENTAGE: {*_EVENT_FIELDS, "dimension"},
    ChargeModel.GRADUATED_PERCENTAGE: {"tiers", "dimension"},
    ChargeModel.DYNAMIC: {"multiplier", "dimension"},
}
"""Which fields a model uses, of those that not all do."""
_OF_MODELS = set().union(*_FIELDS.values())
_PERCENTAGE_TIER, _UNIT_TIER = {"rate"}, {"unit_amount", "package"}


def check_prices(
    path: str, prices: Sequence[Price], features: Mapping[str, Feature], entitlements: Mapping[str, Entitlement]
) -> None:
    """Check the prices of one bundle beside its entitlements.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    keys = [price.price_key for price in prices if price.price_key]
    for index, price in enumerate(prices):
        place = f"{path}[{index}]"
        if price.price_key and keys.count(check_id(f"{place}.key", price.price_key)) > 1:
            raise InvalidFieldError(field=f"{place}.key", expected="a key once in a bundle", got=price.price_key)
        check_price(place, price, features, entitlements)


def check_price(
    path: str, price: Price, features: Mapping[str, Feature], entitlements: Mapping[str, Entitlement]
) -> None:
    """Check one price beside the entitlements of its bundle.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
    """
    if price.currency:
        decimals_of(price.currency, field=f"{path}.currency")
    _check_form(path, price, features, entitlements)


def check_charged(path: str, price: Price, entitlements: Mapping[str, Entitlement]) -> None:
    """Refuse what would never be charged. It stands apart, as versions that were published with it stay as they are.

    Raises:
        InvalidFieldError: a tier without an amount, or overage of what has no limit.
    """
    form, place = price.usage or price.recurring, f"{path}.{price.kind}"
    for index, tier in enumerate(form.tiers if form is not None else ()):
        amount = "rate" if isinstance(form, UsagePrice) and form.model.by_amount else "unit_amount"
        if not (getattr(tier, amount) or tier.flat_amount):
            expected = f'{amount}, flat_amount or both: "0" where the tier is free'
            raise InvalidFieldError(field=f"{place}.tiers[{index}].{amount}", expected=expected)
    if isinstance(form, UsagePrice) and form.units is Units.OVERAGE:
        entitlement = entitlements.get(form.feature_key)
        if entitlement is not None and entitlement.unlimited:
            expected = f"all: {form.feature_key} is unlimited here, so there is no overage to be charged"
            raise InvalidFieldError(field=f"{place}.units", expected=expected, got=Units.OVERAGE)


def check_count(path: str, every: PeriodUnit, count: int) -> None:
    """Check how many units a period lasts.

    Raises:
        InvalidFieldError: none, or more than a century.
    """
    if not 1 <= count <= _CENTURY[every]:
        raise InvalidFieldError(field=path, expected=f"1 to {_CENTURY[every]}: a century at most", got=count)


def _check_form(
    path: str, price: Price, features: Mapping[str, Feature], entitlements: Mapping[str, Entitlement]
) -> None:
    forms = [form for form in (price.recurring, price.usage, price.setup, price.commitment) if form is not None]
    if len(forms) != 1:
        raise InvalidFieldError(field=path, expected="either recurring, usage, setup or commitment")
    form, place = forms[0], f"{path}.{price.kind}"
    check_label(f"{place}.label", form.label)
    match form:
        case RecurringPrice():
            _check_recurring(place, form, features)
        case UsagePrice():
            _check_usage(place, form, features, entitlements)
        case SetupPrice():
            _amount(f"{place}.amount", form.amount)
        case CommitmentPrice():
            check_count(f"{place}.count", form.every, form.count)
            _amount(f"{place}.amount", form.amount)


def _check_recurring(path: str, price: RecurringPrice, features: Mapping[str, Feature]) -> None:
    check_count(f"{path}.count", price.every, price.count)
    if price.model not in {ChargeModel.PER_UNIT, ChargeModel.GRADUATED, ChargeModel.VOLUME}:
        raise InvalidFieldError(field=f"{path}.model", expected="per_unit, graduated or volume", got=price.model)
    seats = features.get(price.seats)
    if price.seats and (seats is None or seats.kind is not FeatureKind.SEAT):
        raise InvalidFieldError(field=f"{path}.quantity.seats", expected="a seat feature", got=price.seats)
    if not price.model.tiered:
        _amount(f"{path}.amount", price.amount)
        if price.tiers:
            raise InvalidFieldError(field=f"{path}.tiers", expected="nothing: the model is per_unit")
        return
    if price.amount:
        raise InvalidFieldError(field=f"{path}.amount", expected=f"nothing: the model {price.model} has tiers")
    if not price.per_quantity:
        raise InvalidFieldError(field=f"{path}.quantity", expected="seats or users, whose number the tiers cut")
    _check_tiers(path, price.tiers, percentage=False)


def _check_usage(
    path: str, price: UsagePrice, features: Mapping[str, Feature], entitlements: Mapping[str, Entitlement]
) -> None:
    feature = features.get(price.feature_key)
    if feature is None or feature.kind is not FeatureKind.METERED:
        counted = [key for key, each in features.items() if each.kind is FeatureKind.METERED]
        expected = one_of("a metered feature", price.feature_key, counted)
        raise InvalidFieldError(field=f"{path}.feature_key", expected=expected, got=price.feature_key)
    if not feature.billable:
        expected = f"a feature that is charged: {price.feature_key} has `billable: false`"
        raise InvalidFieldError(field=f"{path}.feature_key", expected=expected)
    check_quantity(f"{path}.per_units", price.per_units, least=1)
    check_quantity(f"{path}.free_events", price.free_events)
    for name in USAGE_AMOUNTS:
        if text := getattr(price, name):
            _amount(f"{path}.{name}", text)
    _check_model(path, price, feature)
    _check_dimensions(path, price, feature)
    _check_bounds(path, price)
    _check_cut(path, price, entitlements.get(price.feature_key))


def _check_model(path: str, price: UsagePrice, feature: Feature) -> None:
    empty = UsagePrice(feature_key="")
    for name in sorted(_OF_MODELS - _FIELDS[price.model]):
        if getattr(price, name) != getattr(empty, name):
            shown = "of" if name == "dimension" else name
            raise InvalidFieldError(
                field=f"{path}.{shown}", expected=f"nothing: the model {price.model} does not use it"
            )
    needed = {ChargeModel.PER_UNIT: "unit_amount", ChargeModel.DYNAMIC: "multiplier"}.get(price.model, "")
    if needed:
        _amount(f"{path}.{needed}", getattr(price, needed))
    if price.model is ChargeModel.PERCENTAGE and not (price.rate or price.fixed_amount):
        raise InvalidFieldError(field=f"{path}.rate", expected="a rate, a fixed_amount, or both")
    if price.model.by_amount and feature.aggregation not in {Aggregation.SUM, Aggregation.COUNT}:
        expected = f"a feature of aggregation sum or count: the model {price.model} takes single events"
        raise InvalidFieldError(field=f"{path}.feature_key", expected=expected, got=price.feature_key)
    if price.model.tiered:
        _check_tiers(path, price.tiers, percentage=price.model is ChargeModel.GRADUATED_PERCENTAGE)


def _check_dimensions(path: str, price: UsagePrice, feature: Feature) -> None:
    known = {*feature.dimensions, *([feature.unique_by] if feature.unique_by else [])}
    for name, value in price.where.items():
        _dimension(f"{path}.where.{name}", name, known)
        check_text(f"{path}.where.{name}", value)
    if price.dimension:
        _dimension(f"{path}.of.dimension", price.dimension, known)


def _dimension(path: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        names = ", ".join(sorted(known)) or "none: the feature names them in `dimensions`"
        raise InvalidFieldError(field=path, expected=f"a dimension of the feature ({names})", got=name)


def _check_bounds(path: str, price: UsagePrice) -> None:
    if price.discount_percent and exact(price.discount_percent) > _PERCENT:
        raise InvalidFieldError(field=f"{path}.discount_percent", expected="at most 100", got=price.discount_percent)
    if price.package and not exact(price.package):
        raise InvalidFieldError(field=f"{path}.package", expected="more than 0", got=price.package)
    _in_order(path, price, "min_spend", "max_spend")
    _in_order(path, price, "min_amount", "max_amount")
    _check_limit(path, price)


def _check_limit(path: str, price: UsagePrice) -> None:
    if not price.max_limit:
        for name, usual in (("limit_unit", LimitUnit.USAGE), ("limit_action", LimitAction.STOP_CHARGING)):
            if getattr(price, name) is not usual:
                raise InvalidFieldError(field=f"{path}.{name}", expected="nothing: there is no max_limit")
        return
    if price.limit_unit is LimitUnit.SPEND:
        _in_order(path, price, "min_spend", "max_limit")
    elif price.model.by_amount:
        expected = f"spend: the model {price.model} counts no units"
        raise InvalidFieldError(field=f"{path}.limit_unit", expected=expected)
    elif exact(price.max_limit) <= exact(price.free_quota):
        expected = f"more than free_quota, {price.free_quota or 0}"
        raise InvalidFieldError(field=f"{path}.max_limit", expected=expected, got=price.max_limit)


def _check_cut(path: str, price: UsagePrice, entitlement: Entitlement | None) -> None:
    if price.limit_action is not LimitAction.CUT:
        return
    if price.limit_unit is LimitUnit.SPEND:
        raise InvalidFieldError(field=f"{path}.limit_unit", expected="usage: only that can be cut")
    limit = exact(price.max_limit) * price.per_units
    if entitlement is None or entitlement.limit != limit or entitlement.overage is not Overage.DENY:
        expected = f"an entitlement to {price.feature_key} with limit {limit} and `overage: deny`, which cuts"
        raise InvalidFieldError(field=f"{path}.limit_action", expected=expected)


def _check_tiers(path: str, tiers: Sequence[Tier], *, percentage: bool) -> None:
    if not 1 <= len(tiers) <= _MAX_TIERS:
        raise InvalidFieldError(field=f"{path}.tiers", expected=f"1 to {_MAX_TIERS} tiers", got=len(tiers))
    below = Fraction(0)
    for index, tier in enumerate(tiers):
        place = f"{path}.tiers[{index}]"
        _check_tier(place, tier, first=index == 0, percentage=percentage)
        if (tier.up_to is None) is not (index == len(tiers) - 1):
            expected = "nothing: the last tier has no end" if tier.up_to is not None else "where the tier ends"
            raise InvalidFieldError(field=f"{place}.up_to", expected=expected)
        if tier.up_to is not None:
            _amount(f"{place}.up_to", tier.up_to)
            if exact(tier.up_to) <= below:
                expected = f"more than the tier before it, {below}"
                raise InvalidFieldError(field=f"{place}.up_to", expected=expected, got=tier.up_to)
            below = exact(tier.up_to)


def _check_tier(path: str, tier: Tier, *, first: bool, percentage: bool) -> None:
    for name in TIER_AMOUNTS:
        if text := getattr(tier, name):
            _amount(f"{path}.{name}", text)
    for name in sorted(_UNIT_TIER if percentage else _PERCENTAGE_TIER):
        if getattr(tier, name):
            expected = "nothing: the tier is of " + ("an amount" if percentage else "units")
            raise InvalidFieldError(field=f"{path}.{name}", expected=expected)
    if tier.package and not exact(tier.package):
        raise InvalidFieldError(field=f"{path}.package", expected="more than 0", got=tier.package)
    if not first and not tier.flat_at_zero:
        raise InvalidFieldError(
            field=f"{path}.flat_at_zero", expected="nothing: only the first tier is entered at zero"
        )


def _in_order(path: str, price: UsagePrice, lesser: str, greater: str) -> None:
    low, high = getattr(price, lesser), getattr(price, greater)
    if low and high and exact(low) > exact(high):
        raise InvalidFieldError(field=f"{path}.{greater}", expected=f"at least {lesser}, {low}", got=high)


def _amount(path: str, amount: str) -> None:
    if not _AMOUNT.fullmatch(amount):
        raise InvalidFieldError(field=path, expected="an exact decimal such as '0.0001', not below 0", got=amount)

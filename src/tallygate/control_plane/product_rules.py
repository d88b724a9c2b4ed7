"""What a catalogue document may say of apps, their plans that charge for usage, and what currencies are worth."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.currency import decimals_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.listing import has_stray_braces
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import exact
from tallygate.domain.product_errors import UsagePlanNotApprovedError
from tallygate.domain.products import ChargeRule, ExchangeRate, Product, UsageApproval
from tallygate.records.fields import check_id, check_label, check_many
from tallygate.records.naming import one_of

_LONGEST_ADDRESS = 1_024
_MOST_CHARGES = 20
_BASE_FEE = "every month: a plan that charges for usage has monthly cycles"
_USAGE = "a usage price, or the charge_service of its product: what it charges for usage is told by one of them"


def check_products(document: Catalog, stored: Catalog) -> None:
    """Check what a document says of apps; what is published already is as it is.

    Raises:
        InvalidFieldError: the first field that is wrong, by its path.
        UsagePlanNotApprovedError: a plan charges for usage, and its app may not yet.
    """
    products = {**stored.products, **document.products}
    for key, product in document.products.items():
        _check_product(f"products.{key}", product)
    _check_currency(document, products)
    for key, rate in document.exchange_rates.items():
        _check_rate(f"exchange_rates.{key}", rate, document.currency)
    sold = {key: versions[max(versions)] for key, versions in {**stored.plans, **document.plans}.items()}
    for key, versions in document.plans.items():
        plan = versions[max(versions)]
        _check_plan(f"plans.{key}", plan, products)
        if plan.version in stored.plans.get(key, {}) or plan.archived or not plan.product:
            continue
        _check_alone(f"plans.{key}", plan, sold)
        if plan.usage_based and products[plan.product].approval is not UsageApproval.APPROVED:
            raise UsagePlanNotApprovedError(path=f"plans.{key}", product_key=plan.product)


def knowing_products(products: Mapping[str, Product], stored: Catalog) -> dict[str, Product]:
    """Apps of a document with whether they may charge for usage, which a document does not say."""
    known = stored.products
    return {
        key: replace(product, approval=known[key].approval) if key in known else product
        for key, product in products.items()
    }


def _check_product(path: str, product: Product) -> None:
    check_id(path, product.product_key)
    check_label(f"{path}.name", product.name)
    check_address(f"{path}.pricing_url", product.pricing_url)
    check_address(f"{path}.charge_service", product.charge_service)


def check_address(field: str, value: str) -> None:
    """Check that an address is one of https, without a name or password in it; empty is none.

    Raises:
        InvalidFieldError: it is not.
    """
    try:
        parts = urlsplit(value)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
        usable = usable and not parts.username and not parts.fragment and not parts.query
    except ValueError:
        usable = False
    if value and not (usable and len(value) <= _LONGEST_ADDRESS and value.isprintable() and " " not in value):
        expected = "an address as https://app.example.com/charges, without a query"
        raise InvalidFieldError(field=field, expected=expected, got=ascii(value[:64]))


def _check_currency(document: Catalog, products: Mapping[str, Product]) -> None:
    """Apps may charge in the catalogue's currency, which is the one that they are asked in."""
    policy = (document.billing or BillingPolicy()).charges
    for key, product in products.items():
        if product.charge_service and not product.archived and document.currency not in policy.currencies:
            expected = f"one of billing.charges.currencies: {', '.join(policy.currencies)}"
            raise InvalidFieldError(field=f"products.{key}.charge_service", expected=expected, got=document.currency)


def _check_rate(path: str, rate: ExchangeRate, own: str) -> None:
    decimals_of(rate.currency, field=path)
    if rate.currency == own:
        raise InvalidFieldError(field=path, expected="another currency than the catalogue's", got=own)
    if exact(rate.rate) <= 0:
        raise InvalidFieldError(field=f"{path}.rate", expected="a decimal above 0, as 0.92", got=rate.rate)


def _check_plan(path: str, plan: Plan, products: Mapping[str, Product]) -> None:
    if plan.product and plan.product not in products:
        expected = one_of("a product of the catalogue", plan.product, sorted(products))
        raise InvalidFieldError(field=f"{path}.product", expected=expected, got=plan.product)
    check_many(f"{path}.charges", plan.charges, _MOST_CHARGES)
    for index, rule in enumerate(plan.charges):
        _check_charge(f"{path}.charges[{index}]", rule)
    if plan.usage_based:
        _check_usage_plan(path, plan, products)


def _check_charge(path: str, rule: ChargeRule) -> None:
    for name in ("text", "unit", "trigger"):
        check_label(f"{path}.{name}", getattr(rule, name))
    if not rule.text or has_stray_braces(rule.text):
        expected = "what is charged, its price in braces: {0.5} per SMS"
        raise InvalidFieldError(field=f"{path}.text", expected=expected, got=ascii(rule.text[:64]))


def _check_usage_plan(path: str, plan: Plan, products: Mapping[str, Product]) -> None:
    if not plan.product:
        raise InvalidFieldError(field=f"{path}.product", expected="the product whose plan it is: it charges for usage")
    product = products[plan.product]
    if product.business_model is None:
        field = f"products.{product.product_key}.business_model"
        raise InvalidFieldError(field=field, expected="freemium or premium, as a plan of it charges for usage")
    if not plan.charges:
        raise InvalidFieldError(field=f"{path}.charges", expected="what is charged for usage, in words")
    if not product.charge_service and all(price.usage is None for price in plan.prices):
        raise InvalidFieldError(field=f"{path}.prices", expected=_USAGE)
    for index, price in enumerate(plan.prices):
        fee = price.recurring
        if fee is not None and (fee.every, fee.count) != (PeriodUnit.MONTH, 1):
            raise InvalidFieldError(field=f"{path}.prices[{index}].recurring.every", expected=_BASE_FEE, got=fee.every)
    rule = plan.billing
    if rule is not None and (rule.every, rule.count) != (PeriodUnit.MONTH, 1):
        raise InvalidFieldError(field=f"{path}.billing.every", expected=_BASE_FEE, got=rule.every)


def _check_alone(path: str, plan: Plan, sold: Mapping[str, Plan]) -> None:
    """An app with a plan that charges for usage has no other, and such a plan comes to none that has one."""
    others = [
        other
        for other in sold.values()
        if other.product == plan.product and other.plan_key != plan.plan_key and not other.archived
    ]
    if others and (plan.usage_based or any(other.usage_based for other in others)):
        expected = "the only plan of its product, as one of them charges for usage"
        other = others[0].plan_key
        raise InvalidFieldError(field=f"{path}.product", expected=expected, got=f"{plan.product}, which has {other}")

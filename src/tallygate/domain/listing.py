"""How an app is listed: its plans with their prices in words, in any currency that the catalogue has a rate for.

Knows no account: a listing says what is offered, an invoice what is owed.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.currency import decimals_of, price_text, sign_of
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.money import Rounding, exact_text, rounded
from tallygate.domain.prices import RecurringPrice, exact
from tallygate.domain.product_errors import ProductNotFoundError
from tallygate.domain.products import ChargeRule, Product

FREE_TO_INSTALL = "Free to install"
_PRICE = re.compile(r"\{([0-9]{1,12}(?:\.[0-9]{1,12})?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPlan:
    """A plan as it is listed: `headline` is what it costs without usage, `charges` what for usage, in words."""

    plan_key: str
    version: int
    name: str
    headline: str
    usage_based: bool
    charges: tuple[ChargeRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An app as it is listed in one currency.

    `own_pricing` says that only the app's own page shows its prices: the platform's has no place for usage.
    """

    product: Product
    currency: str
    plans: tuple[ListedPlan, ...]

    @property
    def own_pricing(self) -> bool:
        """Whether its prices are shown by its own page alone."""
        return any(plan.usage_based for plan in self.plans)


def plans_of(catalog: Catalog, product_key: str) -> list[Plan]:
    """The plans of an app that are on sale, each in its newest version, by key."""
    newest = [versions[max(versions)] for _, versions in sorted(catalog.plans.items())]
    return [plan for plan in newest if plan.product == product_key and not plan.archived]


def listing(catalog: Catalog, product_key: str, currency: str = "") -> Listing:
    """The listing of an app, in the catalogue's currency where none is named.

    Raises:
        ProductNotFoundError: there is no such app.
        InvalidFieldError: the catalogue has no rate for the currency.
    """
    product = catalog.products.get(product_key)
    if product is None or product.archived:
        raise ProductNotFoundError(product_key=product_key)
    rate = rate_of(catalog, currency)
    shown = currency or catalog.currency
    plans = tuple(_listed(plan, rate, shown) for plan in plans_of(catalog, product_key))
    return Listing(product=product, currency=shown, plans=plans)


def rate_of(catalog: Catalog, currency: str) -> Fraction:
    """How many of a currency one of the catalogue's is worth; of that itself, and of none, 1.

    Raises:
        InvalidFieldError: the catalogue does not say.
    """
    if currency in {"", catalog.currency}:
        return Fraction(1)
    known = catalog.exchange_rates.get(currency)
    if known is None or known.archived:
        others = sorted(key for key, rate in catalog.exchange_rates.items() if not rate.archived)
        expected = f"one of {', '.join([catalog.currency, *others])}"
        raise InvalidFieldError(field="currency", expected=expected, got=ascii(currency[:8]))
    return exact(known.rate)


def charge_text(text: str, rate: Fraction, currency: str) -> str:
    """A text with its prices in braces as ones of a currency: `{0.5} per SMS` is $0.5 per SMS, or €0.46 at 0.92.

    A price keeps its digits: none is added, and none rounded away; one that is converted is written out exactly.
    """
    sign = sign_of(currency)

    def shown(found: re.Match[str]) -> str:
        return sign + (found[1] if rate == 1 else exact_text(Fraction(found[1]) * rate))

    return _PRICE.sub(shown, text)


def has_stray_braces(text: str) -> bool:
    """Whether a brace of it holds no price."""
    return any(brace in _PRICE.sub("", text) for brace in "{}")


def _listed(plan: Plan, rate: Fraction, currency: str) -> ListedPlan:
    charges = tuple(
        ChargeRule(text=charge_text(rule.text, rate, currency), unit=rule.unit, trigger=rule.trigger)
        for rule in plan.charges
    )
    return ListedPlan(
        plan_key=plan.plan_key,
        version=plan.version,
        name=plan.name,
        headline=_headline(plan, rate, currency),
        usage_based=plan.usage_based,
        charges=charges,
    )


def _headline(plan: Plan, rate: Fraction, currency: str) -> str:
    """What a plan costs whatever is used: nothing is free to install."""
    fees = [price.recurring for price in plan.prices if price.recurring is not None]
    parts = [_fee(fee, rate, currency) for fee in fees if fee.tiers or exact(fee.amount)]
    return " + ".join(parts) if parts else FREE_TO_INSTALL


def _fee(fee: RecurringPrice, rate: Fraction, currency: str) -> str:
    every = fee.every.value if fee.count == 1 else f"{fee.count} {fee.every.value}s"
    each = " for each user" if fee.users else f" for each of {fee.seats}" if fee.seats else ""
    if fee.tiers:
        return f"by tiers{each} every {every}"
    scale = 10 ** decimals_of(currency)
    amount = (
        exact(fee.amount)
        if rate == 1
        else Fraction(rounded(exact(fee.amount) * rate * scale, Rounding.HALF_EVEN), scale)
    )
    return f"{price_text(exact_text(amount), currency)}{each} every {every}"

"""What publishing writes out: the defaults of prices, so that a published version means the same for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tallygate.domain.catalog import AddOn, Catalog, Entitlement, Overage, Plan
from tallygate.domain.prices import Price, Units, UsagePrice

_Bundle = TypeVar("_Bundle", Plan, AddOn)


def published(catalog: Catalog) -> Catalog:
    """The catalogue with the keys and counted units of every price; one that has them already is returned as it is."""
    return replace(
        catalog,
        plans={key: _versions(versions) for key, versions in catalog.plans.items()},
        add_ons={key: _versions(versions) for key, versions in catalog.add_ons.items()},
    )


def published_prices(prices: Sequence[Price], entitlements: Mapping[str, Entitlement]) -> tuple[Price, ...]:
    """The prices of one bundle, each with a key of its own and the units that it counts."""
    taken = {price.price_key for price in prices if price.price_key}
    found: list[Price] = []
    for price in prices:
        key = price.price_key or _free_key(price.natural_key, taken)
        taken.add(key)
        usage = price.usage
        if usage is not None:
            usage = replace(usage, units=charged_units(usage, entitlements.get(usage.feature_key)))
        found.append(replace(price, price_key=key, usage=usage))
    return tuple(found)


def charged_units(price: UsagePrice, entitlement: Entitlement | None) -> Units | None:
    """Which units a price counts: where it does not say, overage if its bundle allows some, else all.

    A price by amounts of events takes whole events, and so counts no units.
    """
    if price.units is not None or price.model.by_amount:
        return price.units
    soft = entitlement is not None and entitlement.limit is not None and entitlement.overage is Overage.ALLOW
    return Units.OVERAGE if soft and not price.free_quota else Units.ALL


def _versions(versions: Mapping[int, _Bundle]) -> dict[int, _Bundle]:
    return {
        version: replace(bundle, prices=published_prices(bundle.prices, bundle.entitlements))
        for version, bundle in versions.items()
    }


def _free_key(natural: str, taken: set[str]) -> str:
    key, number = natural, 2
    while key in taken:
        key, number = f"{natural}-{number}", number + 1
    return key

"""The price that a line names, as the catalogue has it for ever."""

from tallygate.domain.catalog import AddOn, Catalog, Plan
from tallygate.domain.prices import Price

_PARTS = 5


def plan_of(catalog: Catalog, reference: str) -> Plan | None:
    """The plan version that such a price is of; None where it is an add-on's, or of none."""
    parts = reference.split("/")
    return catalog.plan(parts[1], int(parts[2])) if len(parts) == _PARTS and parts[0] == "plans" else None


def price_of(catalog: Catalog, reference: str) -> Price | None:
    """The price behind plans/KEY/VERSION/prices/PRICE_KEY, or add_ons/...; None where there is none of that name."""
    parts = reference.split("/")
    if len(parts) != _PARTS or parts[3] != "prices":
        return None
    bundle, key, version, _, price_key = parts
    item: Plan | AddOn | None = None
    if bundle == "plans":
        item = catalog.plan(key, int(version))
    elif bundle == "add_ons":
        item = catalog.add_on(key, int(version))
    prices = item.prices if item is not None else ()
    return next((price for price in prices if price.price_key == price_key), None)

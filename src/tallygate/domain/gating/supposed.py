"""What an account would be entitled to with one add-on more, or on another plan: what a denial may suggest."""

from collections.abc import Iterable

from tallygate.domain.catalog import AddOn, Catalog, Entitlement, Feature, Plan
from tallygate.domain.gating.merge import merge
from tallygate.domain.gating.resolve import Phase


def with_add_on(catalog: Catalog, phase: Phase, feature: Feature, add_on: AddOn) -> Entitlement | None:
    """The feature's entitlement if one more of this add-on were held; None where it would not contribute.

    Buying one more moves all that are held to the version bought.
    """
    if feature.feature_key not in add_on.entitlements:
        return None
    held = [(other, quantity) for other, quantity in phase.add_ons if other.add_on_key != add_on.add_on_key]
    own = catalog.plan(phase.plan_key, phase.plan_version)
    return _merged(feature, own, [*held, (add_on, held_quantity(phase, add_on.add_on_key) + 1)])


def held_quantity(phase: Phase, add_on_key: str) -> int:
    """How many of an add-on are held."""
    return sum(quantity for add_on, quantity in phase.add_ons if add_on.add_on_key == add_on_key)


def with_plan(phase: Phase, feature: Feature, plan: Plan) -> Entitlement | None:
    """The feature's entitlement if the account were on this plan with the add-ons it holds; None where it has none."""
    return _merged(feature, plan, phase.add_ons)


def _merged(feature: Feature, plan: Plan | None, held: Iterable[tuple[AddOn, int]]) -> Entitlement | None:
    bundles = [(plan.entitlements, 1)] if plan else []
    bundles += [(add_on.entitlements, quantity) for add_on, quantity in held]
    parts = [
        (found, quantity) for bundle, quantity in bundles if (found := bundle.get(feature.feature_key)) is not None
    ]
    return merge(feature, parts) if parts else None

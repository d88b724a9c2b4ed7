"""What applying a catalogue document would change, and what it must not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TypeVar

from tallygate.domain.billing_terms import BillingPolicy
from tallygate.domain.catalog import AddOn, Catalog, Feature, Plan
from tallygate.domain.catalog_errors import InUseError, VersionConflictError
from tallygate.domain.limits import RateLimitRule
from tallygate.domain.products import ExchangeRate, Product
from tallygate.records.values import CatalogUse
from tallygate.records.wording import worded

Item = Feature | RateLimitRule | Plan | AddOn | Product | ExchangeRate
_Item = TypeVar("_Item", Feature, RateLimitRule, Plan, AddOn, Product, ExchangeRate)
_Bundle = TypeVar("_Bundle", Plan, AddOn)


class Effect(StrEnum):
    """What happens to an item.

    UNCHANGED is said of a plan with subscriptions on older versions, IN_USE of what pruning left because it is held.
    """

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ARCHIVED = "archived"
    IN_USE = "in_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """One item's change; `path` as in `plans.pro`, `fields` as in `entitlements.api_calls`, `details` in words.

    Versions are 0 where an item has none. Of a plan's subscriptions, `moved` change to the new version, and `behind`
    stay on older ones.
    """

    path: str
    effect: Effect
    old_version: int = 0
    new_version: int = 0
    fields: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    moved: int = 0
    behind: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDiff:
    """All changes that a document makes, and the items to write for them."""

    changes: tuple[ItemChange, ...] = ()
    items: tuple[Item, ...] = ()


_FIXED = {
    Feature: ("kind", "aggregation", "value_type", "unique_by"),
    RateLimitRule: ("owner", "algorithm"),
    Product: (),
    ExchangeRate: (),
}
"""What of an unversioned item can never change: its counters would mean something else."""


def diff_catalog(document: Catalog, stored: Catalog, use: CatalogUse, *, migrate: bool) -> CatalogDiff:
    """Compare a document with what is stored.

    Raises:
        VersionConflictError: a published version would change, or a version would go back; `path` names the item.
        InUseError: the currency would change, of what is published with prices.
    """
    found: list[tuple[ItemChange, Item]] = [
        *_unversioned("features", document.features, stored.features),
        *_unversioned("rate_limits", document.rate_limits, stored.rate_limits),
        *_unversioned("products", document.products, stored.products),
        *_unversioned("exchange_rates", document.exchange_rates, stored.exchange_rates),
        *_versioned("plans", document.plans, stored.plans),
        *_versioned("add_ons", document.add_ons, stored.add_ons),
    ]
    changes = [*_settings(document, stored), *(change for change, _ in found)]
    changes += _left_behind(document, {change.path for change in changes}, use)
    return CatalogDiff(
        changes=tuple(_with_subscriptions(change, use, migrate=migrate) for change in changes),
        items=tuple(item for _, item in found),
    )


def _settings(document: Catalog, stored: Catalog) -> Iterator[ItemChange]:
    priced = next((_path(bundle) for bundle in _bundles(stored) if bundle.prices), None)
    if document.currency != stored.currency and priced is not None:
        raise InUseError(path="currency", stored=stored.currency, got=document.currency, used_by=priced)
    for name in ("currency", "time_zone", "default_plan"):
        if getattr(document, name) != getattr(stored, name):
            details = tuple(worded(getattr(stored, name), getattr(document, name), name))
            yield ItemChange(path=name, effect=Effect.CHANGED, details=details)
    if document.billing is not None and document.billing != stored.billing:
        yield _billing(document.billing, stored.billing)


def _billing(wanted: BillingPolicy, stored: BillingPolicy | None) -> ItemChange:
    if stored is None:
        return ItemChange(path="billing", effect=Effect.ADDED)
    details = tuple(worded(stored, replace(wanted, start_time=stored.start_time)))
    return ItemChange(path="billing", effect=Effect.CHANGED, details=details)


def _unversioned(
    room: str, document: Mapping[str, _Item], stored: Mapping[str, _Item]
) -> Iterator[tuple[ItemChange, _Item]]:
    for key, item in document.items():
        path, old = f"{room}.{key}", stored.get(key)
        if old is None:
            yield ItemChange(path=path, effect=Effect.ADDED), item
        elif changed := _changed_fields(old, item):
            for name in _FIXED[type(item)]:
                if name in changed:
                    raise VersionConflictError(path=f"{path}.{name}", stored=str(getattr(old, name)))
            details = tuple(worded(old, item))
            yield ItemChange(path=path, effect=Effect.CHANGED, fields=changed, details=details), item


def _versioned(
    room: str, document: Mapping[str, Mapping[int, _Bundle]], stored: Mapping[str, Mapping[int, _Bundle]]
) -> Iterator[tuple[ItemChange, _Bundle]]:
    for key, versions in document.items():
        item = versions[max(versions)]
        path, old_versions = f"{room}.{key}", stored.get(key, {})
        if not old_versions:
            yield ItemChange(path=path, effect=Effect.ADDED, new_version=item.version), item
            continue
        newest = old_versions[max(old_versions)]
        changed = tuple(name for name in _changed_fields(newest, item) if name != "version")
        if item.version > newest.version:
            yield _raised(path, newest, item, changed), item
        elif item.version < newest.version or changed not in {(), ("archived",)}:
            raise VersionConflictError(path=path, newest_version=newest.version, changed=", ".join(changed))
        elif changed:
            yield _raised(path, newest, item, changed), item


def _raised(path: str, old: _Bundle, new: _Bundle, changed: tuple[str, ...]) -> ItemChange:
    return ItemChange(
        path=path,
        effect=Effect.CHANGED,
        old_version=old.version,
        new_version=new.version,
        fields=changed,
        details=tuple(worded(replace(old, version=new.version), new)),
    )


def _changed_fields(old: _Item, new: _Item) -> tuple[str, ...]:
    found: list[str] = []
    for item_field in (each for each in fields(new) if each.compare):
        before, after = getattr(old, item_field.name), getattr(new, item_field.name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
            found += [f"{item_field.name}.{key}" for key in keys]
        else:
            found.append(item_field.name)
    return tuple(found)


def _left_behind(document: Catalog, changed: set[str], use: CatalogUse) -> Iterator[ItemChange]:
    """Plans that do not change now, but whose subscriptions an earlier change left on older versions."""
    for key, versions in document.plans.items():
        newest = max(versions)
        older = any(plan == key and version < newest for plan, version in use.plans)
        if older and f"plans.{key}" not in changed:
            yield ItemChange(path=f"plans.{key}", effect=Effect.UNCHANGED, old_version=newest, new_version=newest)


def _with_subscriptions(change: ItemChange, use: CatalogUse, *, migrate: bool) -> ItemChange:
    room, _, key = change.path.partition(".")
    if room != "plans" or change.effect is Effect.ADDED:
        return change
    older = sum(count for (plan, version), count in use.plans.items() if plan == key and version < change.new_version)
    return replace(change, moved=older) if migrate else replace(change, behind=older)


def prune(document: Catalog, stored: Catalog, use: CatalogUse) -> CatalogDiff:
    """What to archive because the document leaves it out; what is still in use stays, and is reported."""
    plans = _unnamed(document.plans, stored.plans)
    add_ons = _unnamed(document.add_ons, stored.add_ons)
    plans_used = {key for key, _ in use.plans} | _plans_named(document, stored)
    changes = _archive("plans", plans, plans_used)
    changes += _archive("add_ons", add_ons, use.add_ons)
    kept = _bundles_kept(stored, {change.path for change in changes if change.effect is Effect.ARCHIVED})
    features_used = use.features | {key for bundle in (*kept, *_bundles(document)) for key in bundle.entitlements}
    rules_used = use.rate_limits | {
        key for bundle in (*kept, *_bundles(document)) if isinstance(bundle, Plan) for key in bundle.rate_limits
    }
    changes += _archive("features", _left_out(document.features, stored.features), features_used)
    products_used = {bundle.product for bundle in (*kept, *_bundles(document)) if isinstance(bundle, Plan)}
    changes += _archive("rate_limits", _left_out(document.rate_limits, stored.rate_limits), rules_used)
    changes += _archive("products", _left_out(document.products, stored.products), products_used)
    changes += _archive("exchange_rates", _left_out(document.exchange_rates, stored.exchange_rates), set())
    archived = {change.path for change in changes if change.effect is Effect.ARCHIVED}
    return CatalogDiff(changes=tuple(changes), items=tuple(_archived_items(stored, archived)))


def _archive(room: str, keys: list[str], used: set[str] | frozenset[str]) -> list[ItemChange]:
    return [ItemChange(path=f"{room}.{key}", effect=Effect.IN_USE if key in used else Effect.ARCHIVED) for key in keys]


def _unnamed(document: Mapping[str, object], stored: Mapping[str, Mapping[int, _Bundle]]) -> list[str]:
    return [key for key, versions in stored.items() if key not in document and not versions[max(versions)].archived]


def _left_out(document: Mapping[str, object], stored: Mapping[str, _Item]) -> list[str]:
    return [key for key, item in stored.items() if key not in document and not item.archived]


def _plans_named(document: Catalog, stored: Catalog) -> set[str]:
    """Plans that serve without a subscription of their own: the default, and where trials end."""
    plans = [bundle for bundle in (*_bundles(document), *_bundles(stored)) if isinstance(bundle, Plan)]
    return {document.default_plan} | {plan.trial.ends_in for plan in plans if plan.trial and not plan.archived}


def _bundles(catalog: Catalog) -> list[Plan | AddOn]:
    plans = [plan for versions in catalog.plans.values() for plan in versions.values()]
    return [*plans, *(add_on for versions in catalog.add_ons.values() for add_on in versions.values())]


def _bundles_kept(stored: Catalog, archived: set[str]) -> list[Plan | AddOn]:
    return [bundle for bundle in _bundles(stored) if not bundle.archived and _path(bundle) not in archived]


def _archived_items(stored: Catalog, paths: set[str]) -> Iterator[Item]:
    single = (stored.features, stored.rate_limits, stored.products, stored.exchange_rates)
    for item in (*(each for room in single for each in room.values()), *_bundles(stored)):
        if _path(item) in paths:
            yield replace(item, archived=True)


def _path(item: Item) -> str:
    match item:
        case Feature():
            return f"features.{item.feature_key}"
        case RateLimitRule():
            return f"rate_limits.{item.limit_key}"
        case Plan():
            return f"plans.{item.plan_key}"
        case AddOn():
            return f"add_ons.{item.add_on_key}"
        case Product():
            return f"products.{item.product_key}"
        case ExchangeRate():
            return f"exchange_rates.{item.currency}"

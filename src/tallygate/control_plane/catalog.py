"""The catalogue's use-cases: apply a document, say what it changes, give it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tallygate.control_plane.catalog_diff import CatalogDiff, diff_catalog, prune
from tallygate.control_plane.catalog_rules import check_catalog
from tallygate.control_plane.formers import longest_period, with_former, with_former_rule
from tallygate.control_plane.period_ends import running_period_end
from tallygate.control_plane.product_rules import check_products, knowing_products
from tallygate.control_plane.proposals import Proposal
from tallygate.control_plane.subscription_changes import make
from tallygate.control_plane.subscription_terms import with_version_from
from tallygate.control_plane.tax_rules import check_categories, check_home
from tallygate.domain.billing.published import published
from tallygate.domain.catalog import AddOn, Catalog, Feature, FormerDefault, FormerZone, Plan
from tallygate.domain.errors import PlanNotFoundError
from tallygate.domain.prices import Price
from tallygate.records.lookup import known_account
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, key_of, slice_of
from tallygate.records.ports import BillingWork, UnitOfWork
from tallygate.records.values import PublishedPlan, StoredSubscription, Tenant

if TYPE_CHECKING:
    from tallygate.domain.limits import RateLimitRule


class Migrate(StrEnum):
    """Whom an edit moves to a plan's new version: nobody, or all at once, or each when its billing period ends."""

    NONE = "none"
    NOW = "now"
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyCatalog:
    """A document to apply: one version of each plan and add-on that it names.

    An empty currency, zone or default plan keeps the one that is; `remove_default_plan` takes the last away.
    """

    document: Catalog
    remove_default_plan: bool = False
    migrate: Migrate = Migrate.NONE
    prune: bool = False
    validate_only: bool = False


async def apply_catalog(work: BillingWork, request: ApplyCatalog, *, now: int) -> CatalogDiff:
    """Apply a document and answer what it changed, or with `validate_only` what it would.

    Raises:
        InvalidFieldError: a field is wrong; its path says which.
        VersionConflictError: a published version would change; its path says which.
        InUseError: the currency of published prices would change.
        UsagePlanNotApprovedError: a plan charges for usage, and its app may not yet.
    """
    stored = published(await work.catalog.load())
    document = replace(
        request.document,
        currency=request.document.currency or stored.currency,
        time_zone=request.document.time_zone or stored.time_zone,
        default_plan=request.document.default_plan or ("" if request.remove_default_plan else stored.default_plan),
        billing=request.document.billing or stored.billing,
        features={key: _knowing(feature, stored) for key, feature in request.document.features.items()},
        products=knowing_products(request.document.products, stored),
    )
    check_catalog(document, stored)
    check_products(document, stored)
    await _check_tax(work, request.document)
    if document.billing is not None and document.billing.tax is not None:
        check_categories(document.billing.tax, _prices_of(document))
    document = _with_value_times(published(document), stored, now)
    use = await work.subscriptions.use(now=now)
    diff = diff_catalog(document, stored, use, migrate=request.migrate is not Migrate.NONE)
    if request.prune:
        pruned = prune(document, stored, use)
        diff = CatalogDiff(changes=diff.changes + pruned.changes, items=diff.items + pruned.items)
    if not request.validate_only:
        await _write(work, document, stored, diff, now=now)
        await _migrate(work, diff, request.migrate, now)
    return replace(diff, changes=tuple(sorted(diff.changes, key=lambda change: change.path)))


async def _check_tax(work: BillingWork, document: Catalog) -> None:
    if document.billing is not None and document.billing.tax is not None:
        seller = await work.profiles.get("")
        country = seller.party.address.country if seller is not None else ""
        check_home(document.billing.tax, work.shipped_rates, country=country)


def _prices_of(document: Catalog) -> dict[str, Sequence[Price]]:
    """The prices of a document's bundles, which hold one version each, by their paths."""
    plans = {f"plans.{key}": plan.prices for key, versions in document.plans.items() for plan in versions.values()}
    add_ons = {f"add_ons.{key}": one.prices for key, held in document.add_ons.items() for one in held.values()}
    return {**plans, **add_ons}


async def get_catalog(work: UnitOfWork) -> Catalog:
    """What could be applied to get the same catalogue: newest versions, nothing archived."""
    stored = await work.catalog.load()
    return replace(
        stored,
        features={key: item for key, item in stored.features.items() if not item.archived},
        rate_limits={key: item for key, item in stored.rate_limits.items() if not item.archived},
        plans=_newest_plans(stored.plans),
        add_ons=_newest_add_ons(stored.add_ons),
        products={key: item for key, item in stored.products.items() if not item.archived},
        exchange_rates={key: item for key, item in stored.exchange_rates.items() if not item.archived},
    )


async def list_plans(
    work: UnitOfWork, page: PageRequest = FIRST_PAGE, *, plan_key: str = "", include_archived: bool = True, now: int
) -> Page[PublishedPlan]:
    """Every version of every plan, or of one, by key and version."""
    stored = await work.catalog.load()
    wanted = [
        plan
        for key, versions in stored.plans.items()
        for plan in versions.values()
        if plan_key in {"", key} and (include_archived or not plan.archived)
    ]
    found = slice_of(page, wanted, lambda plan: key_of(plan.plan_key, plan.version))
    return Page(items=await _published(work, stored, found.items, now), next_page_token=found.next_page_token)


async def get_plan(work: UnitOfWork, plan_key: str, version: int | None = None, *, now: int) -> PublishedPlan:
    """One version of a plan, the newest by default, archived or not.

    Raises:
        PlanNotFoundError: there is none.
    """
    stored = await work.catalog.load()
    plan = stored.plan(plan_key, version)
    if plan is None:
        raise PlanNotFoundError(plan_key=plan_key, **({} if version is None else {"version": version}))
    return (await _published(work, stored, [plan], now))[0]


async def _published(work: UnitOfWork, stored: Catalog, plans: Sequence[Plan], now: int) -> list[PublishedPlan]:
    times = await work.catalog.publish_times()
    serving = (await work.subscriptions.use(now=now)).serving
    return [
        PublishedPlan(
            plan=plan,
            publish_time=times[plan.plan_key, plan.version],
            newest=plan.version == max(stored.plans[plan.plan_key]),
            subscription_count=serving.get((plan.plan_key, plan.version), 0),
        )
        for plan in plans
    ]


def _with_value_times(document: Catalog, stored: Catalog, now: int) -> Catalog:
    """The document with the instant noted at which each rate limit's own figures came into force."""
    rules: dict[str, RateLimitRule] = {}
    for key, rule in document.rate_limits.items():
        before = stored.rate_limits.get(key)
        same = before is not None and before.value == rule.value
        rules[key] = replace(rule, value_time=before.value_time if before is not None and same else now)
    return replace(document, rate_limits=rules)


def _newest_plans(plans: Mapping[str, Mapping[int, Plan]]) -> dict[str, dict[int, Plan]]:
    newest = {key: versions[max(versions)] for key, versions in plans.items()}
    return {key: {plan.version: plan} for key, plan in newest.items() if not plan.archived}


def _newest_add_ons(add_ons: Mapping[str, Mapping[int, AddOn]]) -> dict[str, dict[int, AddOn]]:
    newest = {key: versions[max(versions)] for key, versions in add_ons.items()}
    return {key: {add_on.version: add_on} for key, add_on in newest.items() if not add_on.archived}


def _knowing(feature: Feature, stored: Catalog) -> Feature:
    """The feature with the rules that it had before; a document does not say them."""
    before = stored.features.get(feature.feature_key)
    return feature if before is None else replace(feature, former_rules=before.former_rules)


async def _write(work: UnitOfWork, document: Catalog, stored: Catalog, diff: CatalogDiff, *, now: int) -> None:
    for item in diff.items:
        before = stored.features.get(item.feature_key) if isinstance(item, Feature) else None
        if isinstance(item, Feature) and before is not None:
            await work.catalog.put(with_former_rule(item, before, now=now))
        else:
            await work.catalog.put(item)
    if document.billing is not None and document.billing != stored.billing:
        await work.catalog.put(document.billing)
    elif document.billing is not None and _default_changed(document, stored, diff):
        await work.catalog.put(document.billing)  # so that billing looks at accounts that no subscription brings to it
    settings = (document.currency, document.time_zone, document.default_plan)
    if settings != (stored.currency, stored.time_zone, stored.default_plan):
        tenant = await work.tenants.get()
        longest = longest_period(stored)  # where there was no feature yet, nothing was used
        await work.tenants.update(_with_settings(tenant, document, now=now, longest=longest))


def _default_changed(document: Catalog, stored: Catalog, diff: CatalogDiff) -> bool:
    """Whether accounts without a subscription are charged by other prices from now on."""
    changed = any(isinstance(item, Plan) and item.plan_key == document.default_plan for item in diff.items)
    return changed or document.default_plan != stored.default_plan


def _with_settings(tenant: Tenant, document: Catalog, *, now: int, longest: int) -> Tenant:
    zones, defaults = tenant.former_zones, tenant.former_defaults
    if longest and document.time_zone != tenant.time_zone:
        zones = with_former(zones, FormerZone(time_zone=tenant.time_zone, end_time=now), longest=longest)
    if longest and document.default_plan != tenant.default_plan:
        former = FormerDefault(plan_key=tenant.default_plan, end_time=now)
        defaults = with_former(defaults, former, longest=longest)
    return replace(
        tenant,
        currency=document.currency,
        time_zone=document.time_zone,
        default_plan=document.default_plan,
        former_zones=zones,
        former_defaults=defaults,
    )


async def _migrate(work: BillingWork, diff: CatalogDiff, migrate: Migrate, now: int) -> None:
    if migrate is Migrate.NONE:
        return
    catalog = await work.catalog.load()
    for change in diff.changes:
        plan = catalog.plan(change.path.removeprefix("plans."))
        if plan is None or not change.moved:
            continue
        for held in await work.subscriptions.behind(plan.plan_key, plan.version, now=now):
            at = now if migrate is Migrate.NOW else await _period_end(work, held, now)
            after = replace(held, subscription=with_version_from(held.subscription, plan, at))
            await make(work, Proposal(method="ApplyCatalog", before=held, after=after, change_time=at))


async def _period_end(work: BillingWork, held: StoredSubscription, now: int) -> int:
    account = await known_account(work, held.account_id)
    return await running_period_end(work, account, held.subscription, now=now)

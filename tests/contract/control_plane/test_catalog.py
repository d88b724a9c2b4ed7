from dataclasses import replace

import pytest

from control_planes import DAY, NOW, demo_catalog, pro
from tallygate.control_plane.allowances import CreateOverride, create_override, delete_override
from tallygate.control_plane.catalog import Migrate, get_catalog, get_plan, list_plans
from tallygate.control_plane.catalog_diff import Effect, diff_catalog
from tallygate.control_plane.subscriptions import get_subscription
from tallygate.domain.billing.published import published
from tallygate.domain.billing_terms import BillingPolicy, BillingRule
from tallygate.domain.catalog import Aggregation, Catalog, Entitlement
from tallygate.domain.catalog_errors import InUseError, VersionConflictError
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.limits import Algorithm, LimitOwner, OnUnavailable, RateLimit, RateLimitRule
from tallygate.domain.period import Anchor, PeriodUnit, add_calendar
from tallygate.records.paging import PageRequest
from tallygate.records.values import CatalogUse


def with_pro(plan) -> Catalog:
    catalog = demo_catalog()
    return replace(catalog, plans={**catalog.plans, "pro": {plan.version: plan}})


async def exported(plane) -> Catalog:
    return await plane.read(lambda work, _: get_catalog(work))


async def terms_of(plane, account_id: str) -> list[tuple[str, int, int]]:
    found = await plane.read(lambda work, now: get_subscription(work, account_id, now=now))
    return [(term.plan_key, term.plan_version, term.start_time - NOW) for term in found.subscription.terms]


async def test_what_was_applied_is_exported_exactly(plane):
    assert await exported(plane) == published(demo_catalog())


async def test_applying_the_same_again_changes_nothing(plane):
    before = (await plane.written(lambda work, _: get_catalog(work))).view_version
    assert (await plane.apply()).changes == ()
    assert (await plane.written(lambda work, _: get_catalog(work))).view_version == before


async def test_validate_only_says_what_would_change_and_changes_nothing(plane):
    diff = await plane.apply(with_pro(pro(2, seats=20)), validate_only=True)
    (change,) = diff.changes
    assert (change.path, change.effect, change.old_version, change.new_version) == ("plans.pro", Effect.CHANGED, 1, 2)
    assert change.fields == ("entitlements.seats",)
    assert await exported(plane) == published(demo_catalog())


async def test_editing_a_published_version_is_a_conflict_that_names_it(plane):
    with pytest.raises(VersionConflictError) as raised:
        await plane.apply(with_pro(pro(1, seats=20)))
    assert raised.value.metadata["path"] == "plans.pro"
    assert await exported(plane) == published(demo_catalog())


async def test_a_version_never_goes_back(plane):
    await plane.apply(with_pro(pro(3, seats=20)))
    with pytest.raises(VersionConflictError):
        await plane.apply(with_pro(pro(2)))


async def test_every_version_stays_listed(plane):
    await plane.apply(with_pro(pro(2, seats=20)))
    first = await plane.read(lambda work, now: list_plans(work, PageRequest(page_size=3), now=now))
    second = await plane.read(
        lambda work, now: list_plans(work, PageRequest(page_size=3, page_token=first.next_page_token), now=now)
    )
    found = [(each.plan.plan_key, each.plan.version) for each in (*first.items, *second.items)]
    assert found == [("enterprise", 1), ("free", 1), ("pro", 1), ("pro", 2)]
    assert second.next_page_token == ""


async def test_a_version_tells_when_it_was_published_and_whom_it_serves_now(plane):
    await plane.upsert("acme", "pro")
    await plane.upsert("hooli", "pro", trial=True)
    plane.now += DAY
    await plane.apply(with_pro(pro(2, seats=20)), migrate=Migrate.PERIOD_END)

    async def told():
        page = await plane.read(lambda work, now: list_plans(work, plan_key="pro", now=now))
        return [(each.publish_time, each.newest, each.subscription_count) for each in page.items]

    assert await told() == [(NOW, False, 2), (NOW + DAY, True, 0)]
    plane.now = NOW + 14 * DAY
    assert await told() == [(NOW, False, 1), (NOW + DAY, True, 0)]
    plane.now = add_calendar(NOW, PeriodUnit.MONTH, 1, zone="UTC")
    assert await told() == [(NOW, False, 0), (NOW + DAY, True, 1)]
    (archived,) = (await plane.apply(with_pro(replace(pro(2, seats=20), archived=True)))).changes
    assert archived.fields == ("archived",)
    assert [row[0] for row in await told()] == [NOW, NOW + DAY]
    newest = await plane.read(lambda work, now: get_plan(work, "pro", now=now))
    assert newest.plan.version == 2
    page = await plane.read(lambda work, now: list_plans(work, plan_key="pro", include_archived=False, now=now))
    assert [each.plan.version for each in page.items] == [1]


async def test_a_change_says_what_exactly_changed(plane):
    raised = replace(pro(2, seats=20), name="Pro", rate_limits={"api_rps": RateLimit(limit=100, window=2_000_000)})
    (change,) = (await plane.apply(with_pro(raised))).changes
    assert change.details == (
        "name: none -> Pro",
        "entitlements.seats.limit: 10 -> 20",
        "rate_limits.api_rps.window: 1s -> 2s",
        "rate_limits.api_rps.burst: 200 -> none",
    )
    fewer = replace(pro(3, seats=20), entitlements={"sso": Entitlement(enabled=True)})
    (change,) = (await plane.apply(with_pro(fewer))).changes
    assert "entitlements.sso: none -> {enabled: true, overage: deny}" in change.details
    assert "entitlements.seats: {limit: 20, overage: deny} -> none" in change.details


async def test_a_features_kind_and_aggregation_never_change(plane):
    catalog = demo_catalog()
    changed = replace(catalog.features["api_calls"], aggregation=Aggregation.MAX)
    with pytest.raises(VersionConflictError) as raised:
        await plane.apply(replace(catalog, features={**catalog.features, "api_calls": changed}))
    assert raised.value.metadata["path"] == "features.api_calls.aggregation"


async def test_the_currency_of_published_prices_never_changes(plane):
    for document in (Catalog(currency="EUR"), replace(with_pro(pro(2, seats=20)), currency="EUR")):
        for validate_only in (True, False):
            with pytest.raises(InUseError) as raised:
                await plane.apply(document, validate_only=validate_only)
            assert raised.value.metadata == {"path": "currency", "stored": "USD", "got": "EUR", "used_by": "plans.pro"}
    assert (await plane.apply(Catalog(currency="USD"))).changes == ()
    assert (await exported(plane)).currency == "USD"


def test_a_catalogue_without_prices_may_change_its_currency():
    use = CatalogUse()
    free = Catalog(currency="CHF", plans={"free": demo_catalog().plans["free"]})
    (change,) = diff_catalog(Catalog(currency="EUR"), free, use, migrate=False).changes
    assert (change.path, change.details) == ("currency", ("currency: CHF -> EUR",))


async def test_names_keep_what_their_script_needs(plane):
    name = "\u30d7\u30ed\u3000\u30d7\u30e9\u30f3 10\u00a0GB \U0001f468\u200d\U0001f469\u200d\U0001f467"
    await plane.apply(with_pro(replace(pro(2), name=name)))
    assert (await exported(plane)).plans["pro"][2].name == name


async def test_absent_keys_are_kept_and_may_be_referred_to(plane):
    await plane.apply(Catalog(plans={"pro": {2: pro(2, seats=20)}}))
    assert (await exported(plane)).plans == published(with_pro(pro(2, seats=20))).plans


async def test_the_default_plan_is_kept_unless_it_is_removed_by_name(plane):
    assert (await plane.apply(Catalog())).changes == ()
    assert (await exported(plane)).default_plan == "free"
    (change,) = (await plane.apply(Catalog(), remove_default_plan=True)).changes
    assert (change.path, change.details) == ("default_plan", ("default_plan: free -> none",))
    assert (await exported(plane)).default_plan == ""


async def test_pruning_by_a_document_that_names_no_default_plan_keeps_the_one_that_serves(plane):
    await plane.apply(Catalog(), prune=True)
    kept = await exported(plane)
    assert (kept.default_plan, "free" in kept.plans) == ("free", True)


async def test_the_diff_counts_the_subscriptions_that_stay_behind(plane):
    await plane.upsert("acme", "pro")
    await plane.upsert("hooli", "pro", trial=True)
    await plane.upsert("globex", "free")
    (change,) = (await plane.apply(with_pro(pro(2, seats=20)))).changes
    assert (change.moved, change.behind) == (0, 2)
    assert await terms_of(plane, "acme") == [("pro", 1, 0)]
    (later,) = (await plane.apply(with_pro(pro(2, seats=20)))).changes
    assert (later.effect, later.behind) == (Effect.UNCHANGED, 2)


async def test_migrate_now_moves_at_once_and_keeps_what_follows(plane):
    await plane.upsert("acme", "pro")
    await plane.upsert("hooli", "pro", trial=True)
    plane.now += DAY
    (change,) = (await plane.apply(with_pro(pro(2, seats=20)), migrate=Migrate.NOW)).changes
    assert (change.moved, change.behind) == (2, 0)
    assert await terms_of(plane, "acme") == [("pro", 1, 0), ("pro", 2, DAY)]
    assert await terms_of(plane, "hooli") == [("pro", 1, 0), ("pro", 2, DAY), ("free", 1, 14 * DAY)]


async def test_migrate_at_period_end_moves_each_at_its_own(plane):
    await plane.upsert("acme", "pro")
    plane.now += 3 * DAY
    await plane.apply(with_pro(pro(2, seats=20)), migrate=Migrate.PERIOD_END)
    next_month = add_calendar(NOW, PeriodUnit.MONTH, 1, zone="UTC") - NOW
    assert await terms_of(plane, "acme") == [("pro", 1, 0), ("pro", 2, next_month)]


async def test_prune_archives_what_is_unused_and_reports_the_rest(plane):
    await plane.upsert("acme", "pro")
    catalog = demo_catalog()
    document = replace(catalog, plans={"free": catalog.plans["free"]}, add_ons={}, features={})
    document = replace(document, plans={"free": {2: replace(catalog.plans["free"][1], version=2, upgrades_to=())}})
    diff = await plane.apply(document, prune=True)
    effects = {change.path: change.effect for change in diff.changes}
    assert effects["plans.pro"] is Effect.IN_USE
    assert effects["plans.enterprise"] is Effect.ARCHIVED
    assert effects["add_ons.api-pack"] is Effect.ARCHIVED
    assert effects["features.api_calls"] is Effect.IN_USE
    assert effects["features.sso"] is Effect.ARCHIVED
    assert set((await exported(plane)).plans) == {"free", "pro"}
    await plane.apply(replace(demo_catalog(), plans={"enterprise": catalog.plans["enterprise"]}))
    assert "enterprise" in (await exported(plane)).plans


async def test_a_rate_limit_that_an_override_gives_is_in_use(plane):
    await plane.upsert("acme", "pro")
    rule = RateLimitRule(limit_key="exports", owner=LimitOwner.ACCOUNT, algorithm=Algorithm.FIXED_WINDOW)
    await plane.apply(Catalog(rate_limits={"exports": rule}))
    given = CreateOverride(account_id="acme", limit_key="exports", rate_limit=RateLimit(limit=5, window=1_000_000))
    made = await plane.write(lambda work, now: create_override(work, given, now=now, new_id=plane.new_id))

    async def pruned():
        changes = (await plane.apply(demo_catalog(), prune=True)).changes
        return {change.path: change.effect for change in changes}["rate_limits.exports"]

    assert await pruned() is Effect.IN_USE
    await plane.write(lambda work, now: delete_override(work, "acme", made.override.override_id, now=now))
    assert await pruned() is Effect.ARCHIVED


async def test_figures_of_a_tenants_own_limit_say_since_when_they_hold(plane):
    async def since():
        return (await exported(plane)).rate_limits["login_attempts"].value_time

    assert await since() == NOW
    plane.now += DAY
    rule = demo_catalog().rate_limits["login_attempts"]
    await plane.apply(Catalog(rate_limits={"login_attempts": replace(rule, on_unavailable=OnUnavailable.CLOSED)}))
    assert await since() == NOW  # another change
    await plane.apply(Catalog(rate_limits={"login_attempts": replace(rule, value=RateLimit(limit=9, window=60_000))}))
    assert await since() == NOW + DAY


async def test_a_wrong_field_is_named_by_its_path(plane):
    plan = replace(pro(2), entitlements={"api_calls": Entitlement(limit=-1)})
    with pytest.raises(InvalidFieldError) as raised:
        await plane.apply(with_pro(plan))
    assert raised.value.metadata["field"] == "plans.pro.entitlements.api_calls.limit"


async def test_billing_begins_when_a_catalogue_first_has_it_and_is_kept(plane):
    first = BillingPolicy(late_periods=3)
    diff = await plane.apply(Catalog(billing=first))
    assert [(change.path, change.effect) for change in diff.changes] == [("billing", Effect.ADDED)]
    assert (await exported(plane)).billing == first
    began = (await exported(plane)).billing.start_time
    plane.now += DAY
    assert (await plane.apply(Catalog())).changes == ()
    (change,) = (await plane.apply(Catalog(billing=replace(first, late_periods=1)))).changes
    assert (change.path, change.details) == ("billing", ("late_periods: 3 -> 1",))
    assert (await exported(plane)).billing.late_periods == 1
    assert (await exported(plane)).billing.start_time == began == NOW


async def test_a_plan_keeps_how_often_it_is_invoiced(plane):
    rule = BillingRule(anchor=Anchor.CALENDAR, day=25)
    await plane.apply(with_pro(replace(pro(2), billing=rule)))
    assert (await exported(plane)).plan("pro").billing == rule

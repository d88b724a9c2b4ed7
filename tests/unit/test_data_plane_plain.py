"""Plans of the short way: they hold while their view and their phase do, and there are never too many."""

from dataclasses import replace

import pytest

from planes import MAX_STALENESS, SECOND, START, TENANT, Plane
from tallygate.data_plane.plain import Plans
from tallygate.data_plane.ports import ViewChange
from tallygate.data_plane.requests import RateLimitRequest
from tallygate.domain.account import Grant, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Aggregation, Feature, FeatureKind, RateLimit
from tallygate.domain.errors import LimitNotFoundError

FEATURE = "api_calls"
DAY = 86_400 * SECOND


class PlainStore:
    """Makes what plans need, and remembers for which call."""

    def __init__(self):
        self.made = []
        self.knows = True

    def quota(self, call, slot):
        self.made.append((call, slot))
        return object() if self.knows else None

    def rates(self, call):
        self.made.append((call, None))
        return object() if self.knows else None


class Rig:
    def __init__(self, capacity=50_000):
        self.plane = Plane()
        self.store = PlainStore()
        self.plans = Plans(self.plane.admission, self.plane.rate_limits, self.store, capacity=capacity)

    async def load(self, account_id="a", plan_key="free", **changes):
        version = self.plane.publish_account(account_id, plan_key, **changes)
        return await self.plane.views.view(TENANT, account_id, min_view_version=0, fresh=version > 0)

    def quota(self, account_id="a", feature_key=FEATURE):
        return self.plans.quota(TENANT, account_id, feature_key, now=self.plane.now)

    def rates(self, account_id="a", kind=b"k", **fields):
        return self.plans.rates(TENANT, kind, RateLimitRequest(account_id=account_id, **fields))

    def known_rates(self, kind=b"k"):
        return self.plans.known_rates(TENANT, kind, now=self.plane.now)


@pytest.fixture
async def rig():
    rig = Rig()
    await rig.load()
    return rig


async def test_a_plan_is_made_once_for_its_view(rig):
    plan = rig.quota()
    assert rig.quota() is plan
    (call, slot), *others = rig.store.made
    assert others == []
    assert (plan.slots[slot], plan.index) == (call.gates[0].gate.slots[slot], slot)
    assert plan.slots[slot].start <= rig.plane.now < plan.slots[slot].end
    assert (call.account_version, call.catalog_version) == (plan.view.account_version, plan.view.snapshot.version)


async def test_a_quota_has_no_plan_where_it_is_not_plain(rig):
    assert rig.quota("unknown") is None
    assert rig.quota(feature_key="unknown") is None
    assert rig.quota(feature_key="sso") is None
    assert rig.quota(feature_key="storage_bytes") is None
    assert rig.quota("") is None
    rig.store.knows = False
    assert rig.quota() is None
    assert rig.plans._quotas == {}


@pytest.mark.parametrize("aggregation", [Aggregation.UNIQUE, Aggregation.MAX, Aggregation.LATEST])
async def test_only_deltas_are_plain(aggregation):
    rig = Rig()
    other = Feature(feature_key=FEATURE, kind=FeatureKind.METERED, aggregation=aggregation, unique_by="x")
    rig.plane.publish_catalog(features={**rig.plane.catalog.features, FEATURE: other})
    await rig.load()
    assert rig.quota() is None


async def test_what_grants_pay_for_is_not_plain(rig):
    grant = Grant(
        grant_id="g", feature_key=FEATURE, amount=1, priority=0, create_time=0, effective_time=0, expire_time=None
    )
    await rig.load(grants=(grant,))
    assert rig.quota() is None


async def test_a_plan_ends_with_its_view(rig):
    first = rig.quota()
    version = rig.plane.publish_account("a", "pro")
    assert rig.quota() is first
    rig.plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    assert rig.quota() is None
    await rig.plane.views.view(TENANT, "a")
    second = rig.quota()
    assert second is not first
    assert (first.view.superseded, second.view.account_version) == (True, version)


async def test_a_catalogue_ends_the_plans_of_all_accounts(rig):
    await rig.load("b")
    assert rig.quota("a") is not None
    assert rig.rates("b", limit_key="api_rps") is not None
    version = rig.plane.publish_catalog()
    rig.plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="", version=version))
    assert (rig.quota("a"), rig.known_rates()) == (None, None)


async def test_a_plan_rests_while_announcements_may_have_been_missed_and_holds_when_verified(rig):
    plan = rig.quota()
    rig.plane.views.on_gap()
    assert rig.quota() is None
    await rig.plane.views.view(TENANT, "a")
    assert rig.quota() is plan


async def test_a_plan_holds_as_long_as_its_view_was_confirmed_of_late(rig):
    plan = rig.quota()
    for _ in range(4):
        rig.plane.now += MAX_STALENESS - 1
        assert rig.quota() is plan
        rig.plans.confirm(plan.view, rig.plane.now)
    rig.plane.now += MAX_STALENESS
    assert rig.quota() is None


async def test_confirming_never_makes_a_view_older(rig):
    view = rig.quota().view
    rig.plane.now += SECOND
    rig.plans.confirm(view, rig.plane.now)
    rig.plans.confirm(view, rig.plane.now - SECOND)
    assert view.verified_time == rig.plane.now


async def test_a_view_that_was_superseded_is_not_confirmed_back_to_life(rig):
    old = rig.quota()
    held = rig.rates(limit_key="api_rps")
    await rig.load(plan_key="pro")
    rig.plans.confirm(old.view, rig.plane.now + SECOND)
    assert rig.quota() is not old
    assert rig.known_rates() is None
    assert not rig.plane.views.is_current(held.view)
    assert rig.plane.views.cached(TENANT, "a").account_version > old.view.account_version


async def test_a_view_that_is_known_to_be_old_is_not_confirmed_back_to_life(rig):
    old = rig.quota()
    version = rig.plane.publish_account("a", "pro")
    rig.plane.views.on_change(ViewChange(tenant_id=TENANT, account_id="a", version=version))
    rig.plans.confirm(old.view, rig.plane.now)
    assert rig.quota() is None
    await rig.plane.views.view(TENANT, "a")
    assert rig.quota().view.account_version == version


async def test_plans_are_bounded():
    rig = Rig(capacity=2)
    for account_id in "abc":
        await rig.load(account_id)
    first = rig.quota("a")
    assert rig.quota("b") is not None
    assert rig.quota("a") is first
    assert rig.quota("c") is not None
    assert len(rig.plans._quotas) == 1
    assert rig.quota("a") is not first
    for kind in (b"1", b"2", b"3"):
        assert rig.rates("a", kind, limit_key="api_rps") is not None
        assert len(rig.plans._rates) <= 2
    assert rig.known_rates(b"3") is not None


async def test_a_plan_that_is_dropped_is_made_anew(rig):
    plan = rig.quota()
    rig.plans.drop_quota(plan)
    rig.plans.drop_quota(plan)
    assert rig.quota() is not plan
    held = rig.rates(limit_key="api_rps")
    rig.plans.drop_rates(TENANT, b"k")
    rig.plans.drop_rates(TENANT, b"k")
    assert rig.known_rates() is None
    assert rig.rates(limit_key="api_rps") is not held


async def test_a_new_period_has_a_plan_of_its_own(rig):
    first = rig.quota()
    rig.plane.now = first.slots[first.index].end
    rig.plans.confirm(first.view, rig.plane.now)
    rig.plans.drop_quota(first)  # as the store's SLOTS_MISSED does
    second = rig.quota()
    assert second.view is first.view
    assert second.slots[second.index].start == first.slots[first.index].end


async def test_rate_limits_are_planned_for_one_phase_alone():
    rig = Rig()
    ends = START + 2 * SECOND
    terms = (
        PlanTerm(plan_key="free", plan_version=1, start_time=0),
        PlanTerm(plan_key="pro", plan_version=1, start_time=ends),
    )
    subscription = Subscription(subscription_id="s", state=SubscriptionState.ACTIVE, start_time=0, terms=terms)
    await rig.load(subscription=subscription)
    first = rig.rates(limit_key="api_rps")
    rig.plane.now = ends - 1
    assert rig.known_rates() is first
    rig.plane.now = ends
    assert rig.known_rates() is None
    second = rig.rates(limit_key="api_rps")
    assert [plan.call.gates[0].gate.rate.limit for plan in (first, second)] == [5, 100]
    assert rig.known_rates() is second
    rig.plane.now = ends - 1
    assert rig.known_rates() is None


async def test_what_is_no_plain_rate_limit_is_not_planned(rig):
    assert rig.rates("unknown", limit_key="api_rps") is None
    assert rig.rates(limit_key="api_rps", request_id="r") is None
    assert rig.rates(limit_key="api_rps", min_view_version=1) is None
    with pytest.raises(LimitNotFoundError):
        rig.rates(limit_key="unknown")
    rig.store.knows = False
    assert rig.rates(limit_key="api_rps") is None
    assert rig.plans._rates == {}


async def test_rate_limits_of_the_tenant_need_no_account_and_last_for_ever(rig):
    rules = rig.plane.catalog.rate_limits
    own = replace(rules["login_attempts"], descriptor=(), value=RateLimit(limit=3, window=SECOND))
    rig.plane.publish_catalog(rate_limits={**rules, "login_attempts": own})
    await rig.plane.views.view(TENANT, "", fresh=True)
    plan = rig.rates("", limit_key="login_attempts")
    rig.plane.now += 400 * DAY
    rig.plans.confirm(plan.view, rig.plane.now)
    assert rig.known_rates() is plan

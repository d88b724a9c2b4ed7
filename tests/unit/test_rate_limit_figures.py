"""Which figures of a rate limit an account holds, since when, and how long what they count is kept."""

from dataclasses import replace

from tallygate.domain.account import AccountRecord, Override, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.gating.decision import SourceKind
from tallygate.domain.gating.figures import Figures, figures
from tallygate.domain.gating.rate_limit import MOST_KEPT
from tallygate.domain.gating.resolve import resolve
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit, RateLimitRule

SECOND = 1_000_000
HOUR = 3_600 * SECOND
FAST, SLOW = RateLimit(limit=100, window=SECOND), RateLimit(limit=100, window=HOUR)
CALLS = RateLimitRule(limit_key="calls", owner=LimitOwner.ACCOUNT, algorithm=Algorithm.TOKEN_BUCKET)
IPS = replace(CALLS, limit_key="ips", owner=LimitOwner.TENANT, value=FAST, value_time=7)
CATALOG = Catalog(
    default_plan="free",
    rate_limits={"calls": CALLS, "ips": IPS},
    plans={
        "free": {1: Plan(plan_key="free", version=1, rate_limits={"calls": SLOW}, publish_time=400)},
        "pro": {1: Plan(plan_key="pro", version=1, rate_limits={"calls": FAST}, publish_time=500)},
        "same": {1: Plan(plan_key="same", version=1, rate_limits={"calls": FAST})},
    },
)
SUBSCRIPTION = Subscription(
    subscription_id="s",
    state=SubscriptionState.ACTIVE,
    start_time=1_000,
    terms=(
        PlanTerm(plan_key="pro", plan_version=1, start_time=1_000),
        PlanTerm(plan_key="same", plan_version=1, start_time=2_000),
    ),
    end_time=3_000,
)
ACCOUNT = AccountRecord(tenant_id="t", account_id="a", version=1, create_time=0, subscription=SUBSCRIPTION)


def at(instant, record=ACCOUNT, rule=CALLS):
    found = figures(rule, resolve(CATALOG, record), instant)
    return found and replace(found, source=None)


def source(instant, record=ACCOUNT, rule=CALLS):
    found = figures(rule, resolve(CATALOG, record), instant).source
    return found and (found.kind, found.key, found.version)


def test_figures_hold_since_the_first_phase_that_gives_them():
    assert at(1_500) == Figures(rate=FAST, since=1_000, keep=HOUR)
    assert at(2_500) == Figures(rate=FAST, since=1_000, keep=HOUR)  # another plan, the same figures
    assert at(3_500) == Figures(rate=SLOW, since=3_000, keep=HOUR)


def test_a_default_plan_holds_since_it_was_published():
    unsubscribed = replace(ACCOUNT, subscription=None)
    assert at(1_500, unsubscribed) == Figures(rate=SLOW, since=400, keep=HOUR)


def test_a_tenants_own_limit_holds_since_its_value_did():
    assert figures(IPS, None, 1_500) == Figures(rate=FAST, since=7, keep=0)
    assert figures(CALLS, None, 1_500) is None


def test_an_override_is_the_limit_while_it_is_in_force():
    more = RateLimit(limit=500, window=SECOND)
    override = Override(override_id="o", limit_key="calls", rate_limit=more, start_time=1_200, end_time=1_400)
    record = replace(ACCOUNT, overrides=(override,))

    assert at(1_100, record) == Figures(rate=FAST, since=1_000, keep=HOUR)
    assert at(1_200, record) == Figures(rate=more, since=1_200, keep=HOUR)
    assert at(1_400, record) == Figures(rate=FAST, since=1_400, keep=HOUR)
    assert source(1_100, record) == (SourceKind.PLAN, "pro", 1)
    assert source(1_200, record) == (SourceKind.OVERRIDE, "o", 0)
    assert source(3_500, record) == (SourceKind.DEFAULT_PLAN, "free", 1)
    assert source(1_100, record, IPS) is None
    suspended = replace(record, subscription=replace(SUBSCRIPTION, state=SubscriptionState.SUSPENDED))
    assert at(1_300, suspended) is None
    assert at(1_900, replace(ACCOUNT, limits_time=1_800)).since == 1_800  # an override was deleted then


def test_what_an_override_counted_is_kept_for_the_figures_that_it_brings():
    day = RateLimit(limit=1, window=24 * HOUR)
    lasting = Override(override_id="o", limit_key="other", rate_limit=day, start_time=9_000)
    quick = Override(override_id="q", limit_key="calls", rate_limit=FAST, start_time=9_000)
    held = resolve(CATALOG, replace(ACCOUNT, overrides=(lasting, quick)))

    assert held.slowest == {"calls": HOUR, "other": MOST_KEPT}

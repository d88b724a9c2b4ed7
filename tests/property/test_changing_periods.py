"""Laws of usage periods through changes: what was used in a period keeps it, and no change makes a second allowance."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tallygate.control_plane.formers import kept, longest_period, with_former, with_former_rule
from tallygate.domain.account import AccountRecord, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.catalog import Catalog, Entitlement, Feature, FeatureKind, FormerDefault, FormerZone, Plan
from tallygate.domain.gating.resolve import resolve
from tallygate.domain.gating.usage_periods import period_at, stretches
from tallygate.domain.period import Anchor, PeriodRule, PeriodUnit, from_datetime
from thorough import some

HOUR = 3_600_000_000
FIRST = from_datetime(datetime(2031, 2, 26, 7, 30, tzinfo=UTC))
LIMIT = 10
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Australia/Lord_Howe", "Pacific/Apia"]
RULES = st.builds(
    PeriodRule,
    every=st.sampled_from(PeriodUnit),
    count=st.sampled_from([1, 1, 2, 3]),
    anchor=st.sampled_from(Anchor),
)
STEPS = st.tuples(
    # Nothing passes beside a clock that stands; what passes otherwise is about any of the periods' lengths.
    st.one_of(st.just(0), st.sampled_from([1, HOUR, 24 * HOUR, 31 * 24 * HOUR]), st.integers(1, 60 * 24 * HOUR)),
    st.one_of(
        st.just(("use", None)),
        st.just(("use", None)),
        st.tuples(st.just("zone"), st.sampled_from(["", *ZONES])),
        st.tuples(st.just("tenant_zone"), st.sampled_from(ZONES)),
        st.tuples(st.just("rule"), RULES),
        st.tuples(st.just("default"), st.sampled_from(["", "p", "other"])),
        st.tuples(st.just("subscribe"), st.sampled_from(["p", "other"])),
        st.tuples(st.just("try"), st.integers(1, 40)),
        st.just(("cancel", None)),
    ),
)


class Story:
    """One account with one feature, changed as the control plane does it, used as the data plane does."""

    def __init__(self, rule: PeriodRule) -> None:
        self.now = FIRST
        self.last_default = 0
        plans = {
            "p": {1: Plan(plan_key="p", version=1, entitlements={"f": Entitlement(limit=LIMIT)})},
            "other": {1: Plan(plan_key="other", version=1)},
        }
        feature = Feature(feature_key="f", kind=FeatureKind.METERED, usage_period=rule)
        self.catalog = Catalog(features={"f": feature}, plans=plans)
        self.record = AccountRecord(tenant_id="t", account_id="a", version=1, create_time=self.now)
        self.uses: list[tuple[int, object, PeriodRule]] = []

    def wait(self, passes, name):
        """Let time pass: a default plan that served for no time at all served nobody, a subscription no period."""
        used = bool(self.uses) and self.uses[-1][0] == self.now
        self.now += passes or int(self.now == self.last_default or (used and name == "cancel"))

    def feature(self) -> Feature:
        return self.catalog.features["f"]

    def held(self):
        return resolve(self.catalog, self.record)

    def use(self, _):
        held = self.held()
        phase = held.phase_at(self.now)
        if "f" in phase.features and not phase.trial:
            period = period_at(held, self.feature(), self.now)
            self.uses.append((self.now, period, held.calendars.of(self.feature()).calendar_at(self.now)))

    def zone(self, zone):
        if zone != self.record.time_zone:
            former = FormerZone(time_zone=self.record.time_zone, end_time=self.now)
            formers = with_former(self.record.former_zones, former, longest=longest_period(self.catalog))
            self.record = replace(self.record, time_zone=zone, former_zones=formers)

    def tenant_zone(self, zone):
        if zone != self.catalog.time_zone:
            former = FormerZone(time_zone=self.catalog.time_zone, end_time=self.now)
            formers = with_former(self.catalog.former_zones, former, longest=longest_period(self.catalog))
            self.catalog = replace(self.catalog, time_zone=zone, former_zones=formers)

    def rule(self, rule):
        feature = with_former_rule(replace(self.feature(), usage_period=rule), self.feature(), now=self.now)
        self.catalog = replace(self.catalog, features={"f": feature})

    def default(self, plan_key):
        if plan_key != self.catalog.default_plan:
            former = FormerDefault(plan_key=self.catalog.default_plan, end_time=self.now)
            formers = with_former(self.catalog.former_defaults, former, longest=longest_period(self.catalog))
            self.catalog = replace(self.catalog, default_plan=plan_key, former_defaults=formers)
            self.last_default = self.now

    def try_(self, days):
        """Subscribe on trial, a little after whatever was used before."""
        self.now += 1
        self.subscribe("p", trial_end=self.now + days * 24 * HOUR)

    def subscribe(self, plan_key, *, trial_end=None):
        before = self.record.subscription
        if before is not None and before.end_time is None:
            return
        formers = (*self.record.former_subscriptions, *([before] if before else []))
        longest = longest_period(self.catalog)
        self.record = replace(
            self.record,
            former_subscriptions=kept(formers, lambda former: former.end_time or 0, now=self.now, longest=longest),
            subscription=Subscription(
                subscription_id=f"s{len(formers)}-{self.now}",
                state=SubscriptionState.ACTIVE,
                start_time=self.now,
                terms=(PlanTerm(plan_key=plan_key, plan_version=1, start_time=self.now),),
                trial_end_time=trial_end,
                anchor_time=self.now,
            ),
        )

    def cancel(self, _):
        live = self.record.subscription
        if live is not None and live.end_time is None:
            self.record = replace(self.record, subscription=replace(live, end_time=self.now))


def left_of(period, held, at):
    """Where a period ends that a trial may outlast: with it, for nothing of the period is left then."""
    return min([period.end, *(start for start, end in held.trials if at < start < period.end <= end)])


def told(rule, steps):
    story = Story(rule)
    for passes, (name, value) in steps:
        story.wait(passes, name)
        getattr(story, {"try": "try_"}.get(name, name))(value)
    return story


@given(RULES, st.lists(STEPS, min_size=3, max_size=25))
@settings(max_examples=some(600), deadline=None)
def test_a_period_that_was_used_keeps_its_boundaries_whatever_changes_after(rule, steps):
    story = Story(rule)
    for passes, (name, value) in steps:
        story.wait(passes, name)
        getattr(story, {"try": "try_"}.get(name, name))(value)
        held = story.held()
        for at, period, calendar in story.uses:
            if story.now <= 2 * period.end - period.start:  # older ones no counter remembers
                now_told = period_at(held, story.feature(), at)
                assert (now_told.start, now_told.end) == (period.start, left_of(period, held, at)), (at, calendar)


@given(RULES, st.lists(STEPS, min_size=3, max_size=25))
@settings(max_examples=some(300), deadline=None)
def test_changed_periods_and_trials_tile_the_time_line(rule, steps):
    story = told(rule, steps)
    held, feature = story.held(), story.feature()
    until, ends, went_on = period_at(held, feature, min(story.now, FIRST + 2_000 * HOUR)).end, FIRST, set()
    for each in stretches(held, feature, FIRST, until):
        assert each.start == ends
        assert each.period.start <= each.start < each.end <= each.period.end or each.start == FIRST
        assert period_at(held, feature, each.end - 1) == period_at(held, feature, each.start) == each.period
        assert each.trial == ((each.start, each.end) in held.trials)
        if not each.trial:
            # After a trial the period of before goes on, or one that nothing was counted in.
            assert each.start in {FIRST, each.period.start} or (each.period in went_on)
            went_on.add(each.period)
        ends = each.end


@given(RULES, st.lists(STEPS, min_size=3, max_size=25))
@settings(max_examples=some(600), deadline=None)
def test_periods_that_were_used_overlap_nowhere_and_are_about_as_long_as_their_rule_says(rule, steps):
    story = told(rule, steps)
    held, used = story.held(), {}
    for at, period, calendar in story.uses:
        used[period.start, left_of(period, held, at)] = calendar
    cuts = {instant for trial in held.trials for instant in trial}
    ends = 0
    for (start, end), calendar in sorted(used.items()):
        assert start >= ends, "what may be used twice at one instant"
        ends = end
        if {start, end} & cuts:
            continue  # beside a trial a period is as short as what the trial left of it
        natural = calendar.period(start)
        following = calendar.period(natural.end)
        half = (natural.end - natural.start) / 2
        assert natural.start == start or end - start > half
        assert end - start <= max(natural.end - natural.start, half + following.end - following.start)

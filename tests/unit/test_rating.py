"""What is owed at a cut: windows, cuts, usage lines against what was billed. Figures by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tallygate.domain.account import AddOnHolding, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.rating import Before, Billed, Issued, counted_before, fixed_lines, usage_line
from tallygate.domain.billing.runs import next_cut, runs
from tallygate.domain.billing.steps import StepKind
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import follows, usage_windows
from tallygate.domain.billing_terms import BillingRule
from tallygate.domain.catalog import AddOn, Aggregation, Catalog, Feature, FeatureKind, Plan
from tallygate.domain.period import Anchor, from_datetime
from tallygate.domain.prices import ChargeModel, Price, RecurringPrice, Tier, UsagePrice

USD = Policy()
CALENDAR = Calendar(zone="UTC", account_create_time=0)
CALLS = Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="0.50"))
MONTHLY = Price(price_key="recurring", recurring=RecurringPrice(amount="10.00"))


def at(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def plan(key, *prices, version=1, **fields):
    return Plan(plan_key=key, version=version, prices=prices, **fields)


def timeline(start, *terms, plans, add_ons=(), held=(), features=None, **fields):
    subscription = Subscription(
        subscription_id="s",
        state=SubscriptionState.ACTIVE,
        start_time=at(start),
        terms=tuple(PlanTerm(plan_key=key, plan_version=version, start_time=at(when)) for key, version, when in terms),
        add_ons=tuple(held),
        **fields,
    )
    found = {}
    for each in plans:
        found.setdefault(each.plan_key, {})[each.version] = each
    return Timeline(
        subscription=subscription,
        catalog=Catalog(plans=found, add_ons={each.add_on_key: {1: each} for each in add_ons}, features=features or {}),
    )


def cuts(line, until):
    all_runs, found, after = runs(line, CALENDAR), [], 0
    while (cut := next_cut(all_runs, after=after)) is not None and cut <= at(until):
        found.append(datetime.fromtimestamp(cut / 1e6, UTC).strftime("%m-%d"))
        after = cut
    return found


def test_an_invoice_is_cut_at_the_origin_at_each_end_of_a_period_and_at_the_end():
    line = timeline("2026-01-31", ("pro", 1, "2026-01-31"), plans=[plan("pro", MONTHLY)], end_time=at("2026-04-10"))
    assert cuts(line, "2026-12-31") == ["01-31", "02-28", "03-31", "04-10"]


def test_a_trial_ends_in_the_first_cut():
    line = timeline(
        "2026-01-01", ("pro", 1, "2026-01-01"), plans=[plan("pro", MONTHLY)], trial_end_time=at("2026-01-15")
    )
    assert cuts(line, "2026-03-01") == ["01-15", "02-15"]


def test_another_rule_restarts_the_periods():
    yearly = plan("year", billing=BillingRule(anchor=Anchor.CALENDAR, day=25))
    line = timeline(
        "2026-01-10", ("pro", 1, "2026-01-10"), ("year", 1, "2026-03-01"), plans=[plan("pro", MONTHLY), yearly]
    )
    assert cuts(line, "2026-05-01") == ["01-10", "02-10", "03-01", "03-25", "04-25"]


def test_a_base_fee_is_due_at_once_and_usage_at_the_end():
    """$10.00 in advance, 37 at $0.50 for the month behind."""
    line = timeline("2026-01-01", ("pro", 1, "2026-01-01"), plans=[plan("pro", MONTHLY, CALLS)])
    opening = fixed_lines(line, CALENDAR, USD, since=0, until=at("2026-01-01"), issued=Issued())
    assert [one.amount for one in opening] == [1000]
    since, until = at("2026-01-01"), at("2026-02-01")
    issued = Issued(keys=frozenset(one.line_key for one in opening))
    assert [one.amount for one in fixed_lines(line, CALENDAR, USD, since=since, until=until, issued=issued)] == [1000]
    (window,) = usage_windows(line, CALENDAR, USD, since=since, until=until)
    assert (window.start, window.end, window.plan_key, window.plan_version) == (since, until, "pro", 1)
    found = usage_line(window, Counted(units=37), USD, through_sequence=9)
    assert (found.amount, found.line_key) == (1850, f"usage/s/plans/pro/calls/1/{since}/0")
    assert found.inputs.through_sequence == 9


def test_what_comes_late_is_the_difference():
    line = timeline("2026-01-01", ("pro", 1, "2026-01-01"), plans=[plan("pro", CALLS)])
    (window,) = usage_windows(line, CALENDAR, USD, since=at("2026-01-01"), until=at("2026-02-01"))
    late = usage_line(window, Counted(units=40), USD, billed=Billed(exact=Fraction(1850), revisions=1))
    assert (late.amount, late.line_key[-2:]) == (150, "/1")
    assert usage_line(window, Counted(units=40), USD, billed=Billed(exact=Fraction(2000), revisions=2)) is None
    assert usage_line(window, Counted(), USD) is None


def test_a_plan_change_multiplies_no_free_quota():
    free = {"feature_key": "calls", "unit_amount": "1.00", "free_quota": "100"}
    first = plan("basic", Price(price_key="calls", usage=UsagePrice(**free)))
    second = plan("pro", Price(price_key="calls", usage=UsagePrice(**free)))
    line = timeline("2026-04-01", ("basic", 1, "2026-04-01"), ("pro", 1, "2026-04-16"), plans=[first, second])
    windows = usage_windows(line, CALENDAR, USD, since=at("2026-04-01"), until=at("2026-05-01"))
    before, after = sorted(windows, key=lambda window: window.begins)
    assert list(follows(before, windows)) == []
    assert list(follows(after, windows)) == [before]
    assert usage_line(before, Counted(units=70), USD) is None
    assert usage_line(after, Counted(units=70), USD, before=Before(counted=Counted(units=70))).amount == 4000


def test_a_plan_that_comes_back_is_one_window():
    plans = [plan("basic", CALLS), plan("pro", CALLS)]
    terms = (("basic", 1, "2026-04-01"), ("pro", 1, "2026-04-11"), ("basic", 1, "2026-04-21"))
    windows = usage_windows(timeline("2026-04-01", *terms, plans=plans), CALENDAR, USD, since=0, until=at("2026-05-01"))
    assert [window.plan_key for window in sorted(windows, key=lambda window: window.begins)] == ["basic", "pro"]


def test_an_add_ons_window_is_when_it_was_held():
    pack = AddOn(add_on_key="pack", version=1, prices=(CALLS,))
    held = AddOnHolding(
        add_on_key="pack", version=1, quantity=1, start_time=at("2026-04-11"), end_time=at("2026-04-21")
    )
    line = timeline("2026-04-01", ("pro", 1, "2026-04-01"), plans=[plan("pro")], add_ons=[pack], held=[held])
    (window,) = usage_windows(line, CALENDAR, USD, since=0, until=at("2026-05-01"))
    assert (window.start, window.end, window.plan_version) == (at("2026-04-11"), at("2026-04-21"), 0)


def test_a_stub_is_part_of_its_whole_period():
    priced = plan("pro", CALLS, billing=BillingRule(anchor=Anchor.CALENDAR, day=25))
    line = timeline("2026-04-10", ("pro", 1, "2026-04-10"), plans=[priced])
    (window,) = usage_windows(line, CALENDAR, USD, since=0, until=at("2026-04-25"))
    assert (window.start, window.part) == (at("2026-04-10"), Fraction(15, 31))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_a_zone_moves_the_boundaries_of_a_calendar(zone):
    priced = plan("pro", CALLS, billing=BillingRule(anchor=Anchor.CALENDAR, day=25))
    line = timeline("2026-01-01", ("pro", 1, "2026-01-01"), plans=[priced])
    cut = next_cut(runs(line, Calendar(zone=zone, account_create_time=0)), after=at("2026-02-27"))
    assert datetime.fromtimestamp(cut / 1e6, ZoneInfo(zone)).strftime("%m-%d %H:%M") == "03-25 00:00"


def level(aggregation):
    return {"calls": Feature(feature_key="calls", kind=FeatureKind.METERED, aggregation=aggregation)}


def half_way(features, basic=CALLS, pro=CALLS):
    """A change in the middle of April: the windows of both plans, in order of time."""
    terms = ("basic", 1, "2026-04-01"), ("pro", 1, "2026-04-16")
    line = timeline("2026-04-01", *terms, plans=[plan("basic", basic), plan("pro", pro)], features=features)
    windows = usage_windows(line, CALENDAR, USD, since=at("2026-04-01"), until=at("2026-05-01"))
    return sorted(windows, key=lambda window: window.begins)


def charged(windows, *counted, billed=None):
    """What the windows of one price come to, one after the other."""
    pairs = list(zip(windows, counted, strict=True))
    found = []
    for window, own in pairs:
        earlier = [pair for pair in pairs if any(pair[0] is other for other in follows(window, windows))]
        line = usage_line(window, own, USD, before=counted_before(window, earlier, USD, billed or {}))
        found.append(line.amount if line is not None else 0)
    return found


@pytest.mark.parametrize("aggregation", [Aggregation.MAX, Aggregation.TIME_WEIGHTED])
def test_a_level_is_counted_in_the_stretch_of_each_plan(aggregation):
    before, after = half_way(level(aggregation))
    assert [(before.start, before.end), (after.start, after.end)] == [
        (at("2026-04-01"), at("2026-04-16")),
        (at("2026-04-16"), at("2026-05-01")),
    ]
    assert (before.plan_version, after.plan_version) == (0, 0)
    assert before.due == after.due == at("2026-05-01")


@pytest.mark.parametrize(("levels", "amounts"), [((10, 10), [500, 0]), ((10, 14), [500, 200]), ((10, 4), [500, 0])])
def test_a_greatest_level_is_not_charged_twice(levels, amounts):
    """At $0.50 each: only what is above the level that the plan before charged."""
    windows = half_way(level(Aggregation.MAX))
    assert charged(windows, *(Counted(units=units) for units in levels)) == amounts


def test_a_member_of_both_stretches_is_charged_once():
    """Two members, one of whom comes back beside a third: at $0.50 each."""
    windows = half_way(level(Aggregation.UNIQUE))
    both = [Counted(units=2, members=frozenset(own)) for own in ("ab", "bc")]
    assert charged(windows, *both) == [100, 50]


def test_averages_of_two_stretches_add_up():
    """8 over the first half are 4 of the month, 6 over the second are 3: at $0.50 each."""
    windows = half_way(level(Aggregation.TIME_WEIGHTED))
    assert charged(windows, Counted(units=Fraction(4)), Counted(units=Fraction(3))) == [200, 150]


def test_a_last_level_is_that_of_the_plan_that_held_last():
    (window,) = half_way(level(Aggregation.LATEST))
    assert (window.start, window.plan_key, window.reference) == (at("2026-04-16"), "", "plans/pro/1/prices/calls")


@pytest.mark.parametrize(
    ("least", "used", "amounts"),
    [
        (("100.00", "100.00"), (20, 40), [5000, 5000]),  # half of the least each
        (("100.00", "100.00"), (180, 40), [9000, 2000]),  # 90.00 and 20.00, above it together
        (("100.00", "200.00"), (20, 40), [5000, 10000]),
        (("100.00", ""), (20, 40), [5000, 2000]),
        (("", "100.00"), (20, 40), [1000, 5000]),
    ],
)
def test_the_least_spend_is_that_of_each_stretch(least, used, amounts):
    """At $0.50 each, 15 of 30 days on each plan."""
    basic, pro = (
        Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="0.50", min_spend=each))
        for each in least
    )
    windows = half_way({}, basic, pro)
    assert [window.part for window in windows] == [Fraction(1, 2)] * 2
    assert charged(windows, *(Counted(units=units) for units in used)) == amounts


def calls(**fields):
    return Price(price_key="calls", usage=UsagePrice(feature_key="calls", **fields))


CHEAPER = calls(model=ChargeModel.VOLUME, tiers=(Tier(up_to="10", unit_amount="1.00"), Tier(unit_amount="0.80")))


@pytest.mark.parametrize(
    ("before", "used", "amounts"),
    [
        (calls(unit_amount="0"), (10, 1), [0, 0]),
        (calls(unit_amount="0.05"), (10, 1), [50, -50]),  # no more than was charged
        (calls(unit_amount="1.00"), (10, 1), [1000, -120]),
        (CHEAPER, (10, 1), [1000, -120]),
        (calls(unit_amount="0"), (10, 3), [0, 40]),
        (calls(unit_amount="0"), (10, -5), [0, 0]),  # refunded are calls that cost nothing
        (calls(unit_amount="0.30"), (10, -5), [300, -300]),
        (calls(unit_amount="1.00"), (10, -5), [1000, -500]),
    ],
)
def test_a_price_gives_back_no_more_than_those_before_it_charged(before, used, amounts):
    windows = half_way({}, before, CHEAPER)
    assert charged(windows, *(Counted(units=units) for units in used)) == amounts


def test_what_is_given_back_is_not_given_back_again():
    """Of 10.00 the second price gives back 9.00 and the third one 1.00, though by itself it would 8.00."""
    plans = plan("a", calls(unit_amount="1.00")), plan("b", calls(unit_amount="0.90")), plan("c", CHEAPER)
    terms = ("a", 1, "2026-04-01"), ("b", 1, "2026-04-11"), ("c", 1, "2026-04-21")
    windows = usage_windows(timeline("2026-04-01", *terms, plans=plans), CALENDAR, USD, since=0, until=at("2026-05-01"))
    windows = sorted(windows, key=lambda window: window.begins)
    assert charged(windows, Counted(units=10), Counted(units=-10), Counted(units=-8)) == [1000, -900, 0]
    assert charged(windows, Counted(units=10), Counted(units=-1), Counted(units=-9)) == [1000, -90, -900]
    assert charged(windows, Counted(units=10), Counted(units=-9), Counted(units=-8)) == [1000, -810, -100]


def test_what_is_given_back_is_explained_to_the_cent():
    first, second = half_way({}, calls(unit_amount="0.05"), CHEAPER)
    line = usage_line(
        second, Counted(units=1), USD, before=counted_before(second, [(first, Counted(units=10))], USD, {})
    )
    assert line.steps[-1].kind is StepKind.NO_MORE
    assert line.steps[-1].amount == Fraction("0.70")
    assert sum(step.amount for step in line.steps) == Fraction("-0.50")


def test_nothing_is_given_back_of_another_currency():
    windows = half_way({}, replace(calls(unit_amount="1.00"), currency="EUR"), CHEAPER)
    assert charged(windows, Counted(units=10), Counted(units=1)) == [1000, 0]


def test_nothing_is_given_back_of_what_was_forgiven():
    """The first price's line is on a void document when the second one's is made."""
    windows = half_way({}, calls(unit_amount="1.00"), CHEAPER)
    void = {windows[0].line: Billed(exact=Fraction(1000), forgiven=Fraction(1000), revisions=1)}
    assert charged(windows, Counted(units=10), Counted(units=1), billed=void) == [1000, 0]


def test_another_quantity_of_an_add_on_gives_no_other_free_quota():
    free = Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="1.00", free_quota="100"))
    pack = AddOn(add_on_key="pack", version=1, prices=(free,))
    times = ("2026-04-01", "2026-04-16", "2026-05-01")
    held = [
        AddOnHolding(add_on_key="pack", version=1, quantity=n, start_time=at(start), end_time=at(end))
        for n, (start, end) in enumerate(pairwise(times), start=1)
    ]
    line = timeline("2026-04-01", ("pro", 1, "2026-04-01"), plans=[plan("pro")], add_ons=[pack], held=held)
    windows = usage_windows(line, CALENDAR, USD, since=0, until=at("2026-05-01"))
    assert charged(windows, Counted(units=70), Counted(units=70)) == [0, 4000]


def test_what_rounds_to_nothing_is_no_line():
    """A tenth of a cent of usage waits for more; a thirtieth of ten cents, twice, is less than a cent each."""
    dear = Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="0.001"))
    cheap = Price(price_key="recurring", recurring=RecurringPrice(amount="0.10"))
    line = timeline("2026-04-01", ("pro", 1, "2026-04-01"), plans=[plan("pro", cheap, dear)], end_time=at("2026-04-02"))
    assert fixed_lines(line, CALENDAR, USD, since=0, until=at("2026-05-01"), issued=Issued()) == ()
    (window,) = usage_windows(line, CALENDAR, USD, since=0, until=at("2026-05-01"))
    assert usage_line(window, Counted(units=1), USD) is None
    assert usage_line(window, Counted(units=6), USD).amount == 1

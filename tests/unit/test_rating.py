"""What is owed at a cut: windows, cuts, usage lines against what was billed. Figures by hand."""

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from tallygate.domain.account import AddOnHolding, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.rating import Billed, Issued, fixed_lines, follows, usage_line, usage_windows
from tallygate.domain.billing.runs import Calendar, next_cut, runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing_terms import BillingRule
from tallygate.domain.catalog import AddOn, Catalog, Plan
from tallygate.domain.period import Anchor, from_datetime
from tallygate.domain.prices import Price, RecurringPrice, UsagePrice

USD = Policy()
CALENDAR = Calendar(zone="UTC", account_create_time=0)
CALLS = Price(price_key="calls", usage=UsagePrice(feature_key="calls", unit_amount="0.50"))
MONTHLY = Price(price_key="recurring", recurring=RecurringPrice(amount="10.00"))


def at(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def plan(key, *prices, version=1, **fields):
    return Plan(plan_key=key, version=version, prices=prices, **fields)


def timeline(start, *terms, plans, add_ons=(), held=(), **fields):
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
        catalog=Catalog(plans=found, add_ons={each.add_on_key: {1: each} for each in add_ons}),
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
    assert usage_line(after, Counted(units=70), USD, before=Counted(units=70)).amount == 4000


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

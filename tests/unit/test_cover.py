"""Recurring prices: figures of the reference systems, computed by hand."""

from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import pytest

from tallygate.domain.account import AddOnHolding, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.calendar import Calendar, grid
from tallygate.domain.billing.cover import Policy, cover, set_up
from tallygate.domain.billing.runs import Run
from tallygate.domain.billing.timeline import FOREVER, QuantityChange, Timeline, lanes
from tallygate.domain.billing_terms import BillingRule, Proration
from tallygate.domain.catalog import AddOn, Catalog, Plan
from tallygate.domain.period import Anchor, PeriodUnit, from_datetime
from tallygate.domain.prices import Due, Price, RecurringPrice, SetupPrice

USD = Policy()
BASE = Price(price_key="recurring", recurring=RecurringPrice(amount="20.00"))
USERS = Price(price_key="users", recurring=RecurringPrice(amount="15.00", seats="seats", label="Monthly user fees"))


def at(text):
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def catalog(**plans):
    found = {key: {1: Plan(plan_key=key, version=1, prices=prices)} for key, prices in plans.items()}
    reports = AddOn(
        add_on_key="reports", version=1, prices=(Price(price_key="r", recurring=RecurringPrice(amount="12.34")),)
    )
    return Catalog(plans=found, add_ons={"reports": {1: reports}})


def subscribed(start, *terms, **fields):
    terms = terms or [("basic", start)]
    found = tuple(PlanTerm(plan_key=key, plan_version=1, start_time=at(when)) for key, when in terms)
    return Subscription(
        subscription_id="s", state=SubscriptionState.ACTIVE, start_time=at(start), terms=found, **fields
    )


def charged(
    subscription,
    plans,
    *,
    until,
    since="1990-01-01",
    rule=None,
    policy=USD,
    quantities=(),
    cancelled=None,
    created="2026-01-01",
):
    timeline = Timeline(subscription=subscription, catalog=plans, quantities=quantities, cancel_time=cancelled)
    rule = rule or BillingRule()
    on = grid(rule, Calendar(zone="UTC", account_create_time=at(created)), start=timeline.origin)
    run = Run(start=timeline.origin, end=timeline.end, rule=rule, on=on)
    found = []
    for lane in lanes(timeline):
        found += set_up(lane, policy, since=at(since) if since > "1990-01-02" else 0, until=at(until))
        found += cover(lane, run, policy, since=at(since) if since > "1990-01-02" else 0, until=at(until))
    return sorted(found, key=lambda line: (line.due, line.line_key))


def amounts(lines):
    return [line.amount for line in lines]


def test_a_month_in_advance_and_the_next():
    found = charged(subscribed("2026-04-01"), catalog(basic=(BASE,)), until="2026-05-15")
    assert [(line.amount, line.due) for line in found] == [(2000, at("2026-04-01")), (2000, at("2026-05-01"))]
    assert found[0].price == "plans/basic/1/prices/recurring"
    assert (found[0].period.start, found[0].period.end) == (at("2026-04-01"), at("2026-05-01"))


def test_a_set_up_amount_comes_once():
    prices = (
        Price(price_key="recurring", recurring=RecurringPrice(amount="29")),
        Price(price_key="setup", setup=SetupPrice(amount="10")),
    )
    found = charged(subscribed("2026-04-01"), catalog(basic=prices), until="2026-05-15")
    assert sorted(amounts(found)) == [1000, 2900, 2900]


def test_seats_that_come_and_go_are_charged_for_the_rest():
    """10 at $15; 2 more 15 days into 30: 2 x 15 x 15/30; the next period 12 x 15; 3 fewer with 10 days left."""
    changes = [
        QuantityChange(source="seats", change_time=at("2026-04-01"), quantity=10),
        QuantityChange(source="seats", change_time=at("2026-04-16"), quantity=12),
        QuantityChange(source="seats", change_time=at("2026-06-21"), quantity=9),
    ]
    found = charged(subscribed("2026-04-01"), catalog(basic=(USERS,)), until="2026-06-30", quantities=changes)
    assert amounts(found) == [15000, 1500, 18000, 18000, -1500]
    assert found[0].text == "Monthly user fees (10 @ $15.00)"
    assert found[1].text == "Monthly user fees (2 @ $15.00)"


def test_changes_of_one_day_are_one_line_unless_an_invoice_came_between():
    changes = [
        QuantityChange(source="seats", change_time=at(when), quantity=quantity)
        for when, quantity in (
            ("2026-04-01", 10),
            ("2026-04-16T08:00", 11),
            ("2026-04-16T09:00", 14),
            ("2026-04-16T10:00", 12),
        )
    ]
    found = charged(subscribed("2026-04-01"), catalog(basic=(USERS,)), until="2026-04-30", quantities=changes)
    assert [(line.text, line.amount) for line in found] == [
        ("Monthly user fees (10 @ $15.00)", 15000),
        ("Monthly user fees (2 @ $15.00)", 1500),
    ]
    yearly = RecurringPrice(amount="360.00", every=PeriodUnit.YEAR, seats="seats")
    held = subscribed("2026-03-16T08:30"), catalog(basic=(Price(price_key="users", recurring=yearly),))
    found = charged(*held, until="2026-04-30", quantities=changes)
    assert [line.quantity for line in found if line.due >= at("2026-04-16")] == [1, 1]


def test_the_credit_of_a_days_changes_names_the_line_that_was_issued():
    """Two changes of one morning are one line of a yearly price, months later, too."""
    yearly = Price(price_key="users", recurring=RecurringPrice(amount="365.00", every=PeriodUnit.YEAR, seats="seats"))
    changes = [
        QuantityChange(source="seats", change_time=at(when), quantity=quantity)
        for when, quantity in (("2026-01-01", 1), ("2026-03-02T08:00", 2), ("2026-03-02T10:00", 3))
    ]
    ended = subscribed("2026-01-01", end_time=at("2026-07-01")), catalog(basic=(yearly,))
    known = {"quantities": changes, "cancelled": at("2026-07-01")}
    issued = charged(*ended, until="2026-04-01", **known)
    given = charged(*ended, since="2026-06-01", until="2026-07-02", **known)
    assert {line.source_line for line in given} == {line.line_key for line in issued}
    assert sum(line.exact for line in [*issued, *given]) == 100 * (181 + 2 * 121)


def test_a_plan_change_half_way_credits_the_old_and_charges_the_new():
    plans = catalog(basic=(BASE,), pro=(Price(price_key="recurring", recurring=RecurringPrice(amount="50.00")),))
    changed = subscribed("2026-04-01", ("basic", "2026-04-01"), ("pro", "2026-04-16"))
    found = charged(changed, plans, until="2026-04-30")
    assert amounts(found) == [2000, -1000, 2500]
    assert found[1].source_line == found[0].line_key


def test_three_changes_in_a_period_net_to_the_time_weighted_price():
    plans = catalog(basic=(BASE,), pro=(Price(price_key="recurring", recurring=RecurringPrice(amount="50.00")),))
    terms = (("basic", "2026-04-01"), ("pro", "2026-04-11"), ("basic", "2026-04-16"), ("pro", "2026-04-26"))
    found = charged(subscribed("2026-04-01", *terms), plans, until="2026-04-30")
    exact = 2000 * Fraction(20, 30) + 5000 * Fraction(10, 30)
    assert sum(line.exact for line in found) == exact
    assert len(found) == 7


def test_an_add_on_for_ten_days_of_thirty():
    held = AddOnHolding(add_on_key="reports", version=1, quantity=1, start_time=at("2026-04-21"))
    found = charged(subscribed("2026-04-01", add_ons=(held,)), catalog(basic=()), until="2026-04-30")
    assert amounts(found) == [411]


def test_an_add_on_taken_away_is_credited():
    held = AddOnHolding(
        add_on_key="reports", version=1, quantity=1, start_time=at("2026-04-01"), end_time=at("2026-04-11")
    )
    found = charged(subscribed("2026-04-01", add_ons=(held,)), catalog(basic=()), until="2026-04-30")
    assert sum(line.exact for line in found) == Fraction(1234, 3)


def test_a_trial_is_not_charged():
    found = charged(
        subscribed("2026-04-01", trial_end_time=at("2026-04-15")), catalog(basic=(BASE,)), until="2026-05-20"
    )
    assert [line.due for line in found] == [at("2026-04-15"), at("2026-05-15")]


def test_an_end_is_credited_and_one_that_was_known_is_not_charged():
    ends = subscribed("2026-04-01", end_time=at("2026-04-11"))
    cancelled = charged(ends, catalog(basic=(BASE,)), until="2026-04-30", cancelled=at("2026-04-11"))
    assert amounts(cancelled) == [2000, -1333]
    assert amounts(charged(ends, catalog(basic=(BASE,)), until="2026-04-30")) == [667]
    later = subscribed("2026-04-01", end_time=at("2026-05-01"))
    assert amounts(charged(later, catalog(basic=(BASE,)), until="2026-05-30", cancelled=at("2026-04-11"))) == [2000]


def test_arrears_are_due_at_the_end_and_for_what_was_held():
    price = Price(price_key="recurring", recurring=RecurringPrice(amount="30.00", due=Due.ARREARS))
    ends = subscribed("2026-04-01", end_time=at("2026-05-11"))
    found = charged(ends, catalog(basic=(price,)), until="2026-06-30", cancelled=at("2026-05-05"))
    assert [(line.amount, line.due) for line in found] == [(3000, at("2026-05-01")), (968, at("2026-05-11"))]


@pytest.mark.parametrize(
    ("unit", "count", "starts"),
    [
        (PeriodUnit.WEEK, 2, ["2026-01-05", "2026-01-19", "2026-02-02"]),
        (PeriodUnit.MONTH, 3, ["2026-01-31", "2026-04-30", "2026-07-31"]),
        (PeriodUnit.MONTH, 1, ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (PeriodUnit.YEAR, 4, ["2024-02-29", "2028-02-29", "2032-02-29"]),
        (PeriodUnit.YEAR, 1, ["2024-02-29", "2025-02-28", "2026-02-28"]),
        (PeriodUnit.HOUR, 1, ["2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01T02:00"]),
    ],
)
def test_anchors_are_kept(unit, count, starts):
    price = Price(price_key="recurring", recurring=RecurringPrice(amount="29", every=unit, count=count))
    found = charged(subscribed(starts[0]), catalog(basic=(price,)), until=starts[-1])
    assert [line.due for line in found] == [at(start) for start in starts]
    assert amounts(found) == [2900] * 3


def test_a_calendar_anchor_begins_with_a_stub():
    rule = BillingRule(anchor=Anchor.CALENDAR, day=25)
    found = charged(subscribed("2026-01-10"), catalog(basic=(BASE,)), until="2026-02-26", rule=rule)
    assert [(line.due, line.amount) for line in found] == [
        (at("2026-01-10"), round(2000 * 15 / 31)),
        (at("2026-01-25"), 2000),
        (at("2026-02-25"), 2000),
    ]


def test_an_account_anchor_counts_thirty_days_from_its_creation():
    price = Price(price_key="recurring", recurring=RecurringPrice(amount="30", every=PeriodUnit.DAY, count=30))
    rule = BillingRule(every=PeriodUnit.DAY, count=30, anchor=Anchor.ACCOUNT)
    found = charged(subscribed("2026-01-16"), catalog(basic=(price,)), until="2026-03-02", rule=rule)
    assert [(line.due, line.amount) for line in found] == [
        (at("2026-01-16"), 1500),
        (at("2026-01-31"), 3000),
        (at("2026-03-02"), 3000),
    ]


@pytest.mark.parametrize(
    ("proration", "amount"), [(Proration.DAY, 1032), (Proration.SECOND, 1065), (Proration.FIXED_30, 1000)]
)
def test_three_ways_to_measure_a_part(proration, amount):
    """Of a January: 16 of its 31 dates, 16.5 of its 31 days, 15 of 30."""
    rule = BillingRule(anchor=Anchor.CALENDAR)
    start = "2026-01-16T00:00" if proration is not Proration.SECOND else "2026-01-15T12:00"
    found = charged(
        subscribed(start), catalog(basic=(BASE,)), until="2026-01-31", rule=rule, policy=Policy(proration=proration)
    )
    expected = {
        Proration.DAY: 2000 * Fraction(16, 31),
        Proration.SECOND: 2000 * Fraction(33, 62),
        Proration.FIXED_30: 2000 * Fraction(15, 30),
    }[proration]
    assert found[0].exact == expected
    assert found[0].amount == amount


def test_the_lines_of_a_window_are_those_of_the_whole():
    plans = catalog(basic=(BASE,), pro=(Price(price_key="recurring", recurring=RecurringPrice(amount="50.00")),))
    changed = subscribed("2026-01-31", ("basic", "2026-01-31"), ("pro", "2026-03-16"), ("basic", "2026-05-02"))
    whole = charged(changed, plans, until="2026-09-30")
    cuts = ["1990-01-01", "2026-02-10", "2026-03-16", "2026-03-20", "2026-05-02", "2026-07-01", "2026-09-30"]
    parts = [line for since, until in pairwise(cuts) for line in charged(changed, plans, since=since, until=until)]
    assert parts == whole


def test_currencies_have_their_own_decimals():
    yen = Price(price_key="recurring", currency="JPY", recurring=RecurringPrice(amount="4900"))
    dinar = Price(price_key="other", currency="BHD", recurring=RecurringPrice(amount="4.9005"))
    found = charged(subscribed("2026-04-01"), catalog(basic=(yen, dinar)), until="2026-04-01")
    assert sorted((line.currency, line.amount) for line in found) == [("BHD", 4900), ("JPY", 4900)]
    assert at("9999-01-01") < FOREVER


def test_what_is_left_of_the_last_days_of_a_month_is_counted_in_days_of_the_month():
    """A seat comes 47 hours before the period's end, 2 of 30 days at $15: +1.00; an hour later all is given back."""
    plans = catalog(basic=(USERS,), other=(BASE,))
    changes = [
        QuantityChange(source="seats", change_time=at("2026-04-01T10:00"), quantity=0),
        QuantityChange(source="seats", change_time=at("2026-04-29T11:00"), quantity=1),
    ]
    moved = subscribed("2026-04-01T10:00", ("basic", "2026-04-01T10:00"), ("other", "2026-04-29T12:00"))
    found = charged(moved, plans, until="2026-04-30", quantities=changes)
    assert [line.amount for line in found if line.text.endswith("(1 @ $15.00)")] == [100, -100]

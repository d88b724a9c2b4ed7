"""Changes without proration, as they are charged: at the end of the invoice period that they lie in. By hand."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tallygate.domain.account import AddOnHolding, ChangeProration, PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.recurring_rate import is_lower, per_30_days
from tallygate.domain.billing.runs import runs
from tallygate.domain.billing.timeline import QuantityChange, Timeline
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.period import PeriodUnit
from tallygate.domain.prices import Price, RecurringPrice

NONE = ChangeProration.NONE


def at(day, month=11):
    return int(datetime(2026, month, 1, tzinfo=UTC).timestamp() + (day - 1) * 86_400) * 1_000_000


def monthly(key, amount="20.00", **terms):
    price = Price(price_key="recurring", recurring=RecurringPrice(amount=amount, **terms))
    return Plan(plan_key=key, version=1, prices=(price,))


CATALOG = Catalog(plans={key: {1: monthly(key)} for key in ("a", "b", "c")})


def term(key, start, proration=ChangeProration.PRORATE):
    return PlanTerm(plan_key=key, plan_version=1, start_time=start, proration=proration)


def charged(*terms, add_ons=(), end=None):
    subscription = Subscription(
        subscription_id="s",
        state=SubscriptionState.ACTIVE,
        start_time=at(1),
        terms=terms,
        add_ons=add_ons,
        end_time=end,
    )
    timeline = Timeline(subscription=subscription, catalog=CATALOG)
    return as_charged(timeline, runs(timeline, Calendar(zone="UTC", account_create_time=at(1)))).subscription


def counted(*changes):
    """What is charged of so many seats from days of November on, which is a period."""
    timeline = Timeline(
        subscription=Subscription(
            subscription_id="s", state=SubscriptionState.ACTIVE, start_time=at(1), terms=(term("a", at(1)),)
        ),
        catalog=CATALOG,
        quantities=tuple(
            QuantityChange(source="seats", change_time=at(day), quantity=quantity, proration=proration)
            for day, quantity, proration in changes
        ),
    )
    charged = as_charged(timeline, runs(timeline, Calendar(zone="UTC", account_create_time=at(1)))).quantities
    return [(datetime.fromtimestamp(one.change_time / 1e6, UTC).strftime("%m-%d"), one.quantity) for one in charged]


BY = ChangeProration.PRORATE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([(1, 10, BY), (9, 12, NONE)], [("11-01", 10), ("12-01", 12)], id="more of them"),
        pytest.param([(1, 10, BY), (9, 7, NONE)], [("11-01", 10), ("12-01", 7)], id="fewer of them"),
        pytest.param([(1, 10, NONE)], [("11-01", 10)], id="at a boundary"),
        pytest.param([(1, 10, BY), (9, 7, NONE), (11, 8, BY)], [("11-01", 10), ("12-01", 8)], id="one is paid for"),
        pytest.param([(1, 10, BY), (9, 12, NONE), (11, 10, BY)], [("11-01", 10)], id="none is given back twice"),
        pytest.param(
            [(1, 10, BY), (9, 12, NONE), (11, 15, BY)],
            [("11-01", 10), ("11-11", 13), ("12-01", 15)],
            id="each for itself",
        ),
        pytest.param(
            [(1, 10, BY), (9, 7, NONE), (11, 5, BY)],
            [("11-01", 10), ("11-11", 8), ("12-01", 5)],
            id="two of five are credited",
        ),
        pytest.param(
            [(1, 10, BY), (9, 7, NONE), (11, 12, BY)],
            [("11-01", 10), ("11-11", 12)],
            id="five more, three of them paid for",
        ),
        pytest.param(
            [(1, 10, BY), (9, 12, NONE), (31, 13, BY)],
            [("11-01", 10), ("12-01", 12), ("12-01", 13)],
            id="on the next day",
        ),
    ],
)
def test_seats_are_charged_each_for_itself(changes, expected):
    assert counted(*changes) == expected


def starts(subscription):
    return [(one.plan_key, one.start_time) for one in subscription.terms]


def test_an_unprorated_change_counts_from_the_periods_end():
    assert starts(charged(term("a", at(1)), term("b", at(16), NONE))) == [("a", at(1)), ("b", at(1, 12))]
    assert starts(charged(term("a", at(1)), term("b", at(16)))) == [("a", at(1)), ("b", at(16))]


def test_one_at_a_boundary_stays_there():
    assert starts(charged(term("a", at(1)), term("b", at(1, 12), NONE))) == [("a", at(1)), ("b", at(1, 12))]


def test_one_that_another_follows_within_the_period_never_counts():
    assert starts(charged(term("a", at(1)), term("b", at(10), NONE), term("c", at(20)))) == [
        ("a", at(1)),
        ("c", at(20)),
    ]
    both = charged(term("a", at(1)), term("b", at(10), NONE), term("c", at(20), NONE))
    assert starts(both) == [("a", at(1)), ("c", at(1, 12))]


def test_one_in_the_last_period_counts_from_the_subscriptions_end():
    ended = charged(term("a", at(1)), term("b", at(10), NONE), end=at(20))
    assert starts(ended) == [("a", at(1)), ("b", at(20))]


def test_add_ons_move_with_their_ends():
    def held(quantity, start, end=None, proration=ChangeProration.PRORATE, end_proration=ChangeProration.PRORATE):
        return AddOnHolding(
            add_on_key="x",
            version=1,
            quantity=quantity,
            start_time=start,
            end_time=end,
            proration=proration,
            end_proration=end_proration,
        )

    def moved(*add_ons):
        found = charged(term("a", at(1)), add_ons=add_ons).add_ons
        return [(one.quantity, one.start_time, one.end_time) for one in found]

    assert moved(held(1, at(5), at(10), end_proration=NONE)) == [(1, at(5), at(1, 12))]
    more = held(1, at(5), at(10), end_proration=NONE), held(3, at(10), proration=NONE)
    assert moved(*more) == [(1, at(5), at(1, 12)), (3, at(1, 12), None)]
    given_up = more[0], replace(more[1], end_time=at(20))
    assert moved(*given_up) == [(1, at(5), at(20))]


def test_fees_are_compared_by_30_days():
    """12 a month; 120 a year are 10; 0.30 a day are 9; 2 an hour for 12 hours are 120; 3 seats at 4 are 12."""
    monthly_12 = per_30_days(monthly("a", "12").prices, {})
    yearly_120 = per_30_days(monthly("a", "120", every=PeriodUnit.YEAR).prices, {})
    assert (monthly_12, yearly_120) == ({"": 12}, {"": 10})
    assert per_30_days(monthly("a", "0.30", every=PeriodUnit.DAY).prices, {}) == {"": 9}
    assert per_30_days(monthly("a", "2", every=PeriodUnit.HOUR, count=12).prices, {}) == {"": 120}
    assert per_30_days(monthly("a", "4", seats="seats").prices, {"seats": 3}) == {"": 12}
    assert is_lower(yearly_120, monthly_12)
    assert not is_lower(monthly_12, yearly_120)
    assert is_lower({}, monthly_12)
    assert not is_lower({}, {})
    assert not is_lower({"EUR": 1}, monthly_12)

"""Laws of prices that count on from one another in a service period: they never give back more than they charged."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searches import FOR_PLANTED_BUGS
from tallygate.domain.account import PlanTerm, Subscription, SubscriptionState
from tallygate.domain.billing import rating
from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import follows, usage_windows
from tallygate.domain.catalog import Catalog, Plan
from tallygate.domain.money import Rounding
from tallygate.domain.period import from_datetime
from tallygate.domain.prices import ChargeModel, Price, Tier, UsagePrice

DAY = 86_400_000_000
START = from_datetime(datetime(2031, 4, 1, tzinfo=UTC))
POLICIES = st.sampled_from([Policy(rounding=rounding) for rounding in Rounding])
CENTS = st.integers(0, 200).map(lambda tenths: str(tenths / 1000))


@st.composite
def prices(draw):
    """Units at an amount each, or all of them, or each tier's own, at that of a tier."""
    model = draw(st.sampled_from([ChargeModel.PER_UNIT, ChargeModel.VOLUME, ChargeModel.GRADUATED]))
    if model is ChargeModel.PER_UNIT:
        return UsagePrice(feature_key="calls", unit_amount=draw(CENTS), free_quota=draw(st.sampled_from(["", "5"])))
    ends = sorted(draw(st.sets(st.integers(1, 30), min_size=1, max_size=3)))
    flat = st.sampled_from(["", "0.25"])
    tiers = [Tier(up_to=str(end), unit_amount=draw(CENTS), flat_amount=draw(flat)) for end in ends]
    return UsagePrice(feature_key="calls", model=model, tiers=(*tiers, Tier(unit_amount=draw(CENTS))))


UNITS = st.integers(-15, 30)
STRETCHES = st.lists(st.tuples(prices(), UNITS), min_size=1, max_size=5)


def lines_of(stretches, policy):
    """The lines of prices that hold six days each, one after the other."""
    plans = {
        f"p{number}": {1: Plan(plan_key=f"p{number}", version=1, prices=(Price(price_key="calls", usage=usage),))}
        for number, (usage, _) in enumerate(stretches)
    }
    subscription = Subscription(
        subscription_id="s",
        state=SubscriptionState.ACTIVE,
        start_time=START,
        terms=tuple(
            PlanTerm(plan_key=key, plan_version=1, start_time=START + 6 * number * DAY)
            for number, key in enumerate(plans)
        ),
    )
    timeline = Timeline(subscription=subscription, catalog=Catalog(plans=plans))
    calendar = Calendar(zone="UTC", account_create_time=START)
    windows = usage_windows(timeline, calendar, policy, since=START, until=START + 30 * DAY)
    windows = sorted(windows, key=lambda window: window.begins)
    pairs = [(window, Counted(units=units)) for window, (_, units) in zip(windows, stretches, strict=True)]
    found = []
    for window, own in pairs:
        earlier = [pair for pair in pairs if any(pair[0] is other for other in follows(window, windows))]
        before = rating.counted_before(window, earlier, policy, {})
        found.append(rating.usage_line(window, own, policy, before=before))
    return found


def no_more_comes_back_than_was_charged(stretches, policy):
    found = lines_of(stretches, policy)
    charged = list(accumulate(line.amount if line is not None else 0 for line in found))
    assert all(sum_so_far >= 0 for sum_so_far in charged)
    for line in found:
        assert line is None or sum(step.amount for step in line.steps) * 100 == line.exact


@given(STRETCHES, POLICIES)
@settings(max_examples=80, deadline=None)
def test_no_more_comes_back_than_was_charged(stretches, policy):
    no_more_comes_back_than_was_charged(stretches, policy)


@given(prices(), st.lists(st.integers(0, 30), min_size=1, max_size=5), POLICIES)
@settings(max_examples=50, deadline=None)
def test_changes_between_plans_of_one_price_change_no_total(usage, units, policy):
    split = sum(line.amount for line in lines_of([(usage, each) for each in units], policy) if line is not None)
    (whole,) = lines_of([(usage, sum(units))], policy)
    assert abs(split - (whole.exact if whole is not None else Fraction(0))) <= Fraction(len(units) + 1, 2)


def test_giving_back_without_an_end_is_found(monkeypatch):
    real = rating.counted_before
    monkeypatch.setattr(rating, "counted_before", lambda *rest: replace(real(*rest), charged=10**9))
    searched = FOR_PLANTED_BUGS(given(STRETCHES, POLICIES)(no_more_comes_back_than_was_charged))
    with pytest.raises(AssertionError):
        searched()

"""Commitments: what charges come short of them, whatever came late or is issued already. Figures by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

from tallygate.domain.billing.calendar import Grid
from tallygate.domain.billing.commitments import Commitment, commitment_lines
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line, LineDiscount, LineKind
from tallygate.domain.period import UsagePeriod

COUPON = LineDiscount(redemption_id="r", code="c", exact=Fraction(1_000), amount=1_000)
DAY = 86_400_000_000
MONTH = UsagePeriod(0, 30 * DAY)
HELD = Commitment(
    line="commitment/s/plans/pro/commitment/0",
    subscription_id="s",
    reference="plans/pro/1/prices/commitment",
    text="Commitment",
    currency="USD",
    amount=Fraction(100),
    unit_amount="100.00",
    period=MONTH,
    within=MONTH,
    part=Fraction(1),
    held=(MONTH,),
    on=Grid(origin=0, zone="UTC"),
)


def charge(amount, period=MONTH, **fields):
    line = Line(
        line_key=f"usage/s/plans/pro/calls/1/{period.start}/{amount}",
        kind=LineKind.USAGE,
        text="calls",
        due=period.end,
        period=period,
        currency="USD",
        exact=Fraction(amount),
        amount=amount,
        subscription_id="s",
    )
    return replace(line, **fields)


def owed(held, charges, issued=()):
    found = list(commitment_lines(held, [*charges, *issued], list(issued), Policy()))
    assert all(sum(step.amount for step in line.steps) * 100 == line.exact for line in found)
    return [(line.line_key, line.amount) for line in found]


@pytest.mark.parametrize(
    ("charges", "amount"),
    [
        ([], 10_000),
        ([charge(9_999)], 1),
        ([charge(10_000)], 0),
        ([charge(12_000)], 0),
        ([charge(3_000, UsagePeriod(29 * DAY, 31 * DAY))], 8_500),  # reaches into the next period: half of it
        ([charge(3_000, UsagePeriod(20 * DAY, 50 * DAY)), charge(-2_000, UsagePeriod(30 * DAY, 50 * DAY))], 9_000),
        ([charge(12_000, UsagePeriod(0, 360 * DAY))], 9_000),  # a month's part of a year of twelve such
        ([charge(3_000, UsagePeriod(30 * DAY, 60 * DAY))], 10_000),
        ([charge(3_000, UsagePeriod(DAY, 2 * DAY))], 7_000),
        ([charge(3_000, subscription_id="other")], 10_000),
        ([charge(3_000, currency="EUR")], 10_000),
        ([charge(-3_000), charge(5_000)], 8_000),
        (
            [
                charge(
                    9_000, discounts=(LineDiscount(redemption_id="r", code="c", exact=Fraction(1_000), amount=1_000),)
                )
            ],
            0,
        ),
    ],
)
def test_what_charges_come_short_of(charges, amount):
    assert owed([HELD], charges) == ([(HELD.line, amount)] if amount else [])


def test_what_comes_late_is_taken_off_and_never_charged_twice():
    first = next(commitment_lines([HELD], [charge(4_000)], [], Policy()))
    assert first.amount == 6_000
    issued = [charge(4_000), first]
    assert owed([HELD], [], issued) == []
    assert owed([HELD], [charge(1_000)], issued) == [(f"{HELD.line}/1", -1_000)]
    assert owed([HELD], [charge(9_000)], issued) == [(f"{HELD.line}/1", -6_000)]


FIRST, SECOND = UsagePeriod(0, 15 * DAY), UsagePeriod(15 * DAY, 30 * DAY)
HALF = replace(HELD, period=FIRST, part=Fraction(1, 2))
THEN = replace(HALF, line="commitment/s/plans/big/commitment/15", amount=Fraction(200), period=SECOND)


def test_two_that_are_held_beside_one_another_come_to_both_parts_less_what_was_charged():
    assert owed([HALF, THEN], [charge(4_000)]) == [(HALF.line, 1_000), (THEN.line, 10_000)]
    assert owed([HALF, THEN], [charge(9_000)]) == [(THEN.line, 6_000)]
    assert owed([HALF, THEN], [charge(15_000)]) == []


def test_of_two_plans_that_follow_one_another_each_counts_what_lies_in_its_own_time():
    """50 and 100 were agreed on; half of 40 lies in each half of the month, and 30 of the second plan in the second."""
    held = [replace(HALF, held=(FIRST,)), replace(THEN, held=(SECOND,))]
    assert owed(held, [charge(4_000), charge(3_000, SECOND)]) == [(HALF.line, 3_000), (THEN.line, 5_000)]


def test_usage_of_a_plan_lies_where_the_plan_was_held():
    """Its events are counted by the plan that they carry, wherever in the month its line lies."""
    plans = {"plans/pro": (FIRST,), "plans/big": (SECOND,)}
    held = [replace(HALF, held=(FIRST,), plans=plans), replace(THEN, held=(SECOND,), plans=plans)]
    used = charge(2_000, price="plans/pro/1/prices/calls")
    assert owed(held, [used]) == [(HALF.line, 3_000), (THEN.line, 10_000)]
    assert owed([replace(HELD, held=(FIRST,))], [used]) == [(HELD.line, 9_000)]

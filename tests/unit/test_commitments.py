"""Commitments: what charges come short of them, whatever came late or is issued already. Figures by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

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
        ([charge(3_000, UsagePeriod(29 * DAY, 31 * DAY))], 10_000),  # reaches into the next period
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


def test_two_of_one_period_come_to_both_parts_less_what_was_charged():
    half = replace(HELD, period=UsagePeriod(0, 15 * DAY), part=Fraction(1, 2))
    then = replace(
        HELD, line="commitment/s/plans/big/commitment/15", amount=Fraction(200), period=UsagePeriod(15 * DAY, 30 * DAY)
    )
    then = replace(then, part=Fraction(1, 2))
    assert owed([half, then], [charge(4_000)]) == [(half.line, 1_000), (then.line, 10_000)]
    assert owed([half, then], [charge(9_000)]) == [(then.line, 6_000)]
    assert owed([half, then], [charge(15_000)]) == []

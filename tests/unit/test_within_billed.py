"""What comes back of a lane is no more than was billed of it for that time. Figures by hand, in minor units."""

from fractions import Fraction

import pytest

from tallygate.domain.billing.crediting import within_billed
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.period import UsagePeriod

LANE = "recurring/s/add_ons/pack/recurring"
MONTH, LATER = UsagePeriod(0, 30), UsagePeriod(30, 60)


def line(exact, amount, *, period=MONTH, currency="USD"):
    return Line(
        line_key=f"{LANE}/{period.start}/change",
        kind=LineKind.RECURRING,
        text="Pack",
        due=period.start,
        period=period,
        currency=currency,
        exact=Fraction(exact),
        amount=amount,
        subscription_id="s",
    )


UP, DOWN = line("2.6", 3), line("2.4", 2)


@pytest.mark.parametrize(
    ("billed", "back", "amounts"),
    [
        ([DOWN] * 5, [line(-12, -12)], [-10]),
        ([DOWN] * 5, [line("-2.4", -2), line("-9.6", -10)], [-2, -8]),  # what comes back first is off the rest
        ([DOWN] * 5, [line(-5, -5)], [-5]),
        ([UP] * 5, [line(-13, -13)], [-13]),
        ([DOWN] * 5, [line(-30, -30)], [-30]),  # most of it was billed elsewhere
        ([], [line(-30, -30)], [-30]),  # all of it was
        ([DOWN] * 5 + [line(50, 50, period=LATER), line(50, 50, currency="EUR")], [line(-12, -12)], [-10]),
        ([DOWN] * 5, [line("2.4", 2), line("-14.4", -14)], [2, -12]),  # what is charged beside it comes back, too
    ],
)
def test_no_more_than_was_billed_comes_back(billed, back, amounts):
    found = list(within_billed(back, {LANE: billed}))
    assert [one.amount for one in found] == amounts
    assert [one.exact for one in found] == [one.exact for one in back]  # so that it counts as given back whole

"""What each event added to what a line counts: they sum to it, whatever is counted."""

import asyncio
from fractions import Fraction

import pytest

from tallygate.domain.billing.counting import BillableFact, contributions, count
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Aggregation, Feature, FeatureKind
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import ChargeModel, Price, Units, UsagePrice

WHOLE = UsagePeriod(0, 1_000)


def window(**price):
    usage = UsagePrice(feature_key="calls", **price)
    return UsageWindow(
        line="usage/s/x/0",
        subscription_id="s",
        price=Price(usage=usage),
        usage=usage,
        reference="",
        label="",
        start=0,
        end=1_000,
        begins=0,
        due=1_000,
        whole=WHOLE,
        part=Fraction(1),
    )


def fact(number, quantity, at, *, over=0, **more):
    pots = (Pot(kind=PotKind.INCLUDED, quantity=quantity - over), Pot(kind=PotKind.OVERAGE, quantity=over))
    return BillableFact(quantity=quantity, occurred_time=at, request_id=f"r{number}", pots=pots, **more)


FACTS = [
    fact(0, 5, 100, user_id="ann", dimensions={"amount": "1.50", "region": "eu"}),
    fact(1, 9, 200, over=4, user_id="bob", dimensions={"amount": "no number", "region": "eu"}),
    fact(2, 2, 400, over=2, user_id="ann", dimensions={"amount": "0.25", "region": "eu"}),
    fact(3, 7, 700, user_id="cid", dimensions={"amount": "99", "region": "us"}),
]
CASES = {
    "all units": (Aggregation.SUM, {}, 0, [5, 9, 2, 7]),
    "those asked for": (Aggregation.SUM, {"where": {"region": "eu"}}, 0, [5, 9, 2]),
    "overage": (Aggregation.SUM, {"units": Units.OVERAGE}, 0, [4, 2]),
    "amounts, of which one cannot be read": (
        Aggregation.SUM,
        {"model": ChargeModel.PERCENTAGE, "dimension": "amount"},
        0,
        [Fraction("1.5"), 0, Fraction("0.25"), 99],
    ),
    "members": (Aggregation.UNIQUE, {}, 0, [1, 1, 0, 1]),
    "the greatest level": (Aggregation.MAX, {}, 6, [6, 0, 3, 0, 0]),
    "the last level": (Aggregation.LATEST, {}, 6, [6, -1, 4, -7, 5]),
    "levels by time": (Aggregation.TIME_WEIGHTED, {}, 6, [6 * 1_000, -1 * 900, 4 * 800, -7 * 600, 5 * 300]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_events_added_sums_to_what_was_counted(case):
    aggregation, price, opening, expected = CASES[case]
    feature = Feature(feature_key="calls", kind=FeatureKind.METERED, aggregation=aggregation)
    asked = window(**price)

    async def facts():
        for each in FACTS:
            yield each

    async def look():
        tally = await count(facts(), asked, feature, currency="USD", opening=opening)
        told = [each async for each in contributions(facts(), asked, feature, currency="USD", opening=opening)]
        return tally.counted, [each.counted for each in told]

    counted, told = asyncio.run(look())
    scale = 1_000 if aggregation is Aggregation.TIME_WEIGHTED else 1
    assert told == [Fraction(each) / scale for each in expected]
    assert sum(told) == (sum(counted.amounts) if asked.usage.model.by_amount else counted.units)


def told_of(amounts, earlier=(), **price):
    """What each of these amounts comes to, and how it is marked."""
    feature = Feature(feature_key="calls", kind=FeatureKind.METERED)
    asked = window(model=ChargeModel.PERCENTAGE, dimension="amount", **price)

    async def look():
        async def facts():
            for number, amount in enumerate(amounts):
                yield fact(number, 1, number, dimensions={"amount": amount})

        before = [Fraction(amount) for amount in earlier]
        found = contributions(facts(), asked, feature, currency="USD", earlier=before)
        return [(each.fee, [mark.value for mark in each.marks]) async for each in found]

    return asyncio.run(look())


def test_each_event_of_a_percentage_says_what_it_came_to():
    """2.9 % and 0.30, within 0.50 and 10: 0.329 is raised, 29.30 is cut, a refund gives back its rate alone."""
    bounds = {"rate": "2.9", "fixed_amount": "0.30", "min_amount": "0.50", "max_amount": "10"}
    assert told_of(["1.00", "100.00", "a lot", "1000.00", "-10"], **bounds) == [
        (Fraction("0.5"), ["min_amount"]),
        (Fraction("3.2"), []),
        (0, ["unreadable"]),
        (10, ["max_amount"]),
        (Fraction("-0.29"), []),
    ]


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ((), [(0, ["free"]), (Fraction("0.5"), ["partly_free"]), (3, [])]),
        (("20",), [(Fraction("0.5"), ["partly_free"]), (2, []), (3, [])]),
    ],
    ids=["from nothing", "behind what was counted before"],
)
def test_what_is_free_of_a_percentage_is_free_in_order(earlier, expected):
    """25 are free, of the first two events: all of 10, then 15 of 20; behind 20 it is but 5 of 10."""
    assert told_of(["10", "20", "30"], earlier, rate="10", free_amount="25", free_events=2) == expected

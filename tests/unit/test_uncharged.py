"""Facts that a price counts in no line: what cannot be read, and what gives back more than was used."""

from fractions import Fraction

import pytest

from tallygate.domain.billing.counting import BillableFact, count
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import ChargeModel, Price, UsagePrice

CALLS = Feature(feature_key="calls", kind=FeatureKind.METERED)


async def counted(usage, *facts):
    async def stream():
        for number, fact in enumerate(facts, start=1):
            yield BillableFact(**{"quantity": 1, **fact}, occurred_time=number, request_id=str(number), sequence=number)

    window = UsageWindow(
        line="",
        subscription_id="s",
        price=Price(usage=usage),
        usage=usage,
        reference="",
        label="",
        start=0,
        end=100,
        begins=0,
        due=100,
        whole=UsagePeriod(0, 100),
        part=Fraction(1),
    )
    return await count(stream(), window, CALLS, currency="USD")


async def test_an_amount_that_cannot_be_read_is_told_by_its_fact():
    usage = UsagePrice(feature_key="calls", model=ChargeModel.DYNAMIC, dimension="amount", multiplier="1")
    texts = ["1.00", "one", "", "1e400", "2.50"]
    tally = await counted(usage, *({"dimensions": {"amount": text}} for text in texts))
    assert [fact.sequence for fact in tally.unreadable] == [2, 3, 4]
    assert sum(tally.counted.amounts) == Fraction(7, 2)


@pytest.mark.parametrize(
    ("quantities", "before", "excess"),
    [
        ([3, -2], 0, []),
        ([3, -3], 0, []),
        ([3, -2, -4], 0, [3]),
        ([-2, -4, 3], 0, [2]),
        ([3, -5, -4], 0, [3, 2]),
        ([-1, -1, -1], 2, [3]),
        ([-3], 3, []),
    ],
)
async def test_the_last_refunds_are_in_excess(quantities, before, excess):
    tally = await counted(UsagePrice(feature_key="calls", unit_amount="1"), *({"quantity": n} for n in quantities))
    assert [fact.sequence for fact in tally.in_excess(Counted(units=before))] == excess

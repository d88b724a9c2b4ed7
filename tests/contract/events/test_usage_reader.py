import random
from dataclasses import replace

import pytest

from collectors import migrated
from stream_entries import FEBRUARY, JANUARY
from tallygate.domain.catalog import Aggregation, Feature, FeatureKind
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import CountedPeriod, Meter
from tallygate.metering.usage import PeriodUsage, usage
from tallygate.storage.sql.engine import create_engine
from tallygate.storage.sql.metering.events import SqlLedger
from tallygate.storage.sql.metering.usage import SqlUsageReader

DAY = 86_400_000_000
MARCH = FEBRUARY + 28 * DAY
ONE, TWO = UsagePeriod(JANUARY, FEBRUARY), UsagePeriod(FEBRUARY, MARCH)
WEIRD = 'od"d\\key$.x'


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def engine(request, tmp_path_factory):
    with migrated(request.param, tmp_path_factory.mktemp("usage")) as url:
        engine = create_engine(url)
        yield engine
        await engine.dispose()


class World:
    """One account's feature, alone in its tenant."""

    def __init__(self, engine, tenant):
        self.ledger = SqlLedger(engine)
        self.reader = SqlUsageReader(engine)
        self.tenant = tenant
        self.facts = []

    async def record(self, *facts):
        async with self.ledger.transaction() as transaction:
            await transaction.lock({self.tenant})
            await transaction.append(facts)
        self.facts += facts

    def fact(
        self, quantity, at, kind=FactKind.CONSUME, *, period=None, user="", feature="f", trial=False, **dimensions
    ):
        number = len(self.facts) + random.getrandbits(60)
        period = period or (ONE if at < FEBRUARY else TWO)
        return UsageFact(
            tenant_id=self.tenant,
            account_id="acme",
            feature_key=feature,
            request_id=f"r{number}",
            kind=kind,
            user_id=user,
            quantity=quantity,
            dimensions={key.replace("WEIRD", WEIRD): value for key, value in dimensions.items()},
            occurred_time=at,
            recorded_time=at,
            period_start=period.start,
            period_end=period.end,
            carry_in=quantity % 2 == 0,
            trial=trial,
            source=FactSource(partition=0, epoch="e", entry_id=f"{number}-0"),
        )

    async def usage(
        self, aggregation, *, group_by="", unique_by="", start=JANUARY, end=MARCH, now=MARCH, known=(), **more
    ):
        feature = Feature(feature_key="f", kind=FeatureKind.METERED, aggregation=aggregation, unique_by=unique_by)
        meter = Meter(tenant_id=self.tenant, account_id="acme", feature_key="f", group_by=group_by)
        meter, counted = replace(meter, apart=more.pop("apart", ())), [CountedPeriod(period=each) for each in known]
        found = await usage(self.reader, meter, feature, start=start, end=end, now=now, known=counted, **more)
        return [replace(row, events=0, pots=()) for row in found]


@pytest.fixture
async def world(engine, request):
    world = World(engine, request.node.nodeid)
    await world.record(world.fact(1000, JANUARY, feature="other"), world.fact(1000, JANUARY, feature="other-level"))
    return world


def rows(*values):
    return [PeriodUsage(period=period, value=value, group=group) for period, value, group in values]


@pytest.mark.parametrize("aggregation", [Aggregation.SUM, Aggregation.COUNT])
async def test_sums_add_consumes_refunds_and_what_was_carried_in(world, aggregation):
    await world.record(
        world.fact(10, JANUARY),
        world.fact(5, FEBRUARY - 1),
        world.fact(-3, JANUARY + DAY, FactKind.REFUND),
        world.fact(7, FEBRUARY),
        world.fact(99, JANUARY, FactKind.LEVEL),
    )
    assert await world.usage(aggregation) == rows((ONE, 12, ""), (TWO, 7, ""))
    assert await world.usage(aggregation, end=FEBRUARY) == rows((ONE, 12, ""))
    assert await world.usage(aggregation, start=FEBRUARY) == rows((TWO, 7, ""))


async def test_sums_by_a_dimension(world):
    await world.record(
        world.fact(10, JANUARY, region="eu"),
        world.fact(5, JANUARY, region="us"),
        world.fact(1, JANUARY),
        world.fact(7, FEBRUARY, region="us"),
    )
    expected = rows((ONE, 1, ""), (ONE, 10, "eu"), (ONE, 5, "us"), (TWO, 7, "us"))
    assert await world.usage(Aggregation.SUM, group_by="region") == expected


async def test_any_characters_in_a_dimension(world):
    await world.record(world.fact(10, JANUARY, WEIRD="a'b\"c"), world.fact(5, JANUARY, WEIRD="ü"))
    expected = rows((ONE, 10, "a'b\"c"), (ONE, 5, "ü"))
    assert await world.usage(Aggregation.SUM, group_by=WEIRD, end=FEBRUARY) == expected


async def test_sums_stay_exact_beyond_floats(world):
    await world.record(*(world.fact(2**53 - 1, JANUARY) for _ in range(3)))
    assert await world.usage(Aggregation.SUM) == rows((ONE, 3 * (2**53 - 1), ""))


async def test_max_starts_a_period_at_the_last_level_of_the_one_before(world):
    level = FactKind.LEVEL
    await world.record(
        world.fact(50, JANUARY, level), world.fact(80, JANUARY + DAY, level), world.fact(30, JANUARY + 2 * DAY, level)
    )
    assert await world.usage(Aggregation.MAX, known=[TWO]) == rows((ONE, 80, ""), (TWO, 30, ""))
    await world.record(world.fact(20, FEBRUARY, level))
    assert await world.usage(Aggregation.MAX) == rows((ONE, 80, ""), (TWO, 30, ""))
    await world.record(world.fact(31, FEBRUARY + 1, level))
    assert await world.usage(Aggregation.MAX) == rows((ONE, 80, ""), (TWO, 31, ""))


async def test_latest_is_by_occurrence_not_by_arrival(world):
    level = FactKind.LEVEL
    await world.record(world.fact(50, JANUARY + DAY, level), world.fact(80, JANUARY, level))
    assert await world.usage(Aggregation.LATEST, known=[TWO]) == rows((ONE, 50, ""), (TWO, 50, ""))


async def test_levels_by_a_dimension_are_meters_of_their_own(world):
    level = FactKind.LEVEL
    await world.record(
        world.fact(50, JANUARY, level, disk="a"),
        world.fact(70, JANUARY + DAY, level, disk="b"),
        world.fact(10, FEBRUARY + 14 * DAY, level, disk="a"),
    )
    by_max = await world.usage(Aggregation.MAX, group_by="disk")
    assert by_max == rows((ONE, 50, "a"), (ONE, 70, "b"), (TWO, 50, "a"), (TWO, 70, "b"))
    by_latest = await world.usage(Aggregation.LATEST, group_by="disk")
    assert by_latest == rows((ONE, 50, "a"), (ONE, 70, "b"), (TWO, 10, "a"), (TWO, 70, "b"))
    by_time = await world.usage(Aggregation.TIME_WEIGHTED, group_by="disk", start=FEBRUARY)
    assert by_time == rows((TWO, 30, "a"), (TWO, 70, "b"))


async def test_unique_counts_users_or_a_dimension_once(world):
    event = FactKind.EVENT
    await world.record(
        world.fact(1, JANUARY, event, user="ann", device="x"),
        world.fact(1, JANUARY, event, user="ann", device="y"),
        world.fact(1, JANUARY, event, user="bob", device="x"),
        world.fact(1, JANUARY, event),
        world.fact(1, FEBRUARY, event, user="ann"),
    )
    assert await world.usage(Aggregation.UNIQUE) == rows((ONE, 2, ""), (TWO, 1, ""))
    assert await world.usage(Aggregation.UNIQUE, unique_by="device") == rows((ONE, 2, ""), (TWO, 0, ""))
    grouped = await world.usage(Aggregation.UNIQUE, group_by="device", end=FEBRUARY)
    assert grouped == rows((ONE, 0, ""), (ONE, 2, "x"), (ONE, 1, "y"))


async def test_time_weighted_carries_the_level_over_and_accrues(world):
    event = FactKind.EVENT
    await world.record(world.fact(31, FEBRUARY - DAY, event), world.fact(3, FEBRUARY + 14 * DAY, event))
    assert await world.usage(Aggregation.TIME_WEIGHTED) == rows((ONE, 1, ""), (TWO, 17, ""))
    running = await world.usage(Aggregation.TIME_WEIGHTED, now=FEBRUARY + 7 * DAY)
    assert running == rows((ONE, 1, ""), (TWO, 7, ""))  # 31 for a quarter of February: 7.75, floored


async def test_a_reset_opens_a_period_of_its_own(world):
    reset = JANUARY + 10 * DAY
    after = UsagePeriod(reset, FEBRUARY)
    await world.record(
        world.fact(10, JANUARY + DAY),
        world.fact(0, reset, FactKind.RESET, period=after),
        world.fact(4, reset + DAY, period=after),
        world.fact(5, reset - 1, period=ONE),
    )
    expected = rows((UsagePeriod(JANUARY, reset), 15, ""), (after, 4, ""))
    assert await world.usage(Aggregation.SUM) == expected


async def test_an_unused_period_shows_only_when_it_is_known(world):
    assert await world.usage(Aggregation.SUM) == []
    assert await world.usage(Aggregation.SUM, known=[ONE, UsagePeriod(MARCH, MARCH + 1)]) == rows((ONE, 0, ""))
    assert await world.usage(Aggregation.MAX, known=[ONE], group_by="region") == []


async def test_sql_equals_the_plain_definition_on_random_facts(world):
    dice = random.Random(7)
    kinds = [FactKind.CONSUME, FactKind.REFUND, FactKind.LEVEL, FactKind.EVENT]
    facts = [
        world.fact(
            dice.randrange(1000),
            JANUARY + dice.randrange(59 * DAY),
            dice.choice(kinds),
            user=dice.choice(["", "a", "b", "c"]),
            region=dice.choice(["", "eu", "us"]),
        )
        for _ in range(800)
    ]
    await world.record(*facts)
    for period in (ONE, TWO):
        mine = [fact for fact in facts if period.start <= fact.occurred_time < period.end]
        before = [fact for fact in facts if fact.occurred_time < period.start and fact.kind is FactKind.LEVEL]
        opening = [max(before, key=lambda fact: fact.occurred_time).quantity] if before else []
        levels = [fact.quantity for fact in mine if fact.kind is FactKind.LEVEL]
        expected = {
            Aggregation.SUM: sum(f.quantity for f in mine if f.kind in kinds[:2]),
            Aggregation.MAX: max(levels + opening),
            Aggregation.UNIQUE: len({f.user_id for f in mine if f.kind in kinds[2:] and f.user_id}),
        }
        for aggregation, value in expected.items():
            assert await world.usage(aggregation, start=period.start, end=period.end) == rows((period, value, ""))


async def test_sums_say_how_many_facts_they_are_and_what_each_pot_paid(world):
    def paid(kind, quantity, grant_id=""):
        return Pot(kind=kind, quantity=quantity, grant_id=grant_id)

    included, grant, overage = PotKind.INCLUDED, PotKind.GRANT, PotKind.OVERAGE
    facts = [
        (world.fact(9, JANUARY), [paid(included, 5), paid(grant, 3, 'b"/é'), paid(overage, 1)]),
        (world.fact(-2, JANUARY, FactKind.REFUND), [paid(overage, -1), paid(grant, -1, 'b"/é')]),
        (world.fact(4, JANUARY), [paid(grant, 4, "a")]),
        (world.fact(2**53 - 1, FEBRUARY), [paid(included, 2**53 - 1)]),
        (world.fact(2**53 - 1, FEBRUARY), [paid(included, 2**53 - 1)]),
        (world.fact(7, FEBRUARY, FactKind.LEVEL), [paid(included, 7)]),
    ]
    await world.record(*(replace(fact, pots=tuple(pots)) for fact, pots in facts))
    meter = Meter(tenant_id=world.tenant, account_id="acme", feature_key="f")
    feature = Feature(feature_key="f", kind=FeatureKind.METERED)
    found = await usage(world.reader, meter, feature, start=JANUARY, end=MARCH, now=MARCH)
    assert [(row.events, row.pots) for row in found] == [
        (3, (paid(included, 5), paid(grant, 4, "a"), paid(grant, 2, 'b"/é'))),
        (2, (paid(included, 2 * (2**53 - 1)),)),
    ]
    grouped = await usage(world.reader, replace(meter, group_by="region"), feature, start=JANUARY, end=MARCH, now=MARCH)
    assert [(row.events, row.pots) for row in grouped] == [(3, ()), (2, ())]
    levels = replace(feature, aggregation=Aggregation.MAX)
    (later,) = await usage(world.reader, meter, levels, start=FEBRUARY, end=MARCH, now=MARCH)
    assert (later.value, later.events, later.pots) == (7, 1, ())


TRIAL = UsagePeriod(JANUARY + 10 * DAY, JANUARY + 20 * DAY)


@pytest.mark.parametrize(
    ("aggregation", "kind", "expected"),
    [
        (Aggregation.SUM, FactKind.CONSUME, (4 + 6, 90)),
        (Aggregation.MAX, FactKind.LEVEL, (90, 90)),  # where January goes on, the level is the trial's
        (Aggregation.LATEST, FactKind.LEVEL, (6, 90)),
        (Aggregation.UNIQUE, FactKind.EVENT, (2, 1)),
    ],
)
async def test_a_trial_within_a_period(world, aggregation, kind, expected):
    await world.record(
        world.fact(4, JANUARY, kind, period=ONE, user="a"),
        world.fact(90, TRIAL.start, kind, period=TRIAL, user="a", trial=True),
        world.fact(6, TRIAL.end + DAY, kind, period=ONE, user="b"),
    )
    around, trial = expected
    found = await world.usage(aggregation, trials=[(TRIAL.start, TRIAL.end)])
    assert found == rows((ONE, around, ""), (TRIAL, trial, ""))


async def test_a_trial_that_begins_with_a_period(world):
    trial = UsagePeriod(JANUARY, TRIAL.end)
    await world.record(
        world.fact(4, JANUARY, period=ONE),
        world.fact(90, JANUARY, period=trial, trial=True),
        world.fact(6, TRIAL.end, period=ONE),
    )
    found = await world.usage(Aggregation.SUM, trials=[(JANUARY, TRIAL.end)], apart=(JANUARY,))
    assert found == rows((ONE, 10, ""), (trial, 90, ""))

"""Counters told by facts alone: what each becomes, what is kept, and what a retry is answered."""

from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import PeriodCounter
from tallygate.metering.recounting import (
    CountedIn,
    Effect,
    Facts,
    LastLevel,
    LastReset,
    Observed,
    Paid,
    recount,
    with_closed,
)

DAY = 86_400_000_000
NOW = 1_000 * DAY
METER = ("t", "acme", "calls")
MONTH = CountedIn(start=NOW - 10 * DAY, end=NOW + 20 * DAY, trial=False)


def paid(kind, quantity, period=MONTH, grant_id=""):
    return Paid(meter=METER, period=period, pot=Pot(kind=kind, quantity=quantity, grant_id=grant_id))


def counted(facts, apart=()):
    return recount(facts, apart=apart, now={"t": NOW})[METER]


def test_what_pots_paid_is_what_is_used_and_grants_are_burnt_for_life():
    before = CountedIn(start=NOW - 40 * DAY, end=NOW - 10 * DAY, trial=False)
    ages_ago = CountedIn(start=NOW - 900 * DAY, end=NOW - 870 * DAY, trial=False)
    others = [CountedIn(start=NOW - n * 30 * DAY, end=NOW - (n - 1) * 30 * DAY, trial=False) for n in (8, 9)]
    found = counted(
        Facts(
            paid=[
                paid(PotKind.INCLUDED, 5),
                paid(PotKind.GRANT, 3, grant_id="g"),
                paid(PotKind.OVERAGE, 2),
                paid(PotKind.INCLUDED, 4, before),
                paid(PotKind.GRANT, 10, ages_ago, "g"),
                *[paid(PotKind.INCLUDED, 1, period) for period in others],
            ]
        )
    )
    assert found.state.counters == {
        (MONTH.start, False): PeriodCounter(used=10, included=5, overage=2, grants={"g": 3}),
        (before.start, False): PeriodCounter(used=4, included=4),
        (others[0].start, False): PeriodCounter(used=1, included=1),
    }, "the last three, and whatever may still be counted in"
    assert found.state.burnt == {"g": 13}
    assert found.kept_until[MONTH.start, False] > MONTH.end + 45 * DAY, "until the next one has ended, and half of it"


def test_a_trial_stands_apart_only_where_another_period_begins_with_it():
    trial = CountedIn(start=MONTH.start, end=MONTH.start + 14 * DAY, trial=True)
    facts = Facts(paid=[paid(PotKind.INCLUDED, 5), paid(PotKind.INCLUDED, 7, trial)])
    assert facts.trials() == {(METER, trial.start)}
    used = {name: counter.used for name, counter in counted(facts, apart={(METER, trial.start)}).state.counters.items()}
    assert used == {(MONTH.start, False): 5, (MONTH.start, True): 7}


def test_levels_and_resets_outlast_periods():
    found = counted(
        Facts(
            observed=[Observed(meter=METER, period=MONTH, used=9, level_time=NOW - 3)],
            levels=[LastLevel(meter=METER, level=4, occurred_time=NOW - 2)],
            resets=[
                LastReset(meter=METER, time=NOW - 5, trial=False),
                LastReset(meter=METER, time=NOW - 7, trial=True),
            ],
        )
    )
    assert found.is_level
    assert found.state.counters == {(MONTH.start, False): PeriodCounter(used=9, level_time=NOW - 3)}
    assert (found.state.level, found.state.level_time) == (4, NOW - 2)
    assert (found.state.reset_time, found.state.own_reset_time) == (NOW - 5, NOW - 7)


def test_a_reset_that_is_asked_for_again_is_told_what_it_closed():
    reset = Effect(
        meter=METER,
        request_id="r",
        payload_hash=b"12345678",
        reason=Reason.WITHIN_LIMIT,
        granted=0,
        used=0,
        limit=None,
        pots=(),
        period_start=NOW - DAY,
        period_end=MONTH.end,
        entry_time=NOW,
        resets=True,
    )
    meters = recount(Facts(paid=[paid(PotKind.INCLUDED, 6)]), apart=(), now={"t": NOW})
    assert [each.granted for each in with_closed([reset], meters)] == [6]
    assert [each.granted for each in with_closed([reset], {})] == [0]

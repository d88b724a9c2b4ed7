"""Counters beside those that the facts make: which way they differ, and what cannot be told."""

from dataclasses import replace

import pytest

from tallygate.domain.gating.quota import MeterState, PeriodCounter
from tallygate.metering.comparing import difference, uncounted
from tallygate.metering.recounting import Recounted

NOW, DAY = 1_000, 100
RUNS, ENDED = (NOW - DAY, False), (NOW - 3 * DAY, False)
COUNTER = PeriodCounter(used=9, included=5, overage=1, grants={"g": 3})
STATE = MeterState(counters={RUNS: COUNTER, ENDED: COUNTER}, burnt={"g": 6}, reset_time=RUNS[0])


def expected(state=STATE, **more):
    ends = {RUNS: NOW + DAY, ENDED: NOW - DAY}
    return Recounted(meter=("t", "acme", "calls"), state=state, ends=ends, **more)


def compared(found, wanted=None, looked_at=(RUNS, ENDED)):
    return difference(wanted or expected(), found, now=NOW, looked_at=looked_at)


def with_counter(**changes):
    return replace(STATE, counters={RUNS: replace(COUNTER, **changes), ENDED: COUNTER})


@pytest.mark.parametrize(
    ("found", "missing", "surplus", "is_low"),
    [
        (with_counter(used=7, included=3), 2, 0, True),
        (with_counter(used=11, included=7), 0, 2, False),
        (with_counter(included=3, overage=3), 2, 2, False),
        (with_counter(used=8, grants={"g": 2}), 1, 0, True),
        (replace(STATE, counters={ENDED: COUNTER}), 9, 0, True),
        (replace(STATE, burnt={}), 6, 0, True),
        (replace(STATE, burnt={"g": 6, "other": 4}), 0, 4, False),
        (replace(STATE, reset_time=0), 0, 0, True),
        (replace(STATE, own_reset_time=NOW), 0, 0, False),
    ],
)
def test_what_differs(found, missing, surplus, is_low):
    told = compared(found)
    assert (told.missing, told.surplus, told.is_low) == (missing, surplus, is_low)


@pytest.mark.parametrize(
    "found",
    [STATE, replace(STATE, counters={RUNS: COUNTER}), replace(STATE, reset_time=0, own_reset_time=RUNS[0])],
    ids=["the same", "an ended one is gone", "kept under the other name"],
)
def test_what_does_not(found):
    assert compared(found) is None


def test_where_counters_may_be_gone_early_what_is_there_is_compared_all_the_same():
    gone = replace(STATE, counters={ENDED: COUNTER})
    assert difference(expected(), gone, now=NOW, looked_at=(RUNS, ENDED), may_be_gone=True) is None
    low = with_counter(used=7, included=3)
    assert difference(expected(), low, now=NOW, looked_at=(RUNS, ENDED), may_be_gone=True).missing == 2


def test_a_counter_that_was_not_looked_at_is_not_compared():
    assert compared(replace(STATE, counters={}), looked_at=(ENDED,)) is None


def test_levels_stand_where_the_last_one_did():
    level = MeterState(counters={RUNS: PeriodCounter(used=9, level_time=5)}, level=4, level_time=5)
    wanted = expected(level, is_level=True, known=[RUNS])
    assert compared(level, wanted) is None
    lost = compared(replace(level, counters={}), wanted)
    assert (lost.missing, lost.is_low) == (5, True), "without its counter a period stands at the last level"
    newer = compared(replace(level, level_time=6), wanted)
    assert (newer.ahead, newer.is_low) == (True, False)
    other = compared(replace(level, level=3), wanted)
    assert (other.ahead, other.told) == (True, "another last level"), "of two at one instant the earlier one stands"
    mixed = replace(level, counters={RUNS: replace(COUNTER, level_time=5)})
    assert compared(MeterState(), expected(mixed, is_level=True)) is None


def test_a_counter_that_a_late_replay_of_a_level_began_is_no_period_of_the_facts():
    """March saw 9 and then 2, of which April begins; a retry of the 9 made April 9."""
    state = MeterState(counters={ENDED: PeriodCounter(used=9, level_time=5)}, level=2, level_time=5)
    wanted = expected(state, is_level=True, known=[ENDED])
    meter = wanted.meter
    (stray,) = uncounted({meter: [ENDED, RUNS]}, {meter: wanted}, [meter[:2]]).values()
    assert stray.state.counters.keys() == {RUNS}
    april = PeriodCounter(used=9, level_time=7)
    found = MeterState(counters={ENDED: state.counters[ENDED], RUNS: april}, level=9, level_time=7)
    told = compared(found, stray)
    assert (told.missing, told.surplus, told.ahead) == (0, 7, True)
    reset = replace(found, counters={RUNS: PeriodCounter(used=2)}, level=2, level_time=5)
    assert compared(reset, stray) is None, "a reset began it: no level was observed in it"
    assert uncounted({meter: [ENDED]}, {meter: wanted}, [meter[:2]]) == {}
    assert uncounted({meter: [RUNS]}, {meter: expected()}, [meter[:2]]) == {}, "of deltas it may be an old one"


def test_what_differs_is_told_whatever_it_is():
    assert compared(with_counter(used=7, included=3)).told == "2 units missing"
    assert compared(with_counter(included=3, overage=3)).told == "2 units missing, 2 too many"
    ahead = compared(replace(STATE, own_reset_time=NOW)).told
    assert ahead == "a reset at 1970-01-01T00:00:00.001000Z of which no event tells"
    forgotten = compared(replace(STATE, reset_time=0)).told
    assert forgotten == "a reset at 1970-01-01T00:00:00.000900Z that is not known"

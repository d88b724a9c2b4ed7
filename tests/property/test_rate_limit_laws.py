"""Laws of rate limits whose figures change, against exact fractions and brute force."""

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.rate_limit import RateGate, bucket, step
from tallygate.domain.limits import Algorithm, LimitOwner, RateLimit

MILLISECOND, SECOND = 1_000, 1_000_000
START = 1_930_910_400 * SECOND
limits = st.integers(0, 30)
windows = st.sampled_from([1, 7, 100, 1_000, 60_000, 3_600_000]).map(lambda length: length * MILLISECOND)
rates = st.builds(RateLimit, limit=limits, window=windows, burst=st.none() | st.integers(1, 40))
waits = st.integers(0, 5 * SECOND) | st.integers(0, 7_200 * SECOND)


def gate(algorithm, rate, cost=0, since=0):
    return RateGate(
        limit_key="l",
        owner=LimitOwner.ACCOUNT,
        descriptor=(),
        algorithm=algorithm,
        rate=rate,
        cost=cost,
        since=since,
    )


@given(before=rates, after=rates, used=st.integers(1, 40), until=waits, then=waits)
def test_what_a_bucket_has_left_is_what_both_rates_have_given_back_in_their_time(before, after, used, until, then):
    used = min(used, before.size)
    _, state = step(gate(Algorithm.TOKEN_BUCKET, before, used), None, now=START)

    since, now = START + until, START + until + then
    answer, _ = step(gate(Algorithm.TOKEN_BUCKET, after, since=since), state, now=now)

    owed = max(Fraction(0), used - Fraction(before.limit * until, before.window))
    owed = max(Fraction(0), min(owed, Fraction(after.size)) - Fraction(after.limit * then, after.window))
    rounded = Fraction(1, bucket(after).token) if before != after else 0  # a unit is rounded away at the change
    assert floor(after.size - owed) <= answer.remaining <= floor(after.size - owed + rounded)


@given(rate=rates, costs=st.lists(st.tuples(st.integers(1, 9), waits), max_size=8), since=waits)
def test_since_when_the_same_figures_hold_makes_no_difference(rate, costs, since):
    states = [None, None]
    for cost, wait in costs:
        at = START + wait
        answers = []
        for index, begun in enumerate((0, START + since)):
            answer, states[index] = step(gate(Algorithm.TOKEN_BUCKET, rate, cost, begun), states[index], now=at)
            answers.append(answer)
        assert answers[0] == answers[1]


@given(
    algorithm=st.sampled_from([Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW]),
    calls=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 900), waits), max_size=12),
    figures=st.tuples(rates, rates, st.sampled_from([1, 100])),
)
def test_no_window_of_any_width_holds_more_than_its_limit_however_widths_change(algorithm, calls, figures):
    first, second, many = figures
    rules = [RateLimit(limit=rate.limit * many, window=rate.window) for rate in (first, second)]
    state, now, taken, changed = None, START, [], 0
    current = calls[0][0] if calls else 0
    for which, cost, wait in calls:
        now += wait
        if which != current:
            current, changed = which, len(taken)
        rule = rules[which]
        answer, after = step(gate(algorithm, rule, cost), state, now=now)
        if answer.allowed:
            state = after
            taken.append((now, cost))
        begin = now - now % rule.window if algorithm is Algorithm.FIXED_WINDOW else now - rule.window + 1
        recent = sum(units for at, units in taken[changed:] if at >= begin)
        assert recent <= rule.limit


@given(rate=rates)
def test_a_rate_that_is_refused_is_refused_as_a_whole(rate):
    try:
        scale = bucket(rate)
    except InvalidFieldError:
        return
    assert Fraction(scale.drain, scale.token * scale.tick) == Fraction(rate.limit, rate.window)
    assert scale.size == rate.size * scale.token

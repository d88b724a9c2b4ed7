"""Rate limits, with exact figures."""

import pytest

from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.rate_limit import (
    LEAST_KEPT,
    TEST_KEPT,
    BucketState,
    RateGate,
    bucket,
    kept_for,
    matching,
    step,
)
from tallygate.domain.gating.rate_windows import LOG_LIMIT, SUB_BUCKETS
from tallygate.domain.limits import Algorithm, DescriptorRule, LimitOwner, RateLimit, RateLimitRule

SECOND = 1_000_000
NOW = 1_930_910_400 * SECOND
DAY = 86_400 * SECOND


def gate_of(algorithm, rate, cost=1, since=0, keep=0):
    return RateGate(
        limit_key="l",
        owner=LimitOwner.ACCOUNT,
        descriptor=(),
        algorithm=algorithm,
        rate=rate,
        cost=cost,
        since=since,
        keep=keep,
    )


def ask(algorithm, rate, cost=1, state=None, now=NOW, since=0):
    return step(gate_of(algorithm, rate, cost, since), state, now=now)


def test_a_bucket_of_100_a_second_denies_the_101st_for_10_ms():
    rate, state = RateLimit(limit=100, window=SECOND), None
    for _ in range(100):
        answer, state = ask(Algorithm.TOKEN_BUCKET, rate, state=state)
        assert answer.allowed

    answer, _ = ask(Algorithm.TOKEN_BUCKET, rate, state=state)

    assert (answer.allowed, answer.remaining, answer.retry_after, answer.reset_after) == (False, 0, 10_000, SECOND)


def test_burst_is_the_size_of_the_bucket_and_not_its_speed():
    rate = RateLimit(limit=100, window=SECOND, burst=200)

    answer, state = ask(Algorithm.TOKEN_BUCKET, rate, cost=200)
    assert (answer.allowed, answer.limit, answer.reset_after) == (True, 200, 2 * SECOND)
    assert ask(Algorithm.TOKEN_BUCKET, rate, cost=5, state=state)[0].retry_after == 50_000
    assert ask(Algorithm.TOKEN_BUCKET, rate, cost=201, state=state)[0].retry_after is None


def test_a_third_of_a_second_is_exact():
    rate = RateLimit(limit=3, window=SECOND)
    _, state = ask(Algorithm.TOKEN_BUCKET, rate, cost=3)

    answer, _ = ask(Algorithm.TOKEN_BUCKET, rate, state=state)

    assert answer.retry_after == 333_334
    assert ask(Algorithm.TOKEN_BUCKET, rate, state=state, now=NOW + 333_334)[0].allowed
    assert not ask(Algorithm.TOKEN_BUCKET, rate, state=state, now=NOW + 333_333)[0].allowed


def test_a_large_burst_over_a_long_window_counts_in_coarser_ticks():
    assert bucket(RateLimit(limit=7, window=DAY, burst=100)).tick == 1
    assert bucket(RateLimit(limit=7, window=DAY, burst=1_000_000)).tick == 1_000
    assert bucket(RateLimit(limit=7, window=DAY, burst=1_000_000_000)).tick == SECOND
    with pytest.raises(InvalidFieldError):
        bucket(RateLimit(limit=7, window=DAY + 1, burst=1_000_000))


@pytest.mark.parametrize(("before", "after"), [(100, 1_000_000), (1_000_000, 100)])
def test_a_change_of_ticks_loses_no_time(before, after):
    _, state = ask(Algorithm.TOKEN_BUCKET, RateLimit(limit=7, window=DAY, burst=before), cost=100)

    answer, _ = ask(
        Algorithm.TOKEN_BUCKET, RateLimit(limit=7, window=DAY, burst=after), cost=0, state=state, now=NOW + DAY
    )

    assert answer.remaining == after - 93


def test_tokens_owed_in_part_stay_owed_in_part_when_the_limit_is_raised():
    slow, fast = RateLimit(limit=1, window=10 * SECOND), RateLimit(limit=2, window=10 * SECOND, burst=1)
    _, state = ask(Algorithm.TOKEN_BUCKET, slow)
    before, later = ask(Algorithm.TOKEN_BUCKET, slow, cost=0, state=state, now=NOW + 9 * SECOND)
    assert (before.reset_after, later) == (SECOND, BucketState(debt=SECOND, time=NOW + 9 * SECOND, scale=bucket(slow)))

    answer, _ = ask(Algorithm.TOKEN_BUCKET, fast, state=later, now=NOW + 9 * SECOND)

    assert answer.retry_after == SECOND // 2


def test_a_fixed_window_is_aligned_to_the_epoch():
    rate = RateLimit(limit=2, window=60 * SECOND)
    _, state = ask(Algorithm.FIXED_WINDOW, rate, cost=2, now=NOW + 59 * SECOND)

    assert ask(Algorithm.FIXED_WINDOW, rate, state=state, now=NOW + 59 * SECOND)[0].retry_after == SECOND
    assert ask(Algorithm.FIXED_WINDOW, rate, cost=2, state=state, now=NOW + 60 * SECOND)[0].allowed
    assert ask(Algorithm.FIXED_WINDOW, rate, cost=3, state=state)[0].retry_after is None


def test_a_sliding_window_frees_each_cost_as_it_becomes_a_window_old():
    rate = RateLimit(limit=3, window=10 * SECOND)
    _, state = ask(Algorithm.SLIDING_WINDOW, rate, cost=1)
    _, state = ask(Algorithm.SLIDING_WINDOW, rate, cost=2, state=state, now=NOW + 4 * SECOND)

    one, _ = ask(Algorithm.SLIDING_WINDOW, rate, cost=1, state=state, now=NOW + 5 * SECOND)
    two, _ = ask(Algorithm.SLIDING_WINDOW, rate, cost=2, state=state, now=NOW + 5 * SECOND)

    assert (one.retry_after, two.retry_after, one.reset_after) == (5 * SECOND, 9 * SECOND, 9 * SECOND)


def test_a_large_sliding_window_keeps_at_most_a_few_sub_buckets():
    rate, state = RateLimit(limit=LOG_LIMIT + 1, window=60 * SECOND), None
    for index in range(600):
        answer, state = ask(Algorithm.SLIDING_WINDOW, rate, state=state, now=NOW + index * SECOND // 10)
        assert answer.allowed

    assert len(state.entries) <= 61


def test_looking_costs_nothing():
    for algorithm in Algorithm:
        rate = RateLimit(limit=2, window=SECOND)
        _, state = ask(algorithm, rate, cost=2)
        answer, looked = ask(algorithm, rate, cost=0, state=state)
        assert (answer.allowed, answer.remaining) == (True, 0)
        assert not ask(algorithm, rate, state=looked)[0].allowed


def test_a_rule_matches_when_all_its_entries_are_present():
    def rule(key, *entries):
        descriptor = tuple(DescriptorRule(key=name, value=value) for name, value in entries)
        return RateLimitRule(
            limit_key=key, owner=LimitOwner.TENANT, algorithm=Algorithm.FIXED_WINDOW, descriptor=descriptor
        )

    rules = [rule("all"), rule("login", ("action", "login"), ("ip", None)), rule("ip", ("ip", None))]

    def matched(*descriptor):
        return {found.limit_key: entries for found, entries in matching(rules, descriptor)}

    assert matched() == {"all": ()}
    assert matched(("ip", "1"), ("x", "y")) == {"all": (), "ip": (("ip", "1"),)}
    assert matched(("ip", "1"), ("action", "logout")) == {"all": (), "ip": (("ip", "1"),)}
    assert matched(("ip", "1"), ("action", "login"))["login"] == (("action", "login"), ("ip", "1"))


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_limit_of_zero_lets_nothing_pass(algorithm):
    burst = 10 if algorithm is Algorithm.TOKEN_BUCKET else None
    answer, _ = ask(algorithm, RateLimit(limit=0, window=SECOND, burst=burst))

    assert (answer.allowed, answer.limit, answer.remaining, answer.retry_after) == (False, 0, 0, None)


PER_100_S, PER_HOUR = RateLimit(limit=100, window=100 * SECOND), RateLimit(limit=100, window=3_600 * SECOND)


@pytest.mark.parametrize(
    ("before", "after", "waited", "since", "remaining"),
    [
        (PER_100_S, PER_HOUR, 90, 90, 90),  # one a second flows back while the old figures hold
        (PER_100_S, PER_HOUR, 90, 10, 12),  # 10 at one a second, then 80 s at one in 36 s: 2.2
        (PER_100_S, PER_HOUR, 90, 0, 2),
        (PER_HOUR, PER_100_S, 90, 90, 2),  # raised just now: what has passed counts as it passed
        (PER_HOUR, PER_100_S, 90, 54, 37),  # 1.5, then one a second for 36 s
    ],
)
def test_time_before_a_change_counts_at_the_old_rate(before, after, waited, since, remaining):
    _, state = ask(Algorithm.TOKEN_BUCKET, before, cost=100)

    answer, _ = ask(
        Algorithm.TOKEN_BUCKET, after, cost=0, state=state, now=NOW + waited * SECOND, since=NOW + since * SECOND
    )

    assert answer.remaining == remaining


def test_a_lowered_bucket_is_empty_and_no_emptier():
    _, state = ask(Algorithm.TOKEN_BUCKET, RateLimit(limit=1_000, window=SECOND), cost=1_000)

    answer, _ = ask(Algorithm.TOKEN_BUCKET, RateLimit(limit=10, window=SECOND), state=state, since=NOW)

    assert (answer.allowed, answer.retry_after, answer.reset_after) == (False, SECOND // 10, SECOND)


def test_what_a_window_took_counts_in_the_window_of_other_width_that_it_was_taken_in():
    second, hour = RateLimit(limit=100, window=SECOND), RateLimit(limit=100, window=3_600 * SECOND)
    late = NOW + 1_799 * SECOND  # NOW is a whole hour
    _, state = ask(Algorithm.FIXED_WINDOW, second, cost=100, now=late)

    assert ask(Algorithm.FIXED_WINDOW, hour, state=state, now=late + 2_600_000)[0].retry_after == 1_798_400_000
    _, state = ask(Algorithm.FIXED_WINDOW, hour, cost=100, now=late)
    assert not ask(Algorithm.FIXED_WINDOW, second, state=state, now=late + 999_999)[0].allowed
    assert ask(Algorithm.FIXED_WINDOW, second, state=state, now=late + SECOND)[0].allowed


def test_a_sliding_window_made_narrower_frees_what_has_become_too_old_for_it():
    hour = RateLimit(limit=1_500, window=3_600 * SECOND)
    _, state = ask(Algorithm.SLIDING_WINDOW, hour, cost=1_500)

    answer, _ = ask(Algorithm.SLIDING_WINDOW, RateLimit(limit=1_500, window=SECOND), state=state, now=NOW + SECOND)

    assert answer.allowed  # not only when the sub-bucket of a minute has passed


def test_a_state_from_a_time_that_never_was_is_none():
    for algorithm in Algorithm:
        rate = RateLimit(limit=2, window=3_600 * SECOND)
        _, state = ask(algorithm, rate, cost=2, now=NOW + 40 * DAY)
        assert ask(algorithm, rate, state=state)[0].remaining == 1
        _, state = ask(algorithm, rate, cost=2, now=NOW + 29 * SECOND)
        assert not ask(algorithm, rate, state=state)[0].allowed


def test_a_state_is_kept_for_figures_that_may_come():
    second = RateLimit(limit=100, window=SECOND)
    for keep, testing, expected in ((0, False, LEAST_KEPT), (DAY, False, DAY), (0, True, TEST_KEPT)):
        gate = gate_of(Algorithm.TOKEN_BUCKET, second, keep=keep)
        assert kept_for(gate, *step(gate, None, now=NOW), testing=testing) == expected
    long = gate_of(Algorithm.FIXED_WINDOW, RateLimit(limit=5, window=7 * DAY))
    answer, state = step(long, None, now=NOW)
    assert kept_for(long, answer, state, testing=False) == answer.reset_after


@pytest.mark.parametrize("algorithm", [Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW])
def test_what_a_wide_window_counted_is_kept_while_a_narrow_one_holds_and_stays_small(algorithm):
    week, second = RateLimit(limit=5, window=7 * DAY), RateLimit(limit=3, window=SECOND)
    state = None
    for _ in range(5):
        answer, state = step(gate_of(algorithm, week), state, now=NOW)
    over = NOW + answer.reset_after
    taken = 0
    for now in range(NOW + SECOND, NOW + 101 * SECOND, SECOND // 4):
        gate = gate_of(algorithm, second)
        answer, after = step(gate, state, now=now)
        if answer.allowed:
            taken, state = taken + 1, after
            assert kept_for(gate, answer, state, testing=False) == over - now
    assert taken == 300
    assert len(getattr(state, "entries", ())) <= SUB_BUCKETS + 1 + 3
    back, _ = step(gate_of(algorithm, week), state, now=over - 1)
    assert (back.allowed, back.remaining) == (False, 0)


def test_a_key_that_comes_twice_counts_by_both_values_and_matches_either():
    def rule(key, value):
        return RateLimitRule(
            limit_key=key,
            owner=LimitOwner.TENANT,
            algorithm=Algorithm.FIXED_WINDOW,
            descriptor=(DescriptorRule(key="generic_key", value=value),),
        )

    rules = [rule("any", None), rule("a", "a"), rule("b", "b"), rule("c", "c")]
    found = {r.limit_key: entries for r, entries in matching(rules, (("generic_key", "a"), ("generic_key", "b")))}

    assert found == {
        "any": (("generic_key", "a"), ("generic_key", "b")),
        "a": (("generic_key", "a"),),
        "b": (("generic_key", "b"),),
    }

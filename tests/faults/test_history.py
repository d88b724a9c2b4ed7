"""The checkers find what was planted, and nothing in histories that keep the promises."""

from tallygate.domain.history.counted import (
    gaps,
    miscounted,
    not_exactly_once,
    not_replayed,
    overshoot,
    overshoot_in_events,
)
from tallygate.domain.history.records import Answered, Event, History, Invoked


def invoked(request_id, quantity=1):
    return Invoked(account="a", request_id=request_id, quantity=quantity)


def ok(request_id, granted=1, used=1, replayed=False):
    return Answered(account="a", request_id=request_id, outcome="ok", granted=granted, used=used, replayed=replayed)


def denied(request_id):
    return Answered(account="a", request_id=request_id, outcome="denied")


def unknown(request_id):
    return Answered(account="a", request_id=request_id, outcome="unknown")


def event(request_id, quantity=1, sequence=1, entry=0):
    return Event(account="a", request_id=request_id, sequence=sequence, entry=(entry, 0), quantity=quantity)


def history(*records):
    return History(list(records))


def test_the_limit_is_reached_but_not_passed():
    assert overshoot(history(invoked("r", 3), ok("r", 3), invoked("s"), denied("s")), {"a": 3}) == []


def test_an_overshoot_is_found_at_its_prefix():
    passed = history(invoked("r", 3), ok("r", 3), invoked("s"), ok("s"), invoked("t", -3), ok("t", -3))
    assert overshoot(passed, {"a": 3}) == ["a: 4 held of 3"]


def test_a_replayed_answer_is_no_overshoot():
    assert overshoot(history(invoked("r", 2), unknown("r"), ok("r", 2), ok("r", 2, replayed=True)), {"a": 3}) == []


def test_a_refund_counts_from_when_it_was_sent():
    crossed = history(invoked("r", 3), ok("r", 3), invoked("s", -2), invoked("t", 2), ok("t", 2), ok("s", -2))
    assert overshoot(crossed, {"a": 3}) == []


def test_events_are_summed_in_the_order_of_their_entries():
    inside = [event("s", 2, entry=3), event("r", 3, entry=1), event("t", -2, entry=2)]
    assert overshoot_in_events(inside, {"a": 3}) == []
    outside = [event("s", 2, entry=2), event("r", 3, entry=1), event("t", -2, entry=3)]
    assert overshoot_in_events(outside, {"a": 3}) == ["a: 5 of 3"]
    assert overshoot_in_events([event("t", -2)], {"a": 3}) == ["a: -2 of 3"]


def test_each_admitted_request_has_one_event():
    kept = history(invoked("r"), ok("r"), invoked("s"), denied("s"), invoked("t"), unknown("t"), invoked("u"))
    assert not_exactly_once(kept, [event("r")]) == []
    assert not_exactly_once(kept, [event("r"), event("t"), event("u")]) == []


def test_lost_doubled_wrong_denied_and_foreign_events_are_found():
    kept = history(invoked("r"), ok("r"), invoked("s"), denied("s"))
    for events, what in (
        ([], "admitted 1, recorded []"),
        ([event("r"), event("r")], "2 events"),
        ([event("r", 2)], "admitted 1, recorded [2]"),
        ([event("r"), event("s")], "denied, yet recorded [1]"),
        ([event("r"), event("x")], "recorded, never asked"),
    ):
        (found,) = not_exactly_once(kept, events)
        assert what in found


def test_a_denial_after_an_unknown_outcome_allows_an_event():
    late = history(invoked("r"), unknown("r"), invoked("r"), denied("r"))
    assert not_exactly_once(late, [event("r")]) == []


def test_replays_answer_as_the_first_did():
    assert not_replayed(history(ok("r"), ok("r", replayed=True), ok("s", replayed=True))) == []
    assert not_replayed(history(ok("r"), ok("r", used=2, replayed=True)))
    assert not_replayed(history(ok("r"), ok("r"))) == ["('a', 'r'): admitted more than once"]


def test_counters_equal_the_sum_of_events():
    assert miscounted({"a": 3}, [event("r", 5), event("s", -2)]) == []
    assert miscounted({"a": 4}, [event("r", 3)]) == ["a: counter 4, events 3"]
    assert miscounted({}, [event("r", 3)]) == ["a: counter 0, events 3"]
    assert miscounted({"a": 1}, []) == ["a: counter 1, events 0"]


def test_gaps_and_doubles_in_the_sequence_are_found():
    assert gaps([event("r", sequence=2), event("s", sequence=1)]) == []
    assert gaps([event("r", sequence=1), event("s", sequence=3)]) == ["3 stands at 2"]
    assert gaps([event("r", sequence=1), event("s", sequence=1)]) == ["1 stands at 2"]

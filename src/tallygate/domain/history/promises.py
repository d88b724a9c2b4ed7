"""Every promise that a history can be held to, by name."""

from collections.abc import Callable, Mapping

from tallygate.domain.history.counted import (
    gaps,
    miscounted,
    not_exactly_once,
    not_replayed,
    outside,
    overshoot,
    overshoot_in_events,
)
from tallygate.domain.history.experienced import growing, late, leaked, stale, unrecovered
from tallygate.domain.history.records import (
    Answered,
    Canary,
    Counter,
    Event,
    History,
    Invoked,
    Limit,
    Resident,
    Written,
)


def _limits(history: History) -> list[str]:
    limits = {each.account: each.limit for each in history.records if isinstance(each, Limit)}
    return [*overshoot(history, limits), *overshoot_in_events(_events(history), limits)]


def _counters(history: History) -> list[str]:
    counters = {each.account: each.used for each in history.records if isinstance(each, Counter)}
    events = _events(history)
    known = {account: used for account, used in counters.items() if any(each.account == account for each in events)}
    return [*outside(counters, history), *miscounted(known, [each for each in events if each.account in known])]


def _once(history: History) -> list[str]:
    events = _events(history)
    numbered = [each for each in events if each.sequence]
    return [*(not_exactly_once(history, events) if events else []), *gaps(numbered)]


def _events(history: History) -> list[Event]:
    return [record for record in history.records if isinstance(record, Event)]


def _is(kind: type) -> Callable[[object], bool]:
    return lambda record: isinstance(record, kind)


def _tells_versions(record: object) -> bool:
    return isinstance(record, Written) or (isinstance(record, Invoked) and record.min_view_version > 0)


def _has_deadline(record: object) -> bool:
    return isinstance(record, Invoked) and record.deadline > 0


PROMISES: Mapping[str, Callable[[History], list[str]]] = {
    "I1 no overshoot": _limits,
    "I2 counters are true": _counters,
    "I3 exactly once": _once,
    "I4 replays repeat": not_replayed,
    "I5 no tenant sees another": leaked,
    "I6 nothing is stale": stale,
    "I7 calls end in time": late,
    "I8 outages end": unrecovered,
    "I9 memory is bounded": growing,
}

NEEDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "I1 no overshoot": (_is(Limit), "limit"),
    "I2 counters are true": (_is(Counter), "counter"),
    "I3 exactly once": (_is(Event), "event"),
    "I4 replays repeat": (_is(Answered), "answered"),
    "I5 no tenant sees another": (_is(Canary), "canary"),
    "I6 nothing is stale": (_tells_versions, "written, or invoked with min_view_version"),
    "I7 calls end in time": (_has_deadline, "invoked with a deadline"),
    "I8 outages end": (_is(Invoked), "invoked"),
    "I9 memory is bounded": (_is(Resident), "resident"),
}
"""Without any such record nothing can be said of a promise."""


def violations(history: History) -> dict[str, list[str] | None]:
    """Of each promise what breaks it; None where the history has nothing to tell by."""
    return {
        name: check(history) if any(NEEDS[name][0](record) for record in history.records) else None
        for name, check in PROMISES.items()
    }

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
from tallygate.domain.history.records import Answered, Counter, Event, History, Limit, Resident


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

NEEDS: Mapping[str, tuple[type, str]] = {
    "I1 no overshoot": (Limit, "limit"),
    "I2 counters are true": (Counter, "counter"),
    "I3 exactly once": (Event, "event"),
    "I4 replays repeat": (Answered, "answered"),
    "I9 memory is bounded": (Resident, "resident"),
}
"""Without records of this kind nothing can be said of a promise."""


def violations(history: History) -> dict[str, list[str] | None]:
    """Of each promise what breaks it; None where the history has nothing to tell by."""
    kinds = {type(record) for record in history.records}
    return {
        name: check(history) if name not in NEEDS or NEEDS[name][0] in kinds else None
        for name, check in PROMISES.items()
    }

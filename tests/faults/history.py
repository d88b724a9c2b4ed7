"""What callers asked and were answered, in the order in which they saw it, and what must hold of any such history.

The checkers are pure: each takes records and answers its violations, none where the promise was kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

Outcome = Literal["ok", "denied", "unknown"]
Identity = tuple[str, str]
"""Account and request id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """An attempt was sent; negative quantities return units."""

    account: str
    request_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An attempt ended: admitted, denied, or with an error that leaves open whether it was admitted."""

    account: str
    request_id: str
    outcome: Outcome
    granted: int = 0
    used: int = 0
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it was collected; `entry` is its place in the account's stream."""

    account: str
    request_id: str
    sequence: int
    entry: tuple[int, int]
    quantity: int


@dataclass(slots=True)
class History:
    """Records of all callers of one process, appended as they happen."""

    records: list[Invoked | Answered] = field(default_factory=list)

    def add(self, record: Invoked | Answered) -> None:
        self.records.append(record)

    def count(self, outcome: Outcome) -> int:
        return sum(isinstance(record, Answered) and record.outcome == outcome for record in self.records)


def overshoot(history: History, limits: Mapping[str, int]) -> list[str]:
    """Whether more than the limit was held at any moment, as callers saw it.

    A consume counts from its answer, a refund from the moment it was sent: so no order in which the server may have
    taken them is accused wrongly. A repeated answer counts once.
    """
    held: Counter[str] = Counter()
    seen: set[Identity] = set()
    returned: set[Identity] = set()
    found = []
    for record in history.records:
        identity = (record.account, record.request_id)
        if isinstance(record, Invoked):
            if record.quantity < 0 and identity not in returned:
                returned.add(identity)
                held[record.account] += record.quantity
        elif record.outcome == "ok" and record.granted > 0 and identity not in seen:
            seen.add(identity)
            held[record.account] += record.granted
            if held[record.account] > limits[record.account]:
                found.append(f"{record.account}: {held[record.account]} held of {limits[record.account]}")
    return found


def overshoot_in_events(events: Iterable[Event], limits: Mapping[str, int]) -> list[str]:
    """Whether the events of an account, in the order in which they were admitted, ever pass its limit or zero."""
    by_account = defaultdict(list)
    for event in sorted(events, key=lambda event: event.entry):
        by_account[event.account].append(event.quantity)
    return [
        f"{account}: {total} of {limits[account]}"
        for account, quantities in by_account.items()
        for total in accumulate(quantities)
        if not 0 <= total <= limits[account]
    ]


def not_exactly_once(history: History, events: Iterable[Event]) -> list[str]:
    """Every admitted request has one event of its quantity, every unknown one at most one, every other none."""
    recorded: dict[Identity, list[int]] = defaultdict(list)
    for event in events:
        recorded[event.account, event.request_id].append(event.quantity)
    found = [f"{identity}: recorded, never asked" for identity in recorded.keys() - _by_identity(history).keys()]
    for identity, answers in _by_identity(history).items():
        quantities = recorded.get(identity, [])
        granted = [answer.granted for answer in answers if answer.outcome == "ok"]
        if len(quantities) > 1:
            found.append(f"{identity}: {len(quantities)} events")
        elif granted and quantities != granted[:1]:
            found.append(f"{identity}: admitted {granted[0]}, recorded {quantities}")
        elif quantities and all(answer.outcome == "denied" for answer in answers):
            found.append(f"{identity}: denied, yet recorded {quantities}")
    return found


def not_replayed(history: History) -> list[str]:
    """Every answer to an admitted request is the same, and at most the first of them is not called a replay."""
    found = []
    for identity, answers in _by_identity(history).items():
        admitted = [answer for answer in answers if answer.outcome == "ok"]
        if len({(answer.granted, answer.used) for answer in admitted}) > 1:
            found.append(f"{identity}: answered {[(answer.granted, answer.used) for answer in admitted]}")
        if sum(not answer.replayed for answer in admitted) > 1:
            found.append(f"{identity}: admitted more than once")
    return found


def miscounted(counters: Mapping[str, int], events: Iterable[Event]) -> list[str]:
    """Whether an account's counter is anything but the sum of its events."""
    sums: Counter[str] = Counter()
    for event in events:
        sums[event.account] += event.quantity
    accounts = counters.keys() | sums.keys()
    return [
        f"{account}: counter {counters.get(account, 0)}, events {sums[account]}"
        for account in sorted(accounts)
        if counters.get(account, 0) != sums[account]
    ]


def gaps(events: Sequence[Event]) -> list[str]:
    """Whether the sequence of one tenant's events is anything but 1, 2, 3, ..."""
    numbers = sorted(event.sequence for event in events)
    return [f"{number} stands at {at}" for at, number in enumerate(numbers, 1) if number != at][:5]


def _by_identity(history: History) -> dict[Identity, list[Answered]]:
    found: dict[Identity, list[Answered]] = defaultdict(list)
    for record in history.records:
        answers = found[record.account, record.request_id]
        if isinstance(record, Answered):
            answers.append(record)
    open_calls = Counter(
        (record.account, record.request_id) if isinstance(record, Invoked) else None for record in history.records
    )
    for identity, answers in found.items():
        for _ in range(open_calls[identity] - len(answers)):
            answers.append(Answered(account=identity[0], request_id=identity[1], outcome="unknown"))
    return found

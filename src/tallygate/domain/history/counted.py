"""What was counted: no limit is passed, each effect is an event once, and repeated answers are the first one's."""

from collections import Counter as Sums
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from tallygate.domain.history.records import Answered, Event, History, Invoked

Identity = tuple[str, str]
"""Account and request id."""


def overshoot(history: History, limits: Mapping[str, int]) -> list[str]:
    """Whether more than the limit was held at any moment, as callers saw it.

    A consume counts from its answer, a refund from the moment it was sent: so no order in which the server may have
    taken them is accused wrongly. A repeated answer counts once.
    """
    held: Sums[str] = Sums()
    seen: set[Identity] = set()
    returned: set[Identity] = set()
    found = []
    for record in history.records:
        if not isinstance(record, Invoked | Answered):
            continue
        identity = (record.account, record.request_id)
        if isinstance(record, Invoked):
            if record.quantity < 0 and identity not in returned:
                returned.add(identity)
                held[record.account] += record.quantity
        elif record.outcome == "ok" and record.granted > 0 and identity not in seen:
            seen.add(identity)
            held[record.account] += record.granted
            if record.account in limits and held[record.account] > limits[record.account]:
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
        if account in limits and not 0 <= total <= limits[account]
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
    sums: Sums[str] = Sums()
    for event in events:
        sums[event.account] += event.quantity
    accounts = counters.keys() | sums.keys()
    return [
        f"{account}: counter {counters.get(account, 0)}, events {sums[account]}"
        for account in sorted(accounts)
        if counters.get(account, 0) != sums[account]
    ]


def outside(counters: Mapping[str, int], history: History) -> list[str]:
    """Whether a counter holds less than what was admitted for sure, or more than what may have been."""
    surely: Sums[str] = Sums()
    perhaps: Sums[str] = Sums()
    asked = {(each.account, each.request_id): each.quantity for each in history.records if isinstance(each, Invoked)}
    for identity, answers in _by_identity(history).items():
        admitted = [answer.granted for answer in answers if answer.outcome == "ok"]
        if admitted:
            surely[identity[0]] += admitted[0]
        elif any(answer.outcome == "unknown" for answer in answers):
            quantity = asked.get(identity, 0)
            (perhaps if quantity > 0 else surely)[identity[0]] += quantity
    return [
        f"{account}: counter {used}, admitted {surely[account]}, perhaps {perhaps[account]} more"
        for account, used in sorted(counters.items())
        if not surely[account] <= used <= surely[account] + perhaps[account]
    ]


def gaps(events: Sequence[Event]) -> list[str]:
    """Whether the sequence of one tenant's events is anything but 1, 2, 3, ..."""
    numbers = sorted(event.sequence for event in events)
    return [f"{number} stands at {at}" for at, number in enumerate(numbers, 1) if number != at][:5]


def _by_identity(history: History) -> dict[Identity, list[Answered]]:
    found: dict[Identity, list[Answered]] = defaultdict(list)
    for record in history.records:
        if isinstance(record, Invoked | Answered):
            answers = found[record.account, record.request_id]
            if isinstance(record, Answered):
                answers.append(record)
    open_calls = Sums(
        (record.account, record.request_id) if isinstance(record, Invoked) else None for record in history.records
    )
    for identity, answers in found.items():
        for _ in range(open_calls[identity] - len(answers)):
            answers.append(Answered(account=identity[0], request_id=identity[1], outcome="unknown"))
    return found

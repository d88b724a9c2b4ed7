"""What an account is told before it happens: ends of trials and subscriptions, cards that expire. No clock, no I/O.

What is told of the same instant is a ladder: of its rungs only those count that lay ahead when the instant became
known, and of several that were missed the last one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tallygate.domain.account import Subscription
from tallygate.domain.billing.messages import Message, MessageKind
from tallygate.domain.billing.payments import Method
from tallygate.domain.billing_terms import NoticeRules
from tallygate.domain.catalog import TrialEnd
from tallygate.domain.instants import rfc3339
from tallygate.domain.period import from_datetime

_DAY = 86_400_000_000
TOO_OLD = 7 * _DAY
"""What was missed for longer nobody wants to read any more."""
_DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Messages about one instant, each with its own time, in order; what lies at `since` or before was no news then."""

    since: int
    rungs: tuple[Message, ...]

    def due(self, now: int) -> Message | None:
        """The last one whose time has come."""
        come = [rung for rung in self._ahead() if now - TOO_OLD < rung.create_time <= now]
        return come[-1] if come else None

    def next_time(self, now: int) -> int | None:
        """When the next one's time comes."""
        return next((rung.create_time for rung in self._ahead() if rung.create_time > now), None)

    def _ahead(self) -> Iterator[Message]:
        return (rung for rung in self.rungs if rung.create_time > self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A subscription, and since when the ends that it has are known; what follows its trial, where it has one."""

    account_id: str
    subscription: Subscription
    canceled: bool
    trial_since: int
    end_since: int
    on_end: TrialEnd | None
    method_missing: bool


def trial_ladder(held: Held, rules: NoticeRules) -> Ladder | None:
    """What is told of the end of a trial; None where there is none, or the subscription ends before.

    Where it ends with the trial, as one that was cancelled in it does, `on_end` says so, and there is no plan.
    """
    subscription, end = held.subscription, held.subscription.trial_end_time
    if end is None or (subscription.end_time is not None and subscription.end_time < end):
        return None
    over = subscription.end_time == end
    follows = TrialEnd.NOTIFY if over else held.on_end
    told = {"on_end": follows.value} if follows is not None else {}
    missing = {"method": "missing"} if held.method_missing and follows is TrialEnd.CONVERT else {}
    ending = _ahead_of(held, MessageKind.SUBSCRIPTION_TRIAL_ENDING, end, rules.trial_days, {**told, **missing})
    plan = next((term for term in reversed(subscription.terms) if term.start_time <= end), subscription.terms[0])
    goes_on = {} if over else {"plan_key": plan.plan_key}
    ended = _about(held, MessageKind.SUBSCRIPTION_TRIAL_ENDED, end, end, {**told, **goes_on})
    return Ladder(since=held.trial_since, rungs=(*ending, ended))


def end_ladder(held: Held, rules: NoticeRules) -> Ladder | None:
    """What is told of the end of a subscription; of one that was cancelled, or ends with its trial, the end alone."""
    subscription, end = held.subscription, held.subscription.end_time
    if end is None:
        return None
    days = () if held.canceled or end == subscription.trial_end_time else rules.expiry_days
    ending = _ahead_of(held, MessageKind.SUBSCRIPTION_EXPIRING, end, days, {})
    ended = _about(held, MessageKind.SUBSCRIPTION_EXPIRED, end, end, {})
    return Ladder(since=held.end_since, rungs=(*ending, ended))


def card_ladder(method: Method, rules: NoticeRules) -> Ladder | None:
    """What is told of a card that expires; its last day is that of its month, in UTC."""
    if not method.expiry_year or not method.expiry_month:
        return None
    end = end_of_card(method)
    rungs = tuple(
        Message(
            kind=MessageKind.METHOD_EXPIRING,
            about=f"{method.method_id}/{method.expiry_year}-{method.expiry_month:02}/{days}",
            account_id=method.account_id,
            create_time=end - days * _DAY,
            facts={
                "method_id": method.method_id,
                "brand": method.brand,
                "last4": method.last4,
                "end_time": rfc3339(end),
                "days": str(days),
            },
        )
        for days in sorted(rules.card_days, reverse=True)
    )
    return Ladder(since=method.create_time, rungs=rungs)


def missing_ladder(held: Held, charge_time: int, *, since: int, rules: NoticeRules) -> Ladder:
    """What is told where a subscription is charged at an instant, and there is nothing to charge."""
    rungs = _ahead_of(held, MessageKind.METHOD_MISSING, charge_time, rules.card_days, {})
    return Ladder(since=since, rungs=tuple(rungs))


def end_of_card(method: Method) -> int:
    """When a card is of no use any more: the first instant after its month, in UTC."""
    year, month = method.expiry_year, method.expiry_month
    after = (year + 1, 1) if month == _DECEMBER else (year, month + 1)
    return from_datetime(datetime(*after, 1, tzinfo=UTC))


def due_messages(ladders: Sequence[Ladder], *, now: int) -> list[Message]:
    """What is to be told now, in order of its time; what was told before is not told again."""
    found = [message for ladder in ladders if (message := ladder.due(now)) is not None]
    return sorted(found, key=lambda message: (message.create_time, message.message_id))


def next_look(ladders: Sequence[Ladder], *, now: int) -> int | None:
    """When there is something to tell again."""
    return min((time for ladder in ladders if (time := ladder.next_time(now)) is not None), default=None)


def _ahead_of(
    held: Held, kind: MessageKind, end: int, days: Sequence[int], facts: Mapping[str, str]
) -> Iterator[Message]:
    for number in sorted(days, reverse=True):
        told = _about(held, kind, end, end - number * _DAY, {**facts, "days": str(number)})
        yield replace(told, about=f"{told.about}/{number}")


def _about(held: Held, kind: MessageKind, end: int, time: int, facts: Mapping[str, str]) -> Message:
    """One of a subscription and its end: another end is another message."""
    subscription_id = held.subscription.subscription_id
    return Message(
        kind=kind,
        about=f"{subscription_id}/{rfc3339(end)}",
        account_id=held.account_id,
        create_time=time,
        facts={"subscription_id": subscription_id, "end_time": rfc3339(end), **facts},
    )

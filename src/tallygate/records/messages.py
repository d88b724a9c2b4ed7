"""What others were told of what happened, and how that was delivered: the outbox of billing.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.messages import Delivery, Message, MessageKind
from tallygate.domain.instants import rfc3339
from tallygate.records.history import SubscriptionChange

NOTICE = "notice"
"""The kind of the job that looks what an account is to be told before it happens; its subject is the account."""
USAGE_LIMIT = "usage_limit"
"""The kind of the job that tells that usage has come near its limit; its subject says which, see `LimitReached`."""
DISPATCH = "dispatch"
"""The kind of the job that delivers a message; its subject is the message."""


PERCENTS = (80, 100)
"""How much of its limit usage has come to when that is told."""
_SEPARATOR = "\x1f"
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached:
    """Usage of an account's feature in a usage period has come to so many per cent of its limit."""

    account_id: str
    feature_key: str
    period_start: int
    percent: int

    @property
    def subject(self) -> str:
        """As a job's subject: no id holds what stands between its parts."""
        return _SEPARATOR.join((self.account_id, self.feature_key, str(self.period_start), f"{self.percent:03}"))

    @classmethod
    def of(cls, subject: str) -> "LimitReached":
        """What a job's subject says."""
        account_id, feature_key, period_start, percent = subject.split(_SEPARATOR, _PARTS - 1)
        return cls(account_id=account_id, feature_key=feature_key, period_start=int(period_start), percent=int(percent))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFact:
    """The first fact by which usage had come so far."""

    used: int
    limit: int
    occurred_time: int
    period_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery:
    """Which messages, in their order, those behind a sequence number; what is left out restricts nothing."""

    limit: int
    after: int = 0
    account_id: str = ""
    invoice_id: str = ""
    kind: MessageKind | None = None


class Messages(Protocol):
    """Messages of one tenant: written in the transaction of what they tell, and never changed."""

    def add(self, message: Message) -> None:
        """Tell something, once: what was told before is not told again. It is written when the unit of work commits."""
        ...

    async def get(self, message_id: str) -> Message | None:
        """One message."""
        ...

    async def known(self, message_ids: Collection[str]) -> frozenset[str]:
        """Those of some ids that were told."""
        ...

    async def list(self, wanted: MessageQuery) -> Sequence[Message]:
        """Those asked for, in the order in which they were told."""
        ...

    async def reached(self, what: LimitReached) -> LimitFact | None:
        """The first fact in the log by which usage had come so far; None where none says so."""
        ...

    async def head(self) -> int:
        """The sequence number of the last one; 0 where there is none."""
        ...

    async def deliveries(self, message_ids: Collection[str]) -> Mapping[str, Sequence[Delivery]]:
        """How messages were delivered; of each that was asked for there is an answer."""
        ...

    async def put_delivery(self, delivery: Delivery) -> None:
        """Replace how a message was delivered by a channel."""
        ...


_OF_METHOD = {
    "CreateSubscription": MessageKind.SUBSCRIPTION_CREATED,
    "RenewSubscription": MessageKind.SUBSCRIPTION_RENEWED,
    "CancelSubscription": MessageKind.SUBSCRIPTION_CANCELED,
}


def of_change(change: SubscriptionChange) -> Message:
    """What is told of a change of a subscription."""
    return Message(
        kind=_OF_METHOD.get(change.method, MessageKind.SUBSCRIPTION_CHANGED),
        about=f"{change.account_id}/{change.sequence}",
        account_id=change.account_id,
        create_time=change.change_time,
        facts=dict(_facts(change)),
    )


def _facts(change: SubscriptionChange) -> Iterator[tuple[str, str]]:
    held = change.after.subscription
    term = next((one for one in reversed(held.terms) if one.start_time <= change.change_time), held.terms[0])
    yield "subscription_id", held.subscription_id
    yield "method", change.method
    yield "state", held.state.value
    yield "plan_key", term.plan_key
    yield "plan_version", str(term.plan_version)
    for name, instant in (("trial_end_time", held.trial_end_time), ("end_time", held.end_time)):
        if instant is not None:
            yield name, rfc3339(instant)

"""What others were told of what happened, and how that was delivered: the outbox of billing.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.messages import Delivery, Message, MessageKind
from tallygate.domain.instants import rfc3339
from tallygate.records.history import SubscriptionChange

DISPATCH = "dispatch"
"""The kind of the job that delivers a message; its subject is the message."""


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

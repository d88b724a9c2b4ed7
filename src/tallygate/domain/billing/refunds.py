"""Money that goes back as it came: by which ways, and how much by each. No clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallygate.domain.billing.payments import Advice, AttemptState
from tallygate.domain.money import spread


class RefundKind(StrEnum):
    """By which way money goes back."""

    GATEWAY = "gateway"
    OFFLINE = "offline"
    WALLET = "wallet"


_RANK = (
    AttemptState.SENDING,
    AttemptState.UNKNOWN,
    AttemptState.PENDING,
    AttemptState.SUCCEEDED,
    AttemptState.FAILED,
)


def rank_of(state: AttemptState) -> int:
    """What came later in a refund's life; one that seemed to have arrived may come back, and has failed then."""
    return _RANK.index(state)


_TRY = "#try-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What of an invoice came by one way, in minor units, and was neither given back nor disputed.

    `payment_id` is empty of the wallet.
    """

    kind: RefundKind
    left: int
    payment_id: str = ""
    gateway: str = ""
    charge_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A part of what was asked back under `credit_id`, of a payment or the wallet. Through a gateway it is an attempt.

    `note_id` is the credit note that it pays out, `invoice_id` the invoice that was paid with it.
    """

    refund_id: str
    credit_id: str
    account_id: str
    invoice_id: str
    note_id: str
    payment_id: str
    kind: RefundKind
    currency: str
    amount: int
    text: str = ""
    gateway: str = ""
    charge_id: str = ""
    state: AttemptState = AttemptState.SENDING
    advice: Advice | None = None
    reason: str = ""
    gateway_id: str = ""
    create_time: int
    end_time: int | None = None
    sent_until: int = 0
    """Until when, of real time, whoever sends it may be at it: nobody else asks before what became of it."""
    tries: int = 0
    """How often it was refused for now: each try is a request of its own, for the answer to the one before is known."""
    try_time: int | None = None
    """When the last of several tries began."""

    @property
    def key(self) -> str:
        """What makes sending it again the same request."""
        return f"{self.refund_id}{_TRY}{self.tries}" if self.tries else self.refund_id

    @property
    def asked_time(self) -> int:
        """When its gateway was first asked under this key."""
        return self.create_time if self.try_time is None else self.try_time

    @property
    def waits(self) -> bool:
        """Whether it was refused for now, and is asked for again."""
        return self.state is AttemptState.PENDING and self.advice is Advice.RETRY_LATER


def refund_of(key: str) -> str:
    """Whose key it is."""
    refund_id, separator, tries = key.rpartition(_TRY)
    return refund_id if separator and tries.isascii() and tries.isdecimal() else key


def parted(amount: int, sources: Sequence[Source]) -> list[tuple[Source, int]]:
    """How much of an amount goes back by which way: in the proportion of what is left of each, by largest remainder."""
    weights = [source.left for source in sources]
    if not any(weights):
        return []
    parts = spread(amount, weights)
    return [(source, part) for source, part in zip(sources, parts, strict=True) if part]

"""What a gateway tells by itself, in our terms: whichever it is, an event is one of these. No clock, no I/O."""

from dataclasses import dataclass
from enum import StrEnum

from tallygate.domain.billing.payments import Outcome


class DisputeState(StrEnum):
    """Where a payer's dispute of a charge stands: it only ever moves on by rank."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"

    @property
    def rank(self) -> int:
        """What came later in a dispute's life; both ends are equally late."""
        return 0 if self is DisputeState.OPENED else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeNews:
    """What became of an attempt, which its gateway had from us beside the charge; empty: it is no attempt of ours.

    `amount` in minor units of `currency` is what the gateway says that it took or would take.
    """

    attempt_id: str
    currency: str
    amount: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundNews:
    """What became of a refund, by our id, which its gateway had from us beside it; empty: it is none of ours.

    `charge_id` is the gateway's id of the charge that it came by.
    """

    refund_id: str
    charge_id: str
    currency: str
    amount: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeNews:
    """A payer disputes a charge, or that is decided; amounts in minor units, `fee` what the gateway keeps for it.

    None: it does not say.
    """

    dispute_id: str
    charge_id: str
    currency: str
    amount: int
    state: DisputeState
    fee: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEvent:
    """One event: of an `event_id` there is one at its gateway, however often it is told.

    `kind` is the gateway's own word for it, `time` when it happened there. What is none of our business has no news.
    """

    event_id: str
    kind: str
    time: int
    news: ChargeNews | RefundNews | DisputeNews | None = None

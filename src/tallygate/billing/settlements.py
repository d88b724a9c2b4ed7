"""What gateways say that they took and gave back, in the form in which the books are compared with it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallygate.domain.billing.gateway_events import DisputeNews, DisputeState


class SettlementKind(StrEnum):
    """What a gateway settles."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a gateway took, gave back or had taken from it, in minor units, by its own id; a won dispute took 0.

    `charge_id` is its id of the charge that a refund or dispute is of, `fee` what it kept for it (None: unknown).
    """

    gateway_id: str
    currency: str
    amount: int
    kind: SettlementKind = SettlementKind.CHARGE
    charge_id: str = ""
    fee: int | None = None


def settled_dispute(news: DisputeNews) -> Settlement:
    """A dispute as a gateway settled it."""
    return Settlement(
        kind=SettlementKind.DISPUTE,
        gateway_id=news.dispute_id,
        currency=news.currency,
        amount=0 if news.state is DisputeState.WON else news.amount,
        charge_id=news.charge_id,
        fee=news.fee,
    )


class SettlementSource(Protocol):
    """What a gateway says that it took and gave back."""

    @property
    def settles(self) -> Collection[SettlementKind]:
        """Of what it says so."""
        ...

    async def settled(self, tenant_id: str, *, start: int, end: int, now: int) -> Sequence[Settlement]:
        """Charges begun for a tenant from an instant on, before another, and what went back by now, of others too.

        Instants are by the tenant's clock.

        Raises:
            NoAnswerError: nobody can say now.
        """
        ...

"""What PaymentService asks of those who speak with gateways."""

from typing import Protocol

from tallygate.billing.crediting import CreateCreditNote
from tallygate.billing.gateways import Gateways
from tallygate.billing.paying import TopUp
from tallygate.billing.ports import Card, Setup, SetupRequest
from tallygate.billing.reconciliation import Reconciled
from tallygate.billing.refunds import Refunded
from tallygate.domain.billing.payments import Attempt


class Payments(Protocol):
    """What asks gateways."""

    @property
    def gateways(self) -> Gateways:
        """The gateways that there are."""
        ...

    async def pay(self, tenant_id: str, invoice_id: str, *, attempt_id: str = "", method_id: str = "") -> Attempt:
        """Charge an invoice now."""
        ...

    async def top_up(self, tenant_id: str, wanted: TopUp) -> Attempt:
        """Take money for a wallet."""
        ...

    async def begin_setup(self, gateway: str, request: SetupRequest) -> Setup:
        """Prepare for a method."""
        ...

    async def describe(self, tenant_id: str, gateway: str, token: str) -> Card:
        """What may be shown of a token."""
        ...


class Refunds(Protocol):
    """What asks gateways for money back."""

    async def refund(self, tenant_id: str, wanted: CreateCreditNote) -> Refunded:
        """Credit lines and give back what was paid for them."""
        ...


class Settlements(Protocol):
    """What asks gateways what they settled."""

    async def reconcile(self, tenant_id: str, gateway: str, *, start: int, end: int | None = None) -> Reconciled:
        """What a gateway took beside the books."""
        ...

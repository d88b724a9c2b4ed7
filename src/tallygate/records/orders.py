"""What is kept of orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.claims import Claim
from tallygate.domain.billing.orders import Order, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders, newest first; what is left out restricts nothing. `before` is an instant of creation and an id."""

    limit: int
    account_id: str = ""
    state: OrderState | None = None
    before: tuple[int, str] | None = None


class OrderRepository(Protocol):
    """Orders of one tenant."""

    async def get(self, order_id: str) -> Order | None:
        """One order."""
        ...

    async def put(self, order: Order) -> None:
        """Add or replace one."""
        ...

    async def list(self, wanted: OrderQuery) -> Sequence[Order]:
        """Those asked for, newest first."""
        ...


class ClaimRepository(Protocol):
    """Claims of one tenant."""

    async def get(self, code_hash: str) -> Claim | None:
        """The one of a code."""
        ...

    async def put(self, claim: Claim) -> None:
        """Add or replace one."""
        ...

    async def of_item(self, order_id: str, item: int) -> Claim | None:
        """The one of an order's item."""
        ...

    async def replace(self, claim: Claim, code_hash: str, *, now: int) -> None:
        """Let another code stand for one, and remember the one before."""
        ...

    async def was_replaced(self, code_hash: str) -> bool:
        """Whether a code stood for one before another took its place."""
        ...

"""What payments keep, and the repositories of it in a unit of work. Instants are microseconds since the Unix epoch.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.dunning import Case
from tallygate.domain.billing.payments import Attempt, AttemptState, Gateway, Method, Owed, Payment
from tallygate.domain.billing.refunds import Refund
from tallygate.domain.billing_terms import Collection

COLLECT = "collect"
"""The kind of the job that looks whether an account's invoices are to be collected; its subject is the account."""
RESOLVE = "resolve_attempt"
"""The kind of the job that asks a gateway what became of an attempt; its subject is the attempt."""
RESOLVE_REFUND = "resolve_refund"
"""The kind of the job that asks a gateway what became of a refund; its subject is the refund."""

FORGET = "forget_method"
"""The kind of the job that has a gateway forget a detached method; its subject is the method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyQuery:
    """Which payments or attempts, newest first; what is left out restricts nothing. `before` is a time and an id."""

    limit: int
    account_id: str = ""
    invoice_id: str = ""
    before: tuple[int, str] | None = None


class PaymentRecords(Protocol):
    """Gateways, methods, attempts, payments and dunning cases of one tenant."""

    async def gateways(self) -> Sequence[Gateway]:
        """The gateways that the tenant uses, in the order of their first use."""
        ...

    async def put_gateway(self, gateway: Gateway) -> None:
        """Add or replace one."""
        ...

    async def methods(self, account_id: str) -> Sequence[Method]:
        """An account's methods, detached ones too, by creation."""
        ...

    async def method(self, method_id: str) -> Method | None:
        """One method."""
        ...

    async def put_method(self, method: Method) -> None:
        """Add or replace one."""
        ...

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """One attempt."""
        ...

    async def put_attempt(self, attempt: Attempt) -> None:
        """Add or replace one; a second that is not resolved fails the transaction."""
        ...

    async def attempts(self, wanted: MoneyQuery) -> Sequence[Attempt]:
        """Those asked for, newest first."""
        ...

    async def awaits(self, gateway: str) -> bool:
        """Whether some attempt through a gateway may still take money."""
        ...

    async def unresolved(self, account_id: str) -> Sequence[Attempt]:
        """An account's attempts that may still take money."""
        ...

    async def add(self, payment: Payment) -> None:
        """Add money that came, with whose it became; what was added before fails the transaction."""
        ...

    async def payment(self, payment_id: str) -> Payment | None:
        """One payment."""
        ...

    async def charged(self, gateway: str, gateway_id: str) -> Payment | None:
        """The payment that a gateway knows by an id of its own."""
        ...

    async def payments(self, wanted: MoneyQuery) -> Sequence[Payment]:
        """Those asked for, newest first."""
        ...

    async def owed(self, account_id: str) -> Sequence[Owed]:
        """An account's open invoices with something due, oldest first, at most 1,000."""
        ...

    async def collection(self, account_id: str) -> Collection | None:
        """How an account's invoices are collected; None: as the catalogue says."""
        ...

    async def set_collection(self, account_id: str, collection: Collection | None) -> None:
        """Say how an account's invoices are collected."""
        ...

    async def cases(self, account_id: str) -> Sequence[Case]:
        """An account's dunning cases, by currency."""
        ...

    async def put_case(self, case: Case) -> None:
        """Add or replace one."""
        ...

    async def end_case(self, account_id: str, currency: str) -> None:
        """Nothing is overdue any more."""
        ...


class RefundRecords(Protocol):
    """Money of one tenant that goes back."""

    async def get(self, refund_id: str) -> Refund | None:
        """One part of what was asked back."""
        ...

    async def put(self, refund: Refund) -> None:
        """Add or replace one."""
        ...

    async def of_credit(self, credit_id: str) -> Sequence[Refund]:
        """The parts of what was asked back under an id, in order."""
        ...

    async def of_invoice(self, invoice_id: str) -> Sequence[Refund]:
        """All that went back of what was paid for an invoice."""
        ...

    async def on_their_way(self, currency: str) -> int:
        """What gateways were asked to give back, and may not have yet."""
        ...

    async def list(self, wanted: MoneyQuery) -> Sequence[Refund]:
        """Those asked for, newest first."""
        ...


class DisputeRecords(Protocol):
    """Disputes of one tenant."""

    async def get(self, gateway: str, dispute_id: str) -> Dispute | None:
        """One dispute, by its gateway's id."""
        ...

    async def put(self, dispute: Dispute) -> None:
        """Add or replace one."""
        ...

    async def of(self, payment_id: str) -> Sequence[Dispute]:
        """Those of a payment."""
        ...

    async def list(self, wanted: MoneyQuery) -> Sequence[Dispute]:
        """Those asked for, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeCharge:
    """What the built-in fake gateway did when it was asked with a key."""

    tenant_id: str
    key: str
    charge_id: str
    account_id: str
    token: str
    currency: str
    amount: int
    state: AttemptState
    create_time: int


class FakeCharges(Protocol):
    """The books of the built-in fake gateway: in transactions of their own, as another house's would be."""

    async def get(self, tenant_id: str, key: str) -> FakeCharge | None:
        """What it did when it was asked with a key."""
        ...

    async def add(self, charge: FakeCharge) -> bool:
        """Note what it does; False where it was asked with this key before."""
        ...

    async def settle(self, charge: FakeCharge, state: AttemptState) -> None:
        """What was pending is decided."""
        ...

    async def succeeded(self, tenant_id: str, *, start: int, end: int) -> Sequence[FakeCharge]:
        """Charges that took money from an instant on, before another."""
        ...

    async def count(self, tenant_id: str, account_id: str, token: str) -> int:
        """How often an account's token was asked for money."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRefund:
    """What the built-in fake gateway gave back of a charge, which was asked for by `charge_key`."""

    tenant_id: str
    key: str
    refund_id: str
    charge_key: str
    currency: str
    amount: int
    state: AttemptState
    create_time: int


class FakeRefunds(Protocol):
    """What the built-in fake gateway gave back: its own books, too."""

    async def get(self, tenant_id: str, key: str) -> FakeRefund | None:
        """What it did when it was asked with a key."""
        ...

    async def add(self, refund: FakeRefund) -> FakeRefund:
        """Note what it does, once a key; FAILED where its charge did not take so much, or gave it back already."""
        ...

    async def settle(self, refund: FakeRefund, state: AttemptState) -> None:
        """What was pending is decided."""
        ...

    async def succeeded(self, tenant_id: str, *, start: int, end: int) -> Sequence[FakeRefund]:
        """What was given back of what was asked for from an instant on, before another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEvent:
    """What the built-in fake gateway has to tell of a charge, asked for by `key`, from `due_time` on (real time)."""

    tenant_id: str
    event_id: str
    key: str
    state: AttemptState
    body: str
    due_time: int | None
    tries: int = 0


class FakeEvents(Protocol):
    """What the built-in fake gateway has to tell: its own books, too."""

    async def add(self, events: Sequence[FakeEvent]) -> None:
        """Note what is to be told; what was noted before stays as it is."""
        ...

    async def due(self, *, now: int, limit: int) -> Sequence[FakeEvent]:
        """What is to be told by now, the newest first."""
        ...

    async def told(self, event: FakeEvent, *, again: int | None) -> None:
        """It was told; where nobody took it in, it is told again then."""
        ...

"""How a change of seats or users is charged: noted in its transaction, and invoiced there if it is wanted at once."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tallygate.billing.change_invoices import invoice_change
from tallygate.domain.billing.documents import Invoice
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import UseCase
from tallygate.server.wire.subscription import decode_invoice_now, decode_proration

T = TypeVar("T")


class _Asked(Protocol):
    @property
    def proration(self) -> int: ...
    @property
    def invoice(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged(Generic[T]):
    """What came of a change, and the documents that were issued for it at once."""

    value: T
    invoices: tuple[Invoice, ...]


def charged(account_id: str, request: _Asked, change: UseCase[T]) -> UseCase[Charged[T]]:
    """A change of an account's seats or users, charged as its request says; one that changes nothing is not invoiced.

    Raises:
        InvalidFieldError: it says something unknown.
    """
    proration = decode_proration(request.proration)
    at_once = decode_invoice_now(request.invoice)

    async def make(work: BillingWork, now: int) -> Charged[T]:
        value = await change(work, now)
        changed = await work.quantities.note(account_id, proration)
        issued = await invoice_change(work, account_id, now=now) if at_once and changed else ()
        return Charged(value=value, invoices=issued)

    return make

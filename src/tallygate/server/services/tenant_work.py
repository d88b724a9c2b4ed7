"""Runs a control-plane use-case for a call: in its tenant, at the time that the clock shows."""

from dataclasses import dataclass
from typing import TypeVar

from tallygate.data_plane.ports import Clock
from tallygate.domain.fields import checked_page
from tallygate.records.history import Author
from tallygate.records.paging import PageRequest
from tallygate.records.ports import BillingWork, NewId
from tallygate.records.transactions import Transactions, UseCase, Written
from tallygate.server.calls.method import Call

T = TypeVar("T")
_USUAL_DOCUMENTS, _MOST_DOCUMENTS = 25, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantWork:
    """What the control plane's servicers stand on; `clock` is real time, to which a test's offset is added."""

    transactions: Transactions
    clock: Clock
    new_id: NewId

    async def read(self, call: Call, use_case: UseCase[T]) -> T:
        """Run a use-case that only reads."""
        return await self.transactions.read(call.tenant_id, use_case, now=self.clock())

    async def write(self, call: Call, use_case: UseCase[T], *, reason: str = "") -> Written[T]:
        """Run a use-case, commit and publish it; by whose key it was asked for, and why, is kept with what says so."""
        author = Author(key_id=call.key.key_id, key_name=call.key.name, reason=reason)
        return await self.transactions.write(call.tenant_id, use_case, now=self.clock(), author=author)

    async def read_versioned(self, call: Call, use_case: UseCase[T]) -> Written[T]:
        """Run a use-case that only reads, and say in which view version it did."""

        async def versioned(work: BillingWork, now: int) -> Written[T]:
            value = await use_case(work, now)
            return Written(value=value, view_version=(await work.tenants.get()).view_version)

        return await self.read(call, versioned)


def page_request(size: int, token: str) -> PageRequest:
    """Which page a list was asked for."""
    return PageRequest(page_size=checked_page(size), page_token=token)


def document_page(size: int, token: str) -> PageRequest:
    """Which page of documents or of what they moved a list was asked for; such pages are small, for items are large."""
    return PageRequest(page_size=checked_page(size, usual=_USUAL_DOCUMENTS, most=_MOST_DOCUMENTS), page_token=token)

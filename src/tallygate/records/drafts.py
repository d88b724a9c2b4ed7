"""Which documents are under review: what they charge is made anew at every look, and kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tallygate.domain.billing.documents import InvoiceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document that the cut of an account at an instant makes, by the id under which it will be issued."""

    invoice_id: str
    account_id: str
    kind: InvoiceKind
    cause: str
    cut_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftQuery:
    """Which drafts, the last cuts first; what is left out restricts nothing. `before` is a cut and an id."""

    limit: int
    account_id: str = ""
    kind: InvoiceKind | None = None
    before: tuple[int, str] | None = None


class DraftRepository(Protocol):
    """The drafts of a tenant. Raises StoreUnavailableError when its store cannot be reached in time."""

    async def replace(self, account_id: str, drafts: Sequence[Draft]) -> None:
        """These are all drafts of an account."""
        ...

    async def get(self, invoice_id: str) -> Draft | None:
        """One draft."""
        ...

    async def list(self, wanted: DraftQuery) -> Sequence[Draft]:
        """Those asked for."""
        ...

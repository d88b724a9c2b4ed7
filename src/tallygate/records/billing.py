"""What billing keeps, and the repositories of it in a unit of work. Instants are microseconds since the Unix epoch.

Every method raises StoreUnavailableError when its store cannot be reached in time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from tallygate.domain.account import ChangeProration
from tallygate.domain.billing.adjusting import IssuedLine
from tallygate.domain.billing.balances import Balance, InvoiceState
from tallygate.domain.billing.documents import Invoice, InvoiceKind
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.parties import BillingProfile
from tallygate.domain.billing.rating import Billed
from tallygate.domain.billing.tax import Credited
from tallygate.domain.billing.timeline import PriceOverride, QuantityChange
from tallygate.domain.billing.wallet import WalletEntry
from tallygate.domain.catalog import FormerZone

LOOK_BACK = 93 * 86_400_000_000
"""How far behind its last cut lines of an account are compared with what its subscriptions say now: over two months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check, by the kind of its job, has found of an account, or of a tenant where `subject` is empty.

    `number` is how many things it is, `detail` the first of them in words.
    """

    kind: str
    subject: str
    number: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingAccount:
    """How far an account is billed: everything due up to `closed_until` is on an invoice, or has a reason not to be.

    `zone` is the one that it was in then, and `former_zones` those before: what was charged keeps its boundaries.
    """

    account_id: str
    closed_until: int
    zone: str
    former_zones: tuple[FormerZone, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How many documents an account has, and how many changes of its subscriptions are on record."""

    documents: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceQuery:
    """Which invoices, newest first; what is left out restricts nothing. `before` is an instant of issue and an id.

    Issued at `since` or later, and before `until`; `text` is found in the number, the buyer, or a line.
    """

    limit: int
    account_id: str = ""
    state: InvoiceState | None = None
    kind: InvoiceKind | None = None
    since: int | None = None
    until: int | None = None
    text: str = ""
    before: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletQuery:
    """Which movements of a wallet, newest first; `before` is an instant and an id."""

    account_id: str
    limit: int
    before: tuple[int, str] | None = None


class InvoiceRepository(Protocol):
    """Issued documents and their lines, which never change."""

    async def issue(self, invoice: Invoice) -> None:
        """Add a document with its lines; a line that was issued before fails the transaction."""
        ...

    async def get(self, name: str) -> Invoice | None:
        """One document by its id or number, with its lines."""
        ...

    async def list(self, wanted: InvoiceQuery) -> Sequence[Invoice]:
        """Those asked for, newest first, without their lines."""
        ...

    async def next_number(self, series: str, *, now: int) -> tuple[int, int]:
        """The next number of a series, without gaps, and the instant of its issue: now, or its last one's if later."""
        ...


class BalanceRepository(Protocol):
    """What is left to pay of documents; it comes with a document's issue."""

    async def put(self, invoice_id: str, balance: Balance) -> None:
        """Replace a document's balance."""
        ...

    async def open(self, account_id: str, currency: str, *, limit: int) -> Mapping[str, Balance]:
        """Those of an account's open documents, by id, oldest first."""
        ...


class WalletRepository(Protocol):
    """The money of accounts that no invoice has taken yet."""

    async def add(self, entry: WalletEntry) -> None:
        """Add a movement; one that was added before fails the transaction."""
        ...

    async def get(self, entry_id: str) -> WalletEntry | None:
        """One movement."""
        ...

    async def sums(self, account_id: str) -> Mapping[str, int]:
        """What an account has, in minor units, by currency."""
        ...

    async def list(self, wanted: WalletQuery) -> Sequence[WalletEntry]:
        """An account's movements, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiven:
    """A document that is void, and its lines by the names that they had first; whether it was issued anew."""

    invoice_id: str
    line_keys: frozenset[str]
    reissued: bool


class IssuedLines(Protocol):
    """What was charged already."""

    async def since(self, account_id: str, *, since: int) -> Sequence[IssuedLine]:
        """An account's lines that fell due after an instant."""
        ...

    async def whole(self, line_keys: Collection[str]) -> dict[str, Line]:
        """Lines by their keys, as they were issued."""
        ...

    async def place(self, line_key: str) -> tuple[str, int] | None:
        """The document of a line by its key, and its number there; None where it was not issued."""
        ...

    async def credited(self, line_keys: Collection[str]) -> dict[str, Credited]:
        """Lines by their keys, as they were issued, each with those that credited it."""
        ...

    async def usage(self, lines: Collection[str]) -> dict[str, Billed]:
        """What usage lines of these windows came to, by window."""
        ...

    async def forgiven(self, account_id: str) -> Sequence[Forgiven]:
        """An account's documents that are void."""
        ...

    async def from_document(self, account_id: str, documents: int) -> dict[str, Fraction]:
        """What lines came to, exactly and by key, of the documents that an account had so many before, or more."""
        ...

    async def torn(self, invoice_id: str) -> dict[int, str]:
        """By number the lines of a document of which figures that are kept beside them say otherwise, and what."""
        ...


class Marks(Protocol):
    """How much accounts have by now."""

    async def of(self, account_id: str) -> Mark:
        """Of one account, with what this unit of work has added."""
        ...


class BillingAccountRepository(Protocol):
    """How far accounts are billed."""

    async def get(self, account_id: str) -> BillingAccount | None:
        """One account; a write holds its tenant's lock."""
        ...

    async def put(self, account: BillingAccount) -> None:
        """Add or replace one."""
        ...


class FeeRepository(Protocol):
    """Fees and their offsets, which never change."""

    async def add(self, fee: Fee) -> None:
        """Add a fee, and let billing look at its account."""
        ...

    async def get(self, fee_id: str) -> Fee | None:
        """One fee."""
        ...

    async def offset_of(self, fee_id: str) -> Fee | None:
        """The fee that takes this one back."""
        ...

    async def uninvoiced(self, account_id: str) -> Sequence[Fee]:
        """Those of an account that no line charges yet, oldest first."""
        ...


class Findings(Protocol):
    """What checks of the books have found."""

    async def put(self, finding: Finding) -> None:
        """Note one, in place of an earlier one of its kind and subject."""
        ...

    async def clear(self, kind: str, subject: str) -> None:
        """There is nothing to be found any more."""
        ...


class Quantities(Protocol):
    """How many seats and users accounts had, and since when."""

    async def of(self, account_id: str) -> Sequence[QuantityChange]:
        """Every change of an account, by source and time."""
        ...

    async def note(self, account_id: str, proration: ChangeProration) -> bool:
        """Note what this transaction has changed of an account so far, and how that is charged; whether it did."""
        ...


class PriceOverrides(Protocol):
    """Accounts' own prices, which never change; an end is noted beside what it ends."""

    async def add(self, account_id: str, override: PriceOverride) -> None:
        """Add one, and let billing look at its account."""
        ...

    async def end(self, account_id: str, override: PriceOverride, *, end_id: str) -> None:
        """Note under an id of its own that one ends at its `end_time`."""
        ...

    async def of(self, account_id: str) -> Sequence[PriceOverride]:
        """All of an account, by creation, each with the end that it has by now."""
        ...


class ProfileRepository(Protocol):
    """Who accounts and the seller, whose id is empty, are on documents."""

    async def get(self, account_id: str) -> BillingProfile | None:
        """One profile."""
        ...

    async def put(self, profile: BillingProfile) -> None:
        """Add or replace one."""
        ...

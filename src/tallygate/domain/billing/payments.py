"""Payments: methods, attempts to be paid through a gateway, and what became of them. No clock, no I/O.

Only what may be shown of a card is here: a gateway's token, brand, last four digits, expiry.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from tallygate.domain.billing.balances import Balance


class AttemptState(StrEnum):
    """Where an attempt stands: it is sent once, with one key, and only ever moves on by rank."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    PENDING = "pending"
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def rank(self) -> int:
        """What came later in an attempt's life; a failure that turns out to be paid is paid."""
        return tuple(AttemptState).index(self)


IN_FLIGHT = (AttemptState.SENDING, AttemptState.UNKNOWN)
"""Whether money moved is not known: of an account and currency there is one at most."""
UNRESOLVED = (*IN_FLIGHT, AttemptState.PENDING)
"""What may still take money: of an invoice there is one at most."""


class Advice(StrEnum):
    """What a gateway says of a failure: whether another attempt can help."""

    RETRY_LATER = "retry_later"
    NEW_METHOD = "new_method"
    NEVER = "never"


class Cause(StrEnum):
    """Who began an attempt."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class PaymentKind(StrEnum):
    """How money came."""

    GATEWAY = "gateway"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A payment gateway that a tenant uses, since `create_time`: what was issued before is not collected by itself."""

    name: str
    create_time: int
    credentials: str = field(default="", repr=False)
    """What is known of it, sealed."""
    secrets: tuple[str, ...] = ()
    """Of what that consists, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way in which an account pays: a gateway's token, as it is kept, and what may be shown of the card behind it.

    One of an account's is the default; a `detach_time` says that it is used no more.
    """

    method_id: str
    account_id: str
    gateway: str
    token: str = field(repr=False)
    brand: str = ""
    last4: str = ""
    expiry_year: int = 0
    expiry_month: int = 0
    default: bool = False
    create_time: int
    detach_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What of an amount an invoice takes, in minor units; of no invoice it is what goes into the wallet."""

    invoice_id: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to be paid an invoice, and balances too small for their own that ride along.

    `amount` is what is asked for, `shares` whose it was then. `key` is what the gateway knows it by: the same request
    is never sent by another one. `gateway_id` is the gateway's own name of it.
    """

    attempt_id: str
    account_id: str
    invoice_id: str
    currency: str
    amount: int
    shares: tuple[Share, ...]
    gateway: str
    method_id: str
    token: str = field(repr=False)
    text: str
    cause: Cause
    state: AttemptState = AttemptState.SENDING
    advice: Advice | None = None
    reason: str = ""
    gateway_id: str = ""
    next_action_url: str = ""
    create_time: int
    end_time: int | None = None
    sent_until: int = 0
    """Until when, of real time, whoever sends it may be at it: nobody else asks before what became of it."""

    @property
    def key(self) -> str:
        """What makes sending it again the same request."""
        return self.attempt_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a gateway says of an attempt; `reason` is its code, in its own words.

    What never `arrived` failed without having been tried: it takes no turn of those that there are.
    """

    state: AttemptState
    gateway_id: str = ""
    advice: Advice | None = None
    reason: str = ""
    next_action_url: str = ""
    arrived: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came, in minor units, and whose it became. A gateway's bears its attempt's id."""

    payment_id: str
    account_id: str
    currency: str
    amount: int
    kind: PaymentKind
    shares: tuple[Share, ...]
    gateway: str = ""
    gateway_id: str = ""
    reference: str = ""
    create_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An open invoice with something due, as collecting sees it."""

    invoice_id: str
    number: str
    currency: str
    issue_time: int
    balance: Balance


def allocated(amount: int, owed: tuple[Owed, ...], *, first: tuple[str, ...]) -> tuple[Share, ...]:
    """Whose an amount becomes: of the invoices that it was asked for, then of others as they come, then a wallet's."""
    order = sorted(owed, key=lambda one: first.index(one.invoice_id) if one.invoice_id in first else len(first))
    shares: list[Share] = []
    for one in order:
        share = min(amount, one.balance.due)
        if share:
            shares.append(Share(invoice_id=one.invoice_id, amount=share))
            amount -= share
    return (*shares, Share(invoice_id="", amount=amount)) if amount else tuple(shares)

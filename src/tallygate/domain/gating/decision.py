"""What an answer is: a decision, its reason from a closed set, the pots that paid, and what would unblock a denial."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The one rule that settled a decision; the wire's `Reason`, name by name."""

    ENTITLED = "ENTITLED"
    WITHIN_LIMIT = "WITHIN_LIMIT"
    OVERAGE = "OVERAGE"
    UNLIMITED = "UNLIMITED"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"
    SUBSCRIPTION_EXPIRED = "SUBSCRIPTION_EXPIRED"
    SUSPENDED = "SUSPENDED"
    NOT_IN_PLAN = "NOT_IN_PLAN"
    VALUE_NOT_GRANTED = "VALUE_NOT_GRANTED"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    REFUND_EXCEEDS_USAGE = "REFUND_EXCEEDS_USAGE"
    RATE_LIMITED = "RATE_LIMITED"
    SEAT_LIMIT = "SEAT_LIMIT"
    SEAT_NOT_ASSIGNED = "SEAT_NOT_ASSIGNED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"


class DecidedOn(StrEnum):
    """On what an answer rests: the store just now, the view in process, or a failure policy."""

    FRESH = "FRESH"
    CACHED = "CACHED"
    FALLBACK = "FALLBACK"


class PotKind(StrEnum):
    """What paid for units: the included allowance, a grant, or overage (billable)."""

    INCLUDED = "INCLUDED"
    GRANT = "GRANT"
    OVERAGE = "OVERAGE"


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen: one is made a call, at a third of the cost
class Pot:
    """Units paid from one pot; negative where a refund returned them to it.

    `uncharged` is how much of the quantity a recorded refund returned that was never charged, so it is not above zero.
    """

    kind: PotKind
    quantity: int
    grant_id: str = ""
    uncharged: int = 0


class SourceKind(StrEnum):
    """Where an entitlement comes from."""

    PLAN = "PLAN"
    ADD_ON = "ADD_ON"
    OVERRIDE = "OVERRIDE"
    GRANT = "GRANT"
    TRIAL = "TRIAL"
    DEFAULT_PLAN = "DEFAULT_PLAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One contribution to an entitlement; `quantity` counts add-ons held."""

    kind: SourceKind
    key: str
    version: int = 0
    quantity: int = 1


class UnblockKind(StrEnum):
    """What would let the same request pass."""

    ADD_ON = "ADD_ON"
    UPGRADE = "UPGRADE"
    SEAT = "SEAT"
    TOP_UP = "TOP_UP"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblockOption:
    """One thing to buy that would let this amount pass, and the limit that would then hold (absent: unlimited)."""

    kind: UnblockKind
    key: str
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one question about one feature.

    `limit` and `remaining` are None where there is none (see `unlimited`), `hard_limit` where overage does not end, and
    `shortfall` where nothing is missing. `grants_left` says what each grant in force still holds, in burn order, of all
    but replays. `retry_after` is in microseconds, for this amount, and None if waiting never helps. `used` counts the
    usage period [period_start, period_end).
    """

    feature_key: str
    allowed: bool
    reason: Reason
    value: bool | int | str | tuple[str, ...] | None = None
    unlimited: bool = False
    limit: int | None = None
    used: int = 0
    remaining: int | None = None
    hard_limit: int | None = None
    shortfall: int | None = None
    granted_quantity: int = 0
    pots: tuple[Pot, ...] = ()
    grants_left: tuple[Pot, ...] = ()
    period_start: int | None = None
    reset_time: int | None = None
    retry_after: int | None = None
    sources: tuple[Source, ...] = ()
    unblock_options: tuple[UnblockOption, ...] = ()
    view_version: int = 0
    decided_on: DecidedOn = DecidedOn.FRESH
    view_age: int = 0
    replayed: bool = False
    request_id: str = ""

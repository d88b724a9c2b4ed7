"""What callers ask of the data plane, as values; the server decodes the wire into these.

Instants are microseconds since the Unix epoch, quantities are in the meter's base unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallygate.domain.gating.decision import DecidedOn, Reason, Source
from tallygate.domain.gating.quota import Mode
from tallygate.domain.limits import Algorithm, LimitOwner


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """May this account (and user) use this feature, and would `quantity` more of it pass? None asks for 1."""

    account_id: str
    feature_key: str
    user_id: str = ""
    quantity: int | None = None
    requested_values: tuple[str, ...] = ()
    min_view_version: int = 0
    at_time: int | None = None


@dataclass(slots=True, kw_only=True)  # not frozen: one is made a call, at a third of the cost
class ConsumeRequest:
    """Take `quantity` units (None: 1; negative: return them) under `request_id`, once."""

    account_id: str
    feature_key: str
    request_id: str
    quantity: int | None = None
    user_id: str = ""
    mode: Mode = Mode.ALL_OR_NOTHING
    dimensions: Mapping[str, str] = field(default_factory=dict)
    occurred_time: int | None = None
    min_view_version: int = 0
    carry_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRequest:
    """Open a new usage period of one feature now."""

    account_id: str
    feature_key: str
    request_id: str
    min_view_version: int = 0


NO_ACCOUNT = "\0"
"""An id that no account can have: what an end user gave as one was none."""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen, as above; nobody changes it either
class RateLimitRequest:
    """Take `cost` (None: 1; zero: look only) from the limit named, else from all that match the descriptor.

    An empty `account_id` asks for the tenant's own limits only.
    """

    account_id: str = ""
    limit_key: str = ""
    descriptor: tuple[tuple[str, str], ...] = ()
    cost: int | None = None
    request_id: str = ""
    min_view_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStatus:
    """How one rate limit stands after the call; durations in microseconds, `retry_after` None if it can never pass.

    `source` is who gives the account its figures; None of a limit of the tenant's own.
    """

    limit_key: str
    owner: LimitOwner
    algorithm: Algorithm
    allowed: bool
    limit: int
    burst: int
    window: int
    remaining: int
    reset_time: int
    reset_after: int
    retry_after: int | None
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitDecision:
    """The answer over all limits that match; `binding_limit_key` is the one that denied, or is nearest to."""

    allowed: bool
    reason: Reason
    statuses: tuple[LimitStatus, ...] = ()
    binding_limit_key: str = ""
    retry_after: int | None = None
    view_version: int = 0
    decided_on: DecidedOn = DecidedOn.FRESH
    view_age: int = 0
    replayed: bool = False
    request_id: str = ""

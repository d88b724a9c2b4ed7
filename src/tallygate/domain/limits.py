"""Rate limits as a catalogue has them, and the rules by which descriptors meet them."""

from dataclasses import dataclass, field
from enum import StrEnum


class OnUnavailable(StrEnum):
    """What a gate answers when its store cannot: an error that says retry, or an allowance marked as fallback."""

    CLOSED = "closed"
    OPEN = "open"


class Algorithm(StrEnum):
    """How a rate limit refills."""

    TOKEN_BUCKET = "token_bucket"  # noqa: S105 - an algorithm's name, no secret
    FIXED_WINDOW = "fixed_window"
    SLIDING_WINDOW = "sliding_window"


class LimitOwner(StrEnum):
    """Whose calls share one rate limit."""

    ACCOUNT = "account"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A limit over a short window; `burst` is a token bucket's size, by default the limit."""

    limit: int
    window: int
    burst: int | None = None

    @property
    def size(self) -> int:
        """How much a token bucket holds: nothing, where the limit is 0."""
        return self.limit if self.burst is None or not self.limit else self.burst


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorRule:
    """An entry that a call's descriptor must hold: any value, or just this one."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRule:
    """How a rate limit is matched and counted; the figures stand in plans, or in `value` for a tenant's own.

    `value_time` is when `value` came into force; 0 where nobody noted it.
    """

    limit_key: str
    owner: LimitOwner
    algorithm: Algorithm
    descriptor: tuple[DescriptorRule, ...] = ()
    value: RateLimit | None = None
    on_unavailable: OnUnavailable = OnUnavailable.OPEN
    archived: bool = False
    value_time: int = field(default=0, compare=False)

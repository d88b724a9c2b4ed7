"""What the hot use-cases need from the outside: gates, views, keys. Nothing here knows Redis, SQL or gRPC."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tallygate.domain.account import AccountRecord
from tallygate.domain.catalog import CatalogSnapshot
from tallygate.domain.credential import KeyRecord
from tallygate.domain.errors import UnavailableError
from tallygate.domain.gating.admit import AdmitStatus, Answer, Identified
from tallygate.domain.gating.quota import Mode, QuotaGate
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectContext:
    """What a fact says besides what was counted: who asked, under which identity, along which dimensions."""

    request_id: str = ""
    user_id: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    billable: bool = True
    carry_in: bool = False


NO_EFFECT = EffectContext()
"""The context of a call that leaves no fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitCall:
    """Gates to admit together, all or none, and the versions of the view that they were resolved with.

    `account_id` is empty for a call that concerns no account (a tenant's own rate limits); its versions then cover the
    catalogue only. `clock` says what time it is for the tenant. `others` are further accounts, with the versions of
    their records, whose own rate limits are among the gates. `strict` asks for an answer only when replicas have it.
    """

    tenant_id: str
    account_id: str
    catalog_version: int
    account_version: int
    gates: tuple[Identified, ...]
    context: EffectContext = NO_EFFECT
    clock: TenantClock = REAL_TIME
    peek: bool = False
    others: tuple[tuple[str, int], ...] = ()
    strict: bool = False


@dataclass(slots=True, kw_only=True)  # not frozen: one is made a call, at a third of the cost
class AdmitReply:
    """How a call was decided, at the store's own `now` (by the tenant's clock); answers in the gates' order."""

    status: AdmitStatus
    now: int
    answers: tuple[Answer, ...] = ()


class Asked(NamedTuple):
    """What one call asks of one gate: a quantity or cost, in which mode, when it happened, and as which effect.

    Without a digest nothing is remembered and nothing replayed.
    """

    quantity: int | None = None
    digest: bytes = b""
    payload_hash: bytes = b""
    mode: Mode = Mode.ALL_OR_NOTHING
    occurred_time: int | None = None

    @classmethod
    def of(cls, item: Identified) -> "Asked":
        """What an identified gate asks of itself."""
        gate = item.gate
        if isinstance(gate, QuotaGate):
            return cls(gate.quantity, item.digest, item.payload_hash, gate.mode, gate.occurred_time)
        cost = gate.cost if isinstance(gate, RateGate) else 0
        return cls(cost, item.digest, item.payload_hash)


About = tuple[str, str, Mapping[str, str]]
"""Request id, user id and dimensions of an effect."""

NOBODY: About = ("", "", {})
"""Of what leaves no fact."""

Answered = Callable[[AdmitReply | UnavailableError], None]
"""Told once how a call was decided, or why the store could not: then nobody knows whether the effect happened."""


class Program(Protocol):
    """Calls that share all but what each asks: made once from one of them, as long as its view holds."""

    def ask(self, asked: Sequence[Asked], about: About, answered: Answered) -> None:
        """Ask this of the gates, in their order."""
        ...


class GateStore(Protocol):
    """Where gates are evaluated and committed atomically, all or none.

    It answers with a StoreUnavailableError when it cannot be reached in time; whether the effect happened is then
    unknown, and a retry with the same request_id is safe.
    """

    def prepare(self, call: AdmitCall) -> Program:
        """What calls like this one share, made ready: the same gates on the same view, whatever each asks of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewVersions:
    """The newest versions published: of the tenant's catalogue and of one account's record (0: there is none).

    `applied` says how far the tenant's log of writes has been published without a gap.
    """

    catalog: int
    account: int
    applied: int


class ViewSource(Protocol):
    """The published view. Raises StoreUnavailableError when it cannot be read in time."""

    async def versions(self, tenant_id: str, account_id: str) -> ViewVersions:
        """What is newest now, read in one round trip."""
        ...

    async def all_versions(self, tenant_id: str, account_ids: Sequence[str]) -> Sequence[ViewVersions]:
        """The same for several accounts, in their order and in one round trip."""
        ...

    async def catalog(self, tenant_id: str) -> CatalogSnapshot | None:
        """The tenant's catalogue snapshot, or None where it has none."""
        ...

    async def newest(self, tenant_id: str, account_id: str) -> tuple[ViewVersions, AccountRecord | None]:
        """The account's record, None where there is no such account, and what is newest, in one round trip.

        The catalogue's version is at least that of the catalogue on which the record rests.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChange:
    """An announcement that something was published; an empty `account_id` means the tenant's catalogue."""

    tenant_id: str
    account_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReturned:
    """An announcement that units of a feature were returned, or its usage was reset: what was denied may pass now."""

    tenant_id: str
    account_id: str
    feature_key: str


class Listener(Protocol):
    """Who is told what is announced, and when that can be relied on."""

    def on_change(self, change: ViewChange) -> None:
        """Something was published."""
        ...

    def on_return(self, returned: UsageReturned) -> None:
        """Something that was used is not used any more."""
        ...

    def on_gap(self) -> None:
        """Announcements may have been missed, and may be until `on_live`."""
        ...

    def on_live(self) -> None:
        """From here on nothing is missed; until here something may have been."""
        ...


class KeySource(Protocol):
    """The key table as every process reads it. Raises StoreUnavailableError when it cannot be read in time."""

    async def key(self, digest: str) -> KeyRecord | None:
        """The record of the key with this SHA-256 digest."""
        ...

    async def table_version(self) -> int:
        """Raised with every change of any key."""
        ...


class Published(ViewSource, KeySource, Protocol):
    """All that is published, as a process reads it."""


Clock = Callable[[], int]
"""Now, in microseconds since the Unix epoch."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits for some seconds; tests pass one that does not."""

"""What is measured, by row, and beside each row the figures that it should reach."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from load import requests
from load.population import account_id
from load.world import World
from tallygate_api.v1.entitlement_service_pb2 import ConsumeMode

ENTITLEMENTS, ENVOY = "tallygate.v1.EntitlementService", "envoy.service.ratelimit.v3.RateLimitService"

LEVELS = {1: (1, 1), 16: (4, 4), 128: (4, 32)}
"""Calls in flight: over how many connections, how many on each."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Calls/s as a multiple of echo's on the same transport; of a batch, checks/s of the single check's calls/s."""

    floor: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of call. `payload` is sent again and again by h2load; `payloads` differ and go by `load.frames`.

    `reason` is why every answer is what it is: whoever is answered otherwise has failed. A row that is not `allowed` is
    denied each time. `writes` says that the answer may wait for Valkey's disk, `quick` that the short run has the row,
    `tcp` that the run on TCP has it, `decisions` how many a call makes, `met` after how many calls every account has
    been asked about: a view holds for seconds, so that they come just before what is timed.
    """

    name: str
    method: str
    payload: Callable[[World], bytes] | None = None
    payloads: Callable[[World], Iterator[bytes]] | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    writes: bool = False
    quick: bool = False
    echo: bool = False
    checks: int = 1
    role: str = "data"
    levels: tuple[int, ...] = (1, 16, 128)
    service: str = ENTITLEMENTS
    reason: str = ""
    allowed: bool = True
    decisions: int = 1
    tcp: bool = False
    met: int = 2_000

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.method}"

    @property
    def measured(self) -> str:
        """The method as the sidecar's metrics name it."""
        return f"{self.service.rpartition('.')[2]}/{self.method}"

    @property
    def driver(self) -> str:
        return "h2load" if self.payload is not None else "frames"


ECHO = {"h2load": "echo", "frames": "echo (distinct requests)"}
SINGLE = "CheckEntitlement cached (boolean)"
_CHECK = {"native": Target(floor=0.80), "grpcio": Target(floor=0.85)}
_METERED = {"native": Target(floor=0.60), "grpcio": Target(floor=0.55)}
_CONSUME = {"native": Target(floor=0.30), "grpcio": Target(floor=0.55)}
_COLLECTED = {"native": Target(floor=0.40), "grpcio": Target(floor=0.55)}
_REPLAY = {"native": Target(floor=0.35)}
_LIMIT = {"native": Target(floor=0.50), "grpcio": Target(floor=0.55)}
_BATCH = {"native": Target(floor=5), "grpcio": Target(floor=20)}
_WARM = range(100)
KEPT = range(10_000)
"""Accounts that the sidecar keeps, all of them: taken in turn, as many as it has room for would already miss."""
BEYOND_CACHE = range(50_000)
"""Twice as many accounts as the sidecar caches: taken in turn, each one is a miss."""
_MANY = 10_000_000


def _consumes(world: World) -> Iterator[bytes]:
    return requests.consumes(world.take_numbers(_MANY))


def _check(name: str, feature_key: str, **more: Any) -> Row:
    return Row(name=name, method="CheckEntitlement", payload=lambda _: requests.check(feature_key), **more)


def _rate_limit(name: str, value: str, limit_key: str = "", **more: Any) -> Row:
    more = {"reason": "WITHIN_LIMIT", "writes": True, **more}
    return Row(name=name, method="RateLimit", payload=lambda _: requests.rate_limit(value, limit_key=limit_key), **more)


def _envoy(name: str, *values: str, **more: Any) -> Row:
    more = {"reason": "WITHIN_LIMIT", "service": ENVOY, "writes": True, **more}
    return Row(name=name, method="ShouldRateLimit", payload=lambda _: requests.descriptors(*values), **more)


def _consume(name: str, payloads: Callable[[World], Iterator[bytes]] = _consumes, **more: Any) -> Row:
    return Row(
        name=name, method="ConsumeQuota", payloads=payloads, **{"reason": "WITHIN_LIMIT", "writes": True, **more}
    )


def _of_accounts(accounts: Sequence[str], **fields: Any) -> Callable[[World], Iterator[bytes]]:
    return lambda world: requests.consumes_of(accounts, world.take_numbers(_MANY), **fields)


_ACCOUNTS = [account_id(number) for number in range(requests.CONSUMERS)]

ROWS = (
    _check(ECHO["h2load"], "sso", echo=True, quick=True, writes=True, tcp=True),
    _consume(ECHO["frames"], echo=True, quick=True, tcp=True),
    _check(SINGLE, "sso", targets=_CHECK, quick=True, tcp=True, reason="ENTITLED"),
    _check("CheckEntitlement cached (number)", "retention_days", targets=_CHECK, reason="ENTITLED"),
    Row(
        name="CheckEntitlement, all accounts, warm",
        method="CheckEntitlement",
        payloads=lambda _: requests.checks_of("sso", KEPT),
        targets=_CHECK,
        reason="ENTITLED",
        met=len(KEPT),
    ),
    Row(
        name="CheckEntitlement, bytes that never repeat",
        method="CheckEntitlement",
        payloads=lambda world: requests.checks_that_never_repeat(world.take_numbers(_MANY)),
        targets=_CHECK,
        reason="ENTITLED",
        tcp=True,
    ),
    _check("CheckEntitlement metered", "api_calls", targets=_METERED, quick=True, reason="WITHIN_LIMIT"),
    _consume("ConsumeQuota", targets=_CONSUME, quick=True, tcp=True),
    Row(
        name="ConsumeQuota replayed",
        method="ConsumeQuota",
        payload=lambda _: requests.consume_again(),
        targets=_REPLAY,
        reason="WITHIN_LIMIT",
        writes=True,
    ),
    Row(
        name="ConsumeQuota denied",
        method="ConsumeQuota",
        payload=lambda _: requests.consume_too_much(),
        reason="QUOTA_EXHAUSTED",
        allowed=False,
    ),
    _consume("ConsumeQuota BEST_EFFORT", _of_accounts(_ACCOUNTS, mode=ConsumeMode.CONSUME_MODE_BEST_EFFORT)),
    _consume("ConsumeQuota of one account", _of_accounts(_ACCOUNTS[:1])),
    _consume("ConsumeQuota of one account, with a grant", _of_accounts([requests.GRANTED_ACCOUNT])),
    _rate_limit("RateLimit fixed window (a bare INCR's like)", "fixed", "bench_fixed", targets=_LIMIT),
    _rate_limit("RateLimit one limit (token bucket)", "one", "bench_one", targets=_LIMIT, quick=True, tcp=True),
    _rate_limit("RateLimit three limits", "three"),
    _rate_limit("RateLimit sliding window", "sliding", "bench_sliding"),
    _rate_limit("RateLimit denied", "none", "bench_none", reason="RATE_LIMITED", allowed=False, writes=False),
    Row(
        name="RateLimit with a request_id",
        method="RateLimit",
        payloads=lambda world: requests.rate_limits_once("one", "bench_one", world.take_numbers(_MANY)),
        reason="WITHIN_LIMIT",
        writes=True,
    ),
    _envoy("ShouldRateLimit", "one", targets=_LIMIT, quick=True, tcp=True),
    _envoy("ShouldRateLimit denied", "none", reason="RATE_LIMITED", allowed=False, writes=False),
    _envoy("ShouldRateLimit of two descriptors", "one", "fixed", decisions=2),
    Row(
        name="BatchCheck of 100 warm",
        method="BatchCheckEntitlements",
        payload=lambda _: requests.batch(_WARM),
        targets=_BATCH,
        checks=100,
        levels=(1, 16),
        quick=True,
    ),
    Row(
        name="BatchCheck of 100 cold",
        method="BatchCheckEntitlements",
        payloads=lambda _: requests.batches_of(BEYOND_CACHE),
        checks=100,
        levels=(1, 16),
    ),
    _consume("ConsumeQuota, collector in the same process", role="all", targets=_COLLECTED),
)

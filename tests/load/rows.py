"""What is measured, by row, and beside each row the figures that it should reach."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from load import requests
from load.requests import SERVICE
from load.world import World

LEVELS = {1: (1, 1), 16: (4, 4), 128: (4, 32)}
"""Calls in flight: over how many connections, how many on each."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Calls/s as a multiple of echo's on the same transport; of a batch, checks/s of the single check's calls/s."""

    floor: float
    goal: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of call. `payload` is sent again and again by h2load; `payloads` differ and go by `load.frames`.

    `writes` says that the answer may wait for Valkey's disk, `quick` that the short run has the row too.
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

    @property
    def path(self) -> str:
        return SERVICE + self.method

    @property
    def driver(self) -> str:
        return "h2load" if self.payload is not None else "frames"


ECHO = {"h2load": "echo", "frames": "echo (distinct requests)"}
SINGLE = "CheckEntitlement cached (boolean)"
_CHECK = {"native": Target(floor=0.65, goal=0.75), "grpcio": Target(floor=0.85)}
_METERED = {"native": Target(floor=0.35, goal=0.45), "grpcio": Target(floor=0.50)}
_CONSUME = {"native": Target(floor=0.30, goal=0.45), "grpcio": Target(floor=0.40)}
_ONE = {"native": Target(floor=0.33, goal=0.48), "grpcio": Target(floor=0.45)}
_THREE = {"native": Target(floor=0.28, goal=0.40), "grpcio": Target(floor=0.40)}
_BATCH = {"native": Target(floor=5, goal=10), "grpcio": Target(floor=20)}
_WARM = range(100)
BEYOND_CACHE = range(20_000)
"""Twice as many accounts as the sidecar caches: taken in turn, each one is a miss."""


def _consumes(world: World) -> Iterator[bytes]:
    return requests.consumes(world.take_numbers(10_000_000))


ROWS = (
    Row(
        name=ECHO["h2load"],
        method="CheckEntitlement",
        payload=lambda _: requests.check("sso"),
        echo=True,
        quick=True,
        writes=True,
    ),
    Row(name=ECHO["frames"], method="ConsumeQuota", payloads=_consumes, echo=True, quick=True, writes=True),
    Row(name=SINGLE, method="CheckEntitlement", payload=lambda _: requests.check("sso"), targets=_CHECK, quick=True),
    Row(
        name="CheckEntitlement cached (number)",
        method="CheckEntitlement",
        payload=lambda _: requests.check("retention_days"),
        targets=_CHECK,
    ),
    Row(
        name="CheckEntitlement metered",
        method="CheckEntitlement",
        payload=lambda _: requests.check("api_calls"),
        targets=_METERED,
        quick=True,
    ),
    Row(name="ConsumeQuota", method="ConsumeQuota", payloads=_consumes, targets=_CONSUME, writes=True, quick=True),
    Row(
        name="RateLimit fixed window (a bare INCR's like)",
        method="RateLimit",
        payload=lambda _: requests.rate_limit("fixed", limit_key="bench_fixed"),
        writes=True,
    ),
    Row(
        name="RateLimit one limit (token bucket)",
        method="RateLimit",
        payload=lambda _: requests.rate_limit("one", limit_key="bench_one"),
        targets=_ONE,
        writes=True,
        quick=True,
    ),
    Row(
        name="RateLimit three limits",
        method="RateLimit",
        payload=lambda _: requests.rate_limit("three"),
        targets=_THREE,
        writes=True,
    ),
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
    Row(
        name="ConsumeQuota, collector in the same process",
        method="ConsumeQuota",
        payloads=_consumes,
        writes=True,
        role="all",
    ),
)

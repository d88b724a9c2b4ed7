"""One measurement of one row: how fast, how late, and at what CPU cost to whom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Driven:
    """What a driver saw: sorted latencies in seconds of answered calls; its own CPU as a share of one core."""

    calls: int
    failed: int
    seconds: float
    latencies: Sequence[float]
    driver_cpu: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A row at one number of calls in flight; times in microseconds, CPU per call, `ratio` to echo's calls/s.

    `spread` is how far apart the ratios of the rounds lie, as a share of their median; of echo itself its calls/s.
    """

    calls_per_second: float
    p50: float
    p99: float
    cpu_server: float
    cpu_valkey: float
    driver_cpu: float
    failed: int
    ratio: float | None = None
    p50_ratio: float | None = None
    cpu_ratio: float | None = None
    spread: float = 0.0
    rounds: int = 1


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ordered values lie; 0 of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def middle(samples: Iterable[Sample]) -> Sample:
    """The median of each figure, with how many there were; failures are added up, for none may hide in a median."""
    rounds = list(samples)

    def over(name: str) -> float | None:
        values = [value for value in (getattr(sample, name) for sample in rounds) if value is not None]
        return median(values) if values else None

    ratios = [sample.calls_per_second if sample.ratio in {None, 1} else sample.ratio for sample in rounds]
    names = [name for name in Sample.__dataclass_fields__ if name not in {"failed", "spread", "rounds"}]
    return Sample(
        failed=sum(sample.failed for sample in rounds),
        spread=(max(ratios) - min(ratios)) / median(ratios),
        rounds=len(rounds),
        **{name: over(name) for name in names},
    )

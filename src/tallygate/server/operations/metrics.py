"""What is measured, in a registry of its own. No label takes a value that callers choose: no tenant, account or key.

Gauges are read at the scrape, through functions that `watch` is given.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from platform import python_version
from typing import Any, Generic, TypeVar

import grpc
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from tallygate import __version__
from tallygate.domain.gating.decision import DecidedOn, Reason

_LATENCY = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_AGES = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST_NAMES = 64

L = TypeVar("L", bound=tuple[Any, ...])


class _OwnedCounter(Collector):
    """A counter whose count is kept elsewhere."""

    def __init__(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        self._name, self._help, self._read = name, help_text, read

    @override
    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._help, value=self._read())


class _Named(Collector):
    """A gauge for each of a few things that have names; of more than that none is shown, for labels cost memory."""

    def __init__(self, name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._help, self._label, self._read = name, help_text, label, read

    @override
    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._help, labels=[self._label])
        for name, value in sorted(self._read().items())[:_MOST_NAMES]:
            family.add_metric([name], value)
        yield family


class _Owned(Collector, Generic[L]):
    """Counts and sums by labels in plain dictionaries: one event loop counts, and the same one is scraped."""

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...], buckets: tuple[float, ...] = ()) -> None:
        self._name, self._help, self._labels, self._bounds = name, help_text, labels, buckets
        self._counts: dict[L, list[float]] = {}

    def count(self, key: L) -> None:
        """One more."""
        self.counts_of(key)[0] += 1

    def observe(self, key: L, value: float) -> None:
        """One more, of this size."""
        self.observer(key)(value)

    def observer(self, key: L) -> Callable[[float], None]:
        """As `observe`, for who does so often: hashing labels costs more than counting."""
        counts, bounds = self.counts_of(key), self._bounds

        def observed(value: float) -> None:
            counts[bisect_left(bounds, value)] += 1
            counts[-1] += value

        return observed

    def counts_of(self, key: L) -> list[float]:
        """What is counted under these labels; of sizes the last element is the sum, the others count by bucket."""
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0.0] * (len(self._bounds) + 2 if self._bounds else 1)
        return counts

    @override
    def collect(self) -> Iterable[Metric]:
        """What is scraped, as the registry asks for it."""
        if self._bounds:
            histogram = HistogramMetricFamily(self._name, self._help, labels=self._labels)
            for key, counts in self._counts.items():
                if not any(counts):
                    continue
                histogram.add_metric(self._values(key), _cumulated(self._bounds, counts[:-1]), counts[-1])
            yield histogram
            return
        counter = CounterMetricFamily(self._name, self._help, labels=self._labels)
        for key, counts in self._counts.items():
            if counts[0]:
                counter.add_metric(self._values(key), counts[0])
        yield counter

    @staticmethod
    def _values(key: L) -> list[str]:
        return [_label(part) for part in key]


def _label(part: object) -> str:
    if isinstance(part, grpc.StatusCode):
        return part.name
    return str(part).lower() if isinstance(part, bool) else str(part)


def _cumulated(bounds: tuple[float, ...], counts: list[float]) -> list[tuple[str, float]]:
    """Buckets as Prometheus has them: each holds all that is not above its bound."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))


class Metrics:
    """Counts calls and decisions as they happen; the rest is read from its owners when it is scraped."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._calls: _Owned[tuple[str, grpc.StatusCode]] = _Owned(
            "tallygate_call_seconds",
            "How long calls took, by method and gRPC status code.",
            ("method", "code"),
            _LATENCY,
        )
        self._decisions: _Owned[tuple[str, Reason, bool]] = _Owned(
            "tallygate_decisions",
            "Decisions, by kind of feature (or rate_limit), reason, and whether they allowed.",
            ("kind", "reason", "allowed"),
        )
        self._degraded: _Owned[tuple[str, DecidedOn]] = _Owned(
            "tallygate_degraded_decisions",
            "Decisions that did not rest on the store: from the cached view, or by a failure policy.",
            ("kind", "decided_on"),
        )
        self._view_age: _Owned[tuple[()]] = _Owned(
            "tallygate_view_age_seconds", "How old the view was that a decision rested on.", (), _AGES
        )
        for owned in (self._calls, self._decisions, self._degraded, self._view_age):
            self.registry.register(owned)
        ProcessCollector(registry=self.registry)
        told = {"version": __version__, "python": python_version()}
        text = "Which version runs, on which Python; always 1."
        Gauge("tallygate_build_info", text, tuple(told), registry=self.registry).labels(**told).set(1)

    def timer(self, method: str, code: grpc.StatusCode) -> Callable[[float], None]:
        """As `call`, for calls of one method that ended alike."""
        return self._calls.observer((method, code))

    def counter(self, kind: str, reason: Reason, *, allowed: bool) -> Callable[[], None]:
        """As `decided`, for decisions on the store's word that came out alike."""
        counts, ages = self._decisions.counts_of((kind, reason, allowed)), self._view_age.counts_of(())

        def counted() -> None:
            counts[0] += 1
            ages[0] += 1

        return counted

    def aged(self, kind: str, reason: Reason, *, allowed: bool, decided_on: DecidedOn) -> Callable[[int], None]:
        """As `decided`, for decisions without the store that came out alike; called with the view's age."""
        counts = self._decisions.counts_of((kind, reason, allowed))
        degraded, observed = self._degraded.counts_of((kind, decided_on)), self._view_age.observer(())

        def counted(view_age: int) -> None:
            counts[0] += 1
            degraded[0] += 1
            observed(view_age / 1e6)

        return counted

    def call(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """A call ended."""
        self._calls.observe((method, code), seconds)

    def decided(self, kind: str, reason: Reason, *, allowed: bool, decided_on: DecidedOn, view_age: int) -> None:
        """A decision was made on a view this old, in microseconds; `kind` is a feature kind or `rate_limit`."""
        self._decisions.count((kind, reason, allowed))
        if decided_on is not DecidedOn.FRESH:
            self._degraded.count((kind, decided_on))
        self._view_age.observe((), view_age / 1e6)

    def watch(self, name: str, help_text: str, read: Callable[[], float], *, counter: bool = False) -> None:
        """Show what `read` answers at each scrape, as a gauge, or as a counter that its owner keeps."""
        if counter:
            self.registry.register(_OwnedCounter(name, help_text, read))
        else:
            Gauge(name, help_text, registry=self.registry).set_function(read)

    def watch_each(self, name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """As `watch`, a gauge for each of the names that `read` answers with, the first 64 of them."""
        self.registry.register(_Named(name, help_text, label, read))

    def families(self) -> Iterable[Metric]:
        """All that is measured, as it stands."""
        return self.registry.collect()

    def exposition(self) -> bytes:
        """The whole registry in Prometheus' text format."""
        return generate_latest(self.registry)

    async def scrape(self) -> bytes:
        """The same, as the admin port asks for it."""
        return self.exposition()

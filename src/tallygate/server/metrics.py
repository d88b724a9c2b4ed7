"""What is measured, in a registry of its own. No label takes a value that callers choose: no tenant, account or key.

Gauges are read at the scrape, through functions that `watch` is given.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from tallygate.domain.gating.decision import DecidedOn, Reason

_LATENCY = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _OwnedCounter(Collector):
    """A counter whose count is kept elsewhere."""

    def __init__(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        self._name, self._help, self._read = name, help_text, read

    @override
    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._help, value=self._read())


class Metrics:
    """Counts calls and decisions as they happen; the rest is read from its owners when it is scraped."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._calls = Histogram(
            "tallygate_call_seconds",
            "How long calls took, by method and gRPC status code.",
            ["method", "code"],
            buckets=_LATENCY,
            registry=self.registry,
        )
        self._decisions = Counter(
            "tallygate_decisions",
            "Decisions, by kind of feature (or rate_limit), reason, and whether they allowed.",
            ["kind", "reason", "allowed"],
            registry=self.registry,
        )
        self._degraded = Counter(
            "tallygate_degraded_decisions",
            "Decisions that did not rest on the store: from the cached view, or by a failure policy.",
            ["kind", "decided_on"],
            registry=self.registry,
        )
        self._view_age = Histogram(
            "tallygate_view_age_seconds",
            "How old the view was that a decision rested on.",
            buckets=(0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0),
            registry=self.registry,
        )
        # The labels are closed sets, so these caches are bounded; looking a child up costs more than counting.
        self._call = lru_cache(maxsize=4096)(self._call_child)
        self._decision = lru_cache(maxsize=1024)(self._decision_child)

    def call(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """A call ended."""
        self._call(method, code).observe(seconds)

    def decided(self, kind: str, reason: Reason, *, allowed: bool, decided_on: DecidedOn, view_age: int) -> None:
        """A decision was made on a view this old, in microseconds; `kind` is a feature kind or `rate_limit`."""
        self._decision(kind, reason, allowed).inc()
        if decided_on is not DecidedOn.FRESH:
            self._degraded.labels(kind, decided_on.value).inc()
        self._view_age.observe(view_age / 1e6)

    def watch(self, name: str, help_text: str, read: Callable[[], float], *, counter: bool = False) -> None:
        """Show what `read` answers at each scrape, as a gauge, or as a counter that its owner keeps."""
        if counter:
            self.registry.register(_OwnedCounter(name, help_text, read))
        else:
            Gauge(name, help_text, registry=self.registry).set_function(read)

    def exposition(self) -> bytes:
        """The whole registry in Prometheus' text format."""
        return generate_latest(self.registry)

    def _call_child(self, method: str, code: grpc.StatusCode) -> Histogram:
        return self._calls.labels(method, code.name)

    def _decision_child(self, kind: str, reason: Reason, allowed: bool) -> Counter:  # noqa: FBT001 - a cache key
        return self._decisions.labels(kind, reason.value, str(allowed).lower())

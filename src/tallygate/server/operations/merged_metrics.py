"""What several workers measure, as one exposition: counters and histograms added up, gauges by the label `worker`.

A counter never goes back: what a worker had counted when it died stays counted.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from typing_extensions import override

_GAUGE = "gauge"


class MergedMetrics(Collector):
    """Keeps the last exposition of each worker, by its number, and what those before it had counted."""

    def __init__(self) -> None:
        self._last: dict[int, list[Metric]] = {}
        self._retired: list[Metric] = []
        self._restarts = 0

    def take(self, worker: int, exposition: str) -> None:
        """This worker measures that now, in Prometheus' text format."""
        self._last[worker] = list(text_string_to_metric_families(exposition))

    def retire(self, worker: int) -> None:
        """This worker is gone, and another one begins to count in its place."""
        self._retired = list(_added(chain(self._retired, self._last.pop(worker, ()))))
        self._restarts += 1

    @override
    def collect(self) -> Iterable[Metric]:
        """What is scraped, as the registry asks for it."""
        restarts = "tallygate_worker_restarts", "Workers that ended and were started again."
        yield CounterMetricFamily(*restarts, value=self._restarts)
        yield from _added(chain(self._retired, *self._last.values()))
        yield from self._gauges()

    def exposition(self) -> bytes:
        """All workers in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def _gauges(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for worker, families in sorted(self._last.items()):
            for family in families:
                if family.type == _GAUGE:
                    gauge = merged.setdefault(family.name, Metric(family.name, family.documentation, _GAUGE))
                    for sample in family.samples:
                        gauge.add_sample(sample.name, {**sample.labels, "worker": str(worker)}, sample.value)
        yield from merged.values()


def _added(families: Iterable[Metric]) -> Iterator[Metric]:
    """Each family but gauges once, with the sums of its samples."""
    known: dict[str, Metric] = {}
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in families:
        if family.type == _GAUGE:
            continue
        known.setdefault(family.name, family)
        totals = sums.setdefault(family.name, {})
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            totals[key] = totals.get(key, 0.0) + sample.value
    for name, family in known.items():
        total = Metric(name, family.documentation, family.type)
        for (sample_name, labels), value in sums[name].items():
            total.add_sample(sample_name, dict(labels), value)
        yield total

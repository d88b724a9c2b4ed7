"""What several processes measure, as one exposition: counters and histograms added up, gauges by a label.

A counter never goes back: what a process had counted when it died stays counted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

_GAUGE = "gauge"


def packed(families: Iterable[Metric]) -> list[Any]:
    """Families as JSON has them."""
    return [[each.name, each.documentation, each.type, [sample[:3] for sample in each.samples]] for each in families]


def unpacked(families: Iterable[Any]) -> list[Metric]:
    """What `packed` was given."""
    found = []
    for name, documentation, kind, samples in families:
        family = Metric(name, documentation, kind)
        for sample in samples:
            family.add_sample(*sample)
        found.append(family)
    return found


class MergedMetrics(Collector):
    """Keeps what each process has shown last, by its name, and what those before it had counted.

    Gauges are told apart by `label`. Where the process that asks measures, too (`own`), its gauges have no such label,
    and those of others have it only where it has the like.
    """

    def __init__(self, label: str = "worker", own: Callable[[], Iterable[Metric]] | None = None) -> None:
        self._label = label
        self._own = own
        self._last: dict[str, list[Metric]] = {}
        self._retired: list[Metric] = []
        self._restarts = 0
        self._watched: list[tuple[str, str, Callable[[], float]]] = []

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Show what `read` answers, as a gauge of all processes together."""
        self._watched.append((name, help_text, read))

    def take(self, process: str, families: Sequence[Metric]) -> None:
        """This process measures that now."""
        self._last[process] = list(families)

    def retire(self, process: str) -> None:
        """This process is gone, and another one begins to count in its place."""
        self._retired = list(_added(chain(self._retired, self._last.pop(process, ()))))
        self._restarts += 1

    @override
    def collect(self) -> Iterable[Metric]:
        """What is scraped, as the registry asks for it."""
        own = list(self._own()) if self._own is not None else []
        restarts = "tallygate_worker_restarts", "Workers that ended and were started again."
        yield CounterMetricFamily(*restarts, value=self._restarts)
        for name, help_text, read in self._watched:
            yield GaugeMetricFamily(name, help_text, value=read())
        yield from _added(chain(self._retired, own, *self._last.values()))
        yield from self._gauges(own)

    def exposition(self) -> bytes:
        """All processes in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def _gauges(self, own: Iterable[Metric]) -> Iterator[Metric]:
        merged = {family.name: family for family in own if family.type == _GAUGE}
        bare = frozenset(merged)
        for process, families in sorted(self._last.items()):
            for family in families:
                if family.type == _GAUGE:
                    gauge = merged.setdefault(family.name, Metric(family.name, family.documentation, _GAUGE))
                    told = {self._label: process} if self._own is None or family.name in bare else {}
                    for sample in family.samples:
                        gauge.add_sample(sample.name, {**sample.labels, **told}, sample.value)
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

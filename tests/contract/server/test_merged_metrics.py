import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallygate.server.operations.merged_metrics import MergedMetrics, packed, unpacked
from tallygate.server.operations.metrics import Metrics


def measuring(calls, seconds, **gauges):
    """What a worker shows after so many calls of a method, each of so many seconds."""
    metrics = Metrics()
    for name, value in gauges.items():
        metrics.watch(name, "Text.", lambda value=value: value)
    for method in calls:
        metrics.call(method, "OK", seconds)
    return unpacked(json.loads(json.dumps(packed(metrics.families()))))


def shown(merged):
    """Every sample's value by its name and labels."""
    families = text_string_to_metric_families(merged.exposition().decode())
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_and_histograms_are_added_up_and_gauges_are_told_by_worker():
    merged = MergedMetrics()
    merged.take("0", measuring(["Check", "Check"], 0.003, up=1.0))
    merged.take("1", measuring(["Check", "Consume"], 0.3, up=0.0))
    found = shown(merged)
    count, bucket, total = (f"tallygate_call_seconds_{part}" for part in ("count", "bucket", "sum"))
    assert found[count, "code=OK", "method=Check"] == 3
    assert found[count, "code=OK", "method=Consume"] == 1
    assert found[bucket, "code=OK", "le=0.005", "method=Check"] == 2
    assert found[bucket, "code=OK", "le=0.5", "method=Check"] == 3
    assert found[total, "code=OK", "method=Check"] == pytest.approx(0.306)
    assert found["up", "worker=0"] == 1
    assert found["up", "worker=1"] == 0
    assert found["tallygate_worker_restarts_total",] == 0


def test_what_a_worker_had_counted_stays_counted_and_its_gauges_go():
    merged = MergedMetrics()
    merged.take("0", measuring(["Check"] * 5, 0.003, up=1.0))
    merged.take("1", measuring(["Check"], 0.003, up=1.0))
    merged.retire("0")
    count = "tallygate_call_seconds_count", "code=OK", "method=Check"
    assert shown(merged)[count] == 6
    assert ("up", "worker=0") not in shown(merged)
    merged.take("0", measuring(["Check"], 0.003, up=1.0))
    merged.retire("0")
    merged.retire("0")  # it ended again before it was asked
    assert shown(merged)[count] == 7
    assert shown(merged)["tallygate_worker_restarts_total",] == 3


def test_each_family_is_described_once():
    merged = MergedMetrics()
    for worker in range(3):
        merged.take(str(worker), measuring(["Check"], 0.003, up=1.0))
    lines = merged.exposition().decode().splitlines()
    described = [line for line in lines if line.startswith("# TYPE")]
    assert len(described) == len(set(described))
    assert "# TYPE tallygate_call_seconds histogram" in described
    assert "# TYPE up gauge" in described


def test_beside_the_process_that_asks_gauges_are_told_apart_only_where_both_have_them():
    merged = MergedMetrics("process", own=lambda: measuring(["Check"], 0.003, up=1.0))
    merged.take("control", measuring(["Apply", "Check"], 0.003, up=0.0, lost=2.0))
    found = shown(merged)
    assert (found["up",], found["up", "process=control"], found["lost",]) == (1, 0, 2)
    count = "tallygate_call_seconds_count", "code=OK"
    assert (found[*count, "method=Check"], found[*count, "method=Apply"]) == (2, 1)
    merged.retire("control")
    assert ("lost",) not in shown(merged)
    assert shown(merged)[*count, "method=Check"] == 2

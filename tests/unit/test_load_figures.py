"""What the load figures say: medians between two looks at echo, how far apart rounds lie, and what was met."""

from dataclasses import replace

from load.report import Report
from load.rounds import _compared
from load.sample import Sample, middle

BARE = Sample(calls_per_second=1_000, p50=10, p99=20, cpu_server=5, cpu_valkey=0, driver_cpu=0.1, failed=0, ratio=None)
ROW = "ShouldRateLimit"


def shown(sample):
    report = Report(about={})
    report.add("native, TCP", "everysec", {(ROW, 16): sample})
    return [cell.strip() for cell in report.as_markdown().splitlines()[-1].strip("| ").split("|")]


def test_a_row_is_compared_with_echo_before_and_after_it():
    seen = replace(BARE, calls_per_second=500, p50=40, cpu_server=8)
    compared = _compared(seen, replace(BARE, calls_per_second=800), replace(BARE, calls_per_second=1_200, p50=30))
    assert (compared.ratio, compared.p50_ratio, compared.cpu_ratio) == (0.5, 2, 0.625)


def test_rounds_have_a_median_a_spread_and_all_their_failures():
    rounds = [replace(BARE, ratio=ratio, failed=failed) for ratio, failed in ((0.5, 1), (0.4, 0), (0.6, 2))]
    found = middle(rounds)
    assert (found.ratio, found.rounds, found.failed, round(found.spread, 3)) == (0.5, 3, 3, 0.4)


def test_a_target_is_met_only_without_failures():
    met = replace(BARE, ratio=0.5)
    assert shown(met)[2:8] == [ROW, "16", "1,000", "0.50", ">= 0.5", "met"]
    assert "missed" in shown(replace(met, ratio=0.49))
    assert "missed" in shown(replace(met, failed=1))

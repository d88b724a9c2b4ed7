"""What two scrapes of real runs show, taken to go on for 35 minutes: promtool evaluates the rules on it."""

import asyncio
import math
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import patience

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
STEP, STEPS = 15, 140
WARM_CHECKS, CONSUMES = 50, 10
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed: Debian's package `prometheus` has it"
)


class Seen:
    """Two scrapes of the processes, each as an instance of one job."""

    def __init__(self, *processes):
        self._processes = processes
        self._first = self._scrape()
        self._began = time.monotonic()

    def firing(self, directory, *, is_slow=False):
        """The alerts that fire when it goes on like that; a loaded machine is slow whatever a test is about."""
        elapsed = max(time.monotonic() - self._began, 0.001)
        last = self._scrape()
        series = [
            {"series": name, "values": _going_on(self._first.get(name, 0.0), value, elapsed)}
            for name, value in last.items()
            if not math.isnan(value)
        ]
        group = {"interval": f"{STEP}s", "input_series": series, "promql_expr_test": [_nothing()]}
        file = directory / "test.yaml"
        told = {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP}s", "tests": [group]}
        file.write_text(yaml.safe_dump(told))
        done = subprocess.run(
            ["promtool", "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode in {0, 1}, said
        assert "SUCCESS" in said or "got:" in said, said
        found = {part.split('"')[1] for part in said.partition("got:")[2].split("alertname=")[1:]}
        return found if is_slow else found - {"TallygateSlow"}

    def _scrape(self):
        found = {}
        for number, process in enumerate(self._processes):
            for family in text_string_to_metric_families(process.exposition().decode()):
                for sample in family.samples:
                    labels = {"job": "tallygate", "instance": str(number), **sample.labels}
                    shown = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
                    found[f"{sample.name}{{{shown}}}"] = sample.value
        return found


def _going_on(first, last, elapsed):
    return f"{last:.6f}{(last - first) / elapsed * STEP:+.6f}x{STEPS}"


def _nothing():
    """Promtool answers what there was where it expected nothing."""
    expr = 'max by (alertname) (ALERTS{alertstate="firing"})'
    return {"expr": expr, "eval_time": f"{STEP * STEPS}s", "exp_samples": []}


async def traffic(caller, name):
    """What a healthy system is asked: mostly warm checks of a boolean feature, which its cache answers."""
    for number in range(CONSUMES):
        await caller.consume("acme", 1, request_id=f"{name}-{number}")
        await caller.rate_limit("acme")
    for _ in range(WARM_CHECKS):
        await caller.check("acme", "sso")


async def look(*processes):
    """What is otherwise looked at every few seconds."""
    for process in processes:
        await process._redis.backlog.look()


async def until_collected(installation):
    async with asyncio.timeout(patience.SECONDS):
        while installation.waiting():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.01)

"""What callers and operators saw: no tenant another's, nothing stale, late, long after an outage, or ever growing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tallygate.domain.history.records import (
    Answered,
    Broken,
    Canary,
    History,
    Invoked,
    Resident,
    Restored,
    Written,
)

STALE_SECONDS = 5.0
"""How old what a decision stands on may be."""
GRACE_SECONDS = 0.02
"""How long after its deadline a call may still end."""
RECOVERY_SECONDS = 5.0
"""How long after something is there again calls may still fail."""
MOST_ATTEMPTS = 1.2
"""Attempts a request while nothing is broken: more is a storm of retries."""
WARM_UP_SECONDS = 60.0
MOST_BYTES_A_MINUTE = 1 << 20
MOST_BYTES = 40 << 20


def leaked(history: History) -> list[str]:
    """Whether an answer to one tenant holds what is another's own."""
    canaries = [record for record in history.records if isinstance(record, Canary)]
    return [
        f"an answer to {record.tenant} holds what is {canary.tenant}'s: {canary.text}"
        for record in history.records
        if isinstance(record, Answered)
        for canary in canaries
        if canary.tenant != record.tenant and canary.text in record.text
    ]


def stale(history: History) -> list[str]:
    """Whether an answer stands on an older view than its caller named, or than was written long before it asked."""
    written = [record for record in history.records if isinstance(record, Written)]
    found = []
    for asked, answer in _calls(history):
        if answer is None or answer.outcome == "unknown" or not answer.view_version:
            continue
        known = [
            each.view_version
            for each in written
            if each.tenant == asked.tenant and each.time + STALE_SECONDS <= asked.time
        ]
        least = max(asked.min_view_version, *known) if known else asked.min_view_version
        if answer.view_version < least:
            found.append(f"{_name(asked)}: view {answer.view_version}, expected {least} or later")
    return found


def late(history: History) -> list[str]:
    """Whether a call with a deadline ended after it, or never."""
    end = max((_time(record) for record in history.records), default=0.0)
    found = []
    for asked, answer in _calls(history):
        if not asked.deadline:
            continue
        due = asked.time + asked.deadline + GRACE_SECONDS
        if answer is None and end > due:
            found.append(f"{_name(asked)}: never ended, its deadline was {asked.deadline:g} s")
        elif answer is not None and answer.time > due:
            took = answer.time - asked.time
            found.append(f"{_name(asked)}: took {took:.3f} s, its deadline was {asked.deadline:g} s")
    return found


def unrecovered(history: History) -> list[str]:
    """Whether calls still failed long after all that was broken was there again, or were tried too often."""
    found = []
    sound = _sound(history)
    calls = [(asked, answer) for asked, answer in _calls(history) if any(a <= asked.time < b for a, b in sound)]
    for asked, answer in calls:
        if answer is not None and answer.outcome == "unknown":
            found.append(f"{_name(asked)}: failed while nothing was broken for {RECOVERY_SECONDS:g} s")
    requests = {(asked.tenant, asked.account, asked.request_id) for asked, _ in calls}
    if requests and len(calls) > MOST_ATTEMPTS * len(requests):
        found.append(f"{len(calls)} attempts for {len(requests)} requests")
    return found


def growing(history: History) -> list[str]:
    """Whether a process held more and more memory, or much more, after it was warm."""
    by_process: dict[str, list[Resident]] = defaultdict(list)
    for record in history.records:
        if isinstance(record, Resident):
            by_process[record.process].append(record)
    found = []
    for process, samples in by_process.items():
        warm = [each for each in samples if each.time >= samples[0].time + WARM_UP_SECONDS]
        if not warm:
            continue
        most = max(each.bytes for each in warm) - warm[0].bytes
        if most > MOST_BYTES:
            found.append(f"{process}: {most / (1 << 20):.1f} MiB more than when it was warm")
        slope = _slope(warm) * 60
        if slope > MOST_BYTES_A_MINUTE:
            found.append(f"{process}: {slope / (1 << 20):.2f} MiB more each minute")
    return found


def _slope(samples: list[Resident]) -> float:
    """Bytes a second, by least squares."""
    count = len(samples)
    mean_time, mean = sum(each.time for each in samples) / count, sum(each.bytes for each in samples) / count
    spread = sum((each.time - mean_time) ** 2 for each in samples)
    moved = sum((each.time - mean_time) * (each.bytes - mean) for each in samples)
    return moved / spread if spread else 0.0


def _sound(history: History) -> list[tuple[float, float]]:
    """When nothing was broken, and nothing had been for a while."""
    times: list[tuple[float, int]] = [(float("-inf"), 0)]
    for record in history.records:
        if isinstance(record, Broken):
            times.append((record.time, 1))
        elif isinstance(record, Restored):
            times.append((record.time + RECOVERY_SECONDS, -1))
    broken, found = 0, []
    for (start, change), (end, _) in pairwise([*sorted(times), (float("inf"), 0)]):
        broken += change
        if not broken:
            found.append((start, end))
    return found


def _calls(history: History) -> Iterator[tuple[Invoked, Answered | None]]:
    """Each attempt with its answer, by name and attempt; where attempts have no names, in their order."""
    answers: Mapping[tuple[str, str, str, str], list[Answered]] = defaultdict(list)
    for record in history.records:
        if isinstance(record, Answered):
            answers[record.tenant, record.account, record.request_id, record.attempt].append(record)
    for queue in answers.values():
        queue.reverse()
    for record in history.records:
        if isinstance(record, Invoked):
            queue = answers[record.tenant, record.account, record.request_id, record.attempt]
            yield record, queue.pop() if queue else None


def _name(asked: Invoked) -> str:
    return "/".join(part for part in (asked.tenant, asked.account, asked.request_id, asked.attempt) if part)


def _time(record: object) -> float:
    return float(getattr(record, "time", 0.0))

"""Facts that reach the log after their period was closed: charged by an adjustment, or too late for one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.runs import Run, lanes_of, runs
from tallygate.domain.billing.timeline import Timeline
from tallygate.domain.billing.windows import UsageWindow, usage_windows


class Unrated(StrEnum):
    """Why a billable fact is on no line.

    Its period is too far back, nothing that was held priced it, the amount that its price asks for cannot be read, or
    it gives back more than its period had used.
    """

    TOO_LATE = "too_late"
    NO_PRICE = "no_price"
    UNREADABLE = "unreadable"
    REFUND_EXCEEDS_PERIOD = "refund_exceeds_period"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFact:
    """A billable fact of a closed period, by its place in the log: late is what came after the close."""

    sequence: int
    feature_key: str
    occurred_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A stretch [start, end) over which an account held the same, and the features that it charged by use."""

    start: int
    end: int
    charges: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """What late facts ask for: the windows to rate again, of periods that end behind `since`."""

    late: Sequence[LateFact]
    windows: tuple[UsageWindow, ...]
    held: Sequence[Held]
    since: int
    begins: int

    def unrated(self) -> dict[int, Unrated]:
        """Why those that no window takes are not charged, by sequence; what is before `begins` is billed elsewhere.

        What is free has no reason: what was held at the time of the fact, or where nothing was all that ever was, does
        not charge its feature.
        """
        found: dict[int, Unrated] = {}
        for fact in self.late:
            if fact.occurred_time < self.begins or not self._charged(fact):
                continue
            if fact.occurred_time < self.since:
                found[fact.sequence] = Unrated.TOO_LATE
            elif not any(_takes(window, fact) for window in self.windows):
                found[fact.sequence] = Unrated.NO_PRICE
        return found

    def _charged(self, fact: LateFact) -> bool:
        then = [each for each in self.held if each.start <= fact.occurred_time < each.end]
        return any(fact.feature_key in each.charges for each in then or self.held)


def reopened(
    late: Sequence[LateFact],
    timelines: Sequence[Timeline],
    all_runs: Sequence[Run],
    calendar: Calendar,
    policy: Policy,
    *,
    until: int,
    periods: int,
    begins: int,
) -> Reopened:
    """Look at the `periods` invoice periods that were closed by `until`, for features of which something came late."""
    since = lookback(all_runs, until=until, periods=periods)
    features = {fact.feature_key for fact in late}
    windows = tuple(
        window
        for timeline in (timelines if late else ())
        for window in usage_windows(timeline, calendar, policy, since=since, until=until, begins=begins)
        if window.usage.feature_key in features
    )
    held = tuple(each for timeline in (timelines if late else ()) for each in _held(timeline, calendar))
    return Reopened(late=late, windows=windows, held=held, since=since, begins=begins)


def _held(timeline: Timeline, calendar: Calendar) -> Iterator[Held]:
    """What was held in each run, and within it by each segment of a usage price."""
    for run in runs(timeline, calendar):
        yield Held(start=run.start, end=run.end, charges=frozenset())
        for lane in lanes_of(timeline, run):
            for segment in lane.segments:
                if segment.price.usage is not None:
                    charges = frozenset({segment.price.usage.feature_key})
                    yield Held(start=segment.start, end=segment.end, charges=charges)


def lookback(all_runs: Sequence[Run], *, until: int, periods: int) -> int:
    """From when on late facts are still charged: the start of so many invoice periods before an instant."""
    start = until
    for _ in range(periods):
        before = [run for run in all_runs if run.start < start]
        if not before:
            break
        start = max(run.stretch(run.period(min(start, run.end) - 1)).start for run in before)
    return start


def _takes(window: UsageWindow, fact: LateFact) -> bool:
    return window.usage.feature_key == fact.feature_key and window.start <= fact.occurred_time < window.end

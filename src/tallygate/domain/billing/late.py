"""Facts that reach the log after their period was closed: charged by an adjustment, or too late for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.runs import Run
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
class Reopened:
    """What late facts ask for: the windows to rate again, of periods that end behind `since`."""

    late: Sequence[LateFact]
    windows: tuple[UsageWindow, ...]
    since: int
    begins: int

    def unrated(self) -> dict[int, Unrated]:
        """Why those that no window takes are not charged, by sequence; what is before `begins` is billed elsewhere."""
        found: dict[int, Unrated] = {}
        for fact in self.late:
            if self.begins <= fact.occurred_time < self.since:
                found[fact.sequence] = Unrated.TOO_LATE
            elif fact.occurred_time >= self.since and not any(_takes(window, fact) for window in self.windows):
                found[fact.sequence] = Unrated.NO_PRICE
        return found


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
    return Reopened(late=late, windows=windows, since=since, begins=begins)


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

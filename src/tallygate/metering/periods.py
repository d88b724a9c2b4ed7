"""Which usage periods there were: from those that facts were counted in, and the trials that the account had.

A reset cuts the period in which it lies in two; a trial lies within a period of the calendar, which goes on after it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tallygate.domain.gating.usage_periods import Span, beside_trials
from tallygate.domain.period import UsagePeriod
from tallygate.metering.ports import CountedPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A usage period, and the trials in it; `apart` says which of two that begin at one instant."""

    period: UsagePeriod
    apart: bool = False
    holes: tuple[Span, ...] = ()

    @property
    def key(self) -> tuple[int, bool]:
        """What tells it from every other."""
        return self.period.start, self.apart


def laid_out(found: Iterable[CountedPeriod], trials: Sequence[Span], *, apart: Collection[int] = ()) -> list[Counted]:
    """Every period once, by start: those of the calendar, and those of trials between or within them.

    `apart` are the starts of trials with which a period of the calendar begins.
    """
    own: list[UsagePeriod] = []
    others: list[UsagePeriod] = []
    for each in found:
        trial = _trial_of(each, trials, apart)
        if trial is None:
            others.append(beside_trials(each.period, trials))
        else:
            own.append(UsagePeriod(each.period.start, max(each.period.start + 1, min(each.period.end, trial[1]))))
    counted = [Counted(period=period, apart=period.start in apart) for period in tile(own)]
    counted += [Counted(period=period, holes=_within(period, trials)) for period in tile(others)]
    return sorted(counted, key=lambda each: each.key)


def tile(periods: Iterable[UsagePeriod]) -> list[UsagePeriod]:
    """Periods by start, each ending at the latest where the next one starts: a reset cuts the period it lies in."""
    ends: dict[int, int] = {}
    for period in periods:
        ends[period.start] = max(period.end, ends.get(period.start, period.end))
    starts = sorted(ends)
    return [
        UsagePeriod(start, ends[start] if after is None else min(ends[start], after))
        for start, after in pairwise([*starts, None])
        if start is not None
    ]


def _trial_of(counted: CountedPeriod, trials: Sequence[Span], apart: Collection[int]) -> Span | None:
    """The trial whose period it is, or a part of it after a reset."""
    start = counted.period.start
    if start in apart and not counted.apart:
        return None
    return next((trial for trial in trials if trial[0] <= start < trial[1]), None)


def _within(period: UsagePeriod, trials: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(trial for trial in sorted(trials) if period.start <= trial[0] and trial[1] <= period.end)

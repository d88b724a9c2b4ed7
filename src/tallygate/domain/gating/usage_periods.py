"""Which usage period holds when: the calendar's, and in between those of trials, each a period of its own.

What a period of the calendar counted before a trial in it counts after it, too: it goes on, on the same counter.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tallygate.domain.catalog import Feature
from tallygate.domain.gating.resolve import END, EntitlementSet
from tallygate.domain.period import UsagePeriod

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """[start, end) of a usage period, without the trials in it; `trial` is whether the period is a trial's own."""

    period: UsagePeriod
    start: int
    end: int
    trial: bool


def period_at(held: EntitlementSet, feature: Feature, at: int) -> UsagePeriod:
    """The feature's usage period that holds at the instant; one of the calendar may have trials in it."""
    trial = _trial_at(held, at)
    return _calendars_period(held, feature, at, held.trials) if trial is None else UsagePeriod(*trial)


def stretches(held: EntitlementSet, feature: Feature, start: int, end: int) -> Iterator[Stretch]:
    """The stretches that tile the time from one instant to another, at which a period ends."""
    while start < end:
        period = period_at(held, feature, start)
        stop = min([period.end, *(begins for begins, _ in held.trials if begins > start)])
        yield Stretch(period=period, start=start, end=stop, trial=_trial_at(held, start) is not None)
        start = stop


def calendars_period_after(held: EntitlementSet, feature: Feature, period: UsagePeriod) -> UsagePeriod:
    """The period of the calendar that follows the one in which this one starts, as if there were no trials."""
    table = held.calendars.of(feature)
    return table.period_at(table.period_at(period.start).end)


def begins_with_another(held: EntitlementSet, feature: Feature, trial: UsagePeriod) -> bool:
    """Whether a period of the calendar, in which something may have been counted, begins at the same instant."""
    older = [each for each in held.trials if each[0] < trial.start]
    found = _calendars_period(held, feature, trial.start, older)
    return found.start == trial.start and not _brought_it(held, feature, trial.start)


def interrupted(held: EntitlementSet, feature: Feature, at: int) -> UsagePeriod | None:
    """The calendar's period that goes on after the trial that holds at the instant, with what it counted before."""
    trial = _trial_at(held, at)
    if trial is None:
        return None
    period = period_at(held, feature, trial[1])
    counted = period.start <= trial[0] and held.calendars.was_usable(feature, period.start, trial[0])
    return period if counted else None


def beside_trials(period: UsagePeriod, trials: Iterable[Span]) -> UsagePeriod:
    """A period without the trials that cover its start or its end; those within it leave it whole."""
    start, end = period.start, period.end
    for begins, ends in sorted(trials):
        if begins < start < ends:
            start = ends
        if start < begins < end <= ends:
            end = begins
    return UsagePeriod(start, max(end, start + 1))


def _trial_at(held: EntitlementSet, at: int) -> Span | None:
    return next((trial for trial in held.trials if trial[0] <= at < trial[1]), None)


def _calendars_period(held: EntitlementSet, feature: Feature, at: int, trials: Iterable[Span]) -> UsagePeriod:
    period = held.calendars.of(feature).period_at(at)
    start = max(period.start, 0)
    for begins, ends in trials:
        if begins == start and ends <= at and _brought_it(held, feature, start):
            start = ends
    return beside_trials(UsagePeriod(start, min(period.end, END)), trials)


def _brought_it(held: EntitlementSet, feature: Feature, start: int) -> bool:
    """Whether the account, or the subscription of a trial, that begins here brought the period: it counted nothing."""
    return held.calendars.of(feature).calendar_at(start).origin == start

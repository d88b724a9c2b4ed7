"""Lays usage periods over phases: the segments that a quota gate carries, so that the script needs no calendar."""

from tallygate.domain.catalog import Feature, Overage
from tallygate.domain.gating.quota import Segment
from tallygate.domain.gating.resolve import END, EntitlementSet, Phase
from tallygate.domain.period import UsagePeriod

TRIAL_KEPT = 366 * 86_400_000_000
"""How much longer a trial's counters are kept, because a trial can be extended after they were written."""


def period_at(held: EntitlementSet, feature: Feature, at: int) -> UsagePeriod:
    """The feature's usage period that contains the instant.

    A trial is one period; the calendar's periods are cut at its two ends.
    """
    for trial in held.trials:
        if trial[0] <= at < trial[1]:
            return UsagePeriod(*trial)
    period = held.calendars.of(feature).period_at(at)
    start, end = max(period.start, 0), min(period.end, END)
    for trial in held.trials:
        for cut in trial:
            if start < cut <= at:
                start = cut
            if at < cut < end:
                end = cut
    return UsagePeriod(start, end)


def segments(held: EntitlementSet, feature: Feature, *, at: int, back: bool = False) -> tuple[Segment, ...]:
    """The segments of the period that contains `at` and of the next; with `back`, of the previous one too.

    They tile from the first period's start to the last one's end, in order.
    """
    current = period_at(held, feature, at)
    previous = period_at(held, feature, max(0, current.start - 1)) if current.start else current
    following = _after(held, feature, current)
    spans = [(current, _earliest(held, feature, current, previous)), (following, current.start)]
    if back and previous != current:
        before = period_at(held, feature, max(0, previous.start - 1)) if previous.start else previous
        spans.insert(0, (previous, before.start))
    found: list[Segment] = []
    for period, previous_start in spans:
        after = _after(held, feature, period)
        # Kept beyond the next period by half of it, because a change of zone or anchor may yet make that one longer.
        keep_until = after.end + (after.end - after.start) // 2
        if any(period.start == start for start, _ in held.trials):
            keep_until += TRIAL_KEPT
        found += _cut(held, feature, period, previous_start, keep_until)
    return tuple(found)


def _earliest(held: EntitlementSet, feature: Feature, current: UsagePeriod, previous: UsagePeriod) -> int:
    """How far back units may be recorded: not into a period of a shorter rule, whose counters may be gone by now."""
    calendars = held.calendars.of(feature)
    same = calendars.calendar_at(current.start).rule == calendars.calendar_at(previous.start).rule
    longer = current.end - current.start > 2 * (previous.end - previous.start)
    return current.start if longer and not same else previous.start


def _after(held: EntitlementSet, feature: Feature, period: UsagePeriod) -> UsagePeriod:
    return period_at(held, feature, period.end) if period.end < END else period


def _cut(
    held: EntitlementSet, feature: Feature, period: UsagePeriod, previous_start: int, keep_until: int
) -> list[Segment]:
    return [
        _segment(phase, feature, period, previous_start, keep_until)
        for phase in held.phases
        if phase.start < period.end and period.start < phase.end
    ]


def _segment(phase: Phase, feature: Feature, period: UsagePeriod, previous_start: int, keep_until: int) -> Segment:
    resolved = phase.features.get(feature.feature_key)
    entitlement = resolved.entitlement if resolved else None
    limit: int | None = 0
    if entitlement is not None:
        limit = None if entitlement.unlimited else (entitlement.limit or 0)
    return Segment(
        start=max(phase.start, period.start),
        end=min(phase.end, period.end),
        period_start=period.start,
        period_end=period.end,
        previous_start=previous_start,
        keep_until=keep_until,
        limit=limit,
        overage=entitlement is not None and entitlement.overage is Overage.ALLOW,
        hard_limit=entitlement.hard_limit if entitlement is not None and limit is not None else None,
        denial=phase.denial if resolved is None else None,
        absent=resolved is None and phase.denial is None,
        exclusive=resolved is not None and resolved.overridden,
        plan_key=phase.plan_key,
        plan_version=phase.plan_version,
        subscription_id=phase.subscription_id,
        trial=phase.trial,
    )

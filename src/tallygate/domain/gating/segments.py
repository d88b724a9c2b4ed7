"""Lays usage periods over phases: the segments that a quota gate carries, so that the script needs no calendar."""

from tallygate.domain.catalog import Feature, Overage
from tallygate.domain.gating.quota import Segment
from tallygate.domain.gating.resolve import END, EntitlementSet, Phase
from tallygate.domain.gating.usage_periods import (
    Stretch,
    begins_with_another,
    calendars_period_after,
    period_at,
    stretches,
)
from tallygate.domain.period import UsagePeriod

TRIAL_KEPT = 366 * 86_400_000_000
"""How much longer a trial's counters are kept, because a trial can be extended after they were written."""


def segments(held: EntitlementSet, feature: Feature, *, at: int, back: bool = False) -> tuple[Segment, ...]:
    """The segments of the period that contains `at` and of the next; with `back`, of the previous one too.

    They tile from the first period's start to the last one's end, in order, and so do those of a trial in between.
    """
    current = period_at(held, feature, at)
    start = _before(held, feature, current).start if back else current.start
    found: list[Segment] = []
    for stretch in stretches(held, feature, start, _after(held, feature, current).end):
        earliest, keep_until = _earliest(held, feature, stretch.period), _keep_until(held, feature, stretch)
        found += [
            _segment(phase, feature, held, stretch, earliest, keep_until)
            for phase in held.phases
            if phase.start < stretch.end and stretch.start < phase.end
        ]
    return tuple(found)


def _before(held: EntitlementSet, feature: Feature, period: UsagePeriod) -> UsagePeriod:
    return period_at(held, feature, period.start - 1) if period.start else period


def _after(held: EntitlementSet, feature: Feature, period: UsagePeriod) -> UsagePeriod:
    return period_at(held, feature, period.end) if period.end < END else period


def _earliest(held: EntitlementSet, feature: Feature, current: UsagePeriod) -> int:
    """How far back units may be recorded: not into a period of a shorter rule, whose counters may be gone by now."""
    previous, calendars = _before(held, feature, current), held.calendars.of(feature)
    same = calendars.calendar_at(current.start).rule == calendars.calendar_at(previous.start).rule
    longer = current.end - current.start > 2 * (previous.end - previous.start)
    return current.start if longer and not same else previous.start


def _keep_until(held: EntitlementSet, feature: Feature, stretch: Stretch) -> int:
    """Beyond the next period by half of it, because a change of zone or anchor may yet make that one longer.

    A trial that is to come may yet end soon, and the calendar's period go on.
    """
    following = [_after(held, feature, stretch.period)]
    if not stretch.trial:
        following.append(calendars_period_after(held, feature, stretch.period))
    until = max(after.end + (after.end - after.start) // 2 for after in following)
    return until + TRIAL_KEPT if stretch.trial else until


def _segment(
    phase: Phase, feature: Feature, held: EntitlementSet, stretch: Stretch, previous_start: int, keep_until: int
) -> Segment:
    resolved = phase.features.get(feature.feature_key)
    entitlement = resolved.entitlement if resolved else None
    limit: int | None = 0
    if entitlement is not None:
        limit = None if entitlement.unlimited else (entitlement.limit or 0)
    return Segment(
        start=max(phase.start, stretch.start),
        end=min(phase.end, stretch.end),
        period_start=stretch.period.start,
        period_end=stretch.period.end,
        own=stretch.trial,
        apart=stretch.trial and begins_with_another(held, feature, stretch.period),
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

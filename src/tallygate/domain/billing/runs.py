"""When an account is invoiced: runs of one billing rule, and the cuts at which their invoices are made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tallygate.domain.billing.calendar import Calendar, Grid, grid
from tallygate.domain.billing.timeline import FOREVER, Lane, Timeline, lanes
from tallygate.domain.billing_terms import BillingRule, Renewal
from tallygate.domain.catalog import Plan
from tallygate.domain.period import Anchor, UsagePeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch [start, end) of a subscription with one billing rule, and the grid that its periods lie on."""

    start: int
    end: int
    rule: BillingRule
    on: Grid

    def period(self, at: int) -> UsagePeriod:
        """The whole invoice period around an instant, of which the run may hold a part."""
        return self.on.period(self.rule.every, self.rule.count, at)

    def stretch(self, period: UsagePeriod) -> UsagePeriod:
        """The part of a period that lies in the run."""
        return UsagePeriod(max(period.start, self.start), min(period.end, self.end))


def billing_rule(plan: Plan | None) -> BillingRule:
    """The plan's own rule; else the period of its first recurring price, else a month, from the subscription."""
    if plan is None:
        return BillingRule()
    if plan.billing is not None:  # how it is renewed moves no boundary
        return replace(plan.billing, renewal=Renewal.AUTO, renewal_approval=False)
    for price in plan.prices:
        if price.recurring is not None:
            return BillingRule(every=price.recurring.every, count=price.recurring.count, anchor=Anchor.SUBSCRIPTION)
    return BillingRule()


def runs(timeline: Timeline, calendar: Calendar) -> tuple[Run, ...]:
    """The runs of a subscription: a new one begins where a term has another billing rule."""
    found: list[Run] = []
    for held in timeline.plans():
        rule = billing_rule(held.item if isinstance(held.item, Plan) else None)
        if timeline.by_default and rule.anchor is Anchor.SUBSCRIPTION:  # there is none: it counts from the account
            rule = replace(rule, anchor=Anchor.ACCOUNT)
        if found and found[-1].rule == rule and found[-1].end == held.start:
            found[-1] = replace(found[-1], end=held.end)
        else:
            found.append(Run(start=held.start, end=held.end, rule=rule, on=grid(rule, calendar, start=held.start)))
    return tuple(found)


def lanes_of(timeline: Timeline, run: Run) -> Iterator[Lane]:
    """The lanes of a timeline as far as they lie in a run; where a run ends, what it charges ends with it."""
    for lane in lanes(timeline):
        inside = tuple(
            replace(
                segment,
                start=max(segment.start, run.start),
                end=min(segment.end, run.end),
                end_known=segment.end_known if segment.end <= run.end else run.end,
            )
            for segment in lane.segments
            if segment.start < run.end and run.start < segment.end
        )
        if inside:
            yield replace(lane, segments=inside)


def next_cut(all_runs: Sequence[Run], *, after: int) -> int | None:
    """The first instant behind `after` at which an invoice is cut; None where there is none to come.

    A run is cut where it begins, at each of its periods' ends, and at its own end.
    """
    cuts = [cut for run in all_runs for cut in _cuts(run, after)]
    return min(cuts, default=None)


def _cuts(run: Run, after: int) -> Iterator[int]:
    if after < run.start:
        yield run.start
    elif after < run.end:
        end = min(run.period(after).end, run.end)
        if end < FOREVER:
            yield end


def invoice_periods(all_runs: Sequence[Run], *, since: int, until: int) -> Iterator[tuple[Run, UsagePeriod]]:
    """The whole periods that end, or are cut, in (since, until], each with its run."""
    for run in all_runs:
        at = max(run.start, since)
        while at < min(run.end, until):
            period = run.period(at)
            if since < min(period.end, run.end) <= until:
                yield run, period
            at = period.end

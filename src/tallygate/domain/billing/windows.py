"""What usage is counted in: the windows of a service period, one for each price that held in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tallygate.domain.billing.calendar import Calendar, fraction
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.runs import Run, invoice_periods, lanes_of, runs
from tallygate.domain.billing.timeline import Lane, Segment, Timeline
from tallygate.domain.catalog import Aggregation
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import Price, UsagePrice

LEVELS = frozenset({Aggregation.MAX, Aggregation.LATEST, Aggregation.TIME_WEIGHTED})
"""What counts a level, and so begins with the one before its window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWindow:
    """What a usage line counts: events of a feature in [start, end) that carry a plan version, or any where that is 0.

    `whole` is the service period, `part` how much of it the price held, `begins` when it began to, `due` when it is
    charged; `line` names the lane and period: revisions of one share it. Windows of one `series` count on from one
    another: those of plans (empty), or of one add-on.
    """

    line: str
    subscription_id: str
    price: Price
    usage: UsagePrice
    reference: str
    label: str
    start: int
    end: int
    begins: int
    due: int
    whole: UsagePeriod
    part: Fraction
    series: str = ""
    aggregation: Aggregation = Aggregation.SUM
    plan_key: str = ""
    plan_version: int = 0

    def of_any_plan(self) -> "UsageWindow":
        """The same stretch, whichever plan its events carry."""
        return replace(self, plan_key="", plan_version=0)


def usage_windows(
    timeline: Timeline, calendar: Calendar, policy: Policy, *, since: int, until: int, begins: int = 0
) -> tuple[UsageWindow, ...]:
    """What to count for the service periods that end in (since, until], by lane and version.

    What was used before `begins`, when the tenant's billing began, counts as billed elsewhere.
    """
    found: list[UsageWindow] = []
    all_runs = runs(timeline, calendar)
    for run, period in invoice_periods(all_runs, since=since, until=until):
        for lane in lanes_of(timeline, run):
            found += _windows(lane, run, period, timeline, policy)
    found = list(_last_levels(found))
    found = [replace(window, start=max(window.start, begins)) for window in found if begins < window.end]
    return tuple(sorted(found, key=lambda window: (window.due, window.line)))


def follows(window: UsageWindow, others: Sequence[UsageWindow]) -> Iterator[UsageWindow]:
    """The windows of the same service period that this one counts on from: those of its price that began earlier."""
    for other in others:
        if _counts(other) == _counts(window) and other.begins < window.begins:
            yield other


def _counts(window: UsageWindow) -> tuple[object, ...]:
    return window.subscription_id, window.series, window.price.price_key, window.usage.feature_key, window.whole


def _windows(lane: Lane, run: Run, period: UsagePeriod, timeline: Timeline, policy: Policy) -> Iterator[UsageWindow]:
    stretch = run.stretch(period)
    held = [
        (segment, UsagePeriod(max(segment.start, stretch.start), min(segment.end, stretch.end)))
        for segment in lane.segments
        if max(segment.start, stretch.start) < min(segment.end, stretch.end)
    ]

    def part(own: UsagePeriod) -> Fraction:
        return fraction(own.start, own.end, period, proration=policy.proration, zone=run.on.zone_of(period))

    of_plan = lane.bundle.startswith("plans/")
    for segment, window, owns in _counted(held, stretch, timeline, of_plan=of_plan):
        usage = segment.price.usage
        if usage is None:
            continue
        aggregation = _aggregation(segment, timeline)
        by_version = of_plan and aggregation not in LEVELS
        yield UsageWindow(
            line=f"usage/{lane.subscription_id}/{lane.key}/{segment.version}/{window.start}",
            subscription_id="" if timeline.by_default else lane.subscription_id,
            price=segment.price,
            usage=usage,
            reference=f"{lane.bundle}/{segment.version}/prices/{lane.price_key}",
            label=usage.label or usage.feature_key,
            start=window.start,
            end=window.end,
            begins=owns[0].start,
            due=stretch.end,
            whole=period,
            part=sum((part(own) for own in owns), Fraction(0)),
            series="" if of_plan else lane.bundle,
            aggregation=aggregation,
            plan_key=lane.bundle.removeprefix("plans/") if by_version else "",
            plan_version=segment.version if by_version else 0,
        )


def _aggregation(segment: Segment, timeline: Timeline) -> Aggregation:
    usage = segment.price.usage
    feature = timeline.catalog.features.get(usage.feature_key) if usage is not None else None
    return feature.aggregation if feature is not None else Aggregation.SUM


def _counted(
    held: Sequence[tuple[Segment, UsagePeriod]], stretch: UsagePeriod, timeline: Timeline, *, of_plan: bool
) -> Iterator[tuple[Segment, UsagePeriod, list[UsagePeriod]]]:
    """The prices of a stretch: what each counts of it, and when it held.

    Events choose a plan's price by the version that they carry, wherever in the stretch they lie, and of its prices the
    one of their time, where an own price of the account began or ended. An add-on's price takes what occurred while it
    was held. So does any price of a level: it stands until it changes.
    """
    prices: dict[int, list[tuple[Segment, list[UsagePeriod]]]] = {}
    for segment, own in held:
        if not of_plan or _aggregation(segment, timeline) in LEVELS:
            yield segment, own, [own]
            continue
        of_version = prices.setdefault(segment.version, [])
        if of_version and of_version[-1][0].price == segment.price:
            of_version[-1][1].append(own)
        else:
            of_version.append((segment, [own]))
    for of_version in prices.values():
        starts = [stretch.start, *(owns[0].start for _, owns in of_version[1:])]
        for (segment, owns), start, end in zip(of_version, starts, [*starts[1:], stretch.end], strict=True):
            yield segment, UsagePeriod(start, end), owns


def _last_levels(windows: Sequence[UsageWindow]) -> Iterator[UsageWindow]:
    """Without those of a last level that another price counts: of a service period it is one, of whoever held then."""
    for window in windows:
        last = window.aggregation is not Aggregation.LATEST
        if last or not any(_counts(other) == _counts(window) and other.begins > window.begins for other in windows):
            yield window

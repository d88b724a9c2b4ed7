"""What is owed at a cut, and was not charged: the difference of two immutable things.

A timeline and the log say what is owed; the lines that were issued say what was charged. Any order, split or number of
invoices gives the same totals.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tallygate.domain.billing.calendar import fraction
from tallygate.domain.billing.cover import Policy, cover, set_up
from tallygate.domain.billing.lines import Line, LineKind, UsageInputs
from tallygate.domain.billing.models_units import Counted, owed
from tallygate.domain.billing.runs import Calendar, Run, invoice_periods, lanes_of, runs
from tallygate.domain.billing.steps import Owed, Step, StepKind
from tallygate.domain.billing.timeline import Lane, Timeline, lanes
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.currency import minor_units
from tallygate.domain.money import rounded
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import Price, UsagePrice


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWindow:
    """What a usage line counts: events of a feature in [start, end) that carry a plan version, or any where that is 0.

    `whole` is the service period, `part` how much of it is billed, `begins` when the price began to hold in it; `line`
    names the lane and period: revisions of one share it.
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
    whole: UsagePeriod
    part: Fraction
    plan_key: str = ""
    plan_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What lines of one usage window came to already: exactly, in minor units, and in how many revisions."""

    exact: Fraction = Fraction(0)
    revisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The lines that were issued: the keys of those due since the last cut, and what usage windows came to."""

    keys: frozenset[str] = frozenset()
    usage: Mapping[str, Billed] = field(default_factory=dict)


def fixed_lines(
    timeline: Timeline, calendar: Calendar, policy: Policy, *, since: int, until: int, issued: Issued
) -> tuple[Line, ...]:
    """Every line but usage's that falls due in (since, until] and was not issued, in order of due time and key."""
    found: list[Line] = []
    for lane in lanes(timeline):
        found += set_up(lane, policy, since=since, until=until)
    all_runs = runs(timeline, calendar)
    charged = as_charged(timeline, all_runs)
    for run in all_runs:
        for lane in lanes_of(charged, run):
            found += cover(lane, run.on, policy, since=since, until=until)
    wanted = [line for line in found if line.line_key not in issued.keys and line.exact]
    return tuple(sorted(wanted, key=lambda line: (line.due, line.line_key)))


def has_fixed_prices(timeline: Timeline) -> bool:
    """Whether anything of it is charged that does not hang on usage."""
    prices = [price for held in (*timeline.plans(), *timeline.add_ons()) for price in held.item.prices]
    return any(price.recurring is not None or price.setup is not None for price in prices)


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
            found += _windows(lane, run, period, policy)
    found = [replace(window, start=max(window.start, begins)) for window in found if begins < window.end]
    return tuple(sorted(found, key=lambda window: (window.end, window.line)))


def usage_line(
    window: UsageWindow,
    counted: Counted,
    policy: Policy,
    *,
    before: Counted | None = None,
    billed: Billed | None = None,
    through_sequence: int = 0,
) -> Line | None:
    """What is owed for a window and was not charged; None where that is nothing.

    `before` is what an earlier version's price of the same feature counted in the same service period: this price goes
    on from there, so that no change multiplies quotas or tiers.
    """
    billed = billed or Billed()
    whole = _owed(window, counted, before or Counted())
    currency = window.price.currency or policy.currency
    exact = minor_units(whole.amount, currency) - billed.exact
    if not exact:
        return None
    return Line(
        line_key=f"{window.line}/{billed.revisions}",
        kind=LineKind.USAGE,
        text=window.label,
        due=window.end,
        period=UsagePeriod(window.start, window.end),
        currency=currency,
        exact=exact,
        amount=rounded(exact, policy.rounding),
        price=window.reference,
        quantity=_quantity(window, counted),
        unit_amount=window.usage.unit_amount,
        subscription_id=window.subscription_id,
        fraction=window.part,
        steps=whole.steps,
        inputs=UsageInputs(
            feature_key=window.usage.feature_key,
            plan=f"{window.plan_key}/{window.plan_version}" if window.plan_version else "",
            start=window.start,
            end=window.end,
            through_sequence=through_sequence,
            billed=billed.exact,
        ),
    )


def follows(window: UsageWindow, others: Sequence[UsageWindow]) -> Iterator[UsageWindow]:
    """The windows of the same service period that this one counts on from: earlier plan versions' of its price."""
    if not window.plan_version:
        return
    for other in others:
        same = (other.subscription_id, other.price.price_key, other.usage.feature_key, other.whole)
        mine = (window.subscription_id, window.price.price_key, window.usage.feature_key, window.whole)
        if same == mine and other.plan_version and other.begins < window.begins:
            yield other


def _windows(lane: Lane, run: Run, period: UsagePeriod, policy: Policy) -> Iterator[UsageWindow]:
    stretch = run.stretch(period)
    part = fraction(stretch.start, stretch.end, period, proration=policy.proration, zone=run.on.zone)
    of_plan = lane.bundle.startswith("plans/")
    seen: set[int] = set()
    for segment in lane.segments:
        usage = segment.price.usage
        start, end = max(segment.start, stretch.start), min(segment.end, stretch.end)
        if usage is None or start >= end or (of_plan and segment.version in seen):
            continue
        seen.add(segment.version)
        # Events choose a plan's price by the version that they carry, wherever in the stretch they lie; an add-on's
        # price takes what occurred while it was held.
        yield UsageWindow(
            line=f"usage/{lane.subscription_id}/{lane.key}/{segment.version}/{stretch.start if of_plan else start}",
            subscription_id=lane.subscription_id,
            price=segment.price,
            usage=usage,
            reference=f"{lane.bundle}/{segment.version}/prices/{lane.price_key}",
            label=usage.label or usage.feature_key,
            start=stretch.start if of_plan else start,
            end=stretch.end if of_plan else end,
            begins=start,
            whole=period,
            part=part,
            plan_key=lane.bundle.removeprefix("plans/") if of_plan else "",
            plan_version=segment.version if of_plan else 0,
        )


def _owed(window: UsageWindow, own: Counted, before: Counted) -> Owed:
    if not before.units and not before.amounts:
        return owed(window.usage, own, fraction=window.part)
    both = Counted(units=before.units + own.units, amounts=(*before.amounts, *own.amounts))
    earlier = owed(window.usage, before, fraction=window.part).amount
    together = owed(window.usage, both, fraction=window.part)
    step = Step(kind=StepKind.BEFORE, quantity=Fraction(before.units), amount=-earlier)
    return Owed(amount=together.amount - earlier, steps=(*together.steps, step))


def _quantity(window: UsageWindow, counted: Counted) -> Fraction:
    if window.usage.model.by_amount:
        return sum(counted.amounts, Fraction(0))
    return Fraction(counted.units) / window.usage.per_units

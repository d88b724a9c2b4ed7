"""What is owed at a cut, and was not charged: the difference of two immutable things.

A timeline and the log say what is owed; the lines that were issued say what was charged. Any order, split or number of
invoices gives the same totals.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy, cover, set_up
from tallygate.domain.billing.lines import Line, LineKind, UsageInputs
from tallygate.domain.billing.models_units import Counted, owed
from tallygate.domain.billing.runs import lanes_of, runs
from tallygate.domain.billing.steps import Owed, Step, StepKind, total
from tallygate.domain.billing.timeline import Timeline, lanes
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Aggregation
from tallygate.domain.currency import major_units, minor_units
from tallygate.domain.money import rounded
from tallygate.domain.period import UsagePeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What earlier prices of a feature counted in the same service period, and how much of it they held.

    `charged` is what they came to in the currency of the price behind them, in minor units, each line rounded;
    `forgiven` is what of it is on documents that are void.
    """

    counted: Counted = field(default_factory=Counted)
    part: Fraction = Fraction(0)
    charged: int = 0
    forgiven: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What lines of one usage window came to already: exactly, in minor units, and in how many revisions.

    `forgiven` is what of it is on documents that are void: that is not given back.
    """

    exact: Fraction = Fraction(0)
    forgiven: Fraction = Fraction(0)
    revisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """The lines that were issued: the keys of those due since the last cut, and what usage windows came to.

    Those that were `forgiven` are on documents that are void.
    """

    keys: frozenset[str] = frozenset()
    forgiven: frozenset[str] = frozenset()
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
            found += cover(lane, run, policy, since=since, until=until, forgiven=issued.forgiven)
    wanted = [line for line in found if line.line_key not in issued.keys and line.amount]
    return tuple(sorted(wanted, key=lambda line: (line.due, line.line_key)))


def has_fixed_prices(timeline: Timeline) -> bool:
    """Whether anything of it is charged that does not hang on usage."""
    if timeline.by_default:
        return False
    prices = [price for held in (*timeline.plans(), *timeline.add_ons()) for price in held.item.prices]
    return any(price.recurring is not None or price.setup is not None for price in prices)


def usage_line(
    window: UsageWindow,
    counted: Counted,
    policy: Policy,
    *,
    before: Before | None = None,
    billed: Billed | None = None,
    through_sequence: int = 0,
) -> Line | None:
    """What is owed for a window and was not charged; None where that is nothing.

    This price goes on from what those `before` it counted in the same service period, so that no change multiplies
    quotas, tiers or the least spend. Where more use makes it all cheaper, or use is refunded, it gives back what those
    before it charged, never more. What rounds to nothing stays with what is not charged yet.
    """
    billed, before = billed or Billed(), before or Before()
    currency = window.price.currency or policy.currency
    whole = _owed(window, counted, before, currency)
    exact = minor_units(whole.amount, currency) - billed.exact
    if before.forgiven:
        exact = max(exact, min(before.forgiven - before.charged - max(billed.exact, Fraction(0)), Fraction(0)))
    if billed.forgiven:
        exact = max(exact, min(billed.forgiven - billed.exact, Fraction(0)))
    amount = rounded(exact, policy.rounding)
    if not amount:
        return None
    return Line(
        line_key=f"{window.line}/{billed.revisions}",
        kind=LineKind.USAGE,
        text=window.label,
        due=window.due,
        period=UsagePeriod(window.start, window.end),
        currency=currency,
        exact=exact,
        amount=amount,
        price=window.reference,
        tax_category=window.price.tax_category,
        quantity=_quantity(window, counted),
        unit_amount=window.usage.unit_amount,
        subscription_id=window.subscription_id,
        reduces=f"{window.line}/0" if exact < 0 and billed.revisions else "",
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


def counted_before(
    window: UsageWindow,
    earlier: Sequence[tuple[UsageWindow, Counted]],
    policy: Policy,
    billed: Mapping[str, Billed],
) -> Before:
    """What the windows that one counts on from had counted, together, and came to; `billed` is by window's line."""
    ordered = sorted(earlier, key=lambda one: one[0].begins)
    currency = window.price.currency or policy.currency
    counted, part, charged, forgiven = Counted(), Fraction(0), Counter[str](), Fraction(0)
    for other, own in ordered:
        its = other.price.currency or policy.currency
        whole = _owed(other, own, Before(counted=counted, part=part, charged=charged[its]), its)
        charged[its] += rounded(minor_units(whole.amount, its), policy.rounding)
        forgiven += billed.get(other.line, Billed()).forgiven if its == currency else 0
        counted, part = _together(other.aggregation, counted, own), part + other.part
    return Before(counted=counted, part=part, charged=charged[currency], forgiven=forgiven)


def _together(aggregation: Aggregation, before: Counted, own: Counted) -> Counted:
    """What two windows count in all: the greatest level of levels, distinct members of both, the sum of all else."""
    members = before.members | own.members
    match aggregation:
        case Aggregation.MAX:
            units = max(before.units, own.units)
        case Aggregation.UNIQUE:
            units = len(members)
        case _:
            units = before.units + own.units
    return Counted(units=units, amounts=(*before.amounts, *own.amounts), members=members)


def _owed(window: UsageWindow, own: Counted, before: Before, currency: str) -> Owed:
    earlier = before.counted
    if not earlier.units and not earlier.amounts and not before.part:
        return owed(window.usage, own, fraction=window.part)
    both = _together(window.aggregation, earlier, own)
    charged = owed(window.usage, earlier, fraction=before.part).amount
    together = owed(window.usage, both, fraction=before.part + window.part)
    step = Step(kind=StepKind.BEFORE, quantity=Fraction(earlier.units), amount=-charged)
    by_itself = total((*together.steps, step))
    least = -major_units(Fraction(before.charged), currency)
    if by_itself.amount >= least:
        return by_itself
    return total((*by_itself.steps, Step(kind=StepKind.NO_MORE, amount=least - by_itself.amount)))


def _quantity(window: UsageWindow, counted: Counted) -> Fraction:
    if window.usage.model.by_amount:
        return sum(counted.amounts, Fraction(0))
    return Fraction(counted.units) / window.usage.per_units

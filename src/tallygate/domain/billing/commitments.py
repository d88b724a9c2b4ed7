"""Commitments: what the charges of a service period come short of the least that was agreed on is charged on top."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallygate.domain.billing.calendar import Calendar, fraction
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.runs import Run, lanes_of, runs
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.billing.timeline import Lane, Segment, Timeline
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.currency import major_units, minor_units
from tallygate.domain.money import rounded
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A commitment in one service period, as far as it was held there: `period`, which is `part` of a whole one.

    `within` is where the charges lie that count towards it: the service period as far as its run goes. `line` names it;
    revisions share that. `amount` is for a whole period, in major units.
    """

    line: str
    subscription_id: str
    reference: str
    text: str
    currency: str
    amount: Fraction
    unit_amount: str
    period: UsagePeriod
    within: UsagePeriod
    part: Fraction
    tax_category: str = ""

    def counts(self, line: Line) -> bool:
        """Whether a line's charge counts towards it."""
        inside = self.within.start <= line.period.start and line.period.end <= self.within.end
        mine = (line.subscription_id, line.currency) == (self.subscription_id, self.currency)
        return inside and mine and line.kind is not LineKind.COMMITMENT

    def names(self, line_key: str) -> bool:
        """Whether a line is one of its."""
        return line_key == self.line or line_key.startswith(f"{self.line}/")


def commitments(
    timeline: Timeline, calendar: Calendar, policy: Policy, *, since: int, until: int
) -> tuple[Commitment, ...]:
    """Those whose service periods end, or are cut, in (since, until], by where they begin."""
    found: list[Commitment] = []
    all_runs = runs(timeline, calendar)
    charged = as_charged(timeline, all_runs)
    for run in all_runs:
        for lane in lanes_of(charged, run):
            for segment in lane.segments:
                found += _of_segment(lane, segment, run, policy, since=since, until=until)
    return tuple(sorted(found, key=lambda one: (one.within.end, one.period.start, one.line)))


def commitment_lines(
    held: Sequence[Commitment],
    charges: Iterable[Line],
    issued: Sequence[Line],
    policy: Policy,
    *,
    forgiven: Collection[str] = (),
) -> Iterator[Line]:
    """What commitments are owed and were not charged: `charges` are all lines, `issued` those that were.

    Of several in one service period, as after a change, each goes on from those before it: together they are what all
    of them come to less what was charged, if that is positive. What counts is rounded and before coupons, so that a
    document comes to the amount that was agreed on. Lines that were `forgiven` are not given back.
    """
    lines = [*charges]
    for index, one in enumerate(held):
        before = [other for other in held[:index] if _together(other, one)]
        reached = sum((_gross(line) for line in lines if one.counts(line)), 0)
        others = sum((_minor(other) for other in before), Fraction(0))
        owed = max(Fraction(0), others + _minor(one) - reached) - max(Fraction(0), others - reached)
        own = [line for line in issued if one.names(line.line_key)]
        left = owed - sum((line.exact for line in own), Fraction(0))
        if left < 0:
            kept = sum((line.exact for line in own if line.line_key not in forgiven), Fraction(0))
            left = max(left, min(-kept, Fraction(0)))
        if rounded(left, policy.rounding):
            yield _line(one, left, owed, len(own), policy)


def _of_segment(
    lane: Lane, segment: Segment, run: Run, policy: Policy, *, since: int, until: int
) -> Iterator[Commitment]:
    price = segment.price.commitment
    if price is None or segment.end <= since:
        return
    at = max(segment.start, min(since, until))
    while at < min(segment.end, until):
        whole = run.on.period(price.every, price.count, at)
        within = run.stretch(whole)
        period = UsagePeriod(max(segment.start, within.start), min(segment.end, within.end))
        at = whole.end
        if since < within.end <= until:
            yield Commitment(
                line=f"commitment/{lane.subscription_id}/{lane.key}/{period.start}",
                subscription_id=lane.subscription_id,
                reference=f"{lane.bundle}/{segment.version}/prices/{lane.price_key}",
                tax_category=segment.price.tax_category,
                text=price.label or f"{segment.name}: least amount",
                currency=segment.price.currency or policy.currency,
                amount=exact(price.amount) * segment.multiple,
                unit_amount=price.amount,
                period=period,
                within=within,
                part=fraction(period.start, period.end, whole, proration=policy.proration, zone=run.on.zone_of(whole)),
            )


def _together(one: Commitment, other: Commitment) -> bool:
    return (one.subscription_id, one.currency, one.within) == (other.subscription_id, other.currency, other.within)


def _gross(line: Line) -> int:
    return line.amount + sum(each.amount for each in line.discounts)


def _minor(one: Commitment) -> Fraction:
    return minor_units(one.amount * one.part, one.currency)


def _line(one: Commitment, left: Fraction, owed: Fraction, revision: int, policy: Policy) -> Line:
    whole, came_to, charged = (
        major_units(amount, one.currency) for amount in (_minor(one), _minor(one) - owed, owed - left)
    )
    steps = (
        Step(kind=StepKind.CHARGED, quantity=one.part, rate=one.amount, amount=whole),
        Step(kind=StepKind.BEFORE, quantity=Fraction(0), amount=-came_to),
        Step(kind=StepKind.BEFORE, quantity=Fraction(1), amount=-charged),
    )
    return Line(
        line_key=one.line if not revision else f"{one.line}/{revision}",
        kind=LineKind.COMMITMENT,
        text=one.text,
        due=one.within.end,
        period=one.period,
        currency=one.currency,
        exact=left,
        amount=rounded(left, policy.rounding),
        price=one.reference,
        tax_category=one.tax_category,
        unit_amount=one.unit_amount,
        subscription_id=one.subscription_id,
        reduces=one.line if left < 0 and revision else "",
        fraction=one.part,
        steps=steps if charged else steps[:2],
    )

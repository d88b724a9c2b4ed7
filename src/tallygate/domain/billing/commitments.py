"""Commitments: what the charges of a service period come short of the least that was agreed on is charged on top."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tallygate.domain.billing.calendar import Calendar, Grid, fraction
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.runs import Run, lanes_of, runs
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.billing.timeline import Lane, Segment, Timeline
from tallygate.domain.billing.unprorated import as_charged
from tallygate.domain.billing_terms import Proration
from tallygate.domain.currency import major_units, minor_units
from tallygate.domain.money import rounded
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import exact

Spans = Mapping[str, Sequence[UsagePeriod]]
"""When each plan and add-on was held, by bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A commitment in one service period, as far as it was held there: `period`, which is `part` of a whole one.

    `within` is the service period as far as its run goes, `held` when the plan or add-on that has it was held in that:
    what was charged for this time counts. Those that are held beside one another share it. `plans` says when each plan
    was held. `line` names it; revisions share that. `amount` is for a whole period, in major units.
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
    held: tuple[UsagePeriod, ...]
    on: Grid
    plans: Spans = field(default_factory=dict)
    proration: Proration = Proration.DAY
    tax_category: str = ""

    def share(self, line: Line) -> Fraction:
        """What part of a line's charge counts towards it: what lies in its time, measured as charges are prorated.

        A plan's usage is counted by the plan that its events carry: it lies where that plan was held.
        """
        mine = (line.subscription_id, line.currency) == (self.subscription_id, self.currency)
        if not mine or line.kind is LineKind.COMMITMENT:
            return Fraction(0)
        bundle = "/".join(line.price.split("/")[:2])
        own = self.plans.get(bundle, ()) if line.kind is LineKind.USAGE else ()
        pieces = [*_common([line.period], own)]
        whole = self._measured(pieces, line)
        if not whole:
            pieces, whole = [line.period], Fraction(1)
        return self._measured(_common(pieces, self.held), line) / whole

    def _measured(self, pieces: Iterable[UsagePeriod], line: Line) -> Fraction:
        zone, how = self.on.zone_of(line.period), self.proration
        parts = (fraction(piece.start, piece.end, line.period, proration=how, zone=zone) for piece in pieces)
        return sum(parts, Fraction(0))

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
    spans = _spans(charged)
    for run in all_runs:
        for lane in lanes_of(charged, run):
            for segment in lane.segments:
                found += _of_segment(lane, segment, run, policy, spans, since=since, until=until)
    return tuple(sorted(_joined(found), key=lambda one: (one.within.end, one.period.start, one.line)))


def charged_from(timeline: Timeline, calendar: Calendar, at: int) -> int:
    """When the earliest line falls due that is for a time which includes an instant, or goes on behind it."""
    earliest, all_runs = at, runs(timeline, calendar)
    charged = as_charged(timeline, all_runs)
    for run in all_runs:
        for lane in lanes_of(charged, run):
            for segment in lane.segments:
                price = segment.price.recurring
                if price is not None and segment.start <= at:
                    period = run.on.period(price.every, price.count, min(at, segment.end - 1))
                    earliest = min(earliest, period.start) if at < period.end else earliest
    return earliest


def commitment_lines(
    held: Sequence[Commitment],
    charges: Iterable[Line],
    issued: Sequence[Line],
    policy: Policy,
    *,
    forgiven: Collection[str] = (),
) -> Iterator[Line]:
    """What commitments are owed and were not charged: `charges` are all lines, `issued` those that were.

    Of several that are held beside one another, each goes on from those before it: together they are what all of them
    come to less what was charged, if that is positive. Those of plans that follow one another are each for itself. What
    counts is rounded and before coupons, so that a document comes to the amount that was agreed on. Lines that were
    `forgiven` are not given back.
    """
    lines = [*charges]
    for index, one in enumerate(held):
        before = [other for other in held[:index] if _together(other, one)]
        reached = sum((_gross(line) * one.share(line) for line in lines), Fraction(0))
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
    lane: Lane, segment: Segment, run: Run, policy: Policy, spans: Spans, *, since: int, until: int
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
                held=tuple(_common([within], spans[lane.bundle])),
                plans={bundle: own for bundle, own in spans.items() if bundle.startswith("plans/")},
                proration=policy.proration,
                on=run.on,
            )


def _spans(timeline: Timeline) -> Spans:
    """When each plan and add-on was held, as its prices are charged."""
    found: dict[str, list[UsagePeriod]] = {}
    for held in (*timeline.plans(), *timeline.add_ons()):
        found.setdefault(held.bundle, []).append(UsagePeriod(held.start, held.end))
    return found


def _common(some: Iterable[UsagePeriod], others: Sequence[UsagePeriod]) -> Iterator[UsagePeriod]:
    """Where stretches of time overlap."""
    for one in some:
        for other in others:
            start, end = max(one.start, other.start), min(one.end, other.end)
            if start < end:
                yield UsagePeriod(start, end)


def _joined(found: Sequence[Commitment]) -> Iterator[Commitment]:
    """Commitments of which those that are held beside one another in a service period share all of their time."""
    groups: list[list[Commitment]] = []
    for one in found:
        near = [group for group in groups if any(_beside(one, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([one, *(each for group in near for each in group)])
    for group in groups:
        held = tuple(_union([span for one in group for span in one.held]))
        yield from (replace(one, held=held) for one in group)


def _beside(one: Commitment, other: Commitment) -> bool:
    return _place(one) == _place(other) and any(_common(one.held, other.held))


def _union(spans: Sequence[UsagePeriod]) -> Iterator[UsagePeriod]:
    ordered = sorted(spans, key=lambda span: span.start)
    start, end = ordered[0].start, ordered[0].end
    for span in ordered[1:]:
        if span.start > end:
            yield UsagePeriod(start, end)
            start, end = span.start, span.end
        end = max(end, span.end)
    yield UsagePeriod(start, end)


def _together(one: Commitment, other: Commitment) -> bool:
    return (_place(one), one.held) == (_place(other), other.held)


def _place(one: Commitment) -> tuple[str, str, UsagePeriod]:
    return one.subscription_id, one.currency, one.within


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

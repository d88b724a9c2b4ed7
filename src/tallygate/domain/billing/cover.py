"""Recurring prices: what is charged when something is held from an instant on, and credited when it ends.

Folded change by change, whether or not an invoice came between, so the lines of a lane are a function of its timeline
alone: an invoice takes those that are due and were not issued.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from tallygate.domain.billing import models_tiers
from tallygate.domain.billing.calendar import Grid, fraction
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.runs import Run
from tallygate.domain.billing.steps import Step, StepKind, total
from tallygate.domain.billing.timeline import Lane, Segment
from tallygate.domain.billing_terms import Proration
from tallygate.domain.currency import major_units, minor_units, price_text
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.period import UsagePeriod, local_date
from tallygate.domain.prices import ChargeModel, Due, RecurringPrice, exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a tenant wants its amounts."""

    currency: str = "USD"
    proration: Proration = Proration.DAY
    rounding: Rounding = Rounding.HALF_EVEN


def cover(
    lane: Lane, run: Run, policy: Policy, *, since: int, until: int, forgiven: Collection[str] = ()
) -> Iterator[Line]:
    """The lines of a run's lane with a recurring price that fall due in (since, until], by due instant.

    Service periods that begin before `since` are folded from their start, so that their credits find what they credit.
    Changes of quantity that fall on one day and on one invoice are one: from before the first to after the last.
    Of lines that were `forgiven`, on a document that is void, nothing is given back.
    """
    on = run.on
    if policy.proration is not Proration.SECOND:
        lane = replace(lane, segments=tuple(_by_day(lane.segments, run)))
    for period in _periods(lane, on, since=since, until=until):
        for line in _of_period(lane, period, on, policy, forgiven):
            if since < line.due <= until:
                yield line


def set_up(lane: Lane, policy: Policy, *, since: int, until: int) -> Iterator[Line]:
    """The line of a set-up price: once, when its lane begins."""
    first = lane.segments[0]
    price = first.price.setup
    if price is not None and since < first.start <= until:
        amount = exact(price.amount) * first.multiple
        yield _line(
            lane,
            first,
            policy,
            line_key=f"setup/{lane.subscription_id}/{lane.key}",
            kind=LineKind.SETUP,
            text=price.label or first.name,
            due=first.start,
            period=UsagePeriod(first.start, first.start + 1),
            amount=amount,
            unit_amount=price.amount,
            quantity=Fraction(first.multiple),
            steps=(Step(kind=StepKind.FLAT, amount=amount),),
        )


def whole_charge(price: RecurringPrice, quantity: int, multiple: int) -> Fraction:
    """What a whole service period costs, in major units."""
    if price.model is ChargeModel.GRADUATED:
        return total(models_tiers.graduated(Fraction(quantity), price.tiers)).amount * multiple
    if price.model is ChargeModel.VOLUME:
        return total(models_tiers.volume(Fraction(quantity), price.tiers)).amount * multiple
    return exact(price.amount) * quantity * multiple


def _by_day(segments: Sequence[Segment], run: Run) -> Iterator[Segment]:
    """Segments that end on the day they began on, by a change of quantity, are taken into the next."""
    first: int | None = None
    for segment, after in pairwise([*segments, None]):
        if segment is None:
            continue
        start = segment.start if first is None else first
        passing = after is not None and after.start == segment.end and _only_quantity(segment, after)
        if passing and _on_one_invoice(run, start, segment.end):
            first = start
            continue
        first = None
        yield replace(segment, start=start)


def _on_one_invoice(run: Run, first: int, second: int) -> bool:
    """Whether changes fall on one day, and no cut lies between: told by the run alone, so that names never change.

    Days are those that the period is measured in, whatever zone its account has moved to since.
    """
    period = run.period(first)
    zone, uncut = run.on.zone_of(period), max(period.start, run.start) < first and second <= period.end
    return uncut and local_date(first, zone=zone) == local_date(second, zone=zone)


def _periods(lane: Lane, on: Grid, *, since: int, until: int) -> Iterator[UsagePeriod]:
    """The service periods in which the lane has a line due in (since, until], each once."""
    seen: set[int] = set()
    for segment in lane.segments:
        price = segment.price.recurring
        if price is None or segment.end <= since:
            continue
        at = max(segment.start, since)
        while at < min(segment.end, until + 1):
            period = on.period(price.every, price.count, at)
            if period.start not in seen:
                seen.add(period.start)
                yield period
            at = period.end


def _of_period(lane: Lane, period: UsagePeriod, on: Grid, policy: Policy, forgiven: Collection[str]) -> Iterator[Line]:
    """Every line of one service period, in order of time."""
    open_lines: list[Line] = []
    before: Segment | None = None
    for segment in lane.segments:
        start, end = max(segment.start, period.start), min(segment.end, period.end)
        price = segment.price.recurring
        if start >= end or price is None or on.period(price.every, price.count, start) != period:
            continue
        if before is not None and before.end < start:
            yield from _credits(open_lines, before.end, period, on, policy)
            open_lines = []
        if price.due is Due.ARREARS:
            yield _debit(lane, segment, UsagePeriod(start, end), period, on, policy)
            before = segment
            continue
        if before is not None and before.end == start and _only_quantity(before, segment):
            changed = _change(lane, before, segment, UsagePeriod(start, period.end), period, on, policy)
            if forgiven and changed.exact < 0:
                left = -sum((line.exact for line in _credits(open_lines, start, period, on, policy)), Fraction(0))
                changed = _of_no_more(changed, left, policy)
            changed = _reducing(changed, open_lines)
        else:
            yield from _credits(open_lines, start, period, on, policy)
            open_lines = []
            stop = end if segment.end < period.end and segment.end_known <= start else period.end
            changed = _debit(lane, segment, UsagePeriod(start, stop), period, on, policy)
        yield changed
        open_lines.append(replace(changed, exact=Fraction(0)) if changed.line_key in forgiven else changed)
        before = segment
    if before is not None and before.end < period.end:
        yield from _credits(open_lines, before.end, period, on, policy)


def _only_quantity(before: Segment, after: Segment) -> bool:
    return (before.version, before.price) == (after.version, after.price)


def _debit(lane: Lane, segment: Segment, stretch: UsagePeriod, whole: UsagePeriod, on: Grid, policy: Policy) -> Line:
    price = segment.price.recurring or RecurringPrice()
    part = fraction(stretch.start, stretch.end, whole, proration=policy.proration, zone=on.zone_of(whole))
    charge = whole_charge(price, segment.quantity, segment.multiple)
    due = stretch.end if price.due is Due.ARREARS else stretch.start
    return _line(
        lane,
        segment,
        policy,
        line_key=f"recurring/{lane.subscription_id}/{lane.key}/{stretch.start}/charge",
        kind=LineKind.RECURRING,
        text=_text(segment, segment.quantity * segment.multiple, policy),
        due=due,
        period=stretch,
        amount=charge * part,
        unit_amount=price.amount,
        quantity=Fraction(segment.quantity * segment.multiple),
        part=part,
        steps=(Step(kind=StepKind.CHARGED, quantity=part, rate=charge, amount=charge * part),),
    )


def _change(
    lane: Lane, before: Segment, after: Segment, stretch: UsagePeriod, whole: UsagePeriod, on: Grid, policy: Policy
) -> Line:
    """One line for a change of quantity: the new charge less the old one, for the rest of the period."""
    price = after.price.recurring or RecurringPrice()
    part = fraction(stretch.start, stretch.end, whole, proration=policy.proration, zone=on.zone_of(whole))
    old = whole_charge(price, before.quantity, before.multiple)
    new = whole_charge(price, after.quantity, after.multiple)
    difference = after.quantity * after.multiple - before.quantity * before.multiple
    return _line(
        lane,
        after,
        policy,
        line_key=f"recurring/{lane.subscription_id}/{lane.key}/{stretch.start}/change",
        kind=LineKind.RECURRING,
        text=_text(after, difference, policy),
        due=stretch.start,
        period=stretch,
        amount=(new - old) * part,
        unit_amount=price.amount,
        quantity=Fraction(difference),
        part=part,
        steps=(
            Step(kind=StepKind.CHARGED, quantity=part, rate=new, amount=new * part),
            Step(kind=StepKind.BEFORE, quantity=part, rate=old, amount=-old * part),
        ),
    )


def _credits(lines: list[Line], at: int, whole: UsagePeriod, on: Grid, policy: Policy) -> Iterator[Line]:
    """What is left of lines from an instant on, given back in the proportion in which they were charged.

    Both are parts of the whole period: a stretch of a day or two is measured as the rest of its month is.
    """

    def share(start: int, end: int) -> Fraction:
        return fraction(start, end, whole, proration=policy.proration, zone=on.zone_of(whole))

    for line in lines:
        end = line.period.end
        if at >= end or not line.exact:
            continue
        charged = share(line.period.start, end)
        part = share(at, end) / charged if charged else Fraction(0)
        if not part:
            continue
        back = -major_units(line.exact, line.currency)
        yield replace(
            line,
            line_key=line.line_key + f"/credit/{at}",
            text=f"Credit: {line.text}",
            due=at,
            period=UsagePeriod(at, line.period.end),
            exact=-line.exact * part,
            amount=rounded(-line.exact * part, policy.rounding),
            source_line=line.line_key,
            fraction=part,
            steps=(Step(kind=StepKind.CHARGED, quantity=part, rate=back, amount=back * part),),
        )


def _reducing(line: Line, charged: Sequence[Line]) -> Line:
    """A line of less than was charged, and the newest line that `charged` at least as much, else the largest."""
    if line.exact >= 0:
        return line
    left = {one.line_key: one.exact / one.fraction for one in charged if one.exact > 0}
    for one in charged:
        if one.reduces in left:
            left[one.reduces] += one.exact / one.fraction
    enough = [key for key, rate in left.items() if rate >= -line.exact / line.fraction]
    largest = max(left, key=left.__getitem__, default="")
    return replace(line, reduces=enough[-1] if enough else largest)


def _of_no_more(line: Line, left: Fraction, policy: Policy) -> Line:
    """What gives something back, of no more than is left of what was charged."""
    if -line.exact <= left:
        return line
    kept = Step(kind=StepKind.FORGIVEN, amount=major_units(-left - line.exact, line.currency))
    return replace(line, exact=-left, amount=rounded(-left, policy.rounding), steps=(*line.steps, kept))


def _text(segment: Segment, quantity: int, policy: Policy) -> str:
    price = segment.price.recurring or RecurringPrice()
    label = price.label or segment.name
    if price.per_quantity or quantity != 1:
        shown = f" @ {price_text(price.amount, segment.price.currency or policy.currency)}" if price.amount else ""
        return f"{label} ({quantity}{shown})"
    return label


def _line(
    lane: Lane,
    segment: Segment,
    policy: Policy,
    *,
    line_key: str,
    kind: LineKind,
    text: str,
    due: int,
    period: UsagePeriod,
    amount: Fraction,
    unit_amount: str,
    quantity: Fraction,
    steps: tuple[Step, ...],
    part: Fraction = Fraction(1),
) -> Line:
    currency = segment.price.currency or policy.currency
    exact_amount = minor_units(amount, currency)
    return Line(
        line_key=line_key,
        kind=kind,
        text=text,
        due=due,
        period=period,
        currency=currency,
        exact=exact_amount,
        amount=rounded(exact_amount, policy.rounding),
        price=f"{lane.bundle}/{segment.version}/prices/{lane.price_key}",
        tax_category=segment.price.tax_category,
        quantity=quantity,
        unit_amount=unit_amount,
        subscription_id=lane.subscription_id,
        fraction=part,
        steps=steps,
    )

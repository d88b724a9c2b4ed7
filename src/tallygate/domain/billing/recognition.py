"""When what a line charges becomes income: month by month of what it covers, or at once where that is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from tallygate.domain.billing.calendar import fraction
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing_terms import Proration
from tallygate.domain.money import spread
from tallygate.domain.period import PeriodRule, UsagePeriod, usage_period


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a line that becomes income at `time`; `amount` is in minor units, negative where the line credits.

    Parts of a line sum to it exactly. Of a line and `number` there is one; a credit of the line takes from it.
    """

    line_key: str
    number: int
    currency: str
    amount: int
    time: int


def recognised(line: Line, *, issued: int, zone: str) -> tuple[Part, ...]:
    """The parts of a line: each calendar month of its service period in the zone becomes income at the month's end.

    Months are equal parts, stubs count by the days that begin in them; each is rounded down, and the last one has the
    rest. Usage, setup, fees that are of no period, and whatever is charged when its period is over are income as they
    are issued.
    """
    in_time = line.kind is LineKind.RECURRING or (line.kind is LineKind.FEE and not line.period.is_instant)
    if not in_time or line.due >= line.period.end:
        return tuple(_parts(line, [issued], [line.amount]))
    weighed = [(month.end, weight) for month in _months(line.period, zone) if (weight := _weight(month, zone))]
    weighed = weighed or [(line.period.end, Fraction(1))]  # an hour that no day belongs to
    whole = sum((weight for _, weight in weighed), Fraction(0))
    sign = -1 if line.amount < 0 else 1
    amounts = [sign * floor(abs(line.amount) * weight / whole) for _, weight in weighed[:-1]]
    amounts.append(line.amount - sum(amounts))
    return tuple(_parts(line, [max(end, issued) for end, _ in weighed], amounts))


def credited(amount: int, left: Sequence[Part], *, line_key: str) -> tuple[tuple[Part, ...], int]:
    """What a credit of `amount` > 0 takes from the parts of a line that are no income yet, and what from income.

    Unrecognised parts go first, each in proportion to what is left of it; the rest was income already.
    """
    held = [part for part in left if part.amount > 0]
    unrecognised = min(amount, sum(part.amount for part in held))
    shares = spread(unrecognised, [part.amount for part in held])
    taken = tuple(
        Part(line_key=line_key, number=part.number, currency=part.currency, amount=-share, time=part.time)
        for part, share in zip(held, shares, strict=True)
        if share
    )
    return taken, amount - unrecognised


def _parts(line: Line, times: Sequence[int], amounts: Sequence[int]) -> Iterator[Part]:
    for number, (time, amount) in enumerate(zip(times, amounts, strict=True), start=1):
        if amount:
            yield Part(line_key=line.line_key, number=number, currency=line.currency, amount=amount, time=time)


def _months(period: UsagePeriod, zone: str) -> Iterator[UsagePeriod]:
    """The calendar months of a period; the first and the last may be stubs."""
    start = period.start
    while start < period.end:
        end = min(usage_period(PeriodRule(), zone=zone, origin=None, at=start).end, period.end)
        yield UsagePeriod(start, end)
        start = end


def _weight(stub: UsagePeriod, zone: str) -> Fraction:
    month = usage_period(PeriodRule(), zone=zone, origin=None, at=stub.start)
    return fraction(stub.start, stub.end, month, proration=Proration.DAY, zone=zone)

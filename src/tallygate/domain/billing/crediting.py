"""What is given back of a line by hand, beside what its subscription's changes credit: never more than it came to.

No clock, no I/O.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tallygate.domain.billing.adjusting import lane_of
from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.reissues import first_key
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.billing.tax import Credited
from tallygate.domain.currency import major_units

_BY_HAND = "credit/"
_LESS = " (less what was credited before)"
_NO_MORE = " (no more than was charged)"


def is_by_hand(line_key: str) -> bool:
    """Whether a line was credited by somebody, not by what a subscription is."""
    return line_key.startswith(_BY_HAND)


def key_of(credit_id: str, number: int) -> str:
    """The name of a line that credits another one by hand; of a credit and number there is one."""
    return f"{_BY_HAND}{credit_id}/{number}"


def left_of(source: Credited) -> int:
    """What no credit has given back of a line, in minor units."""
    return source.line.amount + sum(one.amount for one in (*source.credits, *source.reductions))


def credit_line(line: Line, amount: int, *, line_key: str, reason: str, time: int) -> Line:
    """The line that gives back `amount` > 0 of an issued one."""
    part = Fraction(amount, line.amount)
    whole = -major_units(Fraction(line.amount), line.currency)
    return Line(
        line_key=line_key,
        kind=line.kind,
        text=f"Credit: {line.text}{f' ({reason})' if reason else ''}",
        due=time,
        period=line.period,
        currency=line.currency,
        exact=Fraction(-amount),
        amount=-amount,
        price=line.price,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        subscription_id=line.subscription_id,
        source_line=first_key(line.line_key),
        fraction=part,
        steps=(Step(kind=StepKind.CHARGED, quantity=part, rate=whole, amount=whole * part),),
        tax_category=line.tax_category,
    )


def capped(lines: Sequence[Line], credited: Mapping[str, Credited]) -> Iterator[Line]:
    """Lines of which those that credit give back no more than is left of what somebody credited before.

    What such a line is worth exactly stays, so that it counts as credited whole: what was given by hand is not owed
    again.
    """
    left = {
        key: left_of(one) for key, one in credited.items() if any(is_by_hand(credit.line_key) for credit in one.credits)
    }
    for line in lines:
        if line.amount >= 0 or line.gives_back not in left or is_by_hand(line.line_key):
            yield line
            continue
        back = min(-line.amount, max(left[line.gives_back], 0))
        left[line.gives_back] -= back
        yield line if back == -line.amount else replace(line, amount=-back, text=f"{line.text}{_LESS}")


def within_billed(lines: Sequence[Line], billed: Mapping[str, Sequence[Line]]) -> Iterator[Line]:
    """Lines of which those that give back give no more than was billed of their lane for that time, each cent rounded.

    `billed` are issued lines by lane. Many that were rounded down may sum to less than their exact amounts, which come
    back at once. Where these do not cover what comes back, the rest was billed elsewhere, and nothing is held back.
    """
    known = {lane: [*issued] for lane, issued in billed.items()}
    for line in lines:
        of_lane, final = known.get(lane_of(line.line_key)), line
        if of_lane is not None:
            near = [one for one in of_lane if _overlap(one, line)]
            left = max(sum(one.amount for one in near), 0)
            covered = -line.exact <= sum((one.exact for one in near), Fraction(0))
            if near and covered and -line.amount > left:
                final = replace(line, amount=-left, text=f"{line.text}{_NO_MORE}")
            of_lane.append(final)
        yield final


def _overlap(one: Line, other: Line) -> bool:
    apart = one.period.end <= other.period.start or other.period.end <= one.period.start
    return one.currency == other.currency and not apart

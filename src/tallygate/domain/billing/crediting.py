"""What is given back of a line by hand, beside what its subscription's changes credit: never more than it came to.

No clock, no I/O.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tallygate.domain.billing.lines import Line
from tallygate.domain.billing.reissues import first_key
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.billing.tax import Credited
from tallygate.domain.currency import major_units

_BY_HAND = "credit/"
_LESS = " (less what was credited before)"


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

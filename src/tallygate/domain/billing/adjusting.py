"""What lines that were issued came short of, or charged too much, once what they stand for has changed.

A line is charged as things stood. Where a subscription is created in the past, extended, shortened, or changed at the
very instant of a cut, what its timeline says now and what was issued differ; the difference is a line of its own.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tallygate.domain.billing.calendar import Calendar
from tallygate.domain.billing.cover import Policy
from tallygate.domain.billing.lines import Line, LineKind
from tallygate.domain.billing.steps import Step, StepKind
from tallygate.domain.currency import major_units
from tallygate.domain.money import rounded
from tallygate.domain.period import UsagePeriod

_SIDES = r"charge|change|adjustment/\d+(?:\.\d+)?"
_KEY = re.compile(rf"(?P<lane>(?:recurring|setup)/.+?)(?:/\d+/(?:{_SIDES})(?:/credit/\d+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLine:
    """A line as it was issued; `exact` is in minor units."""

    line_key: str
    due: int
    exact: Fraction


@dataclass(slots=True, kw_only=True)
class _Day:
    """What one lane owes and was charged of what fell due on one local day."""

    owed: Fraction = Fraction(0)
    charged: Fraction = Fraction(0)
    forgiven: Fraction = Fraction(0)
    lines: list[Line] = field(default_factory=list)
    issued: list[IssuedLine] = field(default_factory=list)

    @property
    def left(self) -> Fraction:
        """What is owed and was not charged, or below zero what is given back: no more than was not forgiven."""
        left = self.owed - self.charged
        return max(left, min(self.forgiven - self.charged, Fraction(0))) if self.forgiven else left


def lane_of(line_key: str) -> str:
    """The lane that a line of cover or set-up belongs to; empty of other lines."""
    found = _KEY.fullmatch(line_key)
    return found["lane"] if found else ""


def adjustments(
    derived: Iterable[Line],
    issued: Iterable[IssuedLine],
    new: Iterable[Line],
    *,
    gone: Mapping[str, Line],
    forgiven: Collection[str] = (),
    policy: Policy,
    calendar: Calendar,
    at: int,
) -> Iterator[Line]:
    """A line for each day of a lane on which what is owed is not what was issued and what `new` lines charge now.

    Days, as changes of one day may have been one line or two. `gone` are issued lines that nothing derives any more, by
    key; `at` is the cut that adjusts. What is on documents that are void was `forgiven`, and is not given back.
    """
    days: dict[tuple[str, object], _Day] = {}

    def day(line_key: str, due: int) -> _Day:
        return days.setdefault((lane_of(line_key), calendar.day(due)), _Day())

    for line in derived:
        found = day(line.line_key, line.due)
        found.owed += line.exact
        found.lines.append(line)
    for line in new:
        day(line.line_key, line.due).charged += line.exact
    for known in issued:
        found = day(known.line_key, known.due)
        found.charged += known.exact
        found.forgiven += known.exact if known.line_key in forgiven else 0
        found.issued.append(known)
    for _, found in sorted(days.items(), key=lambda item: str(item[0])):
        if rounded(found.left, policy.rounding):
            yield _adjustment(
                found, found.lines or [gone[one.line_key] for one in found.issued if one.line_key in gone], policy, at
            )


def vanished(derived: Iterable[Line], issued: Iterable[IssuedLine], calendar: Calendar) -> list[str]:
    """The keys of issued lines of a lane and day that nothing is derived of any more."""
    days = {(lane_of(line.line_key), calendar.day(line.due)) for line in derived}
    lost = [line for line in issued if (lane_of(line.line_key), calendar.day(line.due)) not in days]
    return [line.line_key for line in lost]


def _adjustment(found: _Day, like: Sequence[Line], policy: Policy, at: int) -> Line:
    first, exact = like[0], found.left
    owed, charged = (major_units(amount, first.currency) for amount in (found.owed, found.charged))
    return Line(
        line_key=_free_key(
            f"{lane_of(first.line_key)}/{first.due}/adjustment/{at}", [one.line_key for one in found.issued]
        ),
        kind=LineKind.RECURRING,
        text=_text(found, first.text),
        due=first.due,
        period=UsagePeriod(min(line.period.start for line in like), max(line.period.end for line in like)),
        currency=first.currency,
        exact=exact,
        amount=rounded(exact, policy.rounding),
        price=first.price,
        tax_category=first.tax_category,
        quantity=first.quantity,
        unit_amount=first.unit_amount,
        subscription_id=first.subscription_id,
        source_line=_undone(found) if exact > 0 else "",
        reduces=_reduced(found, like) if exact < 0 else "",
        steps=(
            Step(kind=StepKind.CHARGED, quantity=Fraction(1), rate=owed, amount=owed),
            Step(kind=StepKind.BEFORE, quantity=Fraction(1), rate=charged, amount=-charged),
        ),
    )


def _undone(found: _Day) -> str:
    """What is charged again of a day that gave back: the line that gave back most."""
    if sum((one.exact for one in found.issued), Fraction(0)) >= 0:
        return ""
    return min(found.issued, key=lambda one: one.exact).line_key


def _reduced(found: _Day, like: Sequence[Line]) -> str:
    """What a day gives back of: what it was charged most for, else what its own line reduces."""
    charged = max(found.issued, key=lambda one: one.exact, default=None)
    if charged is not None and charged.exact > 0:
        return charged.line_key
    return next((line.reduces for line in like if line.reduces), "")


def _free_key(key: str, taken: Sequence[str]) -> str:
    """A key that no issued line has: of changes that are invoiced at one instant, each has its own."""
    numbered = (f"{key}.{number}" for number in range(2, len(taken) + 2))
    return key if key not in taken else next(other for other in numbered if other not in taken)


def _text(found: _Day, text: str) -> str:
    if not found.charged:
        return text
    return f"Adjustment: {text}" if found.owed else f"Credit: {text}"

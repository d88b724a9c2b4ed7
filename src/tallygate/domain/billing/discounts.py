"""What coupons take off the lines of a document: by percentage or amount, in order of redemption. No clock, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from math import floor

from tallygate.domain.billing.crediting import is_by_hand
from tallygate.domain.billing.lines import Line, LineDiscount, LineKind
from tallygate.domain.billing.tax import Credited
from tallygate.domain.currency import minor_units
from tallygate.domain.money import Rounding, rounded
from tallygate.domain.period import UsagePeriod
from tallygate.domain.prices import exact

_HUNDRED = 100
_NEVER = 2**62
NEGOTIATED = "granted/"
"""How the id begins of what is off by agreement."""


class DiscountType(StrEnum):
    """What a value is: a percentage of each line, or an amount over all of them."""

    PERCENTAGE = "percentage"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTerms:
    """What a coupon takes off, and off what.

    `value` is decimal text: per cent, or major units of `currency`. It takes from lines of subscriptions to `plans` and
    of `features`, where any are named, on `invoices` documents; None: on every one.
    """

    type: DiscountType
    value: str
    currency: str = ""
    plans: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    invoices: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A code that may be redeemed in [start_time, end_time), `max_uses` times in all and `per_account` times by one.

    None: as often as one likes. `used` is how often it was redeemed. It is for plans of its `provider` alone; empty is
    the tenant.
    """

    code: str
    text: str = ""
    terms: DiscountTerms
    start_time: int
    end_time: int
    max_uses: int | None = None
    per_account: int | None = 1
    archived: bool = False
    used: int = 0
    create_time: int = 0
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountGrant:
    """What is off for one account by agreement, of what falls due in [start_time, end_time); None: for good."""

    discount_id: str
    account_id: str
    text: str
    terms: DiscountTerms
    start_time: int
    end_time: int | None = None
    create_time: int = 0

    @property
    def reduction(self) -> "Redemption":
        """The same as documents take it off."""
        return Redemption(
            redemption_id=f"{NEGOTIATED}{self.discount_id}",
            code=self.text or self.discount_id,
            account_id=self.account_id,
            subscription_id="",
            redeem_time=self.create_time,
            terms=self.terms,
            negotiated=UsagePeriod(self.start_time, _NEVER if self.end_time is None else self.end_time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A coupon as an account redeemed it for a subscription, with an order for what that sells outright, too.

    `uses` is how many documents it has taken from. What was `negotiated` is of all that the account's subscriptions are
    charged which falls due in that time.
    """

    redemption_id: str
    code: str
    account_id: str
    subscription_id: str
    redeem_time: int
    terms: DiscountTerms
    order_id: str = ""
    negotiated: UsagePeriod | None = None
    uses: int = field(default=0, compare=False)

    @property
    def is_spent(self) -> bool:
        """Whether it takes from no document any more."""
        return self.terms.invoices is not None and self.uses >= self.terms.invoices


def takes_all(terms: DiscountTerms) -> bool:
    """Whether nothing is left to pay of what it is for, which is more than usage."""
    return terms.type is DiscountType.PERCENTAGE and exact(terms.value) == _HUNDRED and not terms.features


def folded(code: str) -> str:
    """A code as it is kept: how it is cased says nothing."""
    return code.strip().upper()


def discounted(
    lines: Sequence[Line],
    redemptions: Iterable[Redemption],
    credited: Mapping[str, Credited],
    rounding: Rounding,
) -> tuple[Line, ...]:
    """The lines of a document with what is taken off each.

    A line that gives back of one, issued before or beside it, gives back what was taken off that one, too; one that
    credits a line that gave back takes again what that did. What somebody gives back by hand is that much of what is
    left after all of it.
    """
    found = {line.line_key: line for line in lines}
    for redemption in redemptions:
        if not redemption.is_spent:
            inside = [line for line in found.values() if _is_inside(line, redemption)]
            found |= {line.line_key: line for line in _reduced(inside, redemption, rounding)}
    for line in [one for one in lines if not is_by_hand(one.line_key)]:
        source = credited[line.gives_back].line if line.gives_back in credited else found.get(line.gives_back)
        if source is not None and source.discounts and line.amount * source.amount < 0:
            found[line.line_key] = _given_back(line, source, rounding)
    return tuple(found[line.line_key] for line in lines)


def taken_by(lines: Iterable[Line]) -> frozenset[str]:
    """The redemptions that took something off lines that charge."""
    return frozenset(each.redemption_id for line in lines for each in line.discounts if each.exact > 0)


def _is_inside(line: Line, redemption: Redemption) -> bool:
    terms = redemption.terms
    of, wanted = line.subscription_id, redemption.subscription_id
    if line.kind is LineKind.FEE:
        of, wanted = line.order_id, redemption.order_id
    if redemption.negotiated is not None:
        wanted = of if redemption.negotiated.start <= line.due < redemption.negotiated.end else ""
    if line.amount <= 0 or line.source_line or not of or of != wanted:
        return False
    if terms.currency and line.currency != terms.currency:
        return False
    if terms.plans and (not line.price.startswith("plans/") or line.price.split("/")[1] not in terms.plans):
        return False
    return not terms.features or (line.inputs is not None and line.inputs.feature_key in terms.features)


def _reduced(lines: Sequence[Line], redemption: Redemption, rounding: Rounding) -> list[Line]:
    terms = redemption.terms
    if not lines:
        return []
    if terms.type is DiscountType.PERCENTAGE:
        rate = exact(terms.value) / _HUNDRED
        parts = [(_net(line) * rate, rounded(Fraction(line.amount) * rate, rounding)) for line in lines]
    else:
        whole = rounded(minor_units(exact(terms.value), lines[0].currency) * _share(lines, terms), rounding)
        parts = [(Fraction(part), part) for part in _spread(whole, [line.amount for line in lines])]
    return [_less(line, redemption, *part) for line, part in zip(lines, parts, strict=True)]


def _less(line: Line, redemption: Redemption, off: Fraction, amount: int) -> Line:
    taken = LineDiscount(redemption_id=redemption.redemption_id, code=redemption.code, exact=off, amount=amount)
    return replace(line, amount=line.amount - amount, discounts=(*line.discounts, taken))


def _net(line: Line) -> Fraction:
    return line.exact - sum((each.exact for each in line.discounts), Fraction(0))


def _share(lines: Sequence[Line], terms: DiscountTerms) -> Fraction:
    """What repeats is taken off a part of a period in part."""
    if terms.invoices == 1:
        return Fraction(1)
    return min(Fraction(1), max(line.fraction for line in lines))


def _spread(whole: int, amounts: Sequence[int]) -> list[int]:
    """An amount over lines by what each comes to, by largest remainder; at most all of them."""
    total = sum(amounts)
    whole = min(whole, total)
    shares = [Fraction(whole * amount, total) for amount in amounts]
    parts = [floor(share) for share in shares]
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - shares[index], index))
    for index in by_remainder[: whole - sum(parts)]:
        parts[index] += 1
    return parts


def _given_back(line: Line, source: Line, rounding: Rounding) -> Line:
    """A credit of what was charged in fact: the source's net amount by the part of it that is credited."""
    if not source.exact:
        return line
    part = line.exact / source.exact
    exacts = [each.exact * part for each in source.discounts]
    net = rounded(line.exact - sum(exacts, Fraction(0)), rounding)
    parts = [rounded(each, rounding) for each in exacts]
    parts[-1] = line.amount - net - sum(parts[:-1])
    back = zip(source.discounts, exacts, parts, strict=True)
    return replace(
        line, amount=net, discounts=tuple(replace(each, exact=off, amount=amount) for each, off, amount in back)
    )

"""From the facts of a window to what its price counts: each aggregation, exactly."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from tallygate.domain.billing.models_events import EventFee, EventFees, EventMark
from tallygate.domain.billing.models_units import Counted
from tallygate.domain.billing.windows import UsageWindow
from tallygate.domain.catalog import Aggregation, Feature
from tallygate.domain.currency import decimals_of
from tallygate.domain.gating.decision import Pot, PotKind
from tallygate.domain.prices import ChargeModel, Units

_ADDED_UP = frozenset({Aggregation.SUM, Aggregation.COUNT})
_LONGEST_AMOUNT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class BillableFact:
    """What billing asks of a fact; facts come in the order of (occurred_time, request_id)."""

    quantity: int
    occurred_time: int
    request_id: str
    pots: tuple[Pot, ...] = ()
    dimensions: Mapping[str, str] = field(default_factory=dict)
    user_id: str = ""
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A fact, and what it added to what its window counts: units of the meter, or an amount in major units.

    `fee` is what it came to by itself, in major units, where its price charges events one by one; None: it does not.
    """

    fact: BillableFact
    counted: Fraction
    fee: Fraction | None = None
    marks: tuple[EventMark, ...] = ()


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a window counted so far: facts that its price asks for, those whose amount cannot be read, and refunds.

    Of a refund it is what it gave back, as a number below zero.
    """

    counted: Counted = field(default_factory=Counted)
    facts: int = 0
    unreadable: list[BillableFact] = field(default_factory=list)
    refunds: list[tuple[BillableFact, int]] = field(default_factory=list)

    def in_excess(self, before: Counted) -> Iterator[BillableFact]:
        """The last refunds, as far as they gave back more than was used: by this price and those `before` it."""
        left = before.units + self.counted.units
        for fact, units in reversed(self.refunds):
            if left >= 0:
                return
            left -= units
            yield fact


async def count(
    facts: AsyncIterable[BillableFact], window: UsageWindow, feature: Feature, *, currency: str, opening: int = 0
) -> Tally:
    """Count the facts of a window; `opening` is the level before it, for a feature whose quantities are levels."""
    tally = Tally()
    own = window.price.currency or currency
    folded = _Folded(window=window, feature=feature, currency=own, opening=opening, level=opening)
    async for fact in facts:
        if asks_for(window, fact):
            tally.facts += 1
            if not folded.add(fact):
                tally.unreadable.append(fact)
    tally.refunds = folded.refunds
    tally.counted = folded.counted()
    return tally


async def contributions(
    facts: AsyncIterable[BillableFact],
    window: UsageWindow,
    feature: Feature,
    *,
    currency: str,
    opening: int = 0,
    earlier: Sequence[Fraction] = (),
) -> AsyncIterator[Contribution]:
    """What each fact of a window added, by what was counted before and after it: they sum to what it counts.

    A level that was held as the window began comes first, as a fact of no id. Left out are those of whose units none
    are asked for; those whose amount cannot be read are marked. `earlier` are the amounts that its price goes on from.
    """
    own = window.price.currency or currency
    folded = _Folded(window=window, feature=feature, currency=own, opening=opening, level=opening)
    before = before_all(window, feature, opening=opening)
    if before:
        held = BillableFact(quantity=opening, occurred_time=window.start, request_id="")
        yield Contribution(fact=held, counted=before, marks=(EventMark.CARRIED_OVER,))
    fees = EventFees(price=window.usage)
    for amount in earlier:
        fees.charge(amount)
    async for fact in facts:
        if not asks_for(window, fact):
            continue
        readable = folded.add(fact)
        if window.usage.model.by_amount:
            yield _of_amount(fact, folded.amounts[-1] if readable else None, fees)
            continue
        after = Fraction(folded.counted().units)
        added, before = after - before, after
        if added or feature.aggregation not in _ADDED_UP:
            yield Contribution(fact=fact, counted=added)


def _of_amount(fact: BillableFact, amount: Fraction | None, fees: EventFees) -> Contribution:
    """What an event with an amount added, or with none that can be read; and what it came to, if it is by itself."""
    single = fees.price.model is ChargeModel.PERCENTAGE
    unread = EventFee(marks=(EventMark.UNREADABLE,))
    fee = unread if amount is None else fees.charge(amount) if single else EventFee()
    return Contribution(fact=fact, counted=amount or Fraction(0), fee=fee.amount if single else None, marks=fee.marks)


def before_all(window: UsageWindow, feature: Feature, *, opening: int) -> Fraction:
    """What a window counts without any fact of its own: the level that was held as it began."""
    return Fraction(
        _Folded(window=window, feature=feature, currency="", opening=opening, level=opening).counted().units
    )


def asks_for(window: UsageWindow, fact: BillableFact) -> bool:
    """Whether a price counts a fact of its window: all that its `where` names have these values."""
    return all(fact.dimensions.get(name) == value for name, value in window.usage.where.items())


@dataclass(slots=True, kw_only=True)
class _Folded:
    window: UsageWindow
    feature: Feature
    currency: str
    opening: int
    level: int
    units: int = 0
    area: int = 0
    since: int | None = None
    greatest: int | None = None
    members: set[str] = field(default_factory=set)
    amounts: list[Fraction] = field(default_factory=list)
    refunds: list[tuple[BillableFact, int]] = field(default_factory=list)

    def add(self, fact: BillableFact) -> bool:
        """Take in one fact; whether it could be read."""
        if self.window.usage.model.by_amount:
            amount = _amount(fact, self.window.usage.dimension, self.currency)
            if amount is not None:
                self.amounts.append(amount)
            return amount is not None
        match self.feature.aggregation:
            case Aggregation.SUM | Aggregation.COUNT:
                units = _units(fact, self.window.usage.units)
                self.units += units
                self.refunds += [(fact, units)] if units < 0 else []
            case Aggregation.UNIQUE:
                member = fact.dimensions.get(self.feature.unique_by, "") if self.feature.unique_by else fact.user_id
                self.members |= {member} if member else set()
            case Aggregation.MAX | Aggregation.LATEST | Aggregation.TIME_WEIGHTED:
                self._observe(fact)
        return True

    def _observe(self, fact: BillableFact) -> None:
        at = max(fact.occurred_time, self.window.start)
        self.area += self.level * (at - (self.window.start if self.since is None else self.since))
        self.level, self.since = fact.quantity, at
        self.greatest = fact.quantity if self.greatest is None else max(self.greatest, fact.quantity)

    def counted(self) -> Counted:
        """What it comes to: a level held from before the window counts in it, too."""
        window = self.window
        match self.feature.aggregation:
            case Aggregation.UNIQUE:
                return Counted(units=len(self.members), amounts=tuple(self.amounts), members=frozenset(self.members))
            case Aggregation.MAX:
                return Counted(units=max(self.opening, self.greatest or 0))
            case Aggregation.LATEST:
                return Counted(units=self.level)
            case Aggregation.TIME_WEIGHTED:
                rest = self.level * (window.end - (window.start if self.since is None else self.since))
                return Counted(units=Fraction(self.area + rest, window.whole.end - window.whole.start))
            case _:
                return Counted(units=self.units, amounts=tuple(self.amounts))


def _units(fact: BillableFact, wanted: Units | None) -> int:
    if wanted is Units.OVERAGE:
        return sum(pot.quantity for pot in fact.pots if pot.kind is PotKind.OVERAGE)
    return fact.quantity - sum(pot.quantity for pot in fact.pots if pot.kind is PotKind.GRANT)


def _amount(fact: BillableFact, dimension: str, currency: str) -> Fraction | None:
    """The amount that an event carries, in major units; None where its dimension holds no plain decimal."""
    if not dimension:
        return Fraction(fact.quantity, 10 ** decimals_of(currency))
    text = fact.dimensions.get(dimension, "")
    try:
        value = Decimal(text) if len(text) <= _LONGEST_AMOUNT and text.isascii() else None
    except InvalidOperation:
        return None
    readable = value is not None and value.is_finite() and abs(value.adjusted()) < _LONGEST_AMOUNT
    return Fraction(value) if value is not None and readable else None

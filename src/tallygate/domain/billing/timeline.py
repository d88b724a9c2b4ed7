"""What an account held, and when: lanes of segments, each with one price in one quantity.

A lane is one price of one bundle on one subscription. Its past never changes, so everything that was charged for it can
be derived again.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tallygate.domain.account import ChangeProration, Subscription
from tallygate.domain.catalog import AddOn, Catalog, Plan
from tallygate.domain.prices import Price

ADVANCE = "advance/"
"""How the id begins of an own price that stands for periods paid at once; the subscription's id follows."""
PAID = "paid/"
"""How the id begins of one that stands for what an order paid: how long the subscription's id is, it, and a number."""
FOREVER = 2**62
"""Later than every instant: where something has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityChange:
    """How many seats or users there are from an instant on; `source` is a seat feature's key, empty for users.

    `proration` is how the change to them is charged.
    """

    source: str
    change_time: int
    quantity: int
    proration: ChangeProration = ChangeProration.PRORATE


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride:
    """An account's own price, for the one of this key in a bundle (any version of it), over [start_time, end_time)."""

    override_id: str = ""
    bundle: str
    price_key: str
    price: Price
    start_time: int
    end_time: int = FOREVER

    @property
    def subscription_id(self) -> str:
        """The only subscription that it is for: one that paid some of its periods at once; empty: any."""
        if self.override_id.startswith(PAID):
            length, _, rest = self.override_id.removeprefix(PAID).partition("/")
            return rest[: int(length)]
        named, _, _ = self.override_id.partition("\n")  # what was moved has a number behind a line's end
        return named.removeprefix(ADVANCE) if named.startswith(ADVANCE) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch [start, end) of a lane over which nothing changes.

    `multiple` is how many of the bundle are held, `quantity` the seats or users that the price is for (else 1).
    `end_known` is when it became known that it ends there: what is charged before that is charged to the end of its
    period, and credited.
    """

    start: int
    end: int = FOREVER
    end_known: int = FOREVER
    version: int
    price: Price
    name: str = ""
    multiple: int = 1
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One price of one bundle on one subscription, as it was held; segments by start, without overlap."""

    subscription_id: str
    bundle: str
    price_key: str
    segments: tuple[Segment, ...]

    @property
    def key(self) -> str:
        """Its name within the subscription."""
        return f"{self.bundle}/{self.price_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A bundle held in some quantity over [start, end)."""

    bundle: str
    item: Plan | AddOn
    start: int
    end: int
    end_known: int = FOREVER
    multiple: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A subscription, when its end became known, and what its prices are multiplied and replaced by.

    `by_default`: it stands for the time that an account had none, on the default plan, which charges usage only.
    """

    subscription: Subscription
    catalog: Catalog
    cancel_time: int | None = None
    quantities: Sequence[QuantityChange] = field(default_factory=tuple)
    overrides: Sequence[PriceOverride] = field(default_factory=tuple)
    by_default: bool = False

    @property
    def counted(self) -> Sequence[QuantityChange]:
        """How many seats and users there are to be charged for: those that are taken, or more where more are booked."""
        bookings = self.subscription.bookings
        if not bookings:
            return self.quantities
        booked = {each.source for each in bookings}
        rest = [change for change in self.quantities if change.source not in booked]
        return [*rest, *(change for source in sorted(booked) for change in self._with_bookings(source))]

    def _with_bookings(self, source: str) -> Iterator[QuantityChange]:
        taken = [(change.change_time, 0, change) for change in self.quantities if change.source == source]
        booked = [
            (
                each.start_time,
                1,
                QuantityChange(
                    source=source, change_time=each.start_time, quantity=each.quantity, proration=each.proration
                ),
            )
            for each in self.subscription.bookings
            if each.source == source
        ]
        standing, before = [0, 0], 0
        for at, kind, change in sorted([*taken, *booked], key=lambda one: one[0]):
            standing[kind] = change.quantity
            quantity = max(standing)
            if quantity != before:
                before = quantity
                yield replace(change, change_time=at, quantity=quantity)

    @property
    def origin(self) -> int:
        """From when on it is charged: the end of its trial, else its start."""
        subscription = self.subscription
        trial_end = subscription.trial_end_time
        return subscription.start_time if trial_end is None else max(trial_end, subscription.start_time)

    @property
    def end(self) -> int:
        """When it ends."""
        return FOREVER if self.subscription.end_time is None else self.subscription.end_time

    @property
    def end_known(self) -> int:
        """When it became known that it ends: at its cancelling, else from its start."""
        if self.subscription.end_time is None:
            return FOREVER
        return self.subscription.start_time if self.cancel_time is None else self.cancel_time

    def quantity_of(self, price: Price, at: int) -> int:
        """How many seats or users a price is for at an instant; 1 where it is for none of them."""
        changes = [change for change in self.counted if change.source == _source(price)]
        return _quantity_at(changes, at) if _each(price) else 1

    def plan_at(self, at: int) -> Plan | None:
        """The plan version that serves at an instant."""
        return next((h.item for h in self.plans() if h.start <= at < h.end and isinstance(h.item, Plan)), None)

    def plans(self) -> Iterator[Holding]:
        """The plan's versions as they were served, by start, the trial left out."""
        terms = self.subscription.terms
        for term, after in pairwise([*terms, None]):
            if term is None:
                continue
            end = self.end if after is None else min(after.start_time, self.end)
            start = max(term.start_time, self.origin)
            plan = self.catalog.plan(term.plan_key, term.plan_version)
            if start < end and plan is not None:
                known = self.end_known if end == self.end else end
                yield Holding(bundle=f"plans/{term.plan_key}", item=plan, start=start, end=end, end_known=known)

    def add_ons(self) -> Iterator[Holding]:
        """The add-ons as they were held, by start."""
        for held in self.subscription.add_ons:
            end = min(FOREVER if held.end_time is None else held.end_time, self.end)
            start = max(held.start_time, self.origin)
            add_on = self.catalog.add_on(held.add_on_key, held.version)
            if start < end and add_on is not None:
                yield Holding(
                    bundle=f"add_ons/{held.add_on_key}",
                    item=add_on,
                    start=start,
                    end=end,
                    end_known=self.end_known if end == self.end else end,
                    multiple=held.quantity,
                )


def lanes(timeline: Timeline) -> tuple[Lane, ...]:
    """Every lane, by bundle and price key; one that a pause covers whole is none."""
    found: dict[tuple[str, str], list[Segment]] = {}
    for held in (*timeline.plans(), *timeline.add_ons()):
        for price in held.item.prices:
            if timeline.by_default and price.usage is None:
                continue
            found.setdefault((held.bundle, price.price_key), []).extend(_segments(timeline, held, price))
    subscription_id = timeline.subscription.subscription_id
    return tuple(
        Lane(subscription_id=subscription_id, bundle=bundle, price_key=key, segments=tuple(_merged(segments)))
        for (bundle, key), segments in sorted(found.items())
        if segments
    )


def _segments(timeline: Timeline, held: Holding, price: Price) -> Iterator[Segment]:
    changes = [change for change in timeline.counted if change.source == _source(price)] if _each(price) else []
    overrides = [
        override
        for override in timeline.overrides
        if (override.bundle, override.price_key) == (held.bundle, price.price_key)
        and override.subscription_id in {"", timeline.subscription.subscription_id}
    ]
    cuts = {held.start, held.end}
    cuts |= {change.change_time for change in changes}
    cuts |= {instant for override in overrides for instant in (override.start_time, override.end_time)}
    pauses = timeline.subscription.pauses if price.usage is None else ()  # what is used all the same is charged
    cuts |= {instant for pause in pauses for instant in (pause.start_time, pause.end_time) if instant is not None}
    inside = sorted(cut for cut in cuts if held.start <= cut <= held.end)
    for start, end in pairwise(inside):
        if any(pause.holds(start) for pause in pauses):
            continue
        yield Segment(
            start=start,
            end=end,
            end_known=held.end_known if end == held.end else end,
            version=held.item.version,
            price=_in_force(overrides, price, start),
            name=held.item.name or held.bundle.partition("/")[2],
            multiple=held.multiple,
            quantity=_quantity_at(changes, start) if _each(price) else 1,
        )


def _each(price: Price) -> bool:
    return price.recurring is not None and price.recurring.per_quantity


def _source(price: Price) -> str:
    return price.recurring.seats if price.recurring is not None else ""


def _in_force(overrides: Sequence[PriceOverride], price: Price, at: int) -> Price:
    own = [override.price for override in overrides if override.start_time <= at < override.end_time]
    return own[-1] if own else price


def _quantity_at(changes: Sequence[QuantityChange], at: int) -> int:
    ordered = sorted(changes, key=lambda change: change.change_time)
    index = bisect_right([change.change_time for change in ordered], at)
    return ordered[index - 1].quantity if index else 0


def _merged(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Segments by start; neighbours that differ in nothing are one."""
    ordered = sorted(segments, key=lambda segment: segment.start)
    if not ordered:
        return
    last = ordered[0]
    for segment in ordered[1:]:
        if segment.start == last.end and _same(last, segment):
            last = _joined(last, segment)
        else:
            yield last
            last = segment
    yield last


def _joined(first: Segment, second: Segment) -> Segment:
    return Segment(
        start=first.start,
        end=second.end,
        end_known=second.end_known,
        version=first.version,
        price=first.price,
        name=first.name,
        multiple=first.multiple,
        quantity=first.quantity,
    )


def _same(first: Segment, second: Segment) -> bool:
    terms = (first.version, first.price, first.multiple, first.quantity)
    return terms == (second.version, second.price, second.multiple, second.quantity)

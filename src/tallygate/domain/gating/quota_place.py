"""Where a quota gate is evaluated: the segment and the counter that its instant meets, and what they still allow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import (
    LATENESS_AHEAD,
    LEVELS,
    MEASURED,
    CounterName,
    MeterState,
    Mode,
    OutOfRange,
    PeriodCounter,
    QuotaAnswer,
    QuotaGate,
    Segment,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step happens: the gate and its state, the segment that holds, and the period's effective start."""

    gate: QuotaGate
    state: MeterState
    segment: Segment
    index: int
    start: int
    at: int

    @property
    def counter(self) -> PeriodCounter:
        """What the period counted so far."""
        return self.state.counters.get(self.name, PeriodCounter())

    @property
    def name(self) -> CounterName:
        """Which counter it is."""
        return self.segment.counter_at(self.start)

    def active_grants(self) -> list[Grant]:
        """The grants in force at the instant, in burn order; none while an override holds."""
        if self.segment.exclusive:
            return []
        return [
            g
            for g in self.gate.grants
            if g.effective_time <= self.at and (g.expire_time is None or self.at < g.expire_time)
        ]

    def answer(
        self,
        reason: Reason,
        *,
        allowed: bool,
        counter: PeriodCounter,
        burnt: Mapping[str, int],
        granted: int = 0,
        pots: tuple[Pot, ...] = (),
    ) -> QuotaAnswer:
        """The answer that shows this counter."""
        limit, remaining = allowance(self, counter, burnt)
        return QuotaAnswer(
            allowed=allowed,
            reason=reason,
            granted=granted,
            used=counter.used,
            limit=limit,
            remaining=remaining,
            pots=pots,
            segment=self.index,
            period_start=self.start,
            period_end=self.segment.period_end,
            left=_left(self, counter, burnt),
        )

    def denied(self, reason: Reason) -> tuple[QuotaAnswer, MeterState]:
        """A denial, which changes nothing."""
        return self.answer(reason, allowed=False, counter=shown_counter(self), burnt=self.state.burnt), self.state


def place_of(gate: QuotaGate, state: MeterState, now: int) -> Place | OutOfRange:
    """The segment and the counter in which the gate's instant lies; a reset opens a new counter within its period."""
    at = now if gate.occurred_time is None else gate.occurred_time
    current = segment_at(gate.segments, now)
    index = segment_at(gate.segments, at)
    if current is None:
        return OutOfRange.SEGMENTS
    earliest = gate.segments[current].previous_start
    if gate.quantity is not None and not earliest <= at <= now + LATENESS_AHEAD:
        return OutOfRange.OCCURRED
    if index is None:
        return OutOfRange.SEGMENTS
    segment = gate.segments[index]
    start = state.start_of(segment, at)
    return Place(gate=gate, state=state, segment=segment, index=index, start=start, at=at)


def segment_at(segments: tuple[Segment, ...], at: int) -> int | None:
    """The index of the segment that contains the instant."""
    return next((index for index, segment in enumerate(segments) if segment.start <= at < segment.end), None)


def _is_level(gate: QuotaGate) -> bool:
    return gate.aggregation in LEVELS


def shown_counter(place: Place) -> PeriodCounter:
    """The counter as a reader sees it."""
    return shown(place.state.counters.get(place.name), place.state, place.gate.aggregation, at=place.at)


def shown(counter: PeriodCounter | None, state: MeterState, aggregation: Aggregation, *, at: int) -> PeriodCounter:
    """What a reader sees of a counter: a period that saw no level yet starts at the last one.

    So does one that goes on after a trial, in which a later level was observed than the period itself saw.
    """
    if aggregation not in LEVELS:
        return counter or PeriodCounter()
    if counter is None:
        return PeriodCounter(used=state.level)
    if counter.level_time < state.level_time <= at:
        highest = aggregation is Aggregation.MAX
        return replace(counter, used=max(counter.used, state.level) if highest else state.level)
    return counter


def allowance(place: Place, counter: PeriodCounter, burnt: Mapping[str, int]) -> tuple[int | None, int | None]:
    """Limit and remaining: the included allowance plus what active grants still hold or paid in this period."""
    if place.segment.limit is None or place.gate.aggregation in MEASURED:
        return None, None
    active = place.active_grants()
    if _is_level(place.gate):
        limit = min(MAX_QUANTITY, place.segment.limit + sum(g.amount for g in active))
        return limit, max(0, limit - counter.used)
    rest = sum(max(0, g.amount - burnt.get(g.grant_id, 0)) for g in active)
    paid = sum(counter.grants.get(g.grant_id, 0) for g in active)
    remaining = max(0, place.segment.limit - counter.included) + rest
    return min(MAX_QUANTITY, place.segment.limit + rest + paid), min(MAX_QUANTITY, remaining)


def capacity(place: Place) -> int | None:
    """How much passes at most: so many units more, or that level; None: any."""
    segment = place.segment
    end = segment.hard_limit if segment.overage else segment.limit
    if segment.limit is None or end is None or place.gate.mode is Mode.ADJUST:
        return None
    active = place.active_grants()
    if _is_level(place.gate):
        return min(MAX_QUANTITY, end + sum(g.amount for g in active))
    counter = place.counter
    counted = counter.included + (counter.overage if segment.overage else 0)
    rest = sum(max(0, g.amount - place.state.burnt.get(g.grant_id, 0)) for g in active)
    return min(MAX_QUANTITY, max(0, end - counted) + rest)


def _left(place: Place, counter: PeriodCounter, burnt: Mapping[str, int]) -> tuple[Pot, ...]:
    """What the pots still hold; of a level, which burns nothing, what is included above the last one observed."""
    if place.gate.aggregation in MEASURED:
        return ()
    pots = []
    if place.segment.limit is not None:
        counted = place.state.level if _is_level(place.gate) else counter.included
        pots.append(Pot(kind=PotKind.INCLUDED, quantity=place.segment.limit - counted))
    if _is_level(place.gate):
        return tuple(pots)
    for grant in place.gate.grants:
        rest = grant.amount - burnt.get(grant.grant_id, 0)
        if rest > 0:
            pots.append(Pot(kind=PotKind.GRANT, quantity=rest, grant_id=grant.grant_id))
    if counter.overage:
        pots.append(Pot(kind=PotKind.OVERAGE, quantity=-counter.overage))
    return tuple(pots)


def barred_by(place: Place) -> Reason | None:
    """Why nothing at all can be taken here, or None."""
    if place.segment.denial is not None:
        return place.segment.denial
    return Reason.NOT_IN_PLAN if place.segment.absent and not place.active_grants() else None

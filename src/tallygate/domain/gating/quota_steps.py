"""How one quota gate counts: slots, pots, refunds and levels, as pure steps from state to state.

This is the specification; `storage/redis/scripts/admit.lua` is an implementation, proven equal by property tests.
"""

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
    MeterState,
    Mode,
    OutOfRange,
    PeriodCounter,
    QuotaAnswer,
    QuotaGate,
    ResetGate,
    Slot,
)


def step(gate: QuotaGate, state: MeterState, *, now: int) -> tuple[QuotaAnswer, MeterState] | OutOfRange:
    """Evaluate one gate against its meter at `now`; a denial or a look returns the state unchanged."""
    place = _place(gate, state, now)
    if isinstance(place, OutOfRange):
        return place
    if gate.quantity is None:
        return _look(place)
    match gate.aggregation:
        case Aggregation.SUM | Aggregation.COUNT:
            return _step_delta(place, gate.quantity)
        case Aggregation.MAX | Aggregation.LATEST:
            return _step_level(place, gate.quantity)
        case Aggregation.UNIQUE | Aggregation.TIME_WEIGHTED:
            return _step_event(place, gate.quantity)


def reset(gate: ResetGate, state: MeterState, *, now: int) -> tuple[QuotaAnswer, MeterState] | OutOfRange:
    """Open a new period at `now`: deltas start at zero, levels at the last one, grants stay as burnt as they are."""
    index = _slot_at(gate.slots, now)
    if index is None:
        return OutOfRange.SLOTS
    used = state.level if gate.aggregation in LEVELS else 0
    answer = QuotaAnswer(
        allowed=True,
        reason=Reason.WITHIN_LIMIT,
        granted=0,
        used=used,
        limit=None,
        remaining=None,
        pots=(),
        slot=index,
        period_start=now,
        period_end=gate.slots[index].period_end,
    )
    return answer, replace(state, reset_time=now, counters={**state.counters, now: PeriodCounter(used=used)})


def _place(gate: QuotaGate, state: MeterState, now: int) -> "_Place | OutOfRange":
    """The slot and the counter in which the gate's instant lies; a reset opens a new counter within its period."""
    at = now if gate.occurred_time is None else gate.occurred_time
    current = _slot_at(gate.slots, now)
    index = _slot_at(gate.slots, at)
    if current is None:
        return OutOfRange.SLOTS
    earliest = gate.slots[current].previous_start
    if gate.quantity is not None and not earliest <= at <= now + LATENESS_AHEAD:
        return OutOfRange.OCCURRED
    if index is None:
        return OutOfRange.SLOTS
    slot = gate.slots[index]
    start = state.reset_time if slot.period_start < state.reset_time <= at else slot.period_start
    return _Place(gate=gate, state=state, slot=slot, index=index, start=start, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a step happens: the gate and its state, the slot that holds, and the period's effective start."""

    gate: QuotaGate
    state: MeterState
    slot: Slot
    index: int
    start: int
    at: int

    @property
    def counter(self) -> PeriodCounter:
        return self.state.counters.get(self.start, PeriodCounter())

    def active_grants(self) -> list[Grant]:
        if self.slot.exclusive:
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
        limit, remaining = _allowance(self, counter, burnt)
        return QuotaAnswer(
            allowed=allowed,
            reason=reason,
            granted=granted,
            used=counter.used,
            limit=limit,
            remaining=remaining,
            pots=pots,
            slot=self.index,
            period_start=self.start,
            period_end=self.slot.period_end,
            left=_left(self, counter, burnt),
        )

    def denied(self, reason: Reason) -> tuple[QuotaAnswer, MeterState]:
        return self.answer(reason, allowed=False, counter=_shown(self), burnt=self.state.burnt), self.state


def _slot_at(slots: tuple[Slot, ...], at: int) -> int | None:
    return next((index for index, slot in enumerate(slots) if slot.start <= at < slot.end), None)


def _is_level(gate: QuotaGate) -> bool:
    return gate.aggregation in LEVELS


def _shown(place: _Place) -> PeriodCounter:
    """The counter as a reader sees it: a period that saw no level yet starts at the last one."""
    if _is_level(place.gate) and place.start not in place.state.counters:
        return PeriodCounter(used=place.state.level)
    return place.counter


def _allowance(place: _Place, counter: PeriodCounter, burnt: Mapping[str, int]) -> tuple[int | None, int | None]:
    """Limit and remaining: the included allowance plus what active grants still hold or paid in this period."""
    if place.slot.limit is None or place.gate.aggregation in MEASURED:
        return None, None
    active = place.active_grants()
    if _is_level(place.gate):
        limit = min(MAX_QUANTITY, place.slot.limit + sum(g.amount for g in active))
        return limit, max(0, limit - counter.used)
    rest = sum(max(0, g.amount - burnt.get(g.grant_id, 0)) for g in active)
    paid = sum(counter.grants.get(g.grant_id, 0) for g in active)
    remaining = max(0, place.slot.limit - counter.included) + rest
    return min(MAX_QUANTITY, place.slot.limit + rest + paid), min(MAX_QUANTITY, remaining)


def _left(place: _Place, counter: PeriodCounter, burnt: Mapping[str, int]) -> tuple[Pot, ...]:
    """What the pots of a delta meter still hold; a level burns nothing."""
    if place.gate.aggregation not in {Aggregation.SUM, Aggregation.COUNT}:
        return ()
    pots = []
    if place.slot.limit is not None:
        pots.append(Pot(kind=PotKind.INCLUDED, quantity=place.slot.limit - counter.included))
    for grant in place.gate.grants:
        rest = grant.amount - burnt.get(grant.grant_id, 0)
        if rest > 0:
            pots.append(Pot(kind=PotKind.GRANT, quantity=rest, grant_id=grant.grant_id))
    return tuple(pots)


def _barred(place: _Place) -> Reason | None:
    """Why nothing at all can be taken here, or None."""
    if place.slot.standing is not None:
        return place.slot.standing
    return Reason.NOT_IN_PLAN if place.slot.absent and not place.active_grants() else None


def _look(place: _Place) -> tuple[QuotaAnswer, MeterState]:
    barred = _barred(place)
    if barred is not None:
        return place.denied(barred)
    if place.gate.aggregation in MEASURED:
        return _step_event(place, 0)
    reason = Reason.UNLIMITED if place.slot.limit is None else Reason.WITHIN_LIMIT
    return place.answer(reason, allowed=True, counter=_shown(place), burnt=place.state.burnt), place.state


def _step_delta(place: _Place, quantity: int) -> tuple[QuotaAnswer, MeterState] | OutOfRange:
    if quantity < 0:
        return _refund(place, -quantity)
    barred = _barred(place)
    if barred is not None:
        return place.denied(barred)
    _, remaining = _allowance(place, place.counter, place.state.burnt)
    soft = place.slot.overage or place.gate.mode is Mode.ADJUST
    if remaining is not None and quantity > remaining and not soft:
        if place.gate.mode is not Mode.BEST_EFFORT or remaining == 0:
            return place.denied(Reason.QUOTA_EXHAUSTED)
        quantity = remaining
    if place.counter.used + quantity > MAX_QUANTITY:
        return OutOfRange.COUNTER
    return _burn(place, quantity)


def _burn(place: _Place, quantity: int) -> tuple[QuotaAnswer, MeterState]:
    """Take units from the included allowance, then grants in burn order, then overage."""
    counter, burnt = place.counter, dict(place.state.burnt)
    in_period = dict(counter.grants)
    unlimited = place.slot.limit is None
    included = quantity if place.slot.limit is None else min(quantity, max(0, place.slot.limit - counter.included))
    pots = [Pot(kind=PotKind.INCLUDED, quantity=included)] if included else []
    rest = quantity - included
    for grant in place.active_grants():
        part = min(rest, max(0, grant.amount - burnt.get(grant.grant_id, 0)))
        if part:
            burnt[grant.grant_id] = burnt.get(grant.grant_id, 0) + part
            in_period[grant.grant_id] = in_period.get(grant.grant_id, 0) + part
            pots.append(Pot(kind=PotKind.GRANT, grant_id=grant.grant_id, quantity=part))
            rest -= part
    if rest:
        pots.append(Pot(kind=PotKind.OVERAGE, quantity=rest))
    after = replace(
        counter,
        used=counter.used + quantity,
        included=counter.included + included,
        overage=counter.overage + rest,
        grants=in_period,
    )
    reason = Reason.UNLIMITED if unlimited else Reason.OVERAGE if rest else Reason.WITHIN_LIMIT
    return _settled(place, reason, after, burnt, granted=quantity, pots=tuple(pots))


def _refund(place: _Place, amount: int) -> tuple[QuotaAnswer, MeterState]:
    """Return units to the pots that paid in this period, the last of the burn order first."""
    counter, burnt = place.counter, dict(place.state.burnt)
    in_period = dict(counter.grants)
    known = [grant for grant in place.gate.grants if in_period.get(grant.grant_id, 0) > 0]
    cap = counter.overage + counter.included + sum(in_period[grant.grant_id] for grant in known)
    if amount > cap:
        if place.gate.mode is not Mode.BEST_EFFORT or cap == 0:
            return place.denied(Reason.REFUND_EXCEEDS_USAGE)
        amount = cap
    overage = min(amount, counter.overage)
    rest = amount - overage
    pots = [Pot(kind=PotKind.OVERAGE, quantity=-overage)] if overage else []
    for grant in reversed(known):
        part = min(rest, in_period[grant.grant_id])
        if part:
            in_period[grant.grant_id] -= part
            burnt[grant.grant_id] = burnt.get(grant.grant_id, 0) - part
            pots.append(Pot(kind=PotKind.GRANT, grant_id=grant.grant_id, quantity=-part))
            rest -= part
    if rest:
        pots.append(Pot(kind=PotKind.INCLUDED, quantity=-rest))
    after = replace(
        counter,
        used=counter.used - amount,
        included=counter.included - rest,
        overage=counter.overage - overage,
        grants=in_period,
    )
    reason = Reason.UNLIMITED if place.slot.limit is None else Reason.WITHIN_LIMIT
    return _settled(place, reason, after, burnt, granted=-amount, pots=tuple(pots))


def _step_level(place: _Place, level: int) -> tuple[QuotaAnswer, MeterState]:
    """Observe a level: admitted when it is within the limit, which grants raise and nothing burns."""
    barred = _barred(place)
    if barred is not None:
        return place.denied(barred)
    shown = _shown(place)
    limit, _ = _allowance(place, shown, place.state.burnt)
    within = level if limit is None else min(level, limit)
    if level > within and not (place.slot.overage or place.gate.mode is Mode.ADJUST):
        return place.denied(Reason.QUOTA_EXHAUSTED)
    pots = [Pot(kind=PotKind.INCLUDED, quantity=within)] if within else []
    if level > within:
        pots.append(Pot(kind=PotKind.OVERAGE, quantity=level - within))
    used = shown.used
    if place.gate.aggregation is Aggregation.MAX:
        used = max(used, level)
    elif place.at >= shown.level_time:
        used = level
    after = replace(shown, used=used, level_time=max(shown.level_time, place.at))
    reason = Reason.UNLIMITED if limit is None else Reason.OVERAGE if level > within else Reason.WITHIN_LIMIT
    answer, state = _settled(place, reason, after, place.state.burnt, granted=level, pots=tuple(pots))
    if place.at >= place.state.level_time:
        state = replace(state, level=level, level_time=place.at)
    return answer, state


def _step_event(place: _Place, quantity: int) -> tuple[QuotaAnswer, MeterState]:
    """Measured from events: admitted wherever it is entitled, counted nowhere but in the event."""
    barred = _barred(place)
    if barred is not None:
        return place.denied(barred)
    pots = (Pot(kind=PotKind.INCLUDED, quantity=quantity),) if quantity > 0 else ()
    answer = place.answer(
        Reason.UNLIMITED, allowed=True, counter=PeriodCounter(), burnt={}, granted=quantity, pots=pots
    )
    return answer, place.state


def _settled(
    place: _Place,
    reason: Reason,
    after: PeriodCounter,
    burnt: Mapping[str, int],
    *,
    granted: int,
    pots: tuple[Pot, ...],
) -> tuple[QuotaAnswer, MeterState]:
    answer = place.answer(reason, allowed=True, counter=after, burnt=burnt, granted=granted, pots=pots)
    answer = replace(answer, left=())
    counters = {**place.state.counters, place.start: after}
    return answer, replace(place.state, counters=counters, burnt=burnt)

"""How one quota gate counts: segments, pots, refunds and levels, as pure steps from state to state.

This is the specification; `storage/redis/scripts/admit.lua` is an implementation, proven equal by property tests.
"""

from collections.abc import Mapping
from dataclasses import replace

from tallygate.domain.catalog import Aggregation
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import (
    LEVELS,
    MEASURED,
    MeterState,
    Mode,
    OutOfRange,
    PeriodCounter,
    QuotaAnswer,
    QuotaGate,
    ResetGate,
)
from tallygate.domain.gating.quota_place import (
    Place,
    allowance,
    barred_by,
    capacity,
    place_of,
    segment_at,
    shown,
    shown_counter,
)


def step(gate: QuotaGate, state: MeterState, *, now: int) -> tuple[QuotaAnswer, MeterState] | OutOfRange:
    """Evaluate one gate against its meter at `now`; a denial or a look returns the state unchanged."""
    place = place_of(gate, state, now)
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
    """Open a new period at `now`: deltas start at zero, levels at the last one, grants stay as burnt as they are.

    Told as granted is what the period that it closes has counted; measured meters count none. The first reset of a
    period forgets those of periods that had ended when the one before this began: nothing counts there.
    """
    index = segment_at(gate.segments, now)
    if index is None:
        return OutOfRange.SEGMENTS
    used = state.level if gate.aggregation in LEVELS else 0
    segment = gate.segments[index]
    start = state.start_of(segment, now)
    counter = state.counters.get(segment.counter_at(start))
    closed = shown(counter, state, gate.aggregation, at=now).used
    answer = QuotaAnswer(
        allowed=True,
        reason=Reason.WITHIN_LIMIT,
        granted=0 if gate.aggregation in MEASURED else closed,
        used=used,
        limit=None,
        remaining=None,
        pots=(),
        segment=index,
        period_start=now,
        period_end=segment.period_end,
    )
    counters = {**state.counters, segment.counter_at(now): PeriodCounter(used=used)}
    if start == segment.period_start:
        lasting = {
            digest: known for digest, known in state.resets.items() if known.answer.period_end > segment.previous_start
        }
        state = replace(state, resets=lasting)
    if segment.own:
        return answer, replace(state, own_reset_time=now, counters=counters)
    return answer, replace(state, reset_time=now, counters=counters)


def _look(place: Place) -> tuple[QuotaAnswer, MeterState]:
    barred = barred_by(place)
    if barred is not None:
        return place.denied(barred)
    if place.gate.aggregation in MEASURED:
        return _step_event(place, 0)
    reason = Reason.UNLIMITED if place.segment.limit is None else Reason.WITHIN_LIMIT
    return place.answer(reason, allowed=True, counter=shown_counter(place), burnt=place.state.burnt), place.state


def _step_delta(place: Place, quantity: int) -> tuple[QuotaAnswer, MeterState] | OutOfRange:
    if quantity < 0:
        return _refund(place, -quantity)
    barred = barred_by(place)
    if barred is not None:
        return place.denied(barred)
    most = capacity(place)
    if most is not None and quantity > most:
        if place.gate.mode is not Mode.BEST_EFFORT or most == 0:
            return place.denied(Reason.QUOTA_EXHAUSTED)
        quantity = most
    if place.counter.used + quantity > MAX_QUANTITY:
        return OutOfRange.COUNTER
    return _burn(place, quantity)


def _burn(place: Place, quantity: int) -> tuple[QuotaAnswer, MeterState]:
    """Take units from the included allowance, then grants in burn order, then overage."""
    counter, burnt = place.counter, dict(place.state.burnt)
    in_period = dict(counter.grants)
    unlimited = place.segment.limit is None
    included = (
        quantity if place.segment.limit is None else min(quantity, max(0, place.segment.limit - counter.included))
    )
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


def _refund(place: Place, amount: int) -> tuple[QuotaAnswer, MeterState]:
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
    reason = Reason.UNLIMITED if place.segment.limit is None else Reason.WITHIN_LIMIT
    return _settled(place, reason, after, burnt, granted=-amount, pots=tuple(pots))


def _step_level(place: Place, level: int) -> tuple[QuotaAnswer, MeterState]:
    """Observe a level: admitted when it is within the limit, which grants raise and nothing burns."""
    barred = barred_by(place)
    if barred is not None:
        return place.denied(barred)
    shown = shown_counter(place)
    limit, _ = allowance(place, shown, place.state.burnt)
    within = level if limit is None else min(level, limit)
    most = capacity(place)
    if most is not None and level > most:
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


def _step_event(place: Place, quantity: int) -> tuple[QuotaAnswer, MeterState]:
    """Measured from events: admitted wherever it is entitled, counted nowhere but in the event."""
    barred = barred_by(place)
    if barred is not None:
        return place.denied(barred)
    pots = (Pot(kind=PotKind.INCLUDED, quantity=quantity),) if quantity > 0 else ()
    answer = place.answer(
        Reason.UNLIMITED, allowed=True, counter=PeriodCounter(), burnt={}, granted=quantity, pots=pots
    )
    return answer, place.state


def _settled(
    place: Place,
    reason: Reason,
    after: PeriodCounter,
    burnt: Mapping[str, int],
    *,
    granted: int,
    pots: tuple[Pot, ...],
) -> tuple[QuotaAnswer, MeterState]:
    answer = place.answer(reason, allowed=True, counter=after, burnt=burnt, granted=granted, pots=pots)
    answer = replace(answer, left=tuple(pot for pot in answer.left if pot.kind is PotKind.GRANT))
    counters = {**place.state.counters, place.name: after}
    return answer, replace(place.state, counters=counters, burnt=burnt)

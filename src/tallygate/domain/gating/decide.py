"""The decision table: all rules that turn what is held, and what the gate answered, into one explained decision.

Knows no clock and no store. Instants are microseconds since the Unix epoch, durations microseconds.
"""

from dataclasses import dataclass, replace

from tallygate.domain.catalog import Catalog, Entitlement, Feature, FeatureKind, ValueType
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import (
    Decision,
    Pot,
    PotKind,
    Reason,
    Source,
    SourceKind,
    UnblockKind,
    UnblockOption,
)
from tallygate.domain.gating.quota import LEVELS
from tallygate.domain.gating.remedies import (
    Metered,
    Question,
    grants_in_force,
    quota_options,
    quota_retry,
    quota_shortfall,
    retry_at_phase,
    unblock_options,
)
from tallygate.domain.gating.resolve import EntitlementSet, Phase

_COUNTED = {Reason.WITHIN_LIMIT, Reason.OVERAGE, Reason.QUOTA_EXHAUSTED, Reason.REFUND_EXCEEDS_USAGE}


def unknown_account(feature: Feature) -> Decision:
    """The denial of an account that does not exist: reads never create."""
    return Decision(feature_key=feature.feature_key, allowed=False, reason=Reason.ACCOUNT_NOT_FOUND)


def decide(catalog: Catalog, held: EntitlementSet, question: Question) -> Decision:
    """Decide a boolean, static or seat feature from what is held alone."""
    phase = held.phase_at(question.at)
    decision = _decide_in(catalog, held, phase, question)
    if decision.allowed:
        return decision
    return replace(
        decision, retry_after=retry_at_phase(held, question.at, lambda p: _decide_in(catalog, held, p, question))
    )


def _decide_in(catalog: Catalog, held: EntitlementSet, phase: Phase, question: Question) -> Decision:
    if question.feature.kind is FeatureKind.SEAT:
        return _decide_seat(catalog, held, phase, question)
    return _decide_value(catalog, phase, question)


def sources(held: EntitlementSet, phase: Phase, question: Question) -> tuple[Source, ...]:
    """Everyone who contributes to the entitlement: plan, add-ons, override, and grants in force."""
    resolved = phase.features.get(question.feature.feature_key)
    if resolved is not None and resolved.overridden:
        return resolved.sources
    granted = tuple(
        Source(kind=SourceKind.GRANT, key=grant.grant_id)
        for grant in grants_in_force(held, question.feature.feature_key, question.at)
    )
    return (*(resolved.sources if resolved else ()), *granted)


def _decide_value(catalog: Catalog, phase: Phase, question: Question) -> Decision:
    feature = question.feature
    resolved = phase.features.get(feature.feature_key)
    entitlement = resolved.entitlement if resolved else None
    allowed = entitlement is not None and _grants_value(feature, entitlement, question.requested_values)
    if entitlement is None or (feature.kind is FeatureKind.BOOLEAN and not entitlement.enabled):
        reason = (phase.denial if resolved is None else None) or Reason.NOT_IN_PLAN
    else:
        reason = Reason.ENTITLED if allowed else Reason.VALUE_NOT_GRANTED
    options: tuple[UnblockOption, ...] = ()
    if not allowed:
        options = unblock_options(
            catalog, phase, feature, lambda e: _grants_value(feature, e, question.requested_values)
        )
    return Decision(
        feature_key=feature.feature_key,
        allowed=allowed,
        reason=reason,
        value=_value(feature, entitlement),
        unlimited=entitlement is not None and entitlement.unlimited,
        sources=resolved.sources if resolved else (),
        unblock_options=options,
    )


def _value(feature: Feature, entitlement: Entitlement | None) -> bool | int | str | tuple[str, ...] | None:
    if feature.kind is FeatureKind.BOOLEAN:
        return bool(entitlement and entitlement.enabled)
    if entitlement is None or feature.kind is not FeatureKind.STATIC:
        return None
    if feature.value_type is ValueType.NUMBER:
        return entitlement.number
    return entitlement.values or entitlement.text


def _grants_value(feature: Feature, entitlement: Entitlement, requested: tuple[str, ...]) -> bool:
    """Whether every requested value is granted; nothing requested asks whether there is any entitlement."""
    if feature.kind is FeatureKind.BOOLEAN:
        return bool(entitlement.enabled)
    if entitlement.unlimited:
        return True
    return all(_grants_one(feature, entitlement, value) for value in requested)


def _grants_one(feature: Feature, entitlement: Entitlement, value: str) -> bool:
    if feature.value_type is ValueType.NUMBER:
        number = int(value) if value.lstrip("-").isascii() and value.lstrip("-").isdigit() else None
        return number is not None and entitlement.number is not None and number <= entitlement.number
    if entitlement.values:
        return value in entitlement.values
    if feature.value_type is ValueType.ENUM and value in feature.values and entitlement.text in feature.values:
        return feature.values.index(value) <= feature.values.index(entitlement.text)
    return value == entitlement.text


def _decide_seat(catalog: Catalog, held: EntitlementSet, phase: Phase, question: Question) -> Decision:
    """With a user: does this user hold a seat. Without: do N more fit."""
    feature = question.feature
    taken = held.seats.get(feature.feature_key, ())
    resolved = phase.features.get(feature.feature_key)
    base = replace(
        _seat_base(feature, resolved.entitlement if resolved else None, used=len(taken)),
        sources=resolved.sources if resolved else (),
    )
    if resolved is None:
        reason = phase.denial or Reason.NOT_IN_PLAN
        return _unblocked(catalog, phase, replace(base, allowed=False, reason=reason), question)
    if question.user_id:
        if question.user_id in taken:
            return replace(base, allowed=True, reason=Reason.ENTITLED)
        end = resolved.entitlement.end
        free = end is None or base.used < end
        options = (UnblockOption(kind=UnblockKind.SEAT, key=feature.feature_key, limit=base.limit),) if free else ()
        denied = replace(base, allowed=False, reason=Reason.SEAT_NOT_ASSIGNED, unblock_options=options)
        return denied if free else _unblocked(catalog, phase, denied, replace(question, quantity=1))
    return seat_fit(catalog, phase, base, question, resolved.entitlement)


def seat_fit(catalog: Catalog, phase: Phase, base: Decision, question: Question, entitlement: Entitlement) -> Decision:
    """Whether `question.quantity` more seats fit beside those used."""
    if base.unlimited:
        return replace(base, allowed=True, reason=Reason.UNLIMITED)
    if question.quantity <= (base.remaining or 0):
        return replace(base, allowed=True, reason=Reason.WITHIN_LIMIT)
    end = entitlement.end
    if end is None or base.used + question.quantity <= end:
        return replace(base, allowed=True, reason=Reason.OVERAGE)
    missing = base.used + question.quantity - end
    denied = replace(base, allowed=False, reason=Reason.SEAT_LIMIT, shortfall=missing)
    return _unblocked(catalog, phase, denied, question)


def _seat_base(feature: Feature, entitlement: Entitlement | None, *, used: int) -> Decision:
    unlimited = entitlement is not None and entitlement.unlimited
    limit = None if unlimited or entitlement is None else (entitlement.limit or 0)
    remaining = None if limit is None else max(0, limit - used)
    return Decision(
        feature_key=feature.feature_key,
        allowed=False,
        reason=Reason.SEAT_LIMIT,
        unlimited=unlimited,
        limit=limit,
        hard_limit=entitlement.hard_limit if entitlement is not None and limit is not None else None,
        used=used,
        remaining=remaining,
    )


def _unblocked(catalog: Catalog, phase: Phase, decision: Decision, question: Question) -> Decision:
    needed = decision.used + max(question.quantity, 1)
    options = unblock_options(
        catalog,
        phase,
        question.feature,
        lambda e: e.end is None or e.end >= needed,
    )
    return replace(decision, unblock_options=options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a decision says of the call that it answers."""

    view_version: int = 0
    request_id: str = ""


_UNSTAMPED = Stamp()


def decide_metered(
    catalog: Catalog, held: EntitlementSet, question: Question, metered: Metered, stamp: Stamp = _UNSTAMPED
) -> Decision:
    """Explain a quota gate's answer: reason, what remains, when the same amount passes, and what would unblock it."""
    answer = metered.answer
    counted = answer.reason in _COUNTED
    phase = held.phase_at(metered.segment.start)
    decision = Decision(
        feature_key=question.feature.feature_key,
        allowed=answer.allowed,
        reason=answer.reason,
        unlimited=answer.reason is Reason.UNLIMITED,
        limit=answer.limit if counted else None,
        used=answer.used,
        remaining=answer.remaining if counted else None,
        hard_limit=_hard_limit(metered) if counted else None,
        granted_quantity=answer.granted,
        pots=answer.pots,
        grants_left=_grants_left(held, phase, question, metered),
        period_start=answer.period_start,
        reset_time=answer.period_end,
        sources=sources(held, phase, question),
        view_version=stamp.view_version,
        replayed=answer.replayed,
        request_id=stamp.request_id,
    )
    if answer.allowed or answer.reason is Reason.REFUND_EXCEEDS_USAGE:
        return decision
    return replace(
        decision,
        shortfall=quota_shortfall(held, question, metered),
        retry_after=quota_retry(held, question, metered),
        unblock_options=quota_options(catalog, held, question, metered),
    )


def tried(question: Question, metered: Metered) -> Metered:
    """What a look becomes when an amount is asked of it: would so much pass where it looked?"""
    answer, segment = metered.answer, metered.segment
    if not answer.allowed or answer.remaining is None or answer.limit is None:
        return metered
    is_level = question.feature.aggregation in LEVELS and not question.beyond
    capacity = answer.limit if is_level else answer.remaining
    if question.quantity <= capacity:
        return metered
    soft = segment.overage and question.quantity <= _capacity_of_overage(question, metered)
    reason = Reason.OVERAGE if soft else Reason.QUOTA_EXHAUSTED
    return replace(metered, answer=replace(answer, allowed=soft, reason=reason))


def _capacity_of_overage(question: Question, metered: Metered) -> float:
    """How much passes where overage is allowed: up to its hard end, which grants raise as they raise the limit."""
    answer, room = metered.answer, _room_of_overage(metered)
    if room is None:
        return float("inf")
    if question.feature.aggregation in LEVELS:
        return (answer.limit or 0) + room - (answer.used if question.beyond else 0)
    left = {kind: sum(p.quantity for p in answer.left if p.kind is kind) for kind in PotKind}
    granted = (answer.remaining or 0) - max(0, left[PotKind.INCLUDED])
    return granted + max(0, left[PotKind.INCLUDED] + left[PotKind.OVERAGE] + room)


def _room_of_overage(metered: Metered) -> int | None:
    """How much overage the terms allow above their limit; None: there is none, or no end to it."""
    segment = metered.segment
    if not segment.overage or segment.hard_limit is None or segment.limit is None:
        return None
    return segment.hard_limit - segment.limit


def _hard_limit(metered: Metered) -> int | None:
    room = _room_of_overage(metered)
    return None if room is None or metered.answer.limit is None else min(MAX_QUANTITY, metered.answer.limit + room)


def _grants_left(held: EntitlementSet, phase: Phase, question: Question, metered: Metered) -> tuple[Pot, ...]:
    """What grants in force still hold, in burn order; none while an override holds, for then they wait."""
    resolved = phase.features.get(question.feature.feature_key)
    left = {pot.grant_id: pot for pot in metered.answer.left if pot.kind is PotKind.GRANT}
    if not left or (resolved is not None and resolved.overridden):
        return ()
    in_force = grants_in_force(held, question.feature.feature_key, question.at)
    return tuple(left[grant.grant_id] for grant in in_force if grant.grant_id in left)

"""The decision table: all rules that turn what is held, and what the gate answered, into one explained decision.

Knows no clock and no store. Instants are microseconds since the Unix epoch, durations microseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation, Catalog, Entitlement, Feature, FeatureKind, Overage, ValueType
from tallygate.domain.gating.decision import Decision, Reason, Source, SourceKind, UnblockKind, UnblockOption
from tallygate.domain.gating.quota import QuotaAnswer, Slot
from tallygate.domain.gating.resolve import EntitlementSet, Phase, with_add_on, with_plan

LEVELS = {Aggregation.MAX, Aggregation.LATEST}
"""Aggregations whose quantity is the observed level, not a delta."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One feature asked of one account at one instant; `quantity` is the amount that should pass."""

    feature: Feature
    quantity: int = 1
    user_id: str = ""
    requested_values: tuple[str, ...] = ()
    at: int


def unknown_account(feature: Feature) -> Decision:
    """The denial of an account that does not exist: reads never create."""
    return Decision(feature_key=feature.feature_key, allowed=False, reason=Reason.ACCOUNT_NOT_FOUND)


def decide(catalog: Catalog, held: EntitlementSet, question: Question) -> Decision:
    """Decide a boolean, static or seat feature from what is held alone."""
    phase = held.phase_at(question.at)
    if question.feature.kind is FeatureKind.SEAT:
        decision = _decide_seat(catalog, held, phase, question)
    else:
        decision = _decide_value(catalog, phase, question)
    return replace(decision, sources=sources(held, phase, question))


def sources(held: EntitlementSet, phase: Phase, question: Question) -> tuple[Source, ...]:
    """Everyone who contributes to the entitlement: plan, add-ons, override, and grants in force."""
    resolved = phase.features.get(question.feature.feature_key)
    if resolved is not None and resolved.overridden:
        return resolved.sources
    granted = tuple(
        Source(kind=SourceKind.GRANT, key=grant.grant_id)
        for grant in held.grants.get(question.feature.feature_key, ())
        if _in_force(grant, question.at)
    )
    return (*(resolved.sources if resolved else ()), *granted)


def _in_force(grant: Grant, at: int) -> bool:
    return grant.effective_time <= at and (grant.expire_time is None or at < grant.expire_time)


def _decide_value(catalog: Catalog, phase: Phase, question: Question) -> Decision:
    feature = question.feature
    resolved = phase.features.get(feature.feature_key)
    entitlement = resolved.entitlement if resolved else None
    allowed = entitlement is not None and _grants_value(feature, entitlement, question.requested_values)
    if entitlement is None or (feature.kind is FeatureKind.BOOLEAN and not entitlement.enabled):
        reason = (phase.standing if resolved is None else None) or Reason.NOT_IN_PLAN
    else:
        reason = Reason.ENTITLED if allowed else Reason.VALUE_NOT_GRANTED
    options: tuple[UnblockOption, ...] = ()
    if not allowed and phase.standing is None:
        options = unblock_options(
            catalog, phase, feature, lambda e: _grants_value(feature, e, question.requested_values)
        )
    return Decision(
        feature_key=feature.feature_key,
        allowed=allowed,
        reason=reason,
        value=_value(feature, entitlement),
        unlimited=entitlement is not None and entitlement.unlimited,
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
    base = _seat_base(feature, resolved.entitlement if resolved else None, used=len(taken))
    if resolved is None:
        reason = phase.standing or Reason.NOT_IN_PLAN
        return _unblocked(catalog, phase, replace(base, allowed=False, reason=reason), question)
    if question.user_id:
        if question.user_id in taken:
            return replace(base, allowed=True, reason=Reason.ENTITLED)
        free = base.unlimited or resolved.entitlement.overage is Overage.ALLOW or (base.remaining or 0) > 0
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
    if entitlement.overage is Overage.ALLOW:
        return replace(base, allowed=True, reason=Reason.OVERAGE)
    return _unblocked(catalog, phase, replace(base, allowed=False, reason=Reason.SEAT_LIMIT), question)


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
        used=used,
        remaining=remaining,
    )


def _unblocked(catalog: Catalog, phase: Phase, decision: Decision, question: Question) -> Decision:
    if phase.standing is not None:
        return decision
    needed = decision.used + max(question.quantity, 1)
    options = unblock_options(
        catalog,
        phase,
        question.feature,
        lambda e: e.unlimited or e.overage is Overage.ALLOW or (e.limit or 0) >= needed,
    )
    return replace(decision, unblock_options=options)


def unblock_options(
    catalog: Catalog, phase: Phase, feature: Feature, passes: Callable[[Entitlement], bool]
) -> tuple[UnblockOption, ...]:
    """Add-ons offered on this plan, then the plan's upgrades in order: each only if it would let the amount pass."""
    plan = catalog.plan(phase.plan_key, phase.plan_version) if phase.plan_key else None
    if plan is None:
        return ()
    found: list[UnblockOption] = []
    for key in catalog.add_ons:
        add_on = catalog.add_on(key)
        if add_on is None or add_on.archived or plan.plan_key not in add_on.offered_on:
            continue
        full = add_on.max_quantity is not None and phase.add_ons.get(key, 0) >= add_on.max_quantity
        entitlement = None if full else with_add_on(phase, feature, add_on)
        if entitlement is not None and passes(entitlement):
            found.append(UnblockOption(kind=UnblockKind.ADD_ON, key=key, limit=entitlement.limit))
    for key in plan.upgrades_to:
        upgrade = catalog.plan(key)
        entitlement = with_plan(catalog, phase, feature, upgrade) if upgrade and not upgrade.archived else None
        if entitlement is not None and passes(entitlement):
            found.append(UnblockOption(kind=UnblockKind.UPGRADE, key=key, limit=entitlement.limit))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What a quota gate answered, and what it was asked with."""

    answer: QuotaAnswer
    slots: tuple[Slot, ...]
    grants: tuple[Grant, ...]
    now: int


def decide_metered(catalog: Catalog, held: EntitlementSet, question: Question, metered: Metered) -> Decision:
    """Explain a quota gate's answer: reason, what remains, when the same amount passes, and what would unblock it."""
    answer = metered.answer
    slot = metered.slots[answer.slot] if answer.slot < len(metered.slots) else metered.slots[-1]
    phase = held.phase_at(slot.start)
    decision = Decision(
        feature_key=question.feature.feature_key,
        allowed=answer.allowed,
        reason=answer.reason,
        unlimited=answer.allowed and answer.limit is None and answer.reason is Reason.UNLIMITED,
        limit=answer.limit,
        used=answer.used,
        remaining=answer.remaining,
        granted_quantity=answer.granted,
        pots=answer.pots,
        period_start=answer.period_start,
        reset_time=answer.period_end,
        sources=sources(held, phase, question),
        replayed=answer.replayed,
    )
    if answer.allowed or answer.reason not in {Reason.QUOTA_EXHAUSTED, Reason.NOT_IN_PLAN}:
        return decision
    retry = earliest_pass(question, metered, slot)
    options = unblock_options(catalog, phase, question.feature, lambda e: _would_pass(question, answer, slot, e))
    extra = (answer.limit or 0) - (slot.limit or 0)
    options = tuple(replace(o, limit=o.limit + extra) if o.limit is not None else o for o in options)
    return replace(decision, retry_after=None if retry is None else retry - metered.now, unblock_options=options)


def _would_pass(question: Question, answer: QuotaAnswer, slot: Slot, entitlement: Entitlement) -> bool:
    if entitlement.unlimited or entitlement.overage is Overage.ALLOW:
        return True
    more = (entitlement.limit or 0) - (slot.limit or 0)
    if question.feature.aggregation in LEVELS:
        return question.quantity <= (answer.limit or 0) + more
    return question.quantity <= (answer.remaining or 0) + more


def earliest_pass(question: Question, metered: Metered, slot: Slot) -> int | None:
    """The first instant at which waiting alone lets this amount pass, or None if it never does as things stand.

    Considered are the ends of this and the next period, changes of phase, and grants that take effect until then.
    """
    instants = {later.start for later in metered.slots if later.start > metered.now}
    instants |= {grant.effective_time for grant in metered.grants if grant.effective_time > metered.now}
    for instant in sorted(instants):
        later = next((s for s in metered.slots if s.start <= instant < s.end), None)
        if (
            later is not None
            and later.standing is None
            and question.quantity <= _capacity(question, metered, slot, later, instant)
        ):
            return instant
    return None


def _capacity(question: Question, metered: Metered, slot: Slot, later: Slot, instant: int) -> float:
    """At least how much would pass at a later instant if nothing else were used until then."""
    if later.limit is None or later.overage:
        return float("inf")
    coming = sum(
        grant.amount
        for grant in metered.grants
        if metered.now < grant.effective_time <= instant and _in_force(grant, instant)
    )
    if question.feature.aggregation in LEVELS:
        return (metered.answer.limit or 0) - (slot.limit or 0) + later.limit + coming
    if later.period_start == slot.period_start:
        return max(0, (metered.answer.remaining or 0) + later.limit - (slot.limit or 0)) + coming
    return later.limit + coming

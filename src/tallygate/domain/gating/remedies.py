"""What would lift a denial: waiting until an instant, or buying an add-on, an upgrade or a top-up.

Everything here is exact for the amount that was denied, all else unchanged; it knows no clock and no store.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tallygate.domain.account import Grant
from tallygate.domain.catalog import Catalog, Entitlement, Feature, Overage
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import Decision, PotKind, Reason, UnblockKind, UnblockOption
from tallygate.domain.gating.quota import LEVELS, MEASURED, QuotaAnswer, Segment
from tallygate.domain.gating.resolve import EntitlementSet, Phase
from tallygate.domain.gating.supposed import held_quantity, with_add_on, with_plan
from tallygate.domain.gating.usage_periods import interrupted, period_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One feature asked of one account at one instant; `quantity` is the amount that should pass.

    Of a level that is the level itself; with `beyond` it is so much more than the level that stands.
    """

    feature: Feature
    quantity: int = 1
    beyond: bool = False
    user_id: str = ""
    requested_values: tuple[str, ...] = ()
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What a quota gate answered at `now`, and the segments that it was asked with."""

    answer: QuotaAnswer
    segments: tuple[Segment, ...]
    now: int

    @property
    def segment(self) -> Segment:
        """The segment that holds; a replayed answer may come from segments that have passed."""
        return self.segments[min(self.answer.segment, len(self.segments) - 1)]


def grants_in_force(held: EntitlementSet, feature_key: str, at: int) -> tuple[Grant, ...]:
    """The feature's grants that are in force at the instant, in burn order."""
    return tuple(
        grant
        for grant in held.grants.get(feature_key, ())
        if grant.effective_time <= at and (grant.expire_time is None or at < grant.expire_time)
    )


def unblock_options(
    catalog: Catalog, phase: Phase, feature: Feature, passes: Callable[[Entitlement], bool]
) -> tuple[UnblockOption, ...]:
    """Add-ons offered on this plan, then the plan's upgrades in order: each only if it would let the amount pass.

    Nothing can be bought past an override, nor by an account that is denied as a whole.
    """
    plan = catalog.plan(phase.plan_key, phase.plan_version) if phase.plan_key else None
    own = phase.features.get(feature.feature_key)
    if plan is None or phase.denial is not None or (own is not None and own.overridden):
        return ()
    offers: list[tuple[UnblockKind, str, Entitlement | None]] = []
    for key in catalog.add_ons:
        add_on = catalog.add_on(key)
        if add_on is None or add_on.archived or plan.plan_key not in add_on.offered_on:
            continue
        if add_on.max_quantity is None or held_quantity(phase, key) < add_on.max_quantity:
            offers.append((UnblockKind.ADD_ON, key, with_add_on(catalog, phase, feature, add_on)))
    for key in plan.upgrades_to:
        upgrade = catalog.plan(key)
        if upgrade is not None and not upgrade.archived:
            offers.append((UnblockKind.UPGRADE, key, with_plan(phase, feature, upgrade)))
    return tuple(
        UnblockOption(kind=kind, key=key, limit=offer.number if offer.limit is None else offer.limit)
        for kind, key, offer in offers
        if offer is not None and passes(offer)
    )


def quota_options(
    catalog: Catalog, held: EntitlementSet, question: Question, metered: Metered
) -> tuple[UnblockOption, ...]:
    """What to buy so that the amount passes: add-ons, upgrades, and last a top-up of just what is missing."""
    phase, answer = held.phase_at(metered.segment.start), metered.answer
    own = phase.features.get(question.feature.feature_key)
    if phase.denial is not None or (own is not None and own.overridden):
        return ()
    grants = grants_in_force(held, question.feature.feature_key, question.at)

    def passes(entitlement: Entitlement) -> bool:
        return question.quantity <= _capacity(question, metered, entitlement, grants)

    granted = (answer.limit or 0) - (metered.segment.limit or 0)
    options = [
        replace(option, limit=None if option.limit is None else min(MAX_QUANTITY, option.limit + granted))
        for option in unblock_options(catalog, phase, question.feature, passes)
    ]
    missing = quota_shortfall(held, question, metered)
    if missing is not None and (answer.limit or 0) + missing <= MAX_QUANTITY:
        limit = (answer.limit or 0) + missing
        options.append(UnblockOption(kind=UnblockKind.TOP_UP, key=question.feature.feature_key, limit=limit))
    return tuple(options)


def quota_shortfall(held: EntitlementSet, question: Question, metered: Metered) -> int | None:
    """How many units are missing for this amount to pass here; None where the amount is not what denied it."""
    if metered.answer.reason is not Reason.QUOTA_EXHAUSTED:
        return None
    own = held.phase_at(metered.segment.start).features.get(question.feature.feature_key)
    overridden = own is not None and own.overridden
    grants = () if overridden else grants_in_force(held, question.feature.feature_key, question.at)
    missing = question.quantity - _capacity(question, metered, own.entitlement if own else None, grants)
    return int(missing) if missing > 0 else None


def quota_retry(held: EntitlementSet, question: Question, metered: Metered) -> int | None:
    """After how long waiting alone lets this amount pass, or None if it never does as things stand.

    Nothing can change but at the end of the period, at a change of phase, and when a grant takes effect. A question
    about a fixed instant is not helped by waiting. What a period has counted that goes on after a trial is not known
    in the trial, so nothing is promised before that period's end.
    """
    now, key = metered.now, question.feature.feature_key
    if question.at != now:
        return None
    instants = {metered.answer.period_end, *(phase.start for phase in held.phases)}
    instants.update(grant.effective_time for grant in held.grants.get(key, ()))
    unknown = interrupted(held, question.feature, now)
    if unknown is not None:
        instants = {unknown.end, *(each for each in instants if not metered.answer.period_end <= each < unknown.end)}
    for instant in sorted(instants):
        if instant > now and _passes_at(held, question, metered, instant):
            return instant - now
    return None


def retry_at_phase(held: EntitlementSet, at: int, allows: Callable[[Phase], Decision]) -> int | None:
    """After how long a later phase allows what this one denies."""
    return next((phase.start - at for phase in held.phases if phase.start > at and allows(phase).allowed), None)


def _passes_at(held: EntitlementSet, question: Question, metered: Metered, instant: int) -> bool:
    phase, key = held.phase_at(instant), question.feature.feature_key
    own = phase.features.get(key)
    grants = () if own is not None and own.overridden else grants_in_force(held, key, instant)
    if own is None and (phase.denial is not None or not grants):
        return False
    fresh = period_at(held, question.feature, instant) != period_at(held, question.feature, metered.now)
    return question.quantity <= _capacity(question, metered, own.entitlement if own else None, grants, fresh=fresh)


def _capacity(
    question: Question,
    metered: Metered,
    entitlement: Entitlement | None,
    grants: Iterable[Grant],
    *,
    fresh: bool = False,
) -> float:
    """How much would pass under this entitlement and these grants; `fresh` in a period that has counted nothing yet."""
    aggregation = question.feature.aggregation
    end = entitlement.end if entitlement else 0
    if end is None or aggregation in MEASURED:
        return float("inf")
    if aggregation in LEVELS:
        level = _standing_level(metered, fresh=fresh) if question.beyond else 0
        return end + sum(grant.amount for grant in grants) - level
    left = {pot.grant_id: pot.quantity for pot in metered.answer.left if pot.kind is PotKind.GRANT}
    used = 0 if fresh else (metered.segment.limit or 0) - _left_of(metered, PotKind.INCLUDED)
    if entitlement is not None and entitlement.overage is Overage.ALLOW and not fresh:
        used -= _left_of(metered, PotKind.OVERAGE)
    return max(0, end - used) + sum(left.get(grant.grant_id, 0) for grant in grants)


def _left_of(metered: Metered, kind: PotKind) -> int:
    return sum(pot.quantity for pot in metered.answer.left if pot.kind is kind)


def _standing_level(metered: Metered, *, fresh: bool) -> int:
    """The level that the period shows; a `fresh` one starts at the last level observed, which may be lower."""
    carried = next((pot.quantity for pot in metered.answer.left if pot.kind is PotKind.INCLUDED), None)
    return metered.answer.used if not fresh or carried is None else (metered.segment.limit or 0) - carried

"""Folds a catalogue and an account's record into phases: what is in force, from when until when.

All merge rules live here. It knows no clock: a trial ends at its second because the phases already say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tallygate.domain.account import (
    AccountRecord,
    Grant,
    Override,
    PlanTerm,
    Subscription,
    SubscriptionState,
    shown_state,
)
from tallygate.domain.catalog import AddOn, Catalog, Entitlement, Plan
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.calendars import Calendars
from tallygate.domain.gating.decision import Reason, Source, SourceKind
from tallygate.domain.gating.merge import merge
from tallygate.domain.gating.rate_limit import slowest, with_overrides
from tallygate.domain.limits import RateLimit
from tallygate.domain.recent import Recent

BEGINNING = 0
END = MAX_QUANTITY
"""The last instant there is, in microseconds: what Lua can still count exactly."""

_MOST_KEPT = 1_000

_GRANTING = {
    SubscriptionState.TRIALING,
    SubscriptionState.ACTIVE,
    SubscriptionState.PAST_DUE,
    SubscriptionState.CANCELED,
}
_DENYING = {
    SubscriptionState.SUSPENDED: Reason.SUSPENDED,
    SubscriptionState.INCOMPLETE: Reason.NO_SUBSCRIPTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One feature's merged entitlement in one phase, and who contributed to it."""

    entitlement: Entitlement
    sources: tuple[Source, ...]
    overridden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch [start, end) in which nothing that is held changes.

    `denial` is set where the account as a whole is denied; overrides still hold then, unless it is SUSPENDED.
    `plan_time` is when the default plan that serves came to be as it is; 0 of a plan that the account subscribes to.
    Rate limits come from `plan_source`, but for those in `limit_sources`.
    """

    start: int
    end: int
    plan_key: str = ""
    plan_version: int = 0
    subscription_id: str = ""
    trial: bool = False
    denial: Reason | None = None
    features: Mapping[str, Resolved] = field(default_factory=dict)
    rate_limits: Mapping[str, RateLimit] = field(default_factory=dict)
    plan_time: int = 0
    plan_source: Source | None = None
    limit_sources: Mapping[str, Source] = field(default_factory=dict)
    add_ons: tuple[tuple[AddOn, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementSet:
    """An account's phases, tiling all time, with what the gates need beside them.

    Each of `trials` is a usage period of its own, between those of `calendars` or within one. `limits_time` is when an
    exception from a rate limit was last taken back, `slowest` how long each limit's figures take to be full at most.
    """

    phases: tuple[Phase, ...]
    calendars: Calendars
    trials: tuple[tuple[int, int], ...]
    grants: Mapping[str, tuple[Grant, ...]]
    seats: Mapping[str, tuple[str, ...]]
    limits_time: int = 0
    slowest: Mapping[str, int] = field(default_factory=dict)

    def phase_at(self, at: int) -> Phase:
        """The phase that contains the instant."""
        for phase in self.phases:
            if at < phase.end:
                return phase
        return self.phases[-1]


def resolve(catalog: Catalog, record: AccountRecord) -> EntitlementSet:
    """Fold the catalogue and one account's record into its entitlement set; a pure function of the two."""
    return Resolver(catalog).resolve(record)


class Resolver:
    """`resolve` for many records on one catalogue: accounts that hold the same plan and add-ons share what it gives."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._merged: Recent[tuple[object, ...], Mapping[str, Resolved]] = Recent(_MOST_KEPT)
        self._slowest = slowest(catalog)

    def resolve(self, record: AccountRecord) -> EntitlementSet:
        """Fold one account's record into its entitlement set."""
        bounds = sorted({BEGINNING, *_boundaries(record)})
        phases = tuple(
            self._phase(record, start=start, end=end) for start, end in zip(bounds, [*bounds[1:], END], strict=True)
        )
        grants: dict[str, list[Grant]] = {}
        for grant in sorted(record.grants, key=Grant.burn_order):
            grants.setdefault(grant.feature_key, []).append(grant)
        calendars = Calendars(catalog=self.catalog, record=record)
        return EntitlementSet(
            phases=phases,
            calendars=calendars,
            trials=calendars.trials(),
            grants={feature_key: tuple(held) for feature_key, held in grants.items()},
            seats=record.seats,
            limits_time=record.limits_time,
            slowest=with_overrides(self._slowest, record.overrides),
        )

    def _phase(self, record: AccountRecord, *, start: int, end: int) -> Phase:
        catalog = self.catalog
        plan, denial, kind = _plan_in_force(catalog, record, start)
        held = (
            _add_ons_in_force(catalog, record.subscription, start)
            if plan is not None and kind is not SourceKind.DEFAULT_PLAN
            else []
        )
        features = self._all_merged(plan, kind, held) if plan is not None else {}
        exceptions = [] if denial is Reason.SUSPENDED else _overrides_in_force(record.overrides, start)
        overridden = _overridden(exceptions)
        subscription = record.subscription if plan is not None and kind is not SourceKind.DEFAULT_PLAN else None
        return Phase(
            start=start,
            end=end,
            plan_key=plan.plan_key if plan else "",
            plan_version=plan.version if plan else 0,
            subscription_id=subscription.subscription_id if subscription else "",
            trial=kind is SourceKind.TRIAL,
            denial=denial,
            features={**features, **overridden} if overridden else features,
            rate_limits=_with_exceptions(plan.rate_limits if plan else {}, exceptions),
            plan_source=Source(kind=kind, key=plan.plan_key, version=plan.version) if plan else None,
            limit_sources={each.limit_key: _source(each) for each in exceptions if each.rate_limit is not None},
            plan_time=plan.publish_time if plan and kind is SourceKind.DEFAULT_PLAN else 0,
            add_ons=tuple(held),
        )

    def _all_merged(self, plan: Plan, kind: SourceKind, held: list[tuple[AddOn, int]]) -> Mapping[str, Resolved]:
        """What a plan and the add-ons beside it give together, merged once for all who hold just these."""
        place = (
            plan.plan_key,
            plan.version,
            kind,
            *((add_on.add_on_key, add_on.version, quantity) for add_on, quantity in held),
        )
        merged = self._merged.get(place)
        if merged is None:
            merged = _merge_all(self.catalog, plan, kind, held)
            self._merged.put(place, merged)
        return merged


def _boundaries(record: AccountRecord) -> Iterable[int]:
    found: list[int | None] = []
    subscription = record.subscription
    if subscription is not None:
        found += [subscription.start_time, subscription.trial_end_time, subscription.end_time]
        found += [term.start_time for term in subscription.terms]
        for holding in subscription.add_ons:
            found += [holding.start_time, holding.end_time]
        for pause in subscription.pauses:
            found += [pause.start_time, pause.end_time]
    for override in record.overrides:
        found += [override.start_time, override.end_time]
    return [instant for instant in found if instant is not None and BEGINNING < instant < END]


def _plan_in_force(catalog: Catalog, record: AccountRecord, at: int) -> tuple[Plan | None, Reason | None, SourceKind]:
    """The plan that serves at the instant; where none does, why the account is denied."""
    subscription = record.subscription
    live = subscription if subscription is not None and _is_live(subscription, at) else None
    if live is not None and any(pause.holds(at) for pause in live.pauses) and live.state in _GRANTING:
        return None, Reason.SUSPENDED, SourceKind.PLAN
    state = shown_state(live.state, record.standing) if live is not None else None
    if state is not None and (denied := _DENYING.get(state)) is not None:
        return None, denied, SourceKind.PLAN
    if live is not None and state in _GRANTING:
        term = _term_at(live.terms, at)
        plan = catalog.plan(term.plan_key, term.plan_version) if term else None
        if plan is not None:
            trial = live.trial_end_time is not None and at < live.trial_end_time
            return plan, None, SourceKind.TRIAL if trial else SourceKind.PLAN
    default = catalog.plan(catalog.default_plan) if catalog.default_plan else None
    if default is not None:
        return default, None, SourceKind.DEFAULT_PLAN
    return None, _absence(subscription, at), SourceKind.PLAN


def _is_live(subscription: Subscription, at: int) -> bool:
    return subscription.start_time <= at and (subscription.end_time is None or at < subscription.end_time)


def _absence(subscription: Subscription | None, at: int) -> Reason:
    ended = subscription is not None and (
        subscription.state is SubscriptionState.EXPIRED
        or (subscription.end_time is not None and subscription.end_time <= at)
    )
    return Reason.SUBSCRIPTION_EXPIRED if ended else Reason.NO_SUBSCRIPTION


def _term_at(terms: tuple[PlanTerm, ...], at: int) -> PlanTerm | None:
    serving = [term for term in terms if term.start_time <= at]
    return serving[-1] if serving else None


def _add_ons_in_force(catalog: Catalog, subscription: Subscription | None, at: int) -> list[tuple[AddOn, int]]:
    held: list[tuple[AddOn, int]] = []
    for holding in subscription.add_ons if subscription else ():
        in_force = holding.start_time <= at and (holding.end_time is None or at < holding.end_time)
        add_on = catalog.add_on(holding.add_on_key, holding.version) if in_force else None
        if add_on is not None and holding.quantity > 0:
            held.append((add_on, holding.quantity))
    return held


def _overrides_in_force(overrides: tuple[Override, ...], at: int) -> list[Override]:
    """In order of start, so that the newest override of a feature wins."""
    in_force = [o for o in overrides if o.start_time <= at and (o.end_time is None or at < o.end_time)]
    return sorted(in_force, key=lambda override: (override.start_time, override.override_id))


def _with_exceptions(limits: Mapping[str, RateLimit], overrides: list[Override]) -> Mapping[str, RateLimit]:
    """A plan's rate limits with those of overrides in force in their places."""
    exceptions = {each.limit_key: each.rate_limit for each in overrides if each.rate_limit is not None}
    return {**limits, **exceptions} if exceptions else limits


def _source(override: Override) -> Source:
    return Source(kind=SourceKind.OVERRIDE, key=override.override_id)


def _overridden(overrides: list[Override]) -> dict[str, Resolved]:
    """What overrides in force put in the place of whatever else would be held."""
    return {
        override.feature_key: Resolved(
            entitlement=override.entitlement,
            sources=(_source(override),),
            overridden=True,
        )
        for override in overrides
        if override.entitlement is not None
    }


def _merge_all(catalog: Catalog, plan: Plan, kind: SourceKind, held: list[tuple[AddOn, int]]) -> dict[str, Resolved]:
    merged: dict[str, Resolved] = {}
    for feature_key, feature in catalog.features.items():
        parts: list[tuple[Entitlement, int]] = []
        sources: list[Source] = []
        if (own := plan.entitlements.get(feature_key)) is not None:
            parts.append((own, 1))
            sources.append(Source(kind=kind, key=plan.plan_key, version=plan.version))
        for add_on, quantity in held:
            if (extra := add_on.entitlements.get(feature_key)) is not None:
                parts.append((extra, quantity))
                sources.append(
                    Source(kind=SourceKind.ADD_ON, key=add_on.add_on_key, version=add_on.version, quantity=quantity)
                )
        if parts:
            merged[feature_key] = Resolved(entitlement=merge(feature, parts), sources=tuple(sources))
    return merged

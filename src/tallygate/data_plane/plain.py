"""The short way: plans of the plain calls, which are most. A view makes a plan once; its calls then only fill it in.

Never decides anything else than the general way would: whatever is not plain about a call is left to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallygate.data_plane.admission import Admission, Admitted, slots_of
from tallygate.data_plane.check import call_of
from tallygate.data_plane.ports import (
    AdmitCall,
    AdmitReply,
    EffectContext,
    PlainQuota,
    PlainRates,
    PlainStatus,
    PlainStore,
)
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.requests import RateLimitDecision, RateLimitRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import Algorithm, Feature, FeatureKind
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.decide import Stamp, decide_metered
from tallygate.domain.gating.decision import Decision, Pot, PotKind, Reason
from tallygate.domain.gating.identity import EffectIdentity
from tallygate.domain.gating.quota import DELTAS, QuotaAnswer, QuotaGate, Slot
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate
from tallygate.domain.gating.remedies import Metered, Question
from tallygate.domain.gating.resolve import BEGINNING, END


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """That `quantity`, and so whatever is more, did not fit, by the store's figures at its `now`.

    `asked_time` is when this process asked, by its own clock, `heard` what had been announced by then (`exhausted.py`).
    """

    quantity: int
    figures: Sequence[int]
    now: int
    asked_time: int
    heard: int


@dataclass(slots=True, kw_only=True)
class QuotaPlan:
    """How one account's quota is taken while a view holds; what was `shown` is for whoever encodes its answers.

    `denial` is the last one that may stand still, `returned` how much had been heard when units of it were returned.
    """

    view: View
    account_id: str
    feature: Feature
    slots: tuple[Slot, ...]
    index: int
    quota: PlainQuota
    identity: EffectIdentity
    shown_taken: Any = None
    shown_seen: Any = None
    denial: Denial | None = None
    returned: int = 0

    def decision(
        self, status: PlainStatus, now: int, figures: Sequence[int], *, quantity: int, request_id: str = ""
    ) -> Decision:
        """The whole decision, explained; `quantity` is what was asked for."""
        view = self.view
        if view.held is None:
            raise TypeError(view)
        answer = quota_answer(status, figures, self.slots, self.index, quantity=quantity)
        return decide_metered(
            view.snapshot.catalog,
            view.held,
            Question(feature=self.feature, quantity=quantity, at=now),
            Metered(answer=answer, slots=self.slots, now=now),
            Stamp(view_version=view.version, request_id=request_id),
        )


def quota_answer(
    status: PlainStatus, figures: Sequence[int], slots: tuple[Slot, ...], index: int, *, quantity: int
) -> QuotaAnswer:
    """What the gate of a plain quota answers, from its figures."""
    used, included, over, start = figures
    slot = slots[index]
    limit = slot.limit
    remaining = None if limit is None else max(0, limit - included)
    taken = status is PlainStatus.TAKEN
    if limit is None:
        reason = Reason.UNLIMITED
    elif taken:
        reason = Reason.OVERAGE if over else Reason.WITHIN_LIMIT
    elif status is PlainStatus.SEEN and quantity <= max(0, limit - included):
        reason = Reason.WITHIN_LIMIT
    elif status is PlainStatus.SEEN and slot.overage:
        reason = Reason.OVERAGE
    else:
        reason = Reason.QUOTA_EXHAUSTED
    return QuotaAnswer(
        allowed=reason is not Reason.QUOTA_EXHAUSTED,
        reason=reason,
        granted=quantity if taken else 0,
        used=used,
        limit=limit,
        remaining=remaining,
        pots=_paid(quantity - over, over) if taken else (),
        slot=index,
        period_start=start,
        period_end=slot.period_end,
        left=() if taken else _left(None if limit is None else limit - included, over),
    )


def _left(included: int | None, over: int) -> tuple[Pot, ...]:
    own = () if included is None else (Pot(kind=PotKind.INCLUDED, quantity=included),)
    return (*own, Pot(kind=PotKind.OVERAGE, quantity=-over)) if over else own


def _paid(included: int, over: int) -> tuple[Pot, ...]:
    paid = ((PotKind.INCLUDED, included), (PotKind.OVERAGE, over))
    return tuple(Pot(kind=kind, quantity=units) for kind, units in paid if units)


@dataclass(slots=True, kw_only=True)
class RatesPlan:
    """How the rate limits of one kind of call are taken while a view holds, from `start` until `end`."""

    view: View
    request: RateLimitRequest
    call: AdmitCall
    rates: PlainRates
    start: int
    end: int
    shown: Any = None

    def decision(self, now: int, figures: Sequence[int], limits: RateLimits) -> RateLimitDecision:
        """The whole decision, explained."""
        answers = rate_answers(figures, self.call.gates, now)
        reply = AdmitReply(status=AdmitStatus.DECIDED, now=now, answers=answers)
        return limits.decision(self.request, Admitted(view=self.view, now=now, call=self.call, reply=reply))


def rate_answers(figures: Sequence[int], gates: tuple[Identified, ...], now: int) -> tuple[RateAnswer, ...]:
    """What plain rate limits answer at `now`, from their figures."""
    answers: list[RateAnswer] = []
    for index, item in enumerate(gates):
        if not isinstance(item.gate, RateGate):
            raise TypeError(item.gate)
        allowed, remaining, reset_after, retry_after = figures[4 * index : 4 * index + 4]
        rate = item.gate.rate
        bucket = item.gate.algorithm is Algorithm.TOKEN_BUCKET
        answers.append(
            RateAnswer(
                allowed=bool(allowed),
                limit=rate.size if bucket else rate.limit,
                remaining=remaining,
                reset_after=reset_after,
                retry_after=None if retry_after < 0 else retry_after,
                decided_time=now,
            )
        )
    return tuple(answers)


class Plans:
    """Makes plans and keeps them, at most `capacity` of each kind; a full cache starts over."""

    def __init__(self, admission: Admission, limits: RateLimits, store: PlainStore, *, capacity: int = 50_000) -> None:
        self.admission = admission
        self.limits = limits
        self._store = store
        self._capacity = capacity
        self._quotas: dict[tuple[str, str, str], QuotaPlan] = {}
        self._rates: dict[tuple[str, bytes], RatesPlan] = {}

    def quota(self, tenant_id: str, account_id: str, feature_key: str, *, now: int) -> QuotaPlan | None:
        """The plan of this quota; None where the view has to be loaded first, or calls of it are not plain."""
        place = (tenant_id, account_id, feature_key)
        views = self.admission.views
        plan = self._quotas.get(place)
        if plan is not None and views.is_current(plan.view, now):
            return plan
        view = views.cached(tenant_id, account_id)
        plan = _quota_plan(self.admission, self._store, view, place) if view is not None else None
        if plan is not None:
            if len(self._quotas) >= self._capacity:
                self._quotas.clear()
            self._quotas[place] = plan
        return plan

    def known_quota(self, tenant_id: str, account_id: str, feature_key: str) -> QuotaPlan | None:
        """The plan of this quota, if there is one, whether or not it holds."""
        return self._quotas.get((tenant_id, account_id, feature_key))

    def drop_quota(self, plan: QuotaPlan) -> None:
        """Forget a plan: what it says of the period, or of the store, does not hold any more."""
        self._quotas.pop((plan.view.snapshot.tenant_id, plan.account_id, plan.feature.feature_key), None)

    def confirm(self, view: View, asked_time: int) -> None:
        """The store has decided on this view's versions, so they were its newest when it was asked."""
        self.admission.views.confirm(view, asked_time)

    def known_rates(self, tenant_id: str, kind: bytes, *, now: int) -> RatesPlan | None:
        """The plan of this kind of call, if there is one that holds."""
        plan = self._rates.get((tenant_id, kind))
        if plan is None:
            return None
        view = plan.view
        in_phase = plan.start <= view.snapshot.time(now) < plan.end
        return plan if in_phase and self.admission.views.is_current(view, now) else None

    def rates(self, tenant_id: str, kind: bytes, request: RateLimitRequest) -> RatesPlan | None:
        """A plan for calls of this kind, all of which make this request; None as for `quota`.

        Raises:
            TallygateError: the request is one that no call can make.
        """
        view = self.admission.views.cached(tenant_id, request.account_id)
        if view is None or request.request_id or request.min_view_version:
            return None
        call = self.limits.call(tenant_id, request, view, self.admission.now(view))
        rates = self._store.rates(call) if call is not None else None
        if call is None or rates is None:
            return None
        start, end = BEGINNING, END
        if view.held is not None:
            phase = view.held.phase_at(self.admission.now(view))
            start, end = phase.start, phase.end
        plan = RatesPlan(view=view, request=request, call=call, rates=rates, start=start, end=end)
        if len(self._rates) >= self._capacity:
            self._rates.clear()
        self._rates[tenant_id, kind] = plan
        return plan

    def drop_rates(self, tenant_id: str, kind: bytes) -> None:
        """Forget a plan: what it says of the store does not hold any more."""
        self._rates.pop((tenant_id, kind), None)


def _quota_plan(admission: Admission, store: PlainStore, view: View, place: tuple[str, str, str]) -> QuotaPlan | None:
    tenant_id, account_id, feature_key = place
    feature = view.snapshot.catalog.features.get(feature_key)
    if view.held is None or feature is None or feature.kind is not FeatureKind.METERED:
        return None
    if feature.aggregation not in DELTAS or view.held.grants.get(feature_key):
        return None
    now = admission.now(view)
    slots = slots_of(view, feature, at=now)
    index = next((i for i, slot in enumerate(slots) if slot.start <= now < slot.end), None)
    if index is None or slots[index].hard_limit is not None:
        return None
    gate = QuotaGate(feature_key=feature_key, quantity=1, slots=slots, aggregation=feature.aggregation)
    context = EffectContext(billable=feature.billable)
    call = call_of(tenant_id, account_id, view, (Identified(gate=gate, state_key=""),), context=context)
    quota = store.quota(call, index)
    if quota is None:
        return None
    identity = EffectIdentity(tenant_id=tenant_id, account_id=account_id, gate_key=feature_key)
    return QuotaPlan(
        view=view, account_id=account_id, feature=feature, slots=slots, index=index, quota=quota, identity=identity
    )

"""CheckEntitlement: may this account use this feature now, and would N more pass? Never takes anything."""

import asyncio
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted, slots_of
from tallygate.data_plane.ports import AdmitCall
from tallygate.data_plane.requests import CheckRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import Feature, FeatureKind
from tallygate.domain.errors import FeatureNotFoundError, OutOfRangeError, TallygateError, UnavailableError
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decide import LEVELS, Metered, Question, decide, decide_metered, unknown_account
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.domain.gating.quota import QuotaAnswer, QuotaGate, Slot
from tallygate.domain.gating.slots import period_at

_CONCURRENT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The read-only questions of the data plane."""

    admission: Admission

    async def check(self, tenant_id: str, request: CheckRequest) -> Decision:
        """Decide one question; metered features are read from the store, the others from the view."""
        try:
            return await self._check(tenant_id, request)
        except UnavailableError as error:
            feature = self.admission.known_feature(tenant_id, request.account_id, request.feature_key)
            if feature is None or feature.kind is not FeatureKind.METERED:
                raise
            return self.admission.fall_back(feature, error)

    async def check_many(self, tenant_id: str, requests: list[CheckRequest]) -> list[Decision | TallygateError]:
        """Decide many, in order; one that cannot be decided does not fail the rest."""
        gate = asyncio.Semaphore(_CONCURRENT)

        async def one(request: CheckRequest) -> Decision | TallygateError:
            async with gate:
                try:
                    return await self.check(tenant_id, request)
                except TallygateError as error:
                    return error

        return list(await asyncio.gather(*(one(request) for request in requests)))

    async def entitlements(
        self, tenant_id: str, account_id: str, user_id: str = "", at_time: int | None = None
    ) -> list[Decision]:
        """Every feature of the account's catalogue, by key, each as a check of 1 would answer."""
        view = await self.admission.views.view(tenant_id, account_id)
        requests = [
            CheckRequest(account_id=account_id, feature_key=key, user_id=user_id, at_time=at_time)
            for key, feature in sorted(view.snapshot.catalog.features.items())
            if not feature.archived
        ]
        decisions = await self.check_many(tenant_id, requests)
        for decision in decisions:
            if isinstance(decision, TallygateError):
                raise decision
        return [decision for decision in decisions if isinstance(decision, Decision)]

    async def _check(self, tenant_id: str, request: CheckRequest) -> Decision:
        started = self.admission.clock()

        def build(view: View, at: int) -> AdmitCall | None:
            feature = feature_of(view, request.feature_key)
            if view.held is None or feature.kind is not FeatureKind.METERED:
                return None
            gate = QuotaGate(
                feature_key=feature.feature_key,
                quantity=_asked(request, feature, at),
                slots=slots_of(view, feature, at=at),
                grants=view.held.grants.get(feature.feature_key, ()),
                aggregation=feature.aggregation,
            )
            return call_of(tenant_id, request.account_id, view, (Identified(gate=gate, state_key=""),), peek=True)

        admitted = await self.admission.admit(
            tenant_id, request.account_id, build, min_view_version=request.min_view_version
        )
        return self._explain(request, admitted, started)

    def _explain(self, request: CheckRequest, admitted: Admitted, started: int) -> Decision:
        view = admitted.view
        feature = feature_of(view, request.feature_key)
        now = admitted.reply.now if admitted.reply else self.admission.now(view)
        at = self._instant(request, view, feature, now)
        decision = _decision(request, admitted, feature, now, at)
        fresh = admitted.reply is not None or view.verified_time >= started
        return replace(
            decision,
            view_version=view.version,
            decided_on=DecidedOn.FRESH if fresh else DecidedOn.CACHED,
            view_age=0 if fresh else self.admission.views.age(view),
        )

    def _instant(self, request: CheckRequest, view: View, feature: Feature, now: int) -> int:
        if request.at_time is None or view.held is None:
            return now
        earliest = period_at(view.held, feature, now).start if feature.kind is FeatureKind.METERED else now
        earliest = min(earliest, now - now % 1_000_000)
        if request.at_time < earliest:
            raise OutOfRangeError(field="at_time", expected="an instant of the current usage period or later")
        return request.at_time


def feature_of(view: View, feature_key: str) -> Feature:
    """The tenant's feature of this key.

    Raises:
        FeatureNotFoundError: the catalogue has none.
    """
    feature = view.snapshot.catalog.features.get(feature_key)
    if feature is None:
        raise FeatureNotFoundError(feature_key=feature_key)
    return feature


def call_of(
    tenant_id: str, account_id: str, view: View, gates: tuple[Identified, ...], *, peek: bool = False
) -> AdmitCall:
    """A call under the versions of this view."""
    return AdmitCall(
        tenant_id=tenant_id,
        account_id=account_id,
        catalog_version=view.snapshot.version,
        account_version=view.account_version,
        gates=gates,
        clock_offset=view.snapshot.clock_offset,
        peek=peek,
    )


def _asked(request: CheckRequest, feature: Feature, at: int) -> int | None:
    """The quantity to try: a look where nothing is asked for, or where another instant is meant."""
    if request.at_time is not None and request.at_time != at:
        return None
    if request.quantity is None:
        return None if feature.aggregation in LEVELS else 1
    return request.quantity or None


def _decision(request: CheckRequest, admitted: Admitted, feature: Feature, now: int, at: int) -> Decision:
    view = admitted.view
    if view.held is None:
        return unknown_account(feature)
    quantity = 1 if request.quantity is None else request.quantity
    question = Question(
        feature=feature, quantity=quantity, user_id=request.user_id, requested_values=request.requested_values, at=at
    )
    if admitted.reply is None or admitted.call is None:
        return decide(view.snapshot.catalog, view.held, question)
    answer, gate = admitted.reply.answers[0], admitted.call.gates[0].gate
    if not isinstance(answer, QuotaAnswer) or not isinstance(gate, QuotaGate):
        raise TypeError(answer)
    slots = gate.slots
    if request.at_time is not None and at != now:
        slots = slots_of(view, feature, at=at)
        answer = _at(question, answer, gate, slots)
    metered = Metered(answer=answer, slots=slots, grants=gate.grants, now=at)
    return decide_metered(view.snapshot.catalog, view.held, question, metered)


def _at(question: Question, answer: QuotaAnswer, gate: QuotaGate, slots: tuple[Slot, ...]) -> QuotaAnswer:
    """What today's counters answer at another instant: in this period as used as now, in a later one unused."""
    index = next(i for i, slot in enumerate(slots) if slot.start <= question.at < slot.end)
    slot, today = slots[index], gate.slots[answer.slot]
    same = slot.period_start == today.period_start or question.feature.aggregation in LEVELS
    used = answer.used if same else 0
    if slot.standing is not None or slot.absent:
        return replace(
            answer,
            allowed=False,
            reason=slot.standing or Reason.NOT_IN_PLAN,
            slot=index,
            used=used,
            limit=0,
            remaining=0,
            period_start=slot.period_start,
            period_end=slot.period_end,
        )
    limit = slot.limit
    if limit is not None and same and answer.limit is not None:
        limit = limit + answer.limit - (today.limit or 0)
    remaining = None if limit is None else max(0, limit - used)
    fits = remaining is None or question.quantity <= remaining or slot.overage
    reason = Reason.UNLIMITED if remaining is None else Reason.WITHIN_LIMIT
    if remaining is not None and question.quantity > remaining:
        reason = Reason.OVERAGE if slot.overage else Reason.QUOTA_EXHAUSTED
    return replace(
        answer,
        allowed=fits,
        reason=reason,
        slot=index,
        used=used,
        limit=limit,
        remaining=remaining,
        period_start=slot.period_start,
        period_end=slot.period_end,
    )

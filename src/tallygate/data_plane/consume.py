"""ConsumeQuota and ResetUsage: take units atomically and once, or open a new period."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted, slots_of
from tallygate.data_plane.check import call_of, feature_of
from tallygate.data_plane.ports import AdmitCall, EffectContext
from tallygate.data_plane.requests import ConsumeRequest, ResetRequest
from tallygate.data_plane.views import View
from tallygate.domain.catalog import Aggregation, Feature, FeatureKind
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError, UnavailableError
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decide import Stamp, decide_metered, unknown_account
from tallygate.domain.gating.decision import Decision
from tallygate.domain.gating.identity import effect_digest, payload_hash
from tallygate.domain.gating.quota import DELTAS, LEVELS, Mode, QuotaAnswer, QuotaGate, ResetGate
from tallygate.domain.gating.remedies import Metered, Question

_ZERO = {*LEVELS, Aggregation.TIME_WEIGHTED}

Returned = Callable[[str, str, str], None]
"""Told a tenant, an account and a feature of which units were returned, or may have been."""


def _nobody(*_: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumes:
    """What takes from quotas; `returned` hears of what is given back, before the caller does."""

    admission: Admission
    returned: Returned = _nobody

    async def consume(self, tenant_id: str, request: ConsumeRequest) -> Decision:
        """Check and count in one step; a retry of an admitted call answers as it did then, and counts once."""
        try:
            return await self._consume(tenant_id, request)
        except UnavailableError as error:
            feature = self.admission.known_feature(tenant_id, request.feature_key)
            if feature is None:
                raise
            return replace(self.admission.fall_back(feature, error), request_id=request.request_id)
        finally:
            if request.quantity is not None and request.quantity < 0:
                self.returned(tenant_id, request.account_id, request.feature_key)

    async def reset(self, tenant_id: str, request: ResetRequest) -> Decision:
        """Open a new usage period of one feature now; nothing is deleted."""

        def build(view: View, at: int) -> AdmitCall | None:
            feature = _metered(view, request.feature_key)
            if view.held is None:
                return None
            gate = ResetGate(
                feature_key=feature.feature_key, slots=slots_of(view, feature, at=at), aggregation=feature.aggregation
            )
            hashed = payload_hash(quantity=0, mode="RESET", dimensions={})
            item = _identified(tenant_id, request.account_id, request.request_id, gate, hashed)
            context = EffectContext(request_id=request.request_id, billable=False)
            return call_of(tenant_id, request.account_id, view, (item,), context=context)

        try:
            admitted = await self.admission.admit(tenant_id, request.account_id, build)
        finally:
            self.returned(tenant_id, request.account_id, request.feature_key)
        return _explain(admitted, request.feature_key, quantity=0, request_id=request.request_id)

    async def _consume(self, tenant_id: str, request: ConsumeRequest) -> Decision:
        def build(view: View, at: int) -> AdmitCall | None:
            feature = _metered(view, request.feature_key)
            quantity = _quantity(request, feature)
            if view.held is None:
                return None
            gate = QuotaGate(
                feature_key=feature.feature_key,
                quantity=quantity,
                slots=slots_of(view, feature, at=at, back=request.occurred_time is not None),
                grants=view.held.grants.get(feature.feature_key, ()),
                mode=request.mode,
                aggregation=feature.aggregation,
                occurred_time=request.occurred_time,
            )
            item = _identified(tenant_id, request.account_id, request.request_id, gate, _hashed(request, quantity))
            return call_of(tenant_id, request.account_id, view, (item,), context=_context(request, feature))

        admitted = await self.admission.admit(
            tenant_id, request.account_id, build, min_view_version=request.min_view_version
        )
        quantity = 1 if request.quantity is None else request.quantity
        return _explain(admitted, request.feature_key, quantity=quantity, request_id=request.request_id)


def _metered(view: View, feature_key: str) -> Feature:
    feature = feature_of(view, feature_key)
    if feature.kind is not FeatureKind.METERED:
        raise InvalidFieldError(
            field="feature_key", expected="a metered feature", got=f"{feature_key} ({feature.kind})"
        )
    return feature


def _quantity(request: ConsumeRequest, feature: Feature) -> int:
    """The quantity as the meter takes it: zero is a level but no delta, and only deltas can be returned."""
    quantity = 1 if request.quantity is None else request.quantity
    if abs(quantity) > MAX_QUANTITY:
        raise InvalidFieldError(field="quantity", expected=f"at most {MAX_QUANTITY}", got=quantity)
    if quantity == 0 and feature.aggregation not in _ZERO:
        raise InvalidFieldError(field="quantity", expected="not zero; CheckEntitlement looks without taking", got=0)
    if quantity < 0 and feature.aggregation not in DELTAS:
        raise InvalidFieldError(
            field="quantity", expected=f"at least 0 for a {feature.aggregation} meter", got=quantity
        )
    if quantity < 0 and request.mode is Mode.ADJUST and request.carry_in:
        raise InvalidFieldError(field="quantity", expected="at least 1 with carry_in", got=quantity)
    return quantity


def _hashed(request: ConsumeRequest, quantity: int) -> bytes:
    extra = "carry_in" if request.carry_in else ""
    return payload_hash(quantity=quantity, mode=request.mode.value, dimensions=request.dimensions, extra=extra)


def _context(request: ConsumeRequest, feature: Feature) -> EffectContext:
    return EffectContext(
        request_id=request.request_id,
        user_id=request.user_id,
        dimensions=request.dimensions,
        billable=feature.billable and not request.carry_in,
        carry_in=request.carry_in,
    )


def _identified(
    tenant_id: str, account_id: str, request_id: str, gate: QuotaGate | ResetGate, hashed: bytes
) -> Identified:
    if not request_id:
        raise InvalidFieldError(field="request_id", expected="an id that a retry of this call repeats")
    digest = effect_digest(tenant_id=tenant_id, account_id=account_id, gate_key=gate.feature_key, request_id=request_id)
    return Identified(gate=gate, state_key="", digest=digest, payload_hash=hashed)


def _explain(admitted: Admitted, feature_key: str, *, quantity: int, request_id: str) -> Decision:
    view = admitted.view
    feature = feature_of(view, feature_key)
    if view.held is None or admitted.reply is None or admitted.call is None:
        return replace(unknown_account(feature), view_version=view.version, request_id=request_id)
    answer, gate = admitted.reply.answers[0], admitted.call.gates[0].gate
    if not isinstance(answer, QuotaAnswer) or not isinstance(gate, QuotaGate | ResetGate):
        raise TypeError(answer)
    occurred = gate.occurred_time if isinstance(gate, QuotaGate) else None
    metered = Metered(answer=answer, slots=gate.slots, now=admitted.now)
    question = Question(feature=feature, quantity=quantity, at=admitted.now if occurred is None else occurred)
    stamp = Stamp(view_version=view.version, request_id=request_id)
    return decide_metered(view.snapshot.catalog, view.held, question, metered, stamp)

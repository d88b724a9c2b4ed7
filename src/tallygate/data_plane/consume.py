"""ConsumeQuota and ResetUsage: take units atomically and once, or open a new period."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tallygate.data_plane.admission import Admission, Admitted, segments_of
from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.later import Later
from tallygate.data_plane.ports import AdmitCall, Answered, Asked, EffectContext
from tallygate.data_plane.programs import Compiled, CompiledQuota, call_of, compile_quota, compiled, stretch
from tallygate.data_plane.questions import feature_of
from tallygate.data_plane.requests import ConsumeRequest, ResetRequest
from tallygate.data_plane.view import View
from tallygate.domain.catalog import Aggregation, Durability, Feature, FeatureKind
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError, UnavailableError
from tallygate.domain.gating.admit import Identified
from tallygate.domain.gating.decide import Stamp, decide_metered, unknown_account
from tallygate.domain.gating.decision import Decision
from tallygate.domain.gating.identity import effect_digest, payload_hash, plain_payload_hash
from tallygate.domain.gating.quota import DELTAS, LEVELS, Mode, QuotaAnswer, QuotaGate, ResetGate, Segment
from tallygate.domain.gating.remedies import Metered, Question

_ZERO = {*LEVELS, Aggregation.TIME_WEIGHTED}

Returned = Callable[[str, str, str], None]
"""Told a tenant, an account and a feature of which units were returned, or may have been."""


def _nobody(*_: str) -> None:
    return None


Outcome = Admitted | Decision | Exception
"""How a call ended: admitted, explained by `Consumes.explained`; decided by failure policy; or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumes:
    """What takes from quotas; `returned` hears of what is given back, before the caller does."""

    admission: Admission
    returned: Returned = _nobody
    exhausted: Exhausted | None = None

    def begin(self, tenant_id: str, request: ConsumeRequest, done: Callable[[Outcome], None]) -> None:
        """Check and count in one step; a retry of an admitted call answers as it did then, and counts once."""
        asking = _Consuming(self, tenant_id, request, done)
        self.admission.begin(tenant_id, request.account_id, asking, min_view_version=request.min_view_version)

    async def consume(self, tenant_id: str, request: ConsumeRequest) -> Decision:
        """As `begin`, explained."""
        later: Later[Admitted | Decision] = Later()
        self.begin(tenant_id, request, later.resolve)
        outcome = await later.result()
        return self.explained(request, outcome) if isinstance(outcome, Admitted) else outcome

    def explained(self, request: ConsumeRequest, admitted: Admitted) -> Decision:
        """The whole decision."""
        view, compiled = admitted.view, admitted.compiled
        if not isinstance(compiled, CompiledQuota) or admitted.reply is None:
            feature = feature_of(view, request.feature_key)
            return replace(unknown_account(feature), view_version=view.version, request_id=request.request_id)
        answer = admitted.reply.answers[0]
        if not isinstance(answer, QuotaAnswer):
            raise TypeError(answer)
        quantity = 1 if request.quantity is None else request.quantity
        at = admitted.now if request.occurred_time is None else request.occurred_time
        return compiled.decision(answer, admitted.now, quantity=quantity, at=at, request_id=request.request_id)

    async def reset(self, tenant_id: str, request: ResetRequest) -> Decision:
        """Open a new usage period of one feature now; nothing is deleted."""

        def build(view: View, at: int) -> AdmitCall | None:
            feature = _metered(view, request.feature_key)
            if view.entitlements is None:
                return None
            gate = ResetGate(
                feature_key=feature.feature_key,
                segments=segments_of(view, feature, at=at),
                aggregation=feature.aggregation,
            )
            hashed = payload_hash(quantity=0, mode="RESET", dimensions={})
            item = _identified(tenant_id, request.account_id, request.request_id, gate, hashed)
            context = EffectContext(request_id=request.request_id, billable=False)
            strict = feature.durability is Durability.STRICT
            return call_of(tenant_id, request.account_id, view, (item,), context=context, strict=strict)

        try:
            admitted = await self.admission.admit(
                tenant_id, request.account_id, build, min_view_version=request.min_view_version
            )
        finally:
            self.returned(tenant_id, request.account_id, request.feature_key)
        return _opened(admitted, request)

    def compile(self, tenant_id: str, request: ConsumeRequest, view: View, at: int) -> CompiledQuota | None:
        """The quota that this request meets.

        Raises:
            TallygateError: no call can ask this of it.
        """
        shape = (
            "consume",
            request.feature_key,
            request.quantity is not None and request.quantity < 0,
            request.carry_in,
        )
        if (request.quantity is None or 0 < request.quantity <= MAX_QUANTITY) and request.occurred_time is None:
            kept: CompiledQuota | None = view.programs.get(shape)
            if kept is not None and kept.start <= at < kept.end and request.request_id:
                return kept  # any meter takes such a quantity, so this one does
        feature = _metered(view, request.feature_key)
        refunds = _quantity(request, feature) < 0
        if not request.request_id:
            raise InvalidFieldError(field="request_id", expected="an id that a retry of this call repeats")
        if view.entitlements is None:
            return None
        account_id = request.account_id

        def compiled_quota(segments: tuple[Segment, ...], occurred: int | None = None) -> CompiledQuota:
            quantity = -1 if refunds else 1
            gate = QuotaGate(
                feature_key=feature.feature_key, quantity=quantity, segments=segments, occurred_time=occurred
            )
            context = EffectContext(billable=feature.billable and not request.carry_in, carry_in=request.carry_in)
            return compile_quota(
                self.admission.gates, view, (tenant_id, account_id, feature), gate, at, context=context
            )

        if request.occurred_time is not None:
            return compiled_quota(segments_of(view, feature, at=at, back=True), request.occurred_time)
        return compiled(view, shape, at, lambda: compiled_quota(stretch(segments_of(view, feature, at=at), at)))


class _Consuming:
    """One consume on its way."""

    __slots__ = ("_consumes", "_done", "_heard", "_request", "_tenant_id")

    def __init__(
        self, consumes: Consumes, tenant_id: str, request: ConsumeRequest, done: Callable[[Outcome], None]
    ) -> None:
        self._consumes = consumes
        self._heard = consumes.exhausted.heard if consumes.exhausted is not None else -1
        self._tenant_id = tenant_id
        self._request = request
        self._done = done

    def compile(self, view: View, at: int) -> CompiledQuota | None:
        """What to ask on this view."""
        return self._consumes.compile(self._tenant_id, self._request, view, at)

    def ask(self, compiled: Compiled, answered: Answered) -> None:
        """Ask it."""
        request = self._request
        if not isinstance(compiled, CompiledQuota):
            raise TypeError(compiled)
        quantity = 1 if request.quantity is None else request.quantity
        digest, hashed = compiled.identity.digest(request.request_id), _hashed(request, quantity)
        asked = Asked(quantity, digest, hashed, request.mode, request.occurred_time)
        compiled.program.ask((asked,), (request.request_id, request.user_id, request.dimensions), answered)

    def decided(self, admitted: Admitted) -> None:
        """It was."""
        near, request = self._consumes.exhausted, self._request
        if near is not None and admitted.reply is not None and request.occurred_time is None:
            near.learn(admitted, quantity=1 if request.quantity is None else request.quantity, heard=self._heard)
        self._end(admitted)

    def failed(self, error: Exception) -> None:
        """It could not be: the policy of the feature answers, where it is known."""
        request, admission = self._request, self._consumes.admission
        if not isinstance(error, UnavailableError):
            self._end(error)
            return
        feature = admission.known_feature(self._tenant_id, request.feature_key)
        try:
            decision = admission.fall_back(feature, error) if feature is not None else None
        except UnavailableError as refused:
            self._end(refused)
            return
        self._end(error if decision is None else replace(decision, request_id=request.request_id))

    def _end(self, outcome: Outcome) -> None:
        request = self._request
        if request.quantity is not None and request.quantity < 0:
            self._consumes.returned(self._tenant_id, request.account_id, request.feature_key)
        self._done(outcome)


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
    if not request.dimensions and not request.carry_in:
        return plain_payload_hash(quantity, request.mode)
    extra = "carry_in" if request.carry_in else ""
    return payload_hash(quantity=quantity, mode=request.mode.value, dimensions=request.dimensions, extra=extra)


def _identified(
    tenant_id: str, account_id: str, request_id: str, gate: QuotaGate | ResetGate, hashed: bytes
) -> Identified:
    if not request_id:
        raise InvalidFieldError(field="request_id", expected="an id that a retry of this call repeats")
    digest = effect_digest(tenant_id=tenant_id, account_id=account_id, gate_key=gate.feature_key, request_id=request_id)
    return Identified(gate=gate, state_key="", digest=digest, payload_hash=hashed)


def _opened(admitted: Admitted, request: ResetRequest) -> Decision:
    view = admitted.view
    feature = feature_of(view, request.feature_key)
    if view.entitlements is None or admitted.reply is None or admitted.call is None:
        return replace(unknown_account(feature), view_version=view.version, request_id=request.request_id)
    answer, gate = admitted.reply.answers[0], admitted.call.gates[0].gate
    if not isinstance(answer, QuotaAnswer) or not isinstance(gate, ResetGate):
        raise TypeError(answer)
    metered = Metered(answer=answer, segments=gate.segments, now=admitted.now)
    question = Question(feature=feature, quantity=0, at=admitted.now)
    stamp = Stamp(view_version=view.version, request_id=request.request_id)
    return decide_metered(view.snapshot.catalog, view.entitlements, question, metered, stamp)

"""Check, consume and rate limit from bytes to bytes: decode, ask, encode, in callbacks and without a task.

Each function answers whether it took the call on; what cannot be read is left to the servicer, untouched.
"""

from collections.abc import Callable
from functools import partial

from google.protobuf.message import DecodeError

from tallygate.data_plane.admission import Admitted
from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.programs import CompiledQuota
from tallygate.data_plane.questions import is_told_whole
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.requests import CheckRequest, ConsumeRequest, RateLimitDecision, RateLimitRequest
from tallygate.domain.gating.decision import Decision
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.domain.recent import Recent
from tallygate.server.calls.method import Done, tell
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.shown import Shown
from tallygate.server.wire.decision import (
    decode_check,
    decode_consume,
    decode_rate_limit,
    encode_decision,
    encode_rate_limit,
)
from tallygate_api.v1 import entitlement_service_pb2 as wire

KindOf = Callable[[str, str], str]
"""The kind of a tenant's feature, asked by tenant and feature key; empty where it is not known."""

_MOST_BYTES = 2_048
_MOST_REQUESTS = 20_000
_METERED = "metered"
_RATE_LIMIT = "rate_limit"


class Deciding:
    """The calls that decide."""

    def __init__(
        self,
        checks: Checks,
        consumes: Consumes,
        rate_limits: RateLimits,
        metrics: Metrics,
        kind_of: KindOf,
    ) -> None:
        self._checks = checks
        self._consumes = consumes
        self._rate_limits = rate_limits
        self._metrics = metrics
        self._kind_of = kind_of
        self._shown = Shown()
        self._asked_checks: Recent[bytes, CheckRequest] = Recent(_MOST_REQUESTS)
        self._asked_limits: Recent[bytes, RateLimitRequest] = Recent(_MOST_REQUESTS)
        self.methods = {"CheckEntitlement": self.check, "ConsumeQuota": self.consume, "RateLimit": self.rate_limit}

    def check(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """May this account use a feature now?"""
        asked = self._asked_checks.get(data)
        if asked is None:
            try:
                asked = decode_check(wire.CheckEntitlementRequest.FromString(data))
            except DecodeError:
                return False
            if len(data) <= _MOST_BYTES:
                self._asked_checks.put(data, asked)
        self._checks.begin(tenant_id, asked, partial(tell, done, self._checked, tenant_id, asked))
        return True

    def consume(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """Take units, once."""
        try:
            request = decode_consume(wire.ConsumeQuotaRequest.FromString(data))
        except DecodeError:
            return False
        self._consumes.begin(tenant_id, request, partial(tell, done, self._consumed, request))
        return True

    def rate_limit(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """Take from every limit that matches, or from none."""
        asked = self._asked_limits.get(data)
        if asked is None:
            try:
                asked = decode_rate_limit(wire.RateLimitRequest.FromString(data))
            except DecodeError:
                return False
            if len(data) <= _MOST_BYTES and not asked.request_id:
                self._asked_limits.put(data, asked)
        self._rate_limits.begin(tenant_id, asked, partial(tell, done, self._limited, asked))
        return True

    def _checked(self, tenant_id: str, request: CheckRequest, outcome: Admitted | Decision | Exception) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        whole = _whole(request, outcome)
        quantity = 1 if request.quantity is None else request.quantity
        encoded = None if whole is None else self._shown.quota(whole, quantity, "")
        if encoded is not None:
            return encoded
        decision = self._checks.explained(request, outcome) if isinstance(outcome, Admitted) else outcome
        kind = self._kind_of(tenant_id, decision.feature_key)
        self._count(kind, decision)
        response = wire.CheckEntitlementResponse(decision=encode_decision(decision))
        if whole is not None:
            self._keep(whole, quantity, decision)
        return response.SerializeToString()

    def _consumed(self, request: ConsumeRequest, outcome: Admitted | Decision | Exception) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        whole = outcome if isinstance(outcome, Admitted) and request.occurred_time is None else None
        quantity = 1 if request.quantity is None else request.quantity
        encoded = None if whole is None else self._shown.quota(whole, quantity, request.request_id)
        if encoded is not None:
            return encoded
        decision = self._consumes.explained(request, outcome) if isinstance(outcome, Admitted) else outcome
        self._count(_METERED, decision)
        if whole is not None:
            self._keep(whole, quantity, decision)
        return wire.ConsumeQuotaResponse(decision=encode_decision(decision)).SerializeToString()

    def _keep(self, outcome: Admitted, quantity: int, decision: Decision) -> None:
        counted = self._metrics.counter(_METERED, decision.reason, allowed=decision.allowed)
        self._shown.keep_quota(outcome, quantity, decision, counted)

    def _limited(self, request: RateLimitRequest, outcome: Admitted | RateLimitDecision | Exception) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        answers: tuple[RateAnswer, ...] = ()
        if isinstance(outcome, Admitted) and outcome.reply is not None and outcome.compiled is not None:
            answers = tuple([answer for answer in outcome.reply.answers if isinstance(answer, RateAnswer)])
            shown = self._shown.limits(outcome.compiled, answers)
            if shown is not None:
                shown.counted()
                return shown.encoded(answers)
        decision = self._rate_limits.decision(request, outcome) if isinstance(outcome, Admitted) else outcome
        self._count(_RATE_LIMIT, decision)
        if answers and isinstance(outcome, Admitted) and outcome.compiled and not decision.replayed:
            counted = self._metrics.counter(_RATE_LIMIT, decision.reason, allowed=decision.allowed)
            self._shown.keep_limits(outcome.compiled, decision, answers, counted)
        return encode_rate_limit(decision).SerializeToString()

    def _count(self, kind: str, decision: Decision | RateLimitDecision) -> None:
        self._metrics.decided(
            kind,
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )


def _whole(request: CheckRequest, outcome: Admitted | Decision) -> Admitted | None:
    """The outcome, where what the store answered is the decision."""
    compiled = outcome.compiled if isinstance(outcome, Admitted) else None
    is_whole = isinstance(compiled, CompiledQuota) and is_told_whole(request, compiled.feature)
    return outcome if isinstance(outcome, Admitted) and is_whole else None

"""EntitlementService: the data plane's calls, each decoded, asked, encoded."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tallygate.data_plane.check import Checks
from tallygate.data_plane.consume import Consumes
from tallygate.data_plane.rate_limit import RateLimits
from tallygate.domain.errors import AccountNotFoundError, TallygateError
from tallygate.domain.gating.decision import Decision, Reason
from tallygate.server.calls.method import Call
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.answers import Answers
from tallygate.server.services.deciding import Deciding
from tallygate.server.wire.decision import (
    decode_batch_check,
    decode_check,
    decode_consume,
    decode_rate_limit,
    decode_reset,
    encode_decision,
    encode_error,
    encode_rate_limit,
    weight_of_batch,
)
from tallygate.server.wire.lenient import lenient
from tallygate.server.wire.scalars import identifier, optional_identifier, optional_instant, quantity, timestamp
from tallygate_api.v1 import entitlement_service_pb2 as wire

if TYPE_CHECKING:
    from tallygate.server.calls.method import FastAnswer

KindOf = Callable[[str, str], str]
"""The kind of a tenant's feature, asked by tenant and feature key; empty where it is not known."""


class EntitlementServicer:
    """Serves EntitlementService."""

    def __init__(
        self,
        *,
        checks: Checks,
        consumes: Consumes,
        rate_limits: RateLimits,
        metrics: Metrics,
        kind_of: KindOf,
        answers: Answers | None = None,
        deciding: Deciding | None = None,
    ) -> None:
        self._checks = checks
        self._consumes = consumes
        self._rate_limits = rate_limits
        self._metrics = metrics
        self._kind_of = kind_of
        self.readers = {"RateLimit": lenient(wire.RateLimitRequest)}
        self.weights = {"BatchCheckEntitlements": weight_of_batch}
        self.straight_methods = deciding.methods if deciding is not None else {}
        self.fast_answers: dict[str, FastAnswer] = {}
        if answers is not None:
            self.fast_answers = {"CheckEntitlement": answers.get, "BatchCheckEntitlements": answers.get_batch}

    async def CheckEntitlement(  # noqa: N802 - the wire's name
        self, request: wire.CheckEntitlementRequest, call: Call
    ) -> wire.CheckEntitlementResponse:
        """Decide one question."""
        decision = await self._checks.check(call.tenant_id, decode_check(request))
        self._count(call, decision)
        return wire.CheckEntitlementResponse(decision=encode_decision(decision))

    async def BatchCheckEntitlements(  # noqa: N802 - the wire's name
        self, request: wire.BatchCheckEntitlementsRequest, call: Call
    ) -> wire.BatchCheckEntitlementsResponse:
        """Decide every pair of account and feature; a failing one fails alone."""
        asked = decode_batch_check(request)
        outcomes = await self._checks.check_many(call.tenant_id, asked)
        results: list[wire.BatchCheckEntitlementsResult] = []
        for question, outcome in zip(asked, outcomes, strict=True):
            result = wire.BatchCheckEntitlementsResult(account_id=question.account_id, feature_key=question.feature_key)
            if isinstance(outcome, TallygateError):
                result.error.CopyFrom(encode_error(outcome))
            else:
                self._count(call, outcome)
                result.decision.CopyFrom(encode_decision(outcome))
            results.append(result)
        return wire.BatchCheckEntitlementsResponse(results=results)

    async def ListEntitlements(  # noqa: N802 - the wire's name
        self, request: wire.ListEntitlementsRequest, call: Call
    ) -> wire.ListEntitlementsResponse:
        """Decide every feature of the catalogue."""
        decisions = await self._checks.entitlements(
            call.tenant_id,
            identifier(request.account_id, "account_id"),
            optional_identifier(request.user_id, "user_id"),
            optional_instant(request, "at_time"),
            min_view_version=quantity(request.min_view_version, "min_view_version", at_least=0),
        )
        for decision in decisions:
            self._count(call, decision)
        version = max((decision.view_version for decision in decisions), default=0)
        return wire.ListEntitlementsResponse(decisions=map(encode_decision, decisions), view_version=version)

    async def ConsumeQuota(  # noqa: N802 - the wire's name
        self, request: wire.ConsumeQuotaRequest, call: Call
    ) -> wire.ConsumeQuotaResponse:
        """Take units, once."""
        decision = await self._consumes.consume(call.tenant_id, decode_consume(request))
        self._count(call, decision)
        return wire.ConsumeQuotaResponse(decision=encode_decision(decision))

    async def ResetUsage(  # noqa: N802 - the wire's name
        self, request: wire.ResetUsageRequest, call: Call
    ) -> wire.ResetUsageResponse:
        """Open a new usage period."""
        decision = await self._consumes.reset(call.tenant_id, decode_reset(request))
        if decision.reason is Reason.ACCOUNT_NOT_FOUND:
            raise AccountNotFoundError(account_id=request.account_id)
        return wire.ResetUsageResponse(
            period_start_time=timestamp(decision.period_start),
            period_end_time=timestamp(decision.reset_time),
            view_version=decision.view_version,
            replayed=decision.replayed,
            closed_quantity=decision.granted_quantity,
        )

    async def RateLimit(self, request: wire.RateLimitRequest, call: Call) -> wire.RateLimitResponse:  # noqa: N802 - the wire's name
        """Take from every matching limit, or from none."""
        decision = await self._rate_limits.take(call.tenant_id, decode_rate_limit(request))
        self._metrics.decided(
            "rate_limit",
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )
        return encode_rate_limit(decision)

    def _count(self, call: Call, decision: Decision) -> None:
        self._metrics.decided(
            self._kind_of(call.tenant_id, decision.feature_key),
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )

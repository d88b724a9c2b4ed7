"""Envoy's RateLimitService on the same use-case as RateLimit. The tenant is that of the key, never Envoy's `domain`.

Several descriptors are looked at first and taken from only when all fit: only where calls race, or descriptors share a
limit, can some have been taken from when another is over.
"""

import asyncio
from dataclasses import replace

from tallygate.data_plane.rate_limit import RateLimits
from tallygate.data_plane.requests import LimitStatus, RateLimitDecision, RateLimitRequest
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.gating.decision import Reason
from tallygate.server.calls.method import Call
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.decision import decode_descriptor
from tallygate.server.wire.scalars import MAX_ENTRIES, duration, optional_identifier, quantity
from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as wire

_UINT32 = 2**32 - 1
_SECOND = 1_000_000
_OK = wire.RateLimitResponse.OK
_OVER = wire.RateLimitResponse.OVER_LIMIT
_UNITS = {
    86_400 * 7: wire.RateLimitResponse.RateLimit.WEEK,
    86_400: wire.RateLimitResponse.RateLimit.DAY,
    3_600: wire.RateLimitResponse.RateLimit.HOUR,
    60: wire.RateLimitResponse.RateLimit.MINUTE,
    1: wire.RateLimitResponse.RateLimit.SECOND,
}
_OURS = ("account_id", "limit_key")
"""Entries that name what is limited; all others are the descriptor."""


class EnvoyRateLimitServicer:
    """Serves envoy.service.ratelimit.v3.RateLimitService."""

    def __init__(self, *, rate_limits: RateLimits, metrics: Metrics) -> None:
        self._rate_limits = rate_limits
        self._metrics = metrics

    async def ShouldRateLimit(self, request: wire.RateLimitRequest, call: Call) -> wire.RateLimitResponse:  # noqa: N802 - the wire's name
        """One status a descriptor, in order; over limit if any is."""
        asked = _decode(request)
        decisions = await self._take_all(call.tenant_id, asked)
        for decision in decisions:
            self._count(decision)
        statuses = [_status(decision) for decision in decisions]
        allowed = all(decision.allowed for decision in decisions)
        return wire.RateLimitResponse(overall_code=_OK if allowed else _OVER, statuses=statuses)

    async def _take_all(self, tenant_id: str, asked: list[RateLimitRequest]) -> list[RateLimitDecision]:
        if len(asked) > 1:
            looks = await asyncio.gather(*(self._rate_limits.take(tenant_id, replace(one, cost=0)) for one in asked))
            seen = [_judged(look, one.cost or 0) for look, one in zip(looks, asked, strict=True)]
            if not all(decision.allowed for decision in seen):
                return seen
        return list(await asyncio.gather(*(self._rate_limits.take(tenant_id, one) for one in asked)))

    def _count(self, decision: RateLimitDecision) -> None:
        self._metrics.decided(
            "rate_limit",
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )


def _decode(request: wire.RateLimitRequest) -> list[RateLimitRequest]:
    if not 0 < len(request.descriptors) <= MAX_ENTRIES:
        expected = f"1 to {MAX_ENTRIES} of them"
        raise InvalidFieldError(field="descriptors", expected=expected, got=len(request.descriptors))
    return [
        _decode_one(descriptor, request.hits_addend or 1, f"descriptors[{index}]")
        for index, descriptor in enumerate(request.descriptors)
    ]


def _decode_one(descriptor: RateLimitDescriptor, hits: int, path: str) -> RateLimitRequest:
    if descriptor.HasField("limit"):
        raise InvalidFieldError(
            field=f"{path}.limit", expected="no limit of the proxy's own: it stands in the catalogue"
        )
    if descriptor.is_negative_hits:
        raise InvalidFieldError(field=f"{path}.is_negative_hits", expected="false: hits cannot be given back")
    if descriptor.HasField("hits_addend"):
        hits = quantity(descriptor.hits_addend.value, f"{path}.hits_addend", at_least=0)
    pairs = [(entry.key, entry.value) for entry in descriptor.entries]
    ours = {key: optional_identifier(value, f"{path}.{key}") for key, value in pairs if key in _OURS}
    return RateLimitRequest(
        account_id=ours.get("account_id", ""),
        limit_key=ours.get("limit_key", ""),
        descriptor=decode_descriptor([pair for pair in pairs if pair[0] not in _OURS]),
        cost=hits,
    )


def _judged(look: RateLimitDecision, cost: int) -> RateLimitDecision:
    """What a look says of this cost: the first limit that it would not fit binds."""
    short = [status for status in look.statuses if status.remaining < cost]
    if not look.allowed or not short:
        return look
    return replace(look, allowed=False, reason=Reason.RATE_LIMITED, binding_limit_key=short[0].limit_key)


def _status(decision: RateLimitDecision) -> wire.RateLimitResponse.DescriptorStatus:
    code = _OK if decision.allowed else _OVER
    binding = next((one for one in decision.statuses if one.limit_key == decision.binding_limit_key), None)
    if binding is None:
        return wire.RateLimitResponse.DescriptorStatus(code=code)
    return wire.RateLimitResponse.DescriptorStatus(
        code=code,
        current_limit=_limit(binding),
        limit_remaining=min(binding.remaining, _UINT32),
        duration_until_reset=duration(binding.reset_after),
    )


def _limit(status: LimitStatus) -> wire.RateLimitResponse.RateLimit:
    """The figures in Envoy's units; a window that is no whole number of seconds has none."""
    limit = wire.RateLimitResponse.RateLimit(name=status.limit_key, requests_per_unit=min(status.limit, _UINT32))
    seconds, rest = divmod(status.window, _SECOND)
    if rest or not seconds:
        return limit
    length, limit.unit = next((length, unit) for length, unit in _UNITS.items() if seconds % length == 0)
    if seconds > length:
        limit.unit_multiplier.value = seconds // length
    return limit

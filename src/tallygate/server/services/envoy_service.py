"""Envoy's RateLimitService: several descriptors, all or none. The tenant is that of the key, never Envoy's `domain`.

With `failure_mode_deny: false` an error lets a request pass: nothing that an end user can send is an error of the call.
"""

from tallygate.data_plane.descriptors import DescriptorLimits
from tallygate.data_plane.requests import NO_ACCOUNT, LimitStatus, RateLimitDecision, RateLimitRequest
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.server.calls.method import Call
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.lenient import lenient
from tallygate.server.wire.scalars import MAX_BATCH, duration, is_identifier
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

    def __init__(self, *, limits: DescriptorLimits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self.readers = {"ShouldRateLimit": lenient(wire.RateLimitRequest)}

    async def ShouldRateLimit(self, request: wire.RateLimitRequest, call: Call) -> wire.RateLimitResponse:  # noqa: N802 - the wire's name
        """One status a descriptor, in order; over limit if any is, and then none was taken from."""
        decisions = await self._limits.take_all(call.tenant_id, _decode(request))
        for decision in decisions:
            self._count(decision)
        statuses = [_status(decision) for decision in decisions]
        allowed = all(decision.allowed for decision in decisions)
        return wire.RateLimitResponse(overall_code=_OK if allowed else _OVER, statuses=statuses)

    def _count(self, decision: RateLimitDecision) -> None:
        self._metrics.decided(
            "rate_limit",
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )


def _decode(request: wire.RateLimitRequest) -> list[RateLimitRequest]:
    count = len(request.descriptors)
    if count > MAX_BATCH:  # how many there are says the proxy's configuration, and no end user
        raise InvalidFieldError(field="descriptors", expected=f"at most {MAX_BATCH} of them", got=count)
    return [_decode_one(descriptor, request.hits_addend or 1) for descriptor in request.descriptors]


def _decode_one(descriptor: RateLimitDescriptor, hits: int) -> RateLimitRequest:
    """What a descriptor asks; figures of the proxy's own are passed over: they stand in the catalogue."""
    if descriptor.HasField("hits_addend"):
        hits = min(descriptor.hits_addend.value, MAX_QUANTITY)
    if descriptor.is_negative_hits:  # nothing is given back
        hits = 0
    pairs = [(entry.key, entry.value) for entry in descriptor.entries]
    ours = {key: value for key, value in reversed(pairs) if key in _OURS}
    account_id = ours.get("account_id")
    known = account_id is None or is_identifier(account_id)
    return RateLimitRequest(
        account_id=(account_id or "") if known else NO_ACCOUNT,
        limit_key=ours.get("limit_key", ""),
        descriptor=tuple(pair for pair in pairs if pair[0] not in _OURS),
        cost=hits,
    )


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

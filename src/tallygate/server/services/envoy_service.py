"""Envoy's RateLimitService: several descriptors, all or none. The tenant is that of the key, never Envoy's `domain`.

With `failure_mode_deny: false` an error lets a request pass: nothing that an end user can send is an error of the call.
"""

from collections.abc import Callable, Sequence
from functools import partial

from google.protobuf.message import DecodeError

from tallygate.data_plane.admission import Admitted
from tallygate.data_plane.descriptors import CompiledDescriptors, DescriptorLimits, Descriptors, Outcome
from tallygate.data_plane.requests import NO_ACCOUNT, LimitStatus, RateLimitDecision, RateLimitRequest
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import is_id
from tallygate.domain.gating.admit import Answer
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.domain.recent import Recent
from tallygate.server.calls.method import Call, Done, tell
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.lenient import lenient
from tallygate.server.wire.scalars import MAX_BATCH, duration
from tallygate_api.envoy.extensions.common.ratelimit.v3.ratelimit_pb2 import RateLimitDescriptor
from tallygate_api.envoy.service.ratelimit.v3 import rls_pb2 as wire

_MOST_BYTES = 2_048
_MOST_REQUESTS = 20_000
_KIND = "rate_limit"
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


_DESCRIPTORS_A_PLACE = 8
"""As many as take one place more of those for work under way; their length is their senders' and takes none."""
_BYTES_OF_FEW = 512
"""No longer a request has so many descriptors that it is worth a look."""


class EnvoyRateLimitServicer:
    """Serves envoy.service.ratelimit.v3.RateLimitService."""

    def __init__(self, *, limits: DescriptorLimits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._asked: Recent[bytes, Descriptors] = Recent(_MOST_REQUESTS)
        self.readers = {"ShouldRateLimit": lenient(wire.RateLimitRequest)}
        self.weights = {"ShouldRateLimit": self._weight}
        self.straight_methods = {"ShouldRateLimit": self.begin}

    def begin(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """As `ShouldRateLimit`, from bytes to bytes; False where that has to do it."""
        asked = self._asked.get(data)
        if asked is None:
            try:
                asked = _decode(self.readers["ShouldRateLimit"](data), kept=len(data) <= _MOST_BYTES)
            except (DecodeError, InvalidFieldError):
                return False
            if asked.kept:
                self._asked.put(data, asked)
        return self._limits.begin(tenant_id, asked, partial(tell, done, self._answered, asked))

    async def ShouldRateLimit(self, request: wire.RateLimitRequest, call: Call) -> wire.RateLimitResponse:  # noqa: N802 - the wire's name
        """One status a descriptor, in order; over limit if any is, and then none was taken from."""
        return self._told(await self._limits.take_all(call.tenant_id, _decode(request)))

    def _weight(self, data: bytes) -> int:
        if len(data) <= _BYTES_OF_FEW:
            return 1
        try:
            return 1 + len(self.readers["ShouldRateLimit"](data).descriptors) // _DESCRIPTORS_A_PLACE
        except DecodeError:
            return 1

    def _answered(self, asked: Descriptors, outcome: Outcome) -> bytes:
        if isinstance(outcome, Exception):
            raise outcome
        if not isinstance(outcome, Admitted):
            return self._told(outcome).SerializeToString()
        compiled = outcome.compiled
        if isinstance(compiled, CompiledDescriptors) and compiled.shown and outcome.reply is not None:
            shown: _ShownDescriptors = compiled.shown[0]
            if not compiled.call.peek and all(answer.allowed for answer in outcome.reply.answers):
                return shown.encoded(outcome.reply.answers)
        decisions = self._limits.explained(asked, outcome)
        response = self._told(decisions)
        if isinstance(compiled, CompiledDescriptors) and response.overall_code == _OK and not compiled.shown:
            counters = [self._metrics.counter(_KIND, one.reason, allowed=True) for one in decisions]
            compiled.shown.append(_ShownDescriptors(response, decisions, compiled.index, counters))
        return response.SerializeToString()

    def _told(self, decisions: list[RateLimitDecision]) -> wire.RateLimitResponse:
        for decision in decisions:
            self._count(decision)
        statuses = [_status(decision) for decision in decisions]
        allowed = all(decision.allowed for decision in decisions)
        return wire.RateLimitResponse(overall_code=_OK if allowed else _OVER, statuses=statuses)

    def _count(self, decision: RateLimitDecision) -> None:
        self._metrics.decided(
            _KIND,
            decision.reason,
            allowed=decision.allowed,
            decided_on=decision.decided_on,
            view_age=decision.view_age,
        )


class _ShownDescriptors:
    """An answer that allows all, whose figures are set anew for each call that is answered alike."""

    __slots__ = ("_counters", "_index", "_limits", "_response")

    def __init__(
        self,
        response: wire.RateLimitResponse,
        decisions: list[RateLimitDecision],
        index: Sequence[tuple[int, ...]],
        counters: list[Callable[[], None]],
    ) -> None:
        self._response = response
        self._index = index
        self._limits = [[_limit(status) for status in decision.statuses] for decision in decisions]
        self._counters = counters

    def encoded(self, answers: Sequence[Answer]) -> bytes:
        """The response with the figures of these answers: of each descriptor those of its nearest limit."""
        for status, mine, limits in zip(self._response.statuses, self._index, self._limits, strict=True):
            if not mine:
                continue
            nearest, at = min([(answers[i].remaining or 0, n) for n, i in enumerate(mine)])
            answer = answers[mine[at]]
            if len(mine) > 1:
                status.current_limit.CopyFrom(limits[at])
            status.limit_remaining = min(nearest, _UINT32)
            reset = answer.reset_after if isinstance(answer, RateAnswer) else 0
            status.duration_until_reset.seconds = reset // _SECOND
            status.duration_until_reset.nanos = reset % _SECOND * 1000
        for counted in self._counters:
            counted()
        return self._response.SerializeToString()


def _decode(request: wire.RateLimitRequest, *, kept: bool = False) -> Descriptors:
    count = len(request.descriptors)
    if count > MAX_BATCH:  # how many there are says the proxy's configuration, and no end user
        raise InvalidFieldError(field="descriptors", expected=f"at most {MAX_BATCH} of them", got=count)
    requests = tuple([_decode_one(one, request.hits_addend or 1) for one in request.descriptors])
    return Descriptors(requests, kept)


def _decode_one(descriptor: RateLimitDescriptor, hits: int) -> RateLimitRequest:
    """What a descriptor asks; figures of the proxy's own are passed over: they stand in the catalogue."""
    if descriptor.HasField("hits_addend"):
        hits = min(descriptor.hits_addend.value, MAX_QUANTITY)
    if descriptor.is_negative_hits:  # nothing is given back
        hits = 0
    pairs = [(entry.key, entry.value) for entry in descriptor.entries]
    ours = {key: value for key, value in reversed(pairs) if key in _OURS}
    account_id = ours.get("account_id")
    known = account_id is None or is_id(account_id)
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

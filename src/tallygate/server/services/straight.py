"""Plain calls of EntitlementService without a task of their own: decode, take by the short way, encode.

Each function answers whether it took the call on; what is not plain about a call is left to the servicer, untouched.
"""

from collections.abc import Callable

from google.protobuf.message import DecodeError

from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.plain import Plans
from tallygate.domain.errors import MAX_QUANTITY, TallygateError
from tallygate.domain.gating.identity import payload_hash, plain_payload_hash
from tallygate.server.operations.metrics import Metrics
from tallygate.server.services.straight_answers import Done, QuotaAnswering, RatesAnswering, StraightAnswers
from tallygate.server.wire.decision import decode_rate_limit
from tallygate.server.wire.scalars import entries, is_identifier
from tallygate_api.v1 import entitlement_service_pb2 as wire

StraightMethod = Callable[[str, bytes, Done], bool]
"""Takes on a tenant's request, as bytes, and tells later; False where it does not."""

_MOST_BYTES = 2048
"""Longer requests are the servicer's."""
_MOST_KINDS = 20_000
_MODE = "ALL_OR_NOTHING"
_PLAIN_MODES = (wire.CONSUME_MODE_UNSPECIFIED, wire.CONSUME_MODE_ALL_OR_NOTHING)


class Straight:
    """The short way for checks of metered features, consumes and rate limits."""

    def __init__(self, plans: Plans, metrics: Metrics, exhausted: Exhausted) -> None:
        self._plans = plans
        self._answers = StraightAnswers(plans, metrics, exhausted)
        self._clock = plans.admission.clock
        self._asked: dict[tuple[str, bytes], tuple[str, str, int]] = {}
        self.methods: dict[str, StraightMethod] = {
            "CheckEntitlement": self.check,
            "ConsumeQuota": self.consume,
            "RateLimit": self.rate_limit,
        }

    def check(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """A check of how much is left; what is known to be exhausted is not asked for again."""
        known = self._asked.get((tenant_id, data))
        asked = known or _decode_check(data)
        if asked is None:
            return False
        account_id, feature_key, quantity = asked
        now = self._clock()
        plan = self._plans.quota(tenant_id, account_id, feature_key, now=now)
        if plan is None:
            return False
        if known is None:  # only now: whoever asks for what is not there fills no cache
            self._remember(tenant_id, data, asked)
        if plan.denial is not None:
            denied = self._answers.denied_again(plan, quantity, now)
            if denied is not None:
                done(denied)
                return True
        plan.quota.look(QuotaAnswering(self._answers, plan, quantity, "", now, done).seen)
        return True

    def consume(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """A consume of all or nothing, now."""
        try:
            request = wire.ConsumeQuotaRequest.FromString(data)
        except DecodeError:
            return False
        request_id, user_id = request.request_id, request.user_id
        quantity = request.quantity if request.HasField("quantity") else 1
        if request.mode not in _PLAIN_MODES or request.min_view_version or not is_identifier(request_id):
            return False
        if (
            not 0 < quantity <= MAX_QUANTITY
            or request.HasField("occurred_time")
            or (user_id and not is_identifier(user_id))
        ):
            return False
        now = self._clock()
        plan = self._plans.quota(tenant_id, request.account_id, request.feature_key, now=now)
        if plan is None:
            return False
        dimensions: dict[str, str] = {}
        hashed = plain_payload_hash(quantity, _MODE)
        if request.dimensions:
            try:
                dimensions = entries(request.dimensions, "dimensions")
            except TallygateError:
                return False
            hashed = payload_hash(quantity=quantity, mode=_MODE, dimensions=dimensions)
        answered = QuotaAnswering(self._answers, plan, quantity, request_id, now, done).taken
        plan.quota.take(
            quantity, (plan.identity.digest(request_id), hashed), (request_id, user_id, dimensions), answered
        )
        return True

    def rate_limit(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """A call that no retry will repeat."""
        now = self._clock()
        plan = self._plans.known_rates(tenant_id, data, now=now)
        if plan is None:
            if len(data) > _MOST_BYTES:
                return False
            try:
                request = decode_rate_limit(wire.RateLimitRequest.FromString(data))
                plan = self._plans.rates(tenant_id, data, request)
            except (DecodeError, TallygateError):
                return False
            if plan is None:
                return False
        plan.rates.take(RatesAnswering(self._answers, plan, (tenant_id, data), now, done).answered)
        return True

    def _remember(self, tenant_id: str, data: bytes, asked: tuple[str, str, int]) -> None:
        if len(self._asked) >= _MOST_KINDS:
            self._asked.clear()
        self._asked[tenant_id, data] = asked


def _decode_check(data: bytes) -> tuple[str, str, int] | None:
    """Account, feature and quantity of a plain check."""
    if len(data) > _MOST_BYTES:
        return None
    try:
        request = wire.CheckEntitlementRequest.FromString(data)
    except DecodeError:
        return None
    quantity = request.quantity if request.HasField("quantity") else 1
    if request.min_view_version or request.HasField("at_time") or not 0 <= quantity <= MAX_QUANTITY:
        return None
    if request.requested_values or (request.user_id and not is_identifier(request.user_id)):
        return None
    return request.account_id, request.feature_key, quantity

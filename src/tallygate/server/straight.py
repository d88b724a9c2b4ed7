"""Plain calls of EntitlementService without a task of their own: decode, take by the short way, encode.

Each function answers whether it took the call on; what is not plain about a call is left to the servicer, untouched.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.message import DecodeError

from tallygate.data_plane.plain import Plans, QuotaPlan, RatesPlan
from tallygate.data_plane.ports import PlainStatus
from tallygate.domain.errors import MAX_QUANTITY, StoreUnavailableError, TallygateError
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.domain.gating.identity import payload_hash, plain_payload_hash
from tallygate.server.codec import MAX_ID_CHARACTERS, entries
from tallygate.server.codec_decision import decode_rate_limit, encode_decision, encode_rate_limit
from tallygate.server.metrics import Metrics
from tallygate_api.v1 import entitlement_service_pb2 as wire

Done = Callable[[bytes | Exception | None], None]
"""Told once how a call ended: its response, what went wrong, or None where the servicer has to answer it after all."""

StraightMethod = Callable[[str, bytes, Done], bool]
"""Takes on a tenant's request, as bytes, and tells later; False where it does not."""

_MOST_BYTES = 2048
"""Longer requests are the servicer's."""
_MOST_KINDS = 20_000
_METERED = "metered"
_RATE_LIMIT = "rate_limit"
_MODE = "ALL_OR_NOTHING"


class Straight:
    """The short way for checks of metered features, consumes and rate limits."""

    def __init__(self, plans: Plans, metrics: Metrics) -> None:
        self._plans = plans
        self._metrics = metrics
        self._clock = plans.admission.clock
        self._asked: dict[tuple[str, bytes], tuple[str, str, int]] = {}
        self.methods: dict[str, StraightMethod] = {
            "CheckEntitlement": self.check,
            "ConsumeQuota": self.consume,
            "RateLimit": self.rate_limit,
        }

    def check(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """A check of how much is left."""
        asked = self._asked.get((tenant_id, data)) or self._decode_check(tenant_id, data)
        if asked is None:
            return False
        account_id, feature_key, quantity = asked
        now = self._clock()
        plan = self._plans.quota(tenant_id, account_id, feature_key, now=now)
        if plan is None:
            return False
        plan.quota.look(_Quota(self._plans, self._metrics, plan, quantity, "", now, done).seen)
        return True

    def consume(self, tenant_id: str, data: bytes, done: Done) -> bool:
        """A consume of all or nothing, now."""
        try:
            request = wire.ConsumeQuotaRequest.FromString(data)
        except DecodeError:
            return False
        request_id, user_id = request.request_id, request.user_id
        quantity = request.quantity if request.HasField("quantity") else 1
        if request.mode > wire.CONSUME_MODE_ALL_OR_NOTHING or request.min_view_version or not _is_id(request_id):
            return False
        if not 0 < quantity <= MAX_QUANTITY or request.HasField("occurred_time") or (user_id and not _is_id(user_id)):
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
        answered = _Quota(self._plans, self._metrics, plan, quantity, request_id, now, done).taken
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
        plan.rates.take(_Rates(self._plans, self._metrics, plan, (tenant_id, data), now, done).answered)
        return True

    def _decode_check(self, tenant_id: str, data: bytes) -> tuple[str, str, int] | None:
        if len(data) > _MOST_BYTES:
            return None
        try:
            request = wire.CheckEntitlementRequest.FromString(data)
        except DecodeError:
            return None
        quantity = request.quantity if request.HasField("quantity") else 1
        if request.min_view_version or request.HasField("at_time") or not 0 <= quantity <= MAX_QUANTITY:
            return None
        if request.requested_values or (request.user_id and not _is_id(request.user_id)):
            return None
        if len(self._asked) >= _MOST_KINDS:
            self._asked.clear()
        asked = request.account_id, request.feature_key, quantity
        self._asked[tenant_id, data] = asked
        return asked


class _Shown:
    """An encoded answer whose figures are set anew for each call that is answered alike."""

    __slots__ = ("counted", "decision", "limit", "pot", "response", "start")

    def __init__(self, response: Any, start: int, limit: int | None, counted: Callable[[], None]) -> None:  # noqa: ANN401 - either of two messages
        self.counted = counted
        self.response = response
        self.decision = response.decision
        self.pot: Any = response.decision.pots[0] if response.decision.pots else None
        self.start = start
        self.limit = limit

    def encoded(self) -> bytes:
        """The answer with the figures that are set."""
        data: bytes = self.response.SerializeToString()
        return data


class _Quota:
    """Answers one call of a quota's plan."""

    __slots__ = ("_asked_time", "_done", "_metrics", "_plan", "_plans", "_quantity", "_request_id")

    def __init__(
        self,
        plans: Plans,
        metrics: Metrics,
        plan: QuotaPlan,
        quantity: int,
        request_id: str,
        asked_time: int,
        done: Done,
    ) -> None:
        self._plans = plans
        self._metrics = metrics
        self._plan = plan
        self._quantity = quantity
        self._request_id = request_id
        self._done = done
        self._asked_time = asked_time

    def taken(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer a consume."""
        try:
            self._done(self._taken(status, now, figures))
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
            self._done(error)

    def seen(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer a check."""
        try:
            self._done(self._seen(status, now, figures))
        except Exception as error:  # noqa: BLE001 - as above
            self._done(error)

    def _taken(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.TAKEN:
            self._plans.confirm(plan.view, self._asked_time)
            used, included, over, start = figures
            shown: _Shown | None = plan.shown_taken
            if shown is not None and not over and shown.start == start:
                decision = shown.decision
                decision.used = used
                if shown.limit is not None:
                    decision.remaining = max(0, shown.limit - included)
                decision.granted_quantity = self._quantity
                shown.pot.quantity = self._quantity
                decision.request_id = self._request_id
                shown.counted()
                return shown.encoded()
        decision = self._decision(status, now, figures)
        if decision is None:
            return None
        response = wire.ConsumeQuotaResponse(decision=encode_decision(decision))
        if status is PlainStatus.TAKEN and not figures[2]:
            plan.shown_taken = _Shown(response, figures[3], decision.limit, self._counter(decision.reason))
        return response.SerializeToString()

    def _seen(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.SEEN:
            self._plans.confirm(plan.view, self._asked_time)
            used, included, _, start = figures
            if used + self._quantity > MAX_QUANTITY:
                return None
            shown: _Shown | None = plan.shown_seen
            if shown is not None and shown.start == start and _fits(shown.limit, included, self._quantity):
                shown.decision.used = used
                if shown.limit is not None:
                    shown.decision.remaining = max(0, shown.limit - included)
                shown.counted()
                return shown.encoded()
        decision = self._decision(status, now, figures)
        if decision is None:
            return None
        response = wire.CheckEntitlementResponse(decision=encode_decision(decision))
        if status is PlainStatus.SEEN and _fits(decision.limit, figures[1], self._quantity):
            plan.shown_seen = _Shown(response, figures[3], decision.limit, self._counter(decision.reason))
        return response.SerializeToString()

    def _decision(self, status: PlainStatus, now: int, figures: Sequence[int]) -> Decision | None:
        """The decision, explained; None where the servicer has to make it."""
        plan = self._plan
        if status is PlainStatus.UNDECIDED:
            self._plans.drop_quota(plan)
            return None
        if status is PlainStatus.UNAVAILABLE:
            decision = self._plans.admission.fall_back(plan.feature, StoreUnavailableError())
            decision = replace(decision, request_id=self._request_id)
        else:
            decision = plan.decision(status, now, figures, quantity=self._quantity, request_id=self._request_id)
        self._count(decision.reason, allowed=decision.allowed, decided_on=decision.decided_on)
        return decision

    def _counter(self, reason: Reason) -> Callable[[], None]:
        return self._metrics.counter(_METERED, reason, allowed=True)

    def _count(self, reason: Reason, *, allowed: bool = True, decided_on: DecidedOn = DecidedOn.FRESH) -> None:
        self._metrics.decided(_METERED, reason, allowed=allowed, decided_on=decided_on, view_age=0)


class _Rates:
    """Answers one call of a plan of rate limits."""

    __slots__ = ("_asked_time", "_done", "_metrics", "_place", "_plan", "_plans")

    def __init__(
        self, plans: Plans, metrics: Metrics, plan: RatesPlan, place: tuple[str, bytes], asked_time: int, done: Done
    ) -> None:
        self._plans = plans
        self._metrics = metrics
        self._plan = plan
        self._place = place
        self._done = done
        self._asked_time = asked_time

    def answered(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer the call."""
        try:
            self._done(self._answer(status, now, figures))
        except Exception as error:  # noqa: BLE001 - as above
            self._done(error)

    def _answer(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.TAKEN or status is PlainStatus.DENIED:
            self._plans.confirm(plan.view, self._asked_time)
        if status is PlainStatus.TAKEN and plan.shown is not None:
            response, counted = plan.shown
            counted()
            return _rates_again(response, now, figures)
        if status is PlainStatus.UNDECIDED:
            self._plans.drop_rates(*self._place)
            return None
        if status is PlainStatus.UNAVAILABLE:
            decision = self._plans.limits.fall_back(self._place[0], plan.request, StoreUnavailableError())
        else:
            decision = plan.decision(now, figures, self._plans.limits)
        self._count(decision.reason, allowed=decision.allowed, decided_on=decision.decided_on)
        response = encode_rate_limit(decision)
        if status is PlainStatus.TAKEN:
            plan.shown = response, self._metrics.counter(_RATE_LIMIT, decision.reason, allowed=True)
        return response.SerializeToString()

    def _count(self, reason: Reason, *, allowed: bool = True, decided_on: DecidedOn = DecidedOn.FRESH) -> None:
        self._metrics.decided(_RATE_LIMIT, reason, allowed=allowed, decided_on=decided_on, view_age=0)


def _rates_again(response: wire.RateLimitResponse, now: int, figures: Sequence[int]) -> bytes:
    """The response to an allowed call, with the figures of another one."""
    nearest, at = -1, 0
    for status in response.statuses:
        remaining = figures[at + 1]
        status.remaining = remaining
        full = now + figures[at + 2]
        reset = status.reset_time
        reset.seconds = full // 1_000_000
        reset.nanos = full % 1_000_000 * 1000
        if nearest < 0 or remaining < nearest:
            nearest = remaining
            response.binding_limit_key = status.limit_key
        at += 4
    return response.SerializeToString()


def _fits(limit: int | None, included: int, quantity: int) -> bool:
    return limit is None or quantity <= max(0, limit - included)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= MAX_ID_CHARACTERS and text.isprintable()

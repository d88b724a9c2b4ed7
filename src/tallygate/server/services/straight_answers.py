"""What plain calls are answered with: an encoded answer with its figures set anew, or the whole decision, explained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tallygate.data_plane.exhausted import Exhausted
from tallygate.data_plane.plain import Denial, Plans, QuotaPlan, RatesPlan
from tallygate.data_plane.ports import PlainStatus
from tallygate.domain.errors import MAX_QUANTITY, StoreUnavailableError
from tallygate.domain.gating.decision import DecidedOn, Decision, Reason
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.decision import encode_decision, encode_rate_limit
from tallygate.server.wire.scalars import field_tag, varint
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision as WireDecision

Done = Callable[[bytes | Exception | None], None]
"""Told once how a call ended: its response, what went wrong, or None where the servicer has to answer it after all."""

_Answer = Callable[[PlainStatus, int, Sequence[int]], bytes | None]

_MOST_KINDS = 20_000
_DECISION = field_tag(wire.ConsumeQuotaResponse, "decision")  # and of a check's response
_REQUEST_ID = field_tag(WireDecision, "request_id")
_METERED = "metered"
_RATE_LIMIT = "rate_limit"


class _Shown:
    """An answer whose figures are set anew for each call that is answered alike.

    Its texts are never set again: a message keeps the memory of every text that it ever held.
    """

    __slots__ = ("counted", "decision", "limit", "pot", "start")

    def __init__(self, decision: WireDecision, start: int, limit: int | None, counted: Callable[[], None]) -> None:
        self.counted = counted
        self.decision = decision
        self.pot = decision.pots[0] if decision.pots else None
        self.start = start
        self.limit = limit

    def set(self, *, used: int, included: int, quantity: int) -> None:
        """Set what is used after `quantity` was taken, which is 0 where nothing was."""
        decision = self.decision
        decision.used = used
        if self.limit is not None:
            decision.remaining = max(0, self.limit - included)
        if self.pot is not None:
            decision.granted_quantity = quantity
            self.pot.quantity = quantity

    def encoded(self, request_id: str = "") -> bytes:
        """The response with the figures that are set, to the call of this id."""
        data = self.decision.SerializeToString()
        if request_id:  # a decision's last field
            text = request_id.encode()
            data = b"%b%b%b%b" % (data, _REQUEST_ID, varint(len(text)), text)
        return b"%b%b%b" % (_DECISION, varint(len(data)), data)


class StraightAnswers:
    """What answering calls takes, and encoded answers, one for all accounts that are answered alike.

    So they are few, and stay in the processor's cache.
    """

    def __init__(self, plans: Plans, metrics: Metrics, exhausted: Exhausted) -> None:
        self.plans = plans
        self.metrics = metrics
        self.exhausted = exhausted
        self._kept: dict[tuple[bytes, int], _Shown] = {}

    def denied_again(self, plan: QuotaPlan, quantity: int, now: int) -> bytes | None:
        """The answer to a check of what is known to be exhausted; None where the store has to be asked."""
        decision = self.exhausted.decision(plan, quantity, now)
        if decision is None:
            return None
        self.metrics.decided(
            _METERED, decision.reason, allowed=False, decided_on=decision.decided_on, view_age=decision.view_age
        )
        return wire.CheckEntitlementResponse(decision=encode_decision(decision)).SerializeToString()

    def shown(self, response: Any, start: int, decision: Decision) -> _Shown:  # noqa: ANN401 - either of two messages
        """The answer that this response is an example of."""
        example = WireDecision()
        example.CopyFrom(response.decision)
        example.ClearField("request_id")
        shown = _Shown(example, start, decision.limit, self.metrics.counter(_METERED, decision.reason, allowed=True))
        shown.set(used=0, included=0, quantity=0)
        if len(self._kept) >= _MOST_KINDS:
            self._kept.clear()
        return self._kept.setdefault((shown.encoded(), start), shown)


class QuotaAnswering:
    """Answers one call of a quota's plan."""

    __slots__ = ("_answers", "_asked_time", "_done", "_heard", "_plan", "_quantity", "_request_id")

    def __init__(
        self,
        answers: StraightAnswers,
        plan: QuotaPlan,
        quantity: int,
        request_id: str,
        asked_time: int,
        done: Done,
    ) -> None:
        self._answers = answers
        self._plan = plan
        self._quantity = quantity
        self._request_id = request_id
        self._done = done
        self._asked_time = asked_time
        self._heard = answers.exhausted.heard

    def taken(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer a consume."""
        _end(self._done, self._taken, status, now, figures)

    def seen(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer a check."""
        _end(self._done, self._seen, status, now, figures)

    def _taken(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.DENIED:
            self._answers.plans.confirm(plan.view, self._asked_time)
        elif status is PlainStatus.TAKEN:
            self._answers.plans.confirm(plan.view, self._asked_time)
            used, included, over, start = figures
            if plan.denial is not None:
                self._answers.exhausted.compare(plan, figures)
            shown: _Shown | None = plan.shown_taken
            if shown is not None and not over and shown.start == start:
                shown.set(used=used, included=included, quantity=self._quantity)
                shown.counted()
                return shown.encoded(self._request_id)
        decision = self._decision(status, now, figures)
        if decision is None:
            return None
        response = wire.ConsumeQuotaResponse(decision=encode_decision(decision))
        if status is PlainStatus.TAKEN and not figures[2]:
            plan.shown_taken = self._answers.shown(response, figures[3], decision)
        return response.SerializeToString()

    def _seen(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.SEEN:
            self._answers.plans.confirm(plan.view, self._asked_time)
            used, included, _, start = figures
            if plan.denial is not None:
                self._answers.exhausted.compare(plan, figures)
            if used + self._quantity > MAX_QUANTITY:
                return None
            shown: _Shown | None = plan.shown_seen
            if shown is not None and shown.start == start and _fits(shown.limit, included, self._quantity):
                shown.set(used=used, included=included, quantity=0)
                shown.counted()
                return shown.encoded()
        decision = self._decision(status, now, figures)
        if decision is None:
            return None
        response = wire.CheckEntitlementResponse(decision=encode_decision(decision))
        if status is PlainStatus.SEEN and _fits(decision.limit, figures[1], self._quantity):
            plan.shown_seen = self._answers.shown(response, figures[3], decision)
        return response.SerializeToString()

    def _decision(self, status: PlainStatus, now: int, figures: Sequence[int]) -> Decision | None:
        """The decision, explained; None where the servicer has to make it."""
        plan = self._plan
        if status is PlainStatus.UNDECIDED:
            self._answers.plans.drop_quota(plan)
            return None
        if status is PlainStatus.UNAVAILABLE:
            decision = self._answers.plans.admission.fall_back(plan.feature, StoreUnavailableError())
            decision = replace(decision, request_id=self._request_id)
        else:
            decision = plan.decision(status, now, figures, quantity=self._quantity, request_id=self._request_id)
            if decision.reason is Reason.QUOTA_EXHAUSTED:
                self._learn(now, figures)
        self._count(decision.reason, allowed=decision.allowed, decided_on=decision.decided_on)
        return decision

    def _learn(self, now: int, figures: Sequence[int]) -> None:
        denial = Denial(
            quantity=self._quantity, figures=figures, now=now, asked_time=self._asked_time, heard=self._heard
        )
        self._answers.exhausted.learn(self._plan, denial)

    def _count(self, reason: Reason, *, allowed: bool = True, decided_on: DecidedOn = DecidedOn.FRESH) -> None:
        self._answers.metrics.decided(_METERED, reason, allowed=allowed, decided_on=decided_on, view_age=0)


class RatesAnswering:
    """Answers one call of a plan of rate limits."""

    __slots__ = ("_answers", "_asked_time", "_done", "_place", "_plan")

    def __init__(
        self, answers: StraightAnswers, plan: RatesPlan, place: tuple[str, bytes], asked_time: int, done: Done
    ) -> None:
        self._answers = answers
        self._plan = plan
        self._place = place
        self._done = done
        self._asked_time = asked_time

    def answered(self, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
        """Answer the call."""
        _end(self._done, self._answer, status, now, figures)

    def _answer(self, status: PlainStatus, now: int, figures: Sequence[int]) -> bytes | None:
        plan = self._plan
        if status is PlainStatus.TAKEN or status is PlainStatus.DENIED:
            self._answers.plans.confirm(plan.view, self._asked_time)
        if status is PlainStatus.TAKEN and plan.shown is not None:
            shown, counted = plan.shown
            counted()
            return _rates_again(shown, now, figures)
        if status is PlainStatus.UNDECIDED:
            self._answers.plans.drop_rates(*self._place)
            return None
        if status is PlainStatus.UNAVAILABLE:
            decision = self._answers.plans.limits.fall_back(self._place[0], plan.request, StoreUnavailableError())
        else:
            decision = plan.decision(now, figures, self._answers.plans.limits)
        self._count(decision.reason, allowed=decision.allowed, decided_on=decision.decided_on)
        response = encode_rate_limit(decision)
        if status is PlainStatus.TAKEN:
            counted = self._answers.metrics.counter(_RATE_LIMIT, decision.reason, allowed=True)
            plan.shown = [_nearest(response, status.limit_key) for status in response.statuses], counted
        return response.SerializeToString()

    def _count(self, reason: Reason, *, allowed: bool = True, decided_on: DecidedOn = DecidedOn.FRESH) -> None:
        self._answers.metrics.decided(_RATE_LIMIT, reason, allowed=allowed, decided_on=decided_on, view_age=0)


def _end(done: Done, answer: _Answer, status: PlainStatus, now: int, figures: Sequence[int]) -> None:
    try:
        done(answer(status, now, figures))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever happened is logged and answered
        done(error)


def _nearest(response: wire.RateLimitResponse, limit_key: str) -> wire.RateLimitResponse:
    """The response where this limit is the nearest one."""
    copy = wire.RateLimitResponse()
    copy.CopyFrom(response)
    copy.binding_limit_key = limit_key
    return copy


def _rates_again(shown: Sequence[wire.RateLimitResponse], now: int, figures: Sequence[int]) -> bytes:
    """The response to an allowed call, with the figures of another; `shown` has one for each limit as the nearest."""
    remaining = figures[1::4]
    response = shown[remaining.index(min(remaining))]
    for at, status in enumerate(response.statuses):
        status.remaining = remaining[at]
        full, reset = now + figures[4 * at + 2], status.reset_time
        reset.seconds = full // 1_000_000
        reset.nanos = full % 1_000_000 * 1000
    return response.SerializeToString()


def _fits(limit: int | None, included: int, quantity: int) -> bool:
    return limit is None or quantity <= max(0, limit - included)

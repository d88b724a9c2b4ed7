"""Answers kept encoded but for their figures: calls that are answered alike differ in nothing else.

Their texts are never set again: a message keeps the memory of every text that it ever held.
"""

from collections.abc import Callable

from cachetools import LRUCache
from google.protobuf.duration_pb2 import Duration

from tallygate.data_plane.programs import Compiled, CompiledQuota
from tallygate.data_plane.rate_limit import binding
from tallygate.data_plane.requests import RateLimitDecision
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import Decision, Pot, PotKind
from tallygate.domain.gating.quota import QuotaAnswer
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.server.wire.decision import encode_decision, encode_rate_limit
from tallygate.server.wire.scalars import field_tag, varint
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision as WireDecision

_MOST_KINDS = 20_000
_MOST_OF_ONE = 8
_DECISION = field_tag(wire.ConsumeQuotaResponse, "decision")  # and of a check's response
_REQUEST_ID = field_tag(WireDecision, "request_id")
_SECOND = 1_000_000

Counted = Callable[[], None]


class ShownQuota:
    """An answer that allows, whose figures are set anew for each call that is answered alike."""

    __slots__ = ("_decision", "_granted", "_is_limited", "_of", "_pots", "_room", "counted")

    def __init__(self, decision: Decision, answer: QuotaAnswer, counted: Counted) -> None:
        self._decision = encode_decision(decision)
        self._decision.ClearField("request_id")
        self._pots = list(self._decision.pots)
        self._is_limited = decision.limit is not None
        self._room = None if decision.hard_limit is None else decision.hard_limit - (decision.limit or 0)
        self._of = answer
        self._granted = _granted(answer)
        self.counted = counted

    def fits(self, answer: QuotaAnswer) -> bool:
        """Whether this answer differs in its figures alone."""
        known = self._of
        return (
            answer.reason is known.reason
            and answer.period_start == known.period_start
            and answer.replayed is known.replayed
            and answer.period_end == known.period_end
            and _kinds(answer.pots) == _kinds(known.pots)
            and _granted(answer) == self._granted
        )

    def encoded(self, answer: QuotaAnswer, request_id: str = "") -> bytes:
        """The response with this answer's figures, to the call of this id."""
        decision = self._decision
        decision.used, decision.granted_quantity = answer.used, answer.granted
        if self._is_limited and answer.limit is not None and answer.remaining is not None:
            decision.limit, decision.remaining = answer.limit, answer.remaining
            if self._room is not None:
                decision.hard_limit = min(MAX_QUANTITY, answer.limit + self._room)
        for shown, pot in zip(self._pots, answer.pots, strict=True):
            shown.quantity = pot.quantity
        if self._granted:
            left = {pot.grant_id: pot.quantity for pot in answer.left if pot.kind is PotKind.GRANT}
            for shown in decision.grants_left:
                shown.quantity = left[shown.grant_id]
        data = decision.SerializeToString()
        if request_id:  # the order of fields means nothing
            text = request_id.encode()
            data = b"%b%b%b%b" % (data, _REQUEST_ID, varint(len(text)), text)
        return b"%b%b%b" % (_DECISION, varint(len(data)), data)

    def blank(self) -> bytes:
        """What all answers alike have in common."""
        decision = WireDecision()
        decision.CopyFrom(self._decision)
        for name in ("used", "granted_quantity", "limit", "remaining", "hard_limit"):
            decision.ClearField(name)
        for pot in (*decision.pots, *decision.grants_left):
            pot.quantity = 0
        return decision.SerializeToString()


def _granted(answer: QuotaAnswer) -> tuple[str, ...]:
    return tuple([pot.grant_id for pot in answer.left if pot.kind is PotKind.GRANT]) if answer.left else ()


def _kinds(pots: tuple[Pot, ...]) -> tuple[object, ...]:
    if len(pots) == 1:
        return pots[0].kind, pots[0].grant_id
    return tuple([(pot.kind, pot.grant_id) for pot in pots])


class ShownLimits:
    """An answer of limits, all of which allow or of which these deny; it has one message for each that may bind."""

    __slots__ = ("_messages", "counted", "shape")

    def __init__(self, decision: RateLimitDecision, answers: tuple[RateAnswer, ...], counted: Counted) -> None:
        self.shape = shape_of(answers)
        self._messages = []
        for status in decision.statuses:
            message = encode_rate_limit(decision)
            message.binding_limit_key = status.limit_key
            self._messages.append(message)
        self.counted = counted

    def encoded(self, answers: tuple[RateAnswer, ...]) -> bytes:
        """The response with the figures of these answers, which have its shape."""
        bound = binding(answers)
        message = self._messages[bound]
        for status, answer in zip(message.statuses, answers, strict=True):
            status.remaining = answer.remaining
            full, reset = answer.decided_time + answer.reset_after, status.reset_time
            reset.seconds = full // _SECOND
            reset.nanos = full % _SECOND * 1000
            if not answer.allowed and answer.retry_after is not None:
                _set(status.retry_after, answer.retry_after)
        if self.shape[bound] is False:
            _set(message.retry_after, answers[bound].retry_after or 0)
        return message.SerializeToString()


def shape_of(answers: tuple[RateAnswer, ...]) -> tuple[bool | None, ...]:
    """In what answers differ besides figures: whether each limit allows and, if not (None), can ever."""
    return tuple([None if not one.allowed and one.retry_after is None else one.allowed for one in answers])


def _set(shown: Duration, span: int) -> None:
    shown.seconds, micros = divmod(span, _SECOND)
    shown.nanos = micros * 1000


class Shown:
    """Encoded answers, one for all accounts that are answered alike: few, and so in the processor's cache."""

    def __init__(self) -> None:
        self._kinds: LRUCache[bytes, ShownQuota] = LRUCache(_MOST_KINDS)

    def quota(self, compiled: CompiledQuota, answer: QuotaAnswer, now: int) -> ShownQuota | None:
        """What was kept for an answer like this one; what it says of sources holds as long as what was compiled."""
        if not compiled.start <= now < compiled.end:
            return None
        return next((shown for shown in compiled.shown if shown.fits(answer)), None)

    def keep_quota(self, compiled: CompiledQuota, decision: Decision, answer: QuotaAnswer, counted: Counted) -> None:
        """Keep the decision on this answer for those like it."""
        if len(compiled.shown) < _MOST_OF_ONE:
            shown = ShownQuota(decision, answer, counted)
            compiled.shown.append(self._kinds.setdefault(shown.blank(), shown))

    def limits(self, compiled: Compiled, answers: tuple[RateAnswer, ...]) -> ShownLimits | None:
        """What was kept for answers like these; a replay is told anew."""
        if not compiled.shown or any(answer.replayed for answer in answers):
            return None
        shape = shape_of(answers)
        return next((shown for shown in compiled.shown if shown.shape == shape), None)

    def keep_limits(
        self, compiled: Compiled, decision: RateLimitDecision, answers: tuple[RateAnswer, ...], counted: Counted
    ) -> None:
        """Keep the decision on these answers for those like them."""
        if len(compiled.shown) < _MOST_OF_ONE:
            compiled.shown.append(ShownLimits(decision, answers, counted))

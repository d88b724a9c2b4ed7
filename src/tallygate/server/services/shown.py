"""Answers kept encoded but for their figures: calls that are answered alike differ in nothing else.

Their texts are never set again: a message keeps the memory of every text that it ever held.
"""

from collections.abc import Callable

from cachetools import LRUCache
from google.protobuf.duration_pb2 import Duration

from tallygate.data_plane.admission import Admitted
from tallygate.data_plane.programs import Compiled, CompiledQuota
from tallygate.data_plane.rate_limit import binding
from tallygate.data_plane.requests import RateLimitDecision
from tallygate.domain.errors import MAX_QUANTITY
from tallygate.domain.gating.decision import Decision, Pot, PotKind
from tallygate.domain.gating.quota import QuotaAnswer
from tallygate.domain.gating.rate_limit import RateAnswer
from tallygate.server.wire.decision import encode_decision, encode_rate_limit
from tallygate.server.wire.scalars import encoded_duration, field_tag, varint
from tallygate_api.v1 import entitlement_service_pb2 as wire
from tallygate_api.v1.decision_pb2 import Decision as WireDecision

_MOST_KINDS = 20_000
_MOST_OF_ONE = 8
_DECISION = field_tag(wire.ConsumeQuotaResponse, "decision")  # and of a check's response
_REQUEST_ID = field_tag(WireDecision, "request_id")
_RETRY_AFTER = field_tag(WireDecision, "retry_after")
_SECOND = 1_000_000

Counted = Callable[[], None]


class ShownQuota:
    """An answer that allows, whose figures are set anew for each call that is answered alike."""

    __slots__ = ("_decision", "_granted", "_is_limited", "_of", "_pots", "_room", "_told", "counted")

    def __init__(self, decision: Decision, answer: QuotaAnswer, counted: Counted) -> None:
        self._decision = encode_decision(decision)
        self._decision.ClearField("request_id")
        self._pots, self._told = list(self._decision.pots), answer.pots
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
            and (answer.pots is known.pots or _kinds(answer.pots) == _kinds(known.pots))
            and (_granted(answer) if answer.left else ()) == self._granted
        )

    def encoded(self, answer: QuotaAnswer, request_id: str = "") -> bytes:
        """The response with this answer's figures, to the call of this id."""
        decision = self._decision
        decision.used, decision.granted_quantity = answer.used, answer.granted
        if self._is_limited and answer.limit is not None and answer.remaining is not None:
            decision.limit, decision.remaining = answer.limit, answer.remaining
            if self._room is not None:
                decision.hard_limit = min(MAX_QUANTITY, answer.limit + self._room)
        if answer.pots is not self._told:
            self._told = answer.pots
            for shown, pot in zip(self._pots, answer.pots, strict=True):
                shown.quantity = pot.quantity
        if self._granted:
            left = {pot.grant_id: pot.quantity for pot in answer.left if pot.kind is PotKind.GRANT}
            for shown in decision.grants_left:
                shown.quantity = left[shown.grant_id]
        return _response(decision.SerializeToString(), request_id)

    def blank(self) -> bytes:
        """What all answers alike have in common."""
        decision = WireDecision()
        decision.CopyFrom(self._decision)
        for name in ("used", "granted_quantity", "limit", "remaining", "hard_limit"):
            decision.ClearField(name)
        for pot in (*decision.pots, *decision.grants_left):
            pot.quantity = 0
        return decision.SerializeToString()


class ShownDenial:
    """A denial of one quantity: while the store answers just the same, nothing but the wait differs."""

    __slots__ = ("_answer", "_data", "_quantity", "_retry_time", "counted")

    def __init__(self, decision: Decision, answer: QuotaAnswer, quantity: int, now: int, counted: Counted) -> None:
        message = encode_decision(decision)
        message.ClearField("request_id")
        message.ClearField("retry_after")
        self._data = message.SerializeToString()
        self._answer = answer
        self._quantity = quantity
        self._retry_time = None if decision.retry_after is None else now + decision.retry_after
        self.counted = counted

    def fits(self, answer: QuotaAnswer, quantity: int, now: int) -> bool:
        """Whether this is the same denial, and what it waits for is still to come."""
        waits = self._retry_time is None or now < self._retry_time
        return waits and quantity == self._quantity and answer == self._answer

    def encoded(self, now: int, request_id: str) -> bytes:
        """The response at `now`, to the call of this id."""
        data = self._data
        if self._retry_time is not None:
            data += encoded_duration(_RETRY_AFTER, self._retry_time - now)
        return _response(data, request_id)


def _response(decision: bytes, request_id: str) -> bytes:
    """A response of nothing but a decision; the order of fields means nothing."""
    if request_id:
        text = request_id.encode()
        decision = b"%b%b%b%b" % (decision, _REQUEST_ID, varint(len(text)), text)
    return b"%b%b%b" % (_DECISION, varint(len(decision)), decision)


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


def _quota_answered(outcome: Admitted) -> tuple[CompiledQuota, QuotaAnswer] | None:
    """The quota that was asked, and what it answered."""
    compiled = outcome.compiled
    answer = outcome.reply.answers[0] if outcome.reply is not None else None
    return (compiled, answer) if isinstance(compiled, CompiledQuota) and isinstance(answer, QuotaAnswer) else None


class Shown:
    """Encoded answers, one for all accounts that are answered alike: few, and so in the processor's cache."""

    def __init__(self) -> None:
        self._kinds: LRUCache[bytes, ShownQuota] = LRUCache(_MOST_KINDS)

    def quota(self, outcome: Admitted, quantity: int, request_id: str) -> bytes | None:
        """The response to such a call as one like it was answered before; what it says of sources holds as long.

        None: it is to be explained.
        """
        answered = _quota_answered(outcome)
        if answered is None or not answered[0].start <= outcome.now < answered[0].end:
            return None
        compiled, answer = answered
        denial: ShownDenial | None = compiled.denied
        if denial is not None and denial.fits(answer, quantity, outcome.now):
            denial.counted()
            return denial.encoded(outcome.now, request_id)
        shown: ShownQuota | None = None
        for one in compiled.shown:
            if one.fits(answer):
                shown = one
                break
        if shown is None:
            return None
        shown.counted()
        return shown.encoded(answer, request_id)

    def keep_quota(self, outcome: Admitted, quantity: int, decision: Decision, counted: Counted) -> None:
        """Keep the decision on this answer for those like it; of denials the last one."""
        answered = _quota_answered(outcome)
        if answered is None:
            return
        compiled, answer = answered
        if not decision.allowed:
            compiled.denied = ShownDenial(decision, answer, quantity, outcome.now, counted)
        elif len(compiled.shown) < _MOST_OF_ONE:
            shown = ShownQuota(decision, answer, counted)
            compiled.shown.append(self._kinds.setdefault(shown.blank(), shown))

    def limits(self, compiled: Compiled, answers: tuple[RateAnswer, ...]) -> ShownLimits | None:
        """What was kept for answers like these; a replay is told anew."""
        for answer in answers:
            if answer.replayed:
                return None
        shape, kept = shape_of(answers), None
        for shown in compiled.shown:
            if shown.shape == shape:
                kept = shown
        return kept

    def keep_limits(
        self, compiled: Compiled, decision: RateLimitDecision, answers: tuple[RateAnswer, ...], counted: Counted
    ) -> None:
        """Keep the decision on these answers for those like them."""
        if len(compiled.shown) < _MOST_OF_ONE:
            compiled.shown.append(ShownLimits(decision, answers, counted))

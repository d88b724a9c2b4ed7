"""Answers of checks that a view alone decides, kept encoded: the same question needs no second thought.

An answer is given again only while its view holds; its age is told anew each time, in whole milliseconds, rounded up.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from tallygate.data_plane.ports import Clock
from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.scalars import MAX_BATCH, field_tag, varint
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

_MOST_BYTES = 1024
"""Longer requests are not kept."""

_RESULTS = field_tag(wire.BatchCheckEntitlementsResponse, "results")
_VIEW_AGE = field_tag(decision_pb2.Decision, "view_age")
_MILLISECOND = 1_000


class Standing(Protocol):
    """What an answer rests on."""

    def age(self, now: int) -> int | None:
        """How old that is at `now`, in microseconds; None where it does not hold any more."""
        ...


StandingOf = Callable[[str, CheckRequest, Decision], Standing | None]
"""What a tenant's decision rests on; None where it may not be given again."""

Encoded = wire.CheckEntitlementResponse | wire.BatchCheckEntitlementsResult


@dataclass(frozen=True, slots=True)
class Answered:
    """A tenant's question, the decision on it (of a feature of this kind), and the message that says so."""

    tenant_id: str
    request: CheckRequest
    decision: Decision
    kind: str
    message: Encoded


class _Kept:
    """An answer, encoded but for its age."""

    __slots__ = ("_decision", "_head", "counted", "standing")

    def __init__(self, message: Encoded, standing: Standing, counted: Callable[[int], None]) -> None:
        decision = decision_pb2.Decision()
        decision.CopyFrom(message.decision)
        decision.decided_on = decision_pb2.DECIDED_ON_CACHED
        decision.ClearField("view_age")
        self._decision = decision.SerializeToString()
        around = b""
        if isinstance(message, wire.BatchCheckEntitlementsResult):
            around = wire.BatchCheckEntitlementsResult(
                account_id=message.account_id, feature_key=message.feature_key
            ).SerializeToString()
        self._head = around + field_tag(type(message), "decision")
        self.standing = standing
        self.counted = counted

    def encoded(self, age: int) -> bytes:
        """The answer at this age, in microseconds."""
        decision, told = self._decision, _age(-(-age // _MILLISECOND))
        return b"%b%b%b%b" % (self._head, varint(len(decision) + len(told)), decision, told)


class Answers:
    """A bounded cache of answers, by the request's bytes and by what a batch asks; a full one starts over."""

    def __init__(self, standing_of: StandingOf, clock: Clock, metrics: Metrics, *, capacity: int = 50_000) -> None:
        self._standing_of = standing_of
        self._clock = clock
        self._metrics = metrics
        self._capacity = capacity
        self._kept: dict[tuple[str, ...] | tuple[str, bytes], _Kept] = {}

    def get(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answer to this request, if what it rests on still holds."""
        return self._again((tenant_id, data), self._clock())

    def get_batch(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answers to a batch of plain questions, if what each of them rests on still holds."""
        try:
            request = wire.BatchCheckEntitlementsRequest.FromString(data)
        except DecodeError:
            return None
        plain = not (request.user_id or request.min_view_version or request.HasField("quantity"))
        if not plain or request.HasField("at_time") or len(request.account_ids) * len(request.feature_keys) > MAX_BATCH:
            return None
        found: list[tuple[_Kept, int]] = []
        now, feature_keys = self._clock(), list(request.feature_keys)
        for account_id in request.account_ids:
            for feature_key in feature_keys:
                kept = self._kept.get((tenant_id, account_id, feature_key))
                age = kept.standing.age(now) if kept is not None else None
                if kept is None or age is None:
                    return None
                found.append((kept, age))
        return b"".join(_results(found)) or None

    def keep(self, answered: Answered, data: bytes) -> None:
        """Keep the answer to a request, if it may be given again."""
        if len(data) <= _MOST_BYTES:
            self._keep((answered.tenant_id, data), answered)

    def keep_of_batch(self, answered: Answered) -> None:
        """Keep a batch's answer to one plain question, if it may be given again."""
        request = answered.request
        if not request.user_id and request.quantity is None:
            self._keep((answered.tenant_id, request.account_id, request.feature_key), answered)

    def _keep(self, place: tuple[str, ...] | tuple[str, bytes], answered: Answered) -> None:
        standing = self._standing_of(answered.tenant_id, answered.request, answered.decision)
        if standing is None:
            return
        if len(self._kept) >= self._capacity:
            self._kept.clear()
        decision = answered.decision
        counted = self._metrics.aged(
            answered.kind, decision.reason, allowed=decision.allowed, decided_on=DecidedOn.CACHED
        )
        self._kept[place] = _Kept(answered.message, standing, counted)

    def _again(self, place: tuple[str, ...] | tuple[str, bytes], now: int) -> bytes | None:
        kept = self._kept.get(place)
        if kept is None:
            return None
        age = kept.standing.age(now)
        if age is None:
            del self._kept[place]
            return None
        kept.counted(age)
        return kept.encoded(age)


def _results(found: Iterable[tuple[_Kept, int]]) -> Iterator[bytes]:
    """What a batch is answered with; its decisions are counted only now that all of them are known."""
    for kept, age in found:
        kept.counted(age)
        part = kept.encoded(age)
        yield _RESULTS
        yield varint(len(part))
        yield part


@lru_cache(maxsize=10_000)
def _age(milliseconds: int) -> bytes:
    """A decision's `view_age`, encoded."""
    seconds, rest = divmod(milliseconds, 1_000)
    told = Duration(seconds=seconds, nanos=rest * 1_000_000).SerializeToString()
    return _VIEW_AGE + varint(len(told)) + told

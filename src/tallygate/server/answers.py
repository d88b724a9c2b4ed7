"""Answers of checks that a view alone decides, kept encoded: the same question needs no second thought.

An answer is given again only while its view holds; its age is told anew each time.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import DecodeError

from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.server.codec import MAX_BATCH, varint
from tallygate.server.metrics import Metrics
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

_MOST_BYTES = 1024
"""Longer requests are not kept."""

_RESULTS = b"\x0a"
"""The tag of `results`, the one field of a batch's response."""


class Standing(Protocol):
    """What an answer rests on."""

    def age(self) -> int | None:
        """How old that is, in microseconds; None where it does not hold any more."""
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


class Answers:
    """A bounded cache of answers, by the request's bytes and by what a batch asks; a full one starts over."""

    def __init__(self, standing_of: StandingOf, metrics: Metrics, *, capacity: int = 50_000) -> None:
        self._standing_of = standing_of
        self._metrics = metrics
        self._capacity = capacity
        self._kept: dict[tuple[str, ...] | tuple[str, bytes], tuple[Answered, Standing]] = {}

    def get(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answer to this request, if what it rests on still holds."""
        return self._again((tenant_id, data))

    def get_batch(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answers to a batch of plain questions, if what each of them rests on still holds."""
        try:
            request = wire.BatchCheckEntitlementsRequest.FromString(data)
        except DecodeError:
            return None
        plain = not (request.user_id or request.min_view_version or request.HasField("quantity"))
        if not plain or request.HasField("at_time") or len(request.account_ids) * len(request.feature_keys) > MAX_BATCH:
            return None
        parts: list[bytes] = []
        for account_id in request.account_ids:
            for feature_key in request.feature_keys:
                part = self._again((tenant_id, account_id, feature_key))
                if part is None:
                    return None
                parts += (_RESULTS, varint(len(part)), part)
        return b"".join(parts) or None

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
        again = deepcopy(answered.message)
        again.decision.decided_on = decision_pb2.DECIDED_ON_CACHED
        kept = Answered(answered.tenant_id, answered.request, answered.decision, answered.kind, again)
        self._kept[place] = (kept, standing)

    def _again(self, place: tuple[str, ...] | tuple[str, bytes]) -> bytes | None:
        found = self._kept.get(place)
        if found is None:
            return None
        answered, standing = found
        age = standing.age()
        if age is None:
            del self._kept[place]
            return None
        decision = answered.decision
        self._metrics.decided(
            answered.kind, decision.reason, allowed=decision.allowed, decided_on=DecidedOn.CACHED, view_age=age
        )
        answered.message.decision.view_age.FromMicroseconds(age)
        return answered.message.SerializeToString()

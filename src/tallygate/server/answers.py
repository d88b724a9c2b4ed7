"""Answers of checks that a view alone decides, kept by the request's bytes: the same question needs no second thought.

An answer is given again only while its view holds; its age is told anew each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tallygate.data_plane.requests import CheckRequest
from tallygate.domain.gating.decision import DecidedOn, Decision
from tallygate.server.metrics import Metrics
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

_MOST_BYTES = 1024
"""Longer requests are not kept."""


class Standing(Protocol):
    """What an answer rests on."""

    def age(self) -> int | None:
        """How old that is, in microseconds; None where it does not hold any more."""
        ...


StandingOf = Callable[[str, CheckRequest, Decision], Standing | None]
"""What a tenant's decision rests on; None where it may not be given again."""


@dataclass(frozen=True, slots=True)
class _Kept:
    response: wire.CheckEntitlementResponse
    standing: Standing
    kind: str
    decision: Decision


class Answers:
    """A bounded cache of answers; when it is full it starts over."""

    def __init__(self, standing_of: StandingOf, metrics: Metrics, *, capacity: int = 50_000) -> None:
        self._standing_of = standing_of
        self._metrics = metrics
        self._capacity = capacity
        self._kept: dict[tuple[str, bytes], _Kept] = {}

    def get(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answer to this request, if what it rests on still holds."""
        kept = self._kept.get((tenant_id, data))
        if kept is None:
            return None
        age = kept.standing.age()
        if age is None:
            del self._kept[tenant_id, data]
            return None
        kept.response.decision.view_age.FromMicroseconds(age)
        decision = kept.decision
        self._metrics.decided(
            kept.kind, decision.reason, allowed=decision.allowed, decided_on=DecidedOn.CACHED, view_age=age
        )
        return kept.response.SerializeToString()

    def keep(
        self, tenant_id: str, data: bytes, request: CheckRequest, decision: Decision, kind: str,
        response: wire.CheckEntitlementResponse,
    ) -> None:  # fmt: skip
        """Keep an answer, if it may be given again."""
        standing = self._standing_of(tenant_id, request, decision) if len(data) <= _MOST_BYTES else None
        if standing is None:
            return
        if len(self._kept) >= self._capacity:
            self._kept.clear()
        again = wire.CheckEntitlementResponse()
        again.CopyFrom(response)
        again.decision.decided_on = decision_pb2.DECIDED_ON_CACHED
        self._kept[tenant_id, data] = _Kept(again, standing, kind, decision)

"""Checks answered at once, of what a view alone decided before (`data_plane/cached_decisions.py`), from bytes to bytes.

All that such answers have in common is kept encoded; what moves is told anew each time, ages in whole milliseconds,
rounded up.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from google.protobuf.message import DecodeError

from tallygate.data_plane.cached_decisions import CachedDecision, CachedDecisions, Common
from tallygate.data_plane.ports import Clock
from tallygate.domain.errors import MAX_QUANTITY, InvalidFieldError
from tallygate.domain.fields import is_id
from tallygate.domain.gating.decision import DecidedOn
from tallygate.server.operations.metrics import Metrics
from tallygate.server.wire.decision import encode_decision, requested_values
from tallygate.server.wire.scalars import MAX_BATCH, encoded_duration, field_tag, varint
from tallygate_api.v1 import decision_pb2
from tallygate_api.v1 import entitlement_service_pb2 as wire

_DECISION = field_tag(wire.CheckEntitlementResponse, "decision")
_RESULTS = field_tag(wire.BatchCheckEntitlementsResponse, "results")
_RESULT_DECISION = field_tag(wire.BatchCheckEntitlementsResult, "decision")
_VIEW_AGE = field_tag(decision_pb2.Decision, "view_age")
_RETRY_AFTER = field_tag(decision_pb2.Decision, "retry_after")
_MILLISECOND = 1_000


class _Shown:
    """What decisions have in common, encoded, and what counts each of them."""

    __slots__ = ("counted", "data")

    def __init__(self, data: bytes, counted: Callable[[int], None]) -> None:
        self.data = data
        self.counted = counted


class Answers:
    """Answers checks and batches of them where what they ask stands; None sends them on."""

    def __init__(self, cached_decisions: CachedDecisions, clock: Clock, metrics: Metrics) -> None:
        self._cached_decisions = cached_decisions
        self._clock = clock
        self._metrics = metrics

    def get(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answer to this request, if it stands."""
        try:
            request = wire.CheckEntitlementRequest.FromString(data)
            values = requested_values(request.requested_values) if request.requested_values else ()
        except (DecodeError, InvalidFieldError):
            return None
        user_id, quantity = request.user_id, request.quantity if request.HasField("quantity") else None
        if not _is_plain(request, user_id, quantity):
            return None
        now = self._clock()
        asked = request.account_id, request.feature_key
        cached = self._cached_decisions.find(tenant_id, *asked, now, user_id, quantity, values)
        if cached is None:
            return None
        age = cached.age(now)
        shown = cached.common.shown or self._shown(cached.common)
        shown.counted(age)
        decision = _told(shown, cached, age, now)
        return b"%b%b%b" % (_DECISION, varint(len(decision)), decision)

    def get_batch(self, tenant_id: str, data: bytes) -> bytes | None:
        """The answers to a batch, if each of them stands."""
        try:
            request = wire.BatchCheckEntitlementsRequest.FromString(data)
        except DecodeError:
            return None
        user_id, quantity = request.user_id, request.quantity if request.HasField("quantity") else None
        feature_keys = list(request.feature_keys)
        if not _is_plain(request, user_id, quantity) or len(request.account_ids) * len(feature_keys) > MAX_BATCH:
            return None
        now, found = self._clock(), []
        for account_id in request.account_ids:
            for feature_key in feature_keys:
                cached = self._cached_decisions.find(tenant_id, account_id, feature_key, now, user_id, quantity)
                if cached is None:
                    return None
                found.append((account_id, cached))
        return b"".join(self._results(found, now)) or None

    def _results(self, found: Iterable[tuple[str, CachedDecision]], now: int) -> Iterator[bytes]:
        """A batch's results; its decisions are counted only now that all of them are known."""
        for account_id, cached in found:
            age = cached.age(now)
            shown = self._shown(cached.common)
            shown.counted(age)
            decision = _told(shown, cached, age, now)
            head: bytes | None = cached.shown
            if head is None:
                feature_key = cached.common.decision.feature_key
                around = wire.BatchCheckEntitlementsResult(account_id=account_id, feature_key=feature_key)
                head = cached.shown = around.SerializeToString() + _RESULT_DECISION
            length = varint(len(decision))
            yield b"%b%b%b%b%b" % (
                _RESULTS,
                varint(len(head) + len(length) + len(decision)),
                head,
                length,
                decision,
            )

    def _shown(self, common: Common) -> _Shown:
        shown: _Shown | None = common.shown
        if shown is None:
            decision = common.decision
            counted = self._metrics.aged(
                common.kind.value, decision.reason, allowed=decision.allowed, decided_on=DecidedOn.CACHED
            )
            example = encode_decision(decision)
            example.ClearField("view_age")
            shown = common.shown = _Shown(example.SerializeToString(), counted)
        return shown


def _is_plain(
    request: wire.CheckEntitlementRequest | wire.BatchCheckEntitlementsRequest, user_id: str, quantity: int | None
) -> bool:
    """Whether it asks for now, of whatever view there is, and nothing that nobody may ask."""
    if request.min_view_version or request.HasField("at_time"):
        return False
    if quantity is not None and not 0 <= quantity <= MAX_QUANTITY:
        return False
    return not user_id or is_id(user_id)


def _told(shown: _Shown, cached: CachedDecision, age: int, now: int) -> bytes:
    """The whole decision as it is at `now`, encoded."""
    told = b"%b%b%b" % (shown.data, _version(cached.version), _age(-(-age // _MILLISECOND)))
    return told if cached.retry_time is None else told + _retry(cached.retry_after(now) or 0)


@lru_cache(maxsize=10_000)
def _version(number: int) -> bytes:
    """A decision's `view_version`, encoded."""
    return decision_pb2.Decision(view_version=number).SerializeToString()


@lru_cache(maxsize=10_000)
def _age(milliseconds: int) -> bytes:
    """A decision's `view_age`, encoded."""
    return encoded_duration(_VIEW_AGE, milliseconds * _MILLISECOND)


def _retry(microseconds: int) -> bytes:
    """A decision's `retry_after`, encoded."""
    return encoded_duration(_RETRY_AFTER, microseconds)

"""Gates as `admit.lua` reads them, and its answers as the domain knows them: msgpack both ways."""

from enum import StrEnum
from typing import Any

import msgpack

from tallygate.data_plane.ports import AdmitCall
from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation, Algorithm
from tallygate.domain.event import FactKind
from tallygate.domain.gating.admit import Answer, Identified
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import Mode, QuotaAnswer, QuotaGate, ResetGate, Slot
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate, bucket, sub_bucket
from tallygate.domain.gating.resolve import END
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcement_codec import return_announcement

REPLAY_BUCKETS = 1_024
"""Hashes per partition and generation, so that each stays small enough for Redis's compact encoding."""

_FAMILIES = {
    Aggregation.SUM: "d",
    Aggregation.COUNT: "d",
    Aggregation.MAX: "m",
    Aggregation.LATEST: "l",
    Aggregation.UNIQUE: "e",
    Aggregation.TIME_WEIGHTED: "e",
}
_KINDS = {"d": FactKind.CONSUME, "m": FactKind.LEVEL, "l": FactKind.LEVEL, "e": FactKind.EVENT}
_MODES = {Mode.ALL_OR_NOTHING: "A", Mode.BEST_EFFORT: "B", Mode.ADJUST: "J"}
_ALGORITHMS = {Algorithm.TOKEN_BUCKET: "t", Algorithm.FIXED_WINDOW: "f", Algorithm.SLIDING_WINDOW: "s"}
_POTS = {"I": PotKind.INCLUDED, "G": PotKind.GRANT, "O": PotKind.OVERAGE}
_REASONS = {reason.value: reason for reason in Reason}
_ARRAY_OF_12, _ARRAY_OF_11, _ARRAY_OF_8 = b"\x9c", b"\x9b", b"\x98"

Terms = tuple[tuple[Slot, ...], tuple[Grant, ...], bytes]
"""Slots and grants, and both of them packed: they outlive a call, so they are packed once."""


class WorldKind(StrEnum):
    """What a call of `admit.lua` asks for; the last three are plain calls."""

    TAKE = "g"
    LOOK = "p"
    TAKE_ONE = "c"
    LOOK_AT_ONE = "l"
    TAKE_RATES = "r"


def pack_world(kind: WorldKind, call: AdmitCall, epoch: str, *, replay_window: int, stream_max: int) -> bytes:
    """The world that a call was resolved in; the script takes nothing in another one."""
    record = str(call.account_version) if call.account_id else ""
    clock = call.clock.offset if call.clock.standing is None else str(call.clock.standing)
    return pack_all(kind.value, epoch, str(call.catalog_version), record, clock, replay_window, stream_max)


def pack_all(*values: Any) -> bytes:  # noqa: ANN401 - whatever msgpack packs
    """Values one after the other, without an array around them: Lua unpacks them in one call and makes no table."""
    return b"".join(msgpack.packb(value, use_bin_type=False) for value in values)


def pack_terms(slots: tuple[Slot, ...], grants: tuple[Grant, ...] | None) -> bytes:
    """Slots, and grants where the gate has any place for them, as the last elements of a gate's array."""
    packed = _pack([_slot(slot) for slot in slots])
    if grants is None:
        return packed
    return packed + _pack(
        [
            [
                grant.grant_id,
                grant.amount,
                grant.effective_time,
                END if grant.expire_time is None else grant.expire_time,
            ]
            for grant in grants
        ]
    )


def pack_gate(item: Identified, call: AdmitCall, terms: bytes) -> bytes:
    """One gate; `terms` are those of `pack_terms`, and empty for a rate limit."""
    digest = item.digest
    replay_bucket = str(int.from_bytes(digest[:2], "big") % REPLAY_BUCKETS) if digest else ""
    gate = item.gate
    if isinstance(gate, RateGate):
        return _pack(["r", digest, item.payload_hash, replay_bucket, *rate_figures(gate)])
    family = _FAMILIES[gate.aggregation]
    if isinstance(gate, ResetGate):
        context = _context(call, gate.feature_key, FactKind.RESET, item.payload_hash)
        head = _pack(["x", digest, item.payload_hash, replay_bucket, context, family])
        return _ARRAY_OF_8 + head[1:] + terms + _news(call, gate)
    body = _pack(_quota_head(item, gate, call, family, replay_bucket))[1:] + terms
    if gate.quantity is not None and gate.quantity < 0:
        return _ARRAY_OF_12 + body + _news(call, gate)
    return _ARRAY_OF_11 + body


def _news(call: AdmitCall, gate: QuotaGate | ResetGate) -> bytes:
    """Where to publish what, once the gate is taken."""
    return _pack([keys.CHANGES_CHANNEL, return_announcement(call.tenant_id, call.account_id, gate.feature_key)])


def _quota_head(item: Identified, gate: QuotaGate, call: AdmitCall, family: str, replay_bucket: str) -> list[Any]:
    quantity = False if gate.quantity is None else gate.quantity
    context = b""
    if not call.peek:
        kind = FactKind.REFUND if quantity < 0 else _KINDS[family]
        context = _context(call, gate.feature_key, kind, item.payload_hash)
    occurred = False if gate.occurred_time is None else gate.occurred_time
    identity = [item.digest, item.payload_hash, replay_bucket]
    return ["q", *identity, context, quantity, _MODES[gate.mode], family, occurred]


def _pack(value: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=False)  # Lua knows no bin type
    return packed


def _context(call: AdmitCall, feature_key: str, kind: FactKind, payload_hash: bytes) -> bytes:
    """What the fact says besides its counting; the collector reads it back (`events.py`)."""
    about = call.context
    head, tail = pack_context_around(call, feature_key, kind)
    middle = pack_all(about.request_id, about.user_id, dict(about.dimensions))
    hashed: bytes = msgpack.packb(payload_hash)
    return head + middle + tail + hashed


def pack_context_around(call: AdmitCall, feature_key: str, kind: FactKind) -> tuple[bytes, bytes]:
    """A context up to the request id, and from behind the dimensions to before the payload hash."""
    about = call.context
    version = max(call.catalog_version, call.account_version)
    head = _ARRAY_OF_11 + pack_all(call.tenant_id, call.account_id, feature_key)
    return head, pack_all(about.billable, about.carry_in, version, kind.value)


def _slot(slot: Slot) -> list[Any]:
    return [
        slot.start,
        slot.end,
        slot.period_start,
        slot.period_end,
        slot.previous_start,
        slot.keep_until,
        -1 if slot.limit is None else slot.limit,
        int(slot.overage),
        slot.standing.value if slot.standing else "",
        int(slot.absent),
        slot.subscription_id,
        slot.plan_key,
        slot.plan_version,
        int(slot.trial),
        int(slot.exclusive),
        -1 if slot.hard_limit is None else slot.hard_limit,
    ]


def rate_figures(gate: RateGate) -> list[Any]:
    """A rate limit as the script counts it."""
    rate = gate.rate
    head = [_ALGORITHMS[gate.algorithm], gate.cost, rate.limit, rate.window]
    if gate.algorithm is Algorithm.TOKEN_BUCKET:
        scale = bucket(rate)
        return [*head, scale.tick, scale.token, scale.drain, scale.size, rate.size, 1, gate.since, gate.keep]
    return [*head, 1, 1, 1, 1, rate.size, sub_bucket(rate), gate.since, gate.keep]


def unpack_answers(body: bytes, call: AdmitCall, now: int) -> tuple[Answer, ...]:
    """The answers in the gates' order, made at `now` unless they were made before."""
    raws = msgpack.unpackb(body)
    return tuple(_answer(raw, item, now) for raw, item in zip(raws, call.gates, strict=True))


def _answer(raw: list[Any], item: Identified, now: int) -> Answer:
    if isinstance(item.gate, RateGate):
        allowed, limit, remaining, reset_after, retry_after, *before = raw
        return RateAnswer(
            allowed=bool(allowed),
            limit=limit,
            remaining=remaining,
            reset_after=reset_after,
            retry_after=None if retry_after < 0 else retry_after,
            decided_time=before[1] if len(before) > 1 else now,
            replayed=bool(before),
        )
    allowed, reason, granted, used, limit, remaining, pots, slot, start, end, left, *replayed = raw
    return QuotaAnswer(
        allowed=bool(allowed),
        reason=_REASONS[reason],
        granted=granted,
        used=used,
        limit=None if limit < 0 else limit,
        remaining=None if limit < 0 else remaining,
        pots=_pots(pots),
        slot=slot,
        period_start=start,
        period_end=end,
        left=_pots(left),
        replayed=bool(replayed),
    )


def _pots(raw: list[Any]) -> tuple[Pot, ...]:
    return tuple(Pot(kind=_POTS[kind], quantity=quantity, grant_id=grant) for kind, quantity, grant in raw)

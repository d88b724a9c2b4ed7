"""Gates as `admit.lua` reads them, and its figures as the domain knows them: msgpack both ways.

Values stand one after the other without an array around them: Lua unpacks them in one call and makes no table.
"""

from functools import lru_cache
from typing import Any

import msgpack

from tallygate.data_plane.ports import About, AdmitCall, Asked
from tallygate.domain.account import Grant
from tallygate.domain.catalog import Aggregation
from tallygate.domain.event import FactKind
from tallygate.domain.gating.admit import Answer, Gate
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import Mode, QuotaAnswer, QuotaGate, ResetGate, Segment
from tallygate.domain.gating.rate_limit import RateAnswer, RateGate, bucket
from tallygate.domain.gating.rate_windows import sub_bucket
from tallygate.domain.gating.resolve import END
from tallygate.domain.limits import Algorithm
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcement_codec import return_announcement

REPLAY_BUCKETS = 1_024
"""Hashes per partition and generation, so that each stays small enough for Redis's compact encoding."""

REASONS = (
    Reason.WITHIN_LIMIT,
    Reason.OVERAGE,
    Reason.UNLIMITED,
    Reason.QUOTA_EXHAUSTED,
    Reason.REFUND_EXCEEDS_USAGE,
    Reason.NOT_IN_PLAN,
    Reason.NO_SUBSCRIPTION,
    Reason.SUBSCRIPTION_EXPIRED,
    Reason.SUSPENDED,
)
"""What a quota gate may answer, each with its place here as its code; the first three allow."""

_ALLOWING = 3
_FAMILIES = {
    Aggregation.SUM: "d",
    Aggregation.COUNT: "d",
    Aggregation.MAX: "m",
    Aggregation.LATEST: "l",
    Aggregation.UNIQUE: "e",
    Aggregation.TIME_WEIGHTED: "e",
}
_KINDS = {"d": FactKind.CONSUME, "m": FactKind.LEVEL, "l": FactKind.LEVEL, "e": FactKind.EVENT}
_MODES = {Mode.ALL_OR_NOTHING: b"\xa1A", Mode.BEST_EFFORT: b"\xa1B", Mode.ADJUST: b"\xa1J"}
ALGORITHMS = {Algorithm.TOKEN_BUCKET: "t", Algorithm.FIXED_WINDOW: "f", Algorithm.SLIDING_WINDOW: "s"}
"""What the script calls the algorithms of rate limits."""
_POTS = {"I": PotKind.INCLUDED, "G": PotKind.GRANT, "O": PotKind.OVERAGE}
POT_CODES = {kind: code for code, kind in _POTS.items()}
"""What the script calls the kinds of pots."""
_INCLUDED = POT_CODES[PotKind.INCLUDED]
_NOTHING = b"\xc2"
_NO_EFFECT = b"\xa0\xa0\xa0"
"""No digest, no hash and no bucket, packed."""
_NOBODY = b"\xa0\x80"
"""No user and no dimensions, packed."""
_FIXED = 128
_SIZES_OF_STR8 = 256
_STR8 = tuple(b"\xd9%c" % length for length in range(_SIZES_OF_STR8))
_ARRAY_OF_11 = b"\x9b"


def pack_all(*values: Any) -> bytes:  # noqa: ANN401 - whatever msgpack packs
    """Values one after the other; Lua knows no bin type."""
    return b"".join(msgpack.packb(value, use_bin_type=False) for value in values)


def kind_of(gate: Gate) -> str:
    """What the script calls such a gate."""
    return "r" if isinstance(gate, RateGate) else "x" if isinstance(gate, ResetGate) else "q"


def pack_rule(gate: Gate, call: AdmitCall) -> bytes:
    """What all calls share that meet this gate, and others whose gates have this rule."""
    if isinstance(gate, RateGate):
        return pack_all(*rate_rule(gate))
    grants = [] if isinstance(gate, ResetGate) else [_grant(grant) for grant in gate.grants]
    returns = isinstance(gate, ResetGate) or (gate.quantity or 0) < 0
    announcement = _announced(call, gate) if returns else ("", "")
    segments = [pack_all(*_segment(segment)) for segment in gate.segments]
    return pack_all(_FAMILIES[gate.aggregation], grants or "", *announcement, *segments)


def pack_endings(gate: Gate, call: AdmitCall) -> bytes:
    """What facts say at their end of what was subscribed: of each segment, or once where all say the same.

    It differs by account, so it is no part of rules that accounts share.
    """
    if isinstance(gate, RateGate):
        return b""
    endings = [
        pack_all(segment.subscription_id, segment.plan_key, segment.plan_version, int(segment.trial))
        for segment in gate.segments
        if not call.peek
    ]
    return pack_all(endings[0] if len(set(endings)) == 1 else endings or "")


def _grant(grant: Grant) -> list[Any]:
    expire = END if grant.expire_time is None else grant.expire_time
    return [grant.grant_id, grant.amount, grant.effective_time, expire]


def _announced(call: AdmitCall, gate: QuotaGate | ResetGate) -> tuple[str, str]:
    """Where to publish what, once the gate is taken."""
    return keys.CHANGES_CHANNEL, return_announcement(call.tenant_id, call.account_id, gate.feature_key)


def _segment(segment: Segment) -> list[Any]:
    return [
        segment.start,
        segment.end,
        segment.period_start,
        segment.period_end,
        segment.previous_start,
        segment.keep_until,
        -1 if segment.limit is None else segment.limit,
        int(segment.overage),
        segment.denial.value if segment.denial else "",
        int(segment.absent),
        int(segment.exclusive),
        -1 if segment.hard_limit is None else segment.hard_limit,
        keys.OWN_RESET if segment.own else keys.RESET,
        keys.APART if segment.apart else "",
    ]


def rate_rule(gate: RateGate) -> list[Any]:
    """A rate limit as the script counts it."""
    rate = gate.rate
    head = [ALGORITHMS[gate.algorithm], rate.limit, rate.window]
    if gate.algorithm is Algorithm.TOKEN_BUCKET:
        scale = bucket(rate)
        return [*head, scale.tick, scale.token, scale.drain, scale.size, rate.size, 1, gate.since, gate.keep]
    return [*head, 1, 1, 1, 1, rate.size, sub_bucket(rate), gate.since, gate.keep]


def context_around(gate: Gate, call: AdmitCall) -> tuple[bytes, bytes]:
    """What a fact says besides its counting, up to the request id, and from behind the dimensions to before the hash.

    The collector reads it back (`fact_codec.py`).
    """
    if isinstance(gate, RateGate) or call.peek:
        return b"", b""
    about, kind = call.context, FactKind.RESET
    if isinstance(gate, QuotaGate):
        refunds = gate.quantity is not None and gate.quantity < 0
        kind = FactKind.REFUND if refunds else _KINDS[_FAMILIES[gate.aggregation]]
    version = max(call.catalog_version, call.account_version)
    head = _ARRAY_OF_11 + pack_all(call.tenant_id, call.account_id, gate.feature_key)
    return head, pack_all(about.billable, about.carry_in, version, kind.value)


def pack_asked(kind: str, asked: Asked, around: tuple[bytes, bytes], about: About, endings: bytes) -> bytes:
    """What one call asks of a gate; an empty context `around` leaves no fact."""
    quantity, digest, hashed, mode, occurred = asked
    effect = _NO_EFFECT
    if digest:
        bucket_ = _BUCKETS[(digest[0] << 8 | digest[1]) % REPLAY_BUCKETS]
        effect = b"%b%b\xa8%b%b" % (_STR8[len(digest)], digest, hashed, bucket_)
    if kind == "r":
        return effect + pack_integer(quantity or 0)
    return b"%b%b%b%b%b%b" % (
        effect,
        pack_context(around, about, hashed) if around[0] else b"\xa0",
        _NOTHING if quantity is None else pack_integer(quantity),
        _MODES[mode],
        _NOTHING if occurred is None else pack_integer(occurred),
        endings,
    )


def pack_context(around: tuple[bytes, bytes], about: About, hashed: bytes) -> bytes:
    """The context of a fact, as a text."""
    request_id, user_id, dimensions = about
    others = pack_all(user_id, dict(dimensions)) if user_id or dimensions else _NOBODY
    id_ = request_id.encode()  # the library takes five times as long to say a text
    size = len(id_)
    head = _STR8[size] if size < _SIZES_OF_STR8 else b"\xda%b" % size.to_bytes(2, "big")
    return pack_text(b"%b%b%b%b%b\xc4\x08%b" % (around[0], head, id_, others, around[1], hashed))


def pack_integer(value: int) -> bytes:
    """An integer; small ones are said at once."""
    packed: bytes = b"%c" % value if 0 <= value < _FIXED else msgpack.packb(value)
    return packed


def pack_text(data: bytes) -> bytes:
    """Bytes as a text of msgpack."""
    size = len(data)
    if size < _SIZES_OF_STR8:
        return _STR8[size] + data
    return b"\xda%b%b" % (size.to_bytes(2, "big"), data) if size < 1 << 16 else pack_all(data)


_BUCKETS = tuple(pack_all(str(number)) for number in range(REPLAY_BUCKETS))


def read_answers(reply: list[Any], kinds: str) -> tuple[Answer, ...]:
    """The answers in the gates' order, from an effect's reply behind its status and `now`."""
    if len(kinds) == 1:
        return (_read(kinds, reply[3], reply[2] == 1),)
    return tuple(_read(kind, reply[2 * place + 3], reply[2 * place + 2] == 1) for place, kind in enumerate(kinds))


def _read(kind: str, figures: bytes, replayed: bool) -> Answer:  # noqa: FBT001 - a value that may be a truth
    if kind == "r":
        allowed, limit, remaining, reset_after, retry_after, decided_time = msgpack.unpackb(figures)
        return RateAnswer(
            allowed=allowed == 1,
            limit=limit,
            remaining=remaining,
            reset_after=reset_after,
            retry_after=None if retry_after < 0 else retry_after,
            decided_time=decided_time,
            replayed=replayed,
        )
    code, granted, used, limit, remaining, segment, start, end, pots, left = msgpack.unpackb(figures)
    return QuotaAnswer(
        allowed=code < _ALLOWING,
        reason=REASONS[code],
        granted=granted,
        used=used,
        limit=None if limit < 0 else limit,
        remaining=None if limit < 0 else remaining,
        pots=_pots(pots) if pots else (),
        segment=segment,
        period_start=start,
        period_end=end,
        left=_pots(left) if left else (),
        replayed=replayed,
    )


@lru_cache(maxsize=4_096)
def _included(quantity: int) -> tuple[Pot, ...]:
    """What most calls take: included units alone."""
    return (Pot(kind=PotKind.INCLUDED, quantity=quantity),)


def _pots(raw: list[Any]) -> tuple[Pot, ...]:
    if len(raw) == 1 and raw[0][0] == _INCLUDED:
        return _included(raw[0][1])
    return tuple([Pot(kind=_POTS[kind], quantity=quantity, grant_id=grant) for kind, quantity, grant in raw])

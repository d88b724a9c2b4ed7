"""The gates in Redis: encodes a call for `admit.lua`, checks that the reply is its own, and decodes the answers."""

import itertools
import logging
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgpack

from tallygate.data_plane.ports import AdmitCall, AdmitReply
from tallygate.domain.catalog import Aggregation, Algorithm, LimitOwner
from tallygate.domain.errors import EpochMismatchError, StoreUnavailableError
from tallygate.domain.event import FactKind
from tallygate.domain.gating.admit import AdmitStatus, Answer, Identified
from tallygate.domain.gating.decision import Pot, PotKind, Reason
from tallygate.domain.gating.quota import Mode, QuotaAnswer, ResetGate, Slot
from tallygate.domain.gating.rate_limit import LOG_LIMIT, SUB_BUCKETS, RateAnswer, RateGate, bucket
from tallygate.domain.gating.resolve import END
from tallygate.storage.redis import keys
from tallygate.storage.redis.link import LinkError, RedisLink, ReplyError, Script

ADMIT = Script(files("tallygate.storage.redis").joinpath("scripts/admit.lua").read_text())

REPLAY_BUCKETS = 512
"""Hashes per partition and generation, so that each stays small enough for Redis's compact encoding."""

_logger = logging.getLogger(__name__)

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
_STATUSES = {status.value: status for status in AdmitStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """`replay_window` in microseconds; `stream_max` is how many uncollected facts a partition may hold."""

    partitions: int = 64
    replay_window: int = 3_600_000_000
    stream_max: int = 100_000


class RedisGates:
    """`GateStore` over one Redis or Valkey server."""

    def __init__(self, link: RedisLink, options: GateOptions) -> None:
        self._link = link
        self._options = options
        self._sequence = itertools.count(1)
        self._epochs: dict[int, str] = {}
        self._tail = [str(options.replay_window), str(options.stream_max)]

    async def admit(self, call: AdmitCall) -> AdmitReply:
        """Admit all gates or none; adopts a new epoch once, and refuses to count where counters are being rebuilt."""
        partition = self.home(call)
        gates = msgpack.packb([_gate(item, call) for item in call.gates], use_bin_type=False)  # Lua knows no bin type
        epoch = self._epochs.get(partition) or await self._read_epoch(partition)
        for _ in range(2):
            if _lost(epoch) and _counts(call):
                raise EpochMismatchError(partition=partition)
            status, now, body = await self._run(call, partition, epoch, gates)
            if status is not AdmitStatus.EPOCH_MISMATCH:
                return AdmitReply(status=status, now=now, answers=_answers(body, call) if body else ())
            epoch = self._adopt(partition, body)
        raise EpochMismatchError(partition=partition)

    def home(self, call: AdmitCall) -> int:
        """The partition in which the call's gates live."""
        if call.account_id:
            return keys.partition_of(self._options.partitions, call.tenant_id, call.account_id)
        gate = call.gates[0].gate
        if not isinstance(gate, RateGate):
            return keys.partition_of(self._options.partitions, call.tenant_id, call.account_id)
        values = [value for _, value in gate.descriptor]
        return keys.partition_of(self._options.partitions, call.tenant_id, gate.limit_key, *values)

    async def _run(self, call: AdmitCall, partition: int, epoch: str, gates: bytes) -> tuple[AdmitStatus, int, bytes]:
        sequence = str(next(self._sequence)).encode()
        version = keys.catalog_version(partition, call.tenant_id)
        record = keys.account(partition, call.tenant_id, call.account_id) if call.account_id else version
        names = [
            keys.epoch(partition),
            keys.clock(partition),
            version,
            record,
            keys.stream(partition),
            keys.replays(partition),
            *(self._state_key(item, call, partition) for item in call.gates),
        ]
        arguments: list[Any] = [
            sequence,
            epoch,
            str(call.catalog_version),
            str(call.account_version) if call.account_id else "",
            str(call.clock_offset),
            "1" if call.peek else "0",
            *self._tail,
            gates,
        ]
        try:
            reply = await self._link.eval_sha(ADMIT, names, arguments)
        except ReplyError as error:
            _logger.error("admit.lua was refused: %s", error)  # noqa: TRY400 - the server's text is the whole story
            raise StoreUnavailableError from error
        except LinkError as error:
            raise StoreUnavailableError from error
        if reply[0] != sequence:
            await self._link.close()  # a reply that is not this call's may be anyone's: none on this connection counts
            raise StoreUnavailableError
        return _STATUSES[reply[1].decode()], int(reply[2]), reply[3]

    def _state_key(self, item: Identified, call: AdmitCall, partition: int) -> str:
        if not isinstance(item.gate, RateGate):
            return keys.meter(partition, call.tenant_id, call.account_id, item.gate.feature_key)
        owner = call.account_id if item.gate.owner is LimitOwner.ACCOUNT else ""
        home = partition
        if not owner:
            values = [value for _, value in item.gate.descriptor]
            home = keys.partition_of(self._options.partitions, call.tenant_id, item.gate.limit_key, *values)
        return keys.rate_limit(home, call.tenant_id, owner, item.gate.limit_key, item.gate.descriptor)

    async def _read_epoch(self, partition: int) -> str:
        try:
            return self._adopt(partition, await self._link.call("GET", keys.epoch(partition)) or b"")
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError from error

    def _adopt(self, partition: int, raw: bytes) -> str:
        epoch = raw.decode()
        if _lost(epoch):
            self._epochs.pop(partition, None)
        else:
            self._epochs[partition] = epoch
        return epoch


def _lost(epoch: str) -> bool:
    """Whether the partition's counters are gone: no epoch at all, or one that is being rebuilt."""
    return not epoch or epoch.startswith("!")


def _counts(call: AdmitCall) -> bool:
    return any(not isinstance(item.gate, RateGate) for item in call.gates)


def _gate(item: Identified, call: AdmitCall) -> list[Any]:
    """One gate as `admit.lua` reads it; the head is common to all kinds."""
    replay_bucket = str(int.from_bytes(item.digest[:2], "big") % REPLAY_BUCKETS) if item.digest else ""
    identity = [item.digest, item.payload_hash, replay_bucket]
    gate = item.gate
    if isinstance(gate, RateGate):
        return ["r", *identity, *_rate(gate)]
    family = _FAMILIES[gate.aggregation]
    slots = [_slot(slot) for slot in gate.slots]
    if isinstance(gate, ResetGate):
        return ["x", *identity, _context(call, gate.feature_key, FactKind.RESET, item.payload_hash), family, slots]
    quantity = False if gate.quantity is None else gate.quantity
    kind = FactKind.REFUND if quantity < 0 else _KINDS[family]
    grants = [
        [grant.grant_id, grant.amount, grant.effective_time, END if grant.expire_time is None else grant.expire_time]
        for grant in gate.grants
    ]
    occurred = False if gate.occurred_time is None else gate.occurred_time
    context = _context(call, gate.feature_key, kind, item.payload_hash)
    return ["q", *identity, context, quantity, _MODES[gate.mode], family, occurred, slots, grants]


def _context(call: AdmitCall, feature_key: str, kind: FactKind, payload_hash: bytes) -> bytes:
    """What the fact says besides its counting; the collector reads it back (`events.py`)."""
    if call.peek:
        return b""
    about = call.context
    version = max(call.catalog_version, call.account_version)
    packed: bytes = msgpack.packb(
        [
            call.tenant_id,
            call.account_id,
            feature_key,
            about.request_id,
            about.user_id,
            dict(about.dimensions),
            about.billable,
            about.carry_in,
            version,
            kind.value,
            payload_hash,
        ]
    )
    return packed


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
    ]


def _rate(gate: RateGate) -> list[Any]:
    rate = gate.rate
    burst = rate.limit if rate.burst is None else rate.burst
    head = [_ALGORITHMS[gate.algorithm], gate.cost, rate.limit, rate.window]
    if gate.algorithm is Algorithm.TOKEN_BUCKET:
        scale = bucket(rate)
        return [*head, scale.tick, scale.token, scale.drain, scale.size, burst, 0]
    width = -(-rate.window // SUB_BUCKETS) if rate.limit > LOG_LIMIT else 0
    return [*head, 1, 1, 1, 1, burst, width]


def _answers(body: bytes, call: AdmitCall) -> tuple[Answer, ...]:
    raws = msgpack.unpackb(body)
    return tuple(_answer(raw, item) for raw, item in zip(raws, call.gates, strict=True))


def _answer(raw: list[Any], item: Identified) -> Answer:
    if isinstance(item.gate, RateGate):
        allowed, limit, remaining, reset_after, retry_after, *replayed = raw
        return RateAnswer(
            allowed=bool(allowed),
            limit=limit,
            remaining=remaining,
            reset_after=reset_after,
            retry_after=None if retry_after < 0 else retry_after,
            replayed=bool(replayed),
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

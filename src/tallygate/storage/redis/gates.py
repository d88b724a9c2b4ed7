"""The gates in Redis: calls `admit.lua` with what outlives a call prepared, and checks that each reply is its own."""

import itertools
import logging
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache

from tallygate.data_plane.ports import AdmitCall, AdmitReply, Clock, PlainQuota, PlainRates
from tallygate.domain.catalog import LimitOwner
from tallygate.domain.errors import EpochMismatchError, StoreUnavailableError
from tallygate.domain.gating.admit import AdmitStatus, Identified
from tallygate.domain.gating.quota import QuotaGate
from tallygate.domain.gating.rate_limit import RateGate
from tallygate.storage.redis import keys
from tallygate.storage.redis.gate_codec import (
    Terms,
    WorldKind,
    pack_all,
    pack_gate,
    pack_terms,
    pack_world,
    unpack_answers,
)
from tallygate.storage.redis.link.commands import pack_arguments
from tallygate.storage.redis.link.link import LinkError, RedisLink, ReplyError, Script
from tallygate.storage.redis.plain import Around, RedisQuota, RedisRates, Sender, are_plain_rates, is_plain_quota
from tallygate.storage.redis.script_parts import script

ADMIT = script("admit")

_FIXED_KEYS, _ARGUMENTS = 6, 4
_MAX_FEATURES = 64
_STATUSES = {status.value.encode(): status for status in AdmitStatus}
_CLOCK_SKEW = AdmitStatus.CLOCK_SKEW.value.encode()
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """`replay_window` in microseconds; `stream_max` is how many uncollected facts a partition may hold."""

    partitions: int = 64
    replay_window: int = 3_600_000_000
    stream_max: int = 100_000
    prepared_homes: int = 50_000


@dataclass(slots=True)
class _Home:
    """Where an account's gates (or a tenant's) live, with what does not change from call to call already packed."""

    partition: int
    fixed_keys: bytes
    meters: dict[str, bytes] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    world: tuple[Any, ...] = ()
    world_packed: bytes = b""


class RedisGates:
    """`GateStore` over one Redis or Valkey server."""

    def __init__(self, link: RedisLink, options: GateOptions, clock: Clock, script: Script | None = None) -> None:
        self._link = link
        self._clock = clock
        self._script = script or ADMIT
        self._options = options
        self._sequence = itertools.count(1)
        self._sender = Sender(link, self._script, self._sequence, clock)
        self._epochs: dict[int, str] = {}
        self._homes: LRUCache[tuple[str, str, int], _Home] = LRUCache(options.prepared_homes)

    async def admit(self, call: AdmitCall) -> AdmitReply:
        """Admit all gates or none; adopts a new epoch once, and refuses to count where counters are being rebuilt."""
        home = self._home(call)
        partition = home.partition
        epoch = self._epochs.get(partition) or await self._read_epoch(partition)
        for _ in range(2):
            if (_lost(epoch) or not self._link.vouched) and _counts(call):
                raise EpochMismatchError(partition=partition)
            status, now, body = await self._run(call, home, epoch)
            if status is not AdmitStatus.EPOCH_MISMATCH:
                return AdmitReply(status=status, now=now, answers=unpack_answers(body, call, now) if body else ())
            epoch = self._adopt(partition, body)
        raise EpochMismatchError(partition=partition)

    def quota(self, call: AdmitCall, slot: int) -> PlainQuota | None:
        """`PlainStore`: a quota that no grants pay for."""
        around = self._around(call) if is_plain_quota(call, slot) else None
        return RedisQuota(self._sender, around, call, slot) if around is not None else None

    def rates(self, call: AdmitCall) -> PlainRates | None:
        """`PlainStore`: rate limits of a call without identity."""
        around = self._around(call) if are_plain_rates(call) else None
        return RedisRates(self._sender, around, call) if around is not None else None

    def _around(self, call: AdmitCall) -> Around | None:
        """What is the same in all plain calls like this one; None where its partition's epoch is not known yet."""
        home = self._home(call)
        epoch = self._epochs.get(home.partition)
        if epoch is None:
            return None
        keys_packed = home.fixed_keys + b"".join([self._state_key(item, call, home) for item in call.gates])
        return Around(
            head=lambda arguments: self._script.prefix(_FIXED_KEYS + len(call.gates), arguments) + keys_packed,
            world=lambda kind: self._packed_world(kind, call, epoch),
        )

    async def _run(self, call: AdmitCall, home: _Home, epoch: str) -> tuple[AdmitStatus, int, bytes]:
        sequence = b"%d" % next(self._sequence)
        try:
            reply = await self._link.eval_packed(self._script, self._pack(call, home, epoch, sequence))
        except ReplyError as error:
            _logger.error("admit.lua was refused: %s", error)  # noqa: TRY400 - the server's text is the whole story
            raise StoreUnavailableError from error
        except LinkError as error:
            raise StoreUnavailableError from error
        if reply[0] != sequence:  # it may be anyone's: no reply on this connection counts any more
            self._link.reset("a reply was not its caller's")
            raise StoreUnavailableError
        if reply[1] == _CLOCK_SKEW:
            raise StoreUnavailableError(clock_skew=f"{(reply[2] - self._clock()) / 1_000_000:.0f} s")
        return _STATUSES[reply[1]], reply[2], reply[3]

    def _pack(self, call: AdmitCall, home: _Home, epoch: str, sequence: bytes) -> bytes:
        """The whole command; keys and arguments are in the order that the head of `admit.lua` tells."""
        count = len(call.gates)
        keys_packed = b"".join([self._state_key(item, call, home) for item in call.gates])
        others = b"".join([self._record_key(call.tenant_id, account_id) for account_id, _ in call.others])
        versions = [pack_arguments([pack_all(*(str(version) for _, version in call.others))])] if others else []
        gates = [pack_gate(item, call, self._terms(item, home)) for item in call.gates]
        blob = (b"%c" % (0x90 + count) if count < 16 else b"\xdc" + count.to_bytes(2, "big")) + b"".join(gates)  # noqa: PLR2004 - msgpack's fixarray
        return b"".join(
            (
                self._script.prefix(_FIXED_KEYS + count + len(call.others), _ARGUMENTS + len(versions)),
                home.fixed_keys,
                keys_packed,
                others,
                b"$%d\r\n%b\r\n" % (len(sequence), sequence),
                pack_arguments([self._clock()]),
                self._world(call, home, epoch),
                b"$%d\r\n%b\r\n" % (len(blob), blob),
                *versions,
            )
        )

    def _record_key(self, tenant_id: str, account_id: str) -> bytes:
        partition = keys.partition_of(self._options.partitions, tenant_id, account_id)
        return pack_arguments([keys.account(partition, tenant_id, account_id)])

    def _world(self, call: AdmitCall, home: _Home, epoch: str) -> bytes:
        world = (epoch, call.catalog_version, call.account_version, call.clock, call.peek)
        if home.world != world:
            kind = WorldKind.LOOK if call.peek else WorldKind.TAKE
            home.world_packed = pack_arguments([self._packed_world(kind, call, epoch)])
            home.world = world
        return home.world_packed

    def _packed_world(self, kind: WorldKind, call: AdmitCall, epoch: str) -> bytes:
        options = self._options
        return pack_world(kind, call, epoch, replay_window=options.replay_window, stream_max=options.stream_max)

    def _home(self, call: AdmitCall) -> _Home:
        tenant_id, account_id = call.tenant_id, call.account_id
        partition = -1 if account_id else self._tenant_partition(call)
        home = self._homes.get((tenant_id, account_id, partition))
        if home is not None:
            return home
        partition_ = keys.partition_of(self._options.partitions, tenant_id, account_id) if account_id else partition
        version = keys.catalog_version(partition_, tenant_id)
        names = [
            keys.epoch(partition_),
            keys.clock(partition_),
            version,
            keys.account(partition_, tenant_id, account_id) if account_id else version,
            keys.stream(partition_),
            keys.replays(partition_),
        ]
        home = _Home(partition_, pack_arguments(names))
        self._homes[tenant_id, account_id, partition] = home
        return home

    def _tenant_partition(self, call: AdmitCall) -> int:
        """A call of no account is at home where its first limit is."""
        gate = call.gates[0].gate
        values = [value for _, value in gate.descriptor] if isinstance(gate, RateGate) else []
        key = gate.limit_key if isinstance(gate, RateGate) else gate.feature_key
        return keys.partition_of(self._options.partitions, call.tenant_id, key, *values)

    def _state_key(self, item: Identified, call: AdmitCall, home: _Home) -> bytes:
        gate = item.gate
        if isinstance(gate, RateGate):
            return self._limit_key(gate, item.account_id or call.account_id, call, home)
        packed = home.meters.get(gate.feature_key)
        if packed is None:
            packed = pack_arguments([keys.meter(home.partition, call.tenant_id, call.account_id, gate.feature_key)])
            if len(home.meters) < _MAX_FEATURES:
                home.meters[gate.feature_key] = packed
        return packed

    def _limit_key(self, gate: RateGate, account_id: str, call: AdmitCall, home: _Home) -> bytes:
        if gate.owner is LimitOwner.ACCOUNT and account_id == call.account_id:
            place, owner = home.partition, account_id
        elif gate.owner is LimitOwner.ACCOUNT:
            place, owner = keys.partition_of(self._options.partitions, call.tenant_id, account_id), account_id
        else:
            values = [value for _, value in gate.descriptor]
            place = keys.partition_of(self._options.partitions, call.tenant_id, gate.limit_key, *values)
            owner = ""
        return pack_arguments([keys.rate_limit(place, call.tenant_id, owner, gate.limit_key, gate.descriptor)])

    def _terms(self, item: Identified, home: _Home) -> bytes:
        gate = item.gate
        if isinstance(gate, RateGate):
            return b""
        grants = gate.grants if isinstance(gate, QuotaGate) else None
        known = home.terms.get(gate.feature_key)
        if known is not None and known[0] is gate.slots and known[1] is grants:
            return known[2]
        packed = pack_terms(gate.slots, grants)
        if grants is not None and len(home.terms) < _MAX_FEATURES:
            home.terms[gate.feature_key] = (gate.slots, grants, packed)
        return packed

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

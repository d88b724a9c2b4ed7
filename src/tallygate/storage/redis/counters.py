"""Counters and remembered effects as `admit.lua` keeps them, written anew by a rebuild.

Refuses to know where they come from. A rebuild has a connection of its own, and what it wrote counts only if that one
lasted: a server that took another's place in between may have missed a part.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from typing import Any, NamedTuple

import msgpack

from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.gating.identity import EffectIdentity
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock
from tallygate.metering.ports import Clock
from tallygate.metering.rebuilding import Restoring, TurnLostError
from tallygate.metering.recounting import AccountId, Effect, Recounted
from tallygate.records.epochs import REBUILDING, PartitionEpoch
from tallygate.records.rebuilds import Rebuild
from tallygate.storage.redis import keys
from tallygate.storage.redis.counter_fields import counter_fields, counter_key, lasting_fields, real_ms
from tallygate.storage.redis.epochs import RedisEpochs
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.gate_codec import POT_CODES, REASONS, REPLAY_BUCKETS
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.commands import Script, pack_arguments
from tallygate.storage.redis.link.link import LinkError, ReplyError

_RESTORE = Script(files("tallygate.storage.redis").joinpath("scripts/restore.lua").read_text("utf-8"))
_TURN_MS = 15_000
_PACK: Callable[[object], bytes] = msgpack.Packer(use_bin_type=False).pack
_MOST_FIELDS, _MOST_RECORDS = 500, 16_000
_HASH_WEIGHT, _MOST_WEIGHT = 4, 2_000
"""What a hash costs beside its pairs, and how much is written in one step: a few milliseconds of Redis."""


class _Hash(NamedTuple):
    """A hash to write, its pairs of field and value packed: replaced, or added to."""

    key: str
    pairs: int
    packed: bytes
    expiry: int = 0
    replaces: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCounters:
    """`CounterStore` over one server; `replay_window` in microseconds.

    `token` is this worker's: what it began and was cut off from it may begin again at once.
    """

    factory: RedisFactory
    partitions: int
    replay_window: int
    clock: Clock
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def home_of(self, account: AccountId) -> int:
        """The partition that an account's counters live in."""
        return keys.partition_of(self.partitions, *account)

    @asynccontextmanager
    async def turns(
        self, partitions: Sequence[PartitionEpoch], after: Mapping[int, str]
    ) -> AsyncIterator[Mapping[int, Restoring]]:
        """Take partitions into these hands on a connection of their own, for as long as something is written."""
        link = self.factory.operator_link()
        try:
            await link.connect()
            taken = await self._taken(link, partitions)
            begun = {each.partition: REBUILDING + each.epoch for each in taken}
            await RedisEpochs(link).show(begun, after={number: after[number] for number in begun})
            turns = {each.partition: _Turn(link, each, self) for each in taken}
            yield turns
            await asyncio.gather(*(link.call("DEL", keys.turn(n)) for n, turn in turns.items() if not turn.lost))
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error
        finally:
            await link.close()

    async def _taken(self, link: AnyLink, partitions: Sequence[PartitionEpoch]) -> Sequence[PartitionEpoch]:
        """Those that nobody else has in hand."""
        names = [keys.turn(each.partition) for each in partitions]
        await asyncio.gather(*(link.call("SET", name, self.token, "NX", "PX", _TURN_MS) for name in names))
        holders = await asyncio.gather(*(link.call("GET", name) for name in names))
        return [each for each, holder in zip(partitions, holders, strict=True) if holder == self.token.encode()]


@dataclass(slots=True)
class _Turn:
    """`Restoring` over one connection."""

    link: AnyLink
    partition: PartitionEpoch
    store: RedisCounters
    lost: bool = False
    """Whether another worker may have it by now."""
    _generation: int = field(init=False)
    _records: "_Records" = field(init=False)

    def __post_init__(self) -> None:
        self._generation = self.link.generation
        self._records = _Records(self.store.replay_window)

    async def waiting(self) -> int:
        """How many facts are not collected."""
        return await self._reply(self.link.call("XLEN", keys.stream(self._number)))

    async def write(
        self, meters: Collection[Recounted], clocks: Mapping[str, TenantClock], effects: Collection[Effect]
    ) -> None:
        """Write so many hashes a script that nobody waits long for Redis."""
        now = self.store.clock()
        hashes = [
            each for meter in meters for each in _meter(self._number, meter, clocks.get(meter.meter[0], REAL_TIME), now)
        ]
        hashes += _resets(self._number, effects)
        for batch in _batches(hashes):
            await self._restore(batch)
        self._records.add([each for each in effects if each.entry_time >= now - self.store.replay_window])
        if len(self._records) >= _MOST_RECORDS:
            await self._remember()

    async def finish(self, rebuild: Rebuild) -> None:
        """Show the epoch that says so, in the same step that makes sure of it."""
        await self._remember()
        told = [each for name, value in asdict(rebuild).items() if value is not None for each in (name, value)]
        hashed = _Hash(keys.rebuilt(self._number), len(told) // 2, pack_arguments(told))
        await self._restore([hashed], shows=self.partition.rebuilt.epoch)

    @property
    def _number(self) -> int:
        return self.partition.partition

    async def _remember(self) -> None:
        """Write what was gathered: what one hash keeps comes from many accounts."""
        gathered, self._records = self._records, _Records(self.store.replay_window)
        for batch in _batches(gathered.hashes(keys.replays(self._number))):
            await self._restore(batch)

    async def _restore(self, hashes: Collection[_Hash], *, shows: str = "") -> None:
        names = [keys.epoch(self._number), keys.turn(self._number), *(each.key for each in hashes)]
        first = pack_arguments([REBUILDING + self.partition.epoch, self.store.token, _TURN_MS, shows])
        parts = [
            _RESTORE.head(len(names), 4 + sum(3 + 2 * each.pairs for each in hashes)),
            pack_arguments(names),
            first,
        ]
        for each in hashes:
            parts += pack_arguments((int(each.replaces), each.expiry, each.pairs)), each.packed
        packed = b"".join(parts)
        if not await self._reply(self.link.eval_packed(_RESTORE, packed, names[0])):
            self.lost = True
            raise TurnLostError(partition=self._number)

    async def _reply(self, reply: Awaitable[Any]) -> int:
        answer = int(await reply)
        if self.link.generation != self._generation:
            self.lost = True
            raise TurnLostError(partition=self._number)
        return answer


async def read_rebuilds(link: AnyLink, partitions: Iterable[int]) -> list[Rebuild]:
    """The last rebuild of each of these partitions that ever had one on this server.

    Raises:
        LinkError: it cannot be asked.
    """
    names = [each.name for each in fields(Rebuild)]
    pending = [link.call("HMGET", keys.rebuilt(number), *names) for number in partitions]
    found = [await reply for reply in pending]
    return [_rebuild(dict(zip(names, values, strict=True))) for values in found if values[0] is not None]


def _rebuild(told: Mapping[str, bytes | None]) -> Rebuild:
    figures: dict[str, Any] = {name: None if value is None else int(value) for name, value in told.items()}
    return Rebuild(**figures)


def _meter(number: int, each: Recounted, clock: TenantClock, now: int) -> Iterator[_Hash]:
    name = keys.meter(number, *each.meter)
    yield _hash(name, lasting_fields(each.state))
    for counter, kept_until in each.kept_until.items():
        told = counter_fields(each.state.counters[counter], of_levels=each.is_level)
        yield _hash(counter_key(name, counter), told, real_ms(kept_until, clock, now))


def _batches(hashes: Iterable[_Hash]) -> Iterator[list[_Hash]]:
    """So many at a time that nobody waits long for Redis."""
    batch: list[_Hash] = []
    weight = 0
    for each in hashes:
        batch.append(each)
        weight += _HASH_WEIGHT + each.pairs
        if weight >= _MOST_WEIGHT:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _hash(key: str, fields: Mapping[str, int], expiry: int = 0) -> _Hash:
    return _Hash(key, len(fields), pack_arguments([each for pair in fields.items() for each in pair]), expiry)


class _Records:
    """Effects as the scripts remember them, in the generation of the window that took them, until they are written.

    Both generations that are looked into are gone in time.
    """

    __slots__ = ("_count", "_records", "_window")

    def __init__(self, window: int) -> None:
        self._window = window
        self._count = 0
        self._records: dict[int, list[bytes]] = defaultdict(list)

    def __len__(self) -> int:
        return self._count

    def add(self, effects: Collection[Effect]) -> None:
        """Pack them."""
        self._count += len(effects)
        records, window, meter = self._records, self._window, ("", "", "")
        digest_of = EffectIdentity(tenant_id="", account_id="", gate_key="").digest
        for effect in effects:
            if effect.meter != meter:
                meter = effect.meter
                digest_of = EffectIdentity(tenant_id=meter[0], account_id=meter[1], gate_key=meter[2]).digest
            digest = digest_of(effect.request_id)
            record = effect.payload_hash + _figures(effect)
            place = effect.entry_time // window * REPLAY_BUCKETS + (digest[0] << 8 | digest[1]) % REPLAY_BUCKETS
            records[place].append(b"$16\r\n%b\r\n$%d\r\n%b\r\n" % (digest, len(record), record))

    def hashes(self, prefix: str) -> Iterator[_Hash]:
        """What is to be written, under keys that begin so."""
        for place, packed in self._records.items():
            generation, bucket = divmod(place, REPLAY_BUCKETS)
            expiry = (generation + 3) * self._window // 1000
            for start in range(0, len(packed), _MOST_FIELDS):
                part = packed[start : start + _MOST_FIELDS]
                yield _Hash(f"{prefix}{generation}:{bucket}", len(part), b"".join(part), expiry, replaces=False)


def _resets(number: int, effects: Iterable[Effect]) -> Iterator[_Hash]:
    """What meters remember of their resets, each beside what stands in its meter's hash."""
    for effect in effects:
        if effect.resets:
            tenant_id, account_id, feature_key = effect.meter
            identity = EffectIdentity(tenant_id=tenant_id, account_id=account_id, gate_key=feature_key)
            pair = [keys.RESETS + identity.digest(effect.request_id), effect.payload_hash + _figures(effect)]
            yield _Hash(keys.meter(number, *effect.meter), 1, pack_arguments(pair), replaces=False)


def _figures(effect: Effect) -> bytes:
    """The answer as `admit.lua` remembers it; which segment it was of the caller's is known to nobody any more."""
    left = (-1, -1) if effect.limit is None else (effect.limit, effect.remaining)
    pots = [(POT_CODES[pot.kind], pot.quantity, pot.grant_id) for pot in effect.pots]
    told = REASONS.index(effect.reason), effect.granted, effect.used, *left, 0
    return _PACK((*told, effect.period_start, effect.period_end, pots, ()))

"""Counters as an audit reads and mends them, by two scripts. Refuses to know what they should be."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from tallygate.domain.errors import StoreUnavailableError
from tallygate.domain.tenant_clock import REAL_TIME, TenantClock
from tallygate.metering.audited import Counted, Looking, Seen
from tallygate.metering.comparing import Difference, is_stray
from tallygate.metering.ports import Clock
from tallygate.metering.recounting import AccountId, MeterId, Recounted
from tallygate.records.audits import AUDIT_FIELDS, Audit
from tallygate.records.epochs import REBUILDING
from tallygate.storage.redis import keys
from tallygate.storage.redis.counter_fields import counter_fields, counter_key, lasting_fields, read_state, real_ms
from tallygate.storage.redis.factory import RedisFactory
from tallygate.storage.redis.link.cluster import AnyLink
from tallygate.storage.redis.link.commands import Argument, Script, pack_arguments
from tallygate.storage.redis.link.link import LinkError, ReplyError


def _script(name: str) -> Script:
    return Script(files("tallygate.storage.redis").joinpath("scripts", name).read_text("utf-8"))


_LOOK, _MEND = _script("look.lua"), _script("mend.lua")
_HANDS_MS = 30_000
_NO_ENTRY = "0-0"
_FIRST, _SCANNED = b"0", 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAudits:
    """`AuditedStore` over one server; `token` is this worker's."""

    factory: RedisFactory
    partitions: int
    clock: Clock
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def home_of(self, account: AccountId) -> int:
        """The partition that an account's counters live in."""
        return keys.partition_of(self.partitions, *account)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Looking]:
        """A connection of its own: nothing hot waits behind what is read."""
        link = self.factory.operator_link()
        try:
            await link.connect()
            yield _Looking(link, self)
        except (LinkError, ReplyError) as error:
            raise StoreUnavailableError(store="redis") from error
        finally:
            await link.close()


@dataclass(slots=True)
class _Looking:
    """`Looking` over one connection; what is mended was seen over the same one."""

    link: AnyLink
    store: RedisAudits
    _generation: int = field(init=False)

    def __post_init__(self) -> None:
        self._generation = self.link.generation

    async def counted(self) -> AsyncIterator[Counted]:
        """Every counter that there is all the while, in pages; some may come twice."""
        for _, node in self.link.nodes():
            cursor = b""
            while cursor != _FIRST:
                cursor, names = await node.call("SCAN", cursor or _FIRST, "MATCH", keys.METERS, "COUNT", _SCANNED)
                found: dict[MeterId, list[tuple[int, bool]]] = {}
                for meter, counter in map(keys.read_meter, names):
                    found.setdefault(meter, []).extend([] if counter is None else [counter])
                if found:
                    yield found

    async def look(self, partition: int, meters: Collection[Recounted], *, alone: bool = False) -> Seen | None:
        """What stands in the counters that these meters name."""
        names = [keys.epoch(partition), keys.mending(partition), keys.stream(partition), keys.returned(partition)]
        for each in meters:
            meter = keys.meter(partition, *each.meter)
            names += [meter, *(counter_key(meter, counter) for counter in each.state.counters)]
        reply = await self._run(_LOOK, names, [self.store.token if alone else "", _HANDS_MS])
        if reply is None:
            return None
        (epoch, entry_id, returned), hashes = reply[:3], iter(reply[3:])
        states = {
            each.meter: read_state(next(hashes), {name: next(hashes) for name in each.state.counters})
            for each in meters
        }
        return Seen(epoch=epoch.decode(), entry_id=entry_id.decode(), returned=int(returned), states=states)

    async def collected(self, partition: int, entry_id: str) -> bool:
        """Whether all entries up to this one have left the stream."""
        if entry_id == _NO_ENTRY:
            return True
        return not await self.link.call("XRANGE", keys.stream(partition), "-", entry_id, "COUNT", 1)

    async def mend(
        self, partition: int, seen: Seen, differences: Sequence[Difference], clocks: Mapping[str, TenantClock]
    ) -> bool:
        """All of them in one step, or none."""
        if not seen.epoch or seen.epoch.startswith(REBUILDING) or self.link.generation != self._generation:
            return False
        now = self.store.clock()
        names = [keys.epoch(partition), keys.mending(partition)]
        arguments: list[Argument] = [seen.epoch, self.store.token]
        for each in differences:
            for key, expiry, changes in _changes(partition, each, clocks.get(each.meter[0], REAL_TIME), now):
                names.append(key)
                arguments += [expiry, len(changes), *(value for change in changes for value in change)]
        return bool(await self._run(_MEND, names, arguments))

    async def note(self, audit: Audit) -> None:
        """Keep for operators what a round came to."""
        told = [each for pair in asdict(audit).items() for each in pair]
        await self.link.call("HSET", keys.AUDITED, *told)

    def _run(self, script: Script, names: Sequence[str], arguments: Sequence[Argument]) -> Awaitable[Any]:
        head = script.head(len(names), len(arguments))
        return self.link.eval_packed(script, head + pack_arguments(names) + pack_arguments(arguments), names[0])


async def read_audit(link: AnyLink) -> Audit | None:
    """What the last audit of all counters came to, if there was one on this server.

    Raises:
        LinkError: it cannot be asked.
    """
    values = await link.call("HMGET", keys.AUDITED, *AUDIT_FIELDS)
    told = dict(zip(AUDIT_FIELDS, values, strict=True))
    return None if values[0] is None else Audit(**{name: int(value or 0) for name, value in told.items()})


_Change = tuple[Argument, Argument, Argument]


def _changes(
    partition: int, each: Difference, clock: TenantClock, now: int
) -> Iterator[tuple[str, int, Sequence[_Change]]]:
    """Hashes to change, and how: what adds up is added to, what stands alone is set where it still stands as seen."""
    expected, meter = each.expected, keys.meter(partition, *each.meter)
    lasting, found = lasting_fields(expected.state), lasting_fields(each.found)
    if changes := [change for name in {**lasting, **found} if (change := _change(name, lasting, found))]:
        yield meter, 0, changes
    for name, counter in expected.state.counters.items():
        there = each.found.counters.get(name)
        if is_stray(expected, name):
            told = counter_fields(there, of_levels=True) if there is not None and there.level_time else {}
            if told:
                yield counter_key(meter, name), 0, [(key, "", f"={value}") for key, value in told.items()]
            continue
        wanted = counter_fields(counter, of_levels=expected.is_level)
        stood = {} if there is None else counter_fields(there, of_levels=expected.is_level)
        changes = [
            change for key in {**wanted, **stood} if (change := _change(key, wanted, stood, set_it=expected.is_level))
        ]
        if changes:
            yield counter_key(meter, name), real_ms(expected.kept_until[name], clock, now), changes


def _change(name: str, wanted: Mapping[str, int], stood: Mapping[str, int], *, set_it: bool = False) -> _Change | None:
    value, before = wanted.get(name, 0), stood.get(name)
    if value == (before or 0):
        return None
    if set_it or name in {keys.RESET, keys.OWN_RESET, "l", "t"}:
        return None if name not in wanted else (name, value, "=" if before is None else f"={before}")
    return name, value - (before or 0), ""

"""The partitions' event streams as one collector reads them: a consumer group on each, in few commands.

Of a cluster those are read whose nodes can be reached: one that is gone holds up no other's events.

Exactly once is the ledger's doing; here an entry may come twice, and never gets lost.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.domain.gating.decision import PotKind
from tallygate.metering.ports import Clock, Delivery, StreamLag
from tallygate.storage.redis import keys
from tallygate.storage.redis.announcement_codec import return_announcement
from tallygate.storage.redis.client import reaching
from tallygate.storage.redis.cluster_client import within_reach
from tallygate.storage.redis.fact_codec import read_entries

GROUP = "billing"
_FORGET_AFTER_MS = 3_600_000
_WAIT_MS = 500
_MICROSECONDS_PER_MS = 1_000
_Entries = Sequence[tuple[int, bytes, Mapping[bytes, bytes] | None]]


def _script(name: str) -> str:
    return files("tallygate.storage.redis").joinpath("scripts", name).read_text("utf-8")


_ACKNOWLEDGE = _script("acknowledge.lua")
_GIVE_BACK = _script("give_back.lua")
_RETIRE = _script("retire.lua")


class EventStream:
    """The streams of all partitions for the consumer of this name, which no other live collector may use.

    A name that survives a restart gets its own entries back at once; those of names that do not come back are claimed
    after `claim_after_seconds`. `per_partition` bounds what one read takes from each stream.
    """

    __slots__ = (
        "_claim_after", "_clock", "_consumer", "_held", "_joined", "_next_claim", "_partitions", "_per_partition",
        "_redis", "_settled",
    )  # fmt: skip

    def __init__(
        self,
        redis: Redis,
        *,
        partitions: int,
        consumer: str,
        clock: Clock,
        per_partition: int = 100,
        claim_after_seconds: float = 15.0,
    ) -> None:
        self._redis = redis
        self._partitions = range(partitions)
        self._consumer = consumer
        self._clock = clock
        self._per_partition = per_partition
        self._claim_after = round(claim_after_seconds * 1000)
        self._joined = False
        self._settled = False
        self._held: set[FactSource] = set()
        self._next_claim = 0

    async def read(self) -> Sequence[Delivery]:
        """Own entries that were not acknowledged, else those of dead consumers, else new ones, within 0.5 s."""
        async with reaching(self._redis):
            own_first = not self._settled or bool(self._held)
            self._settled = False  # entries of a reply that gets lost are already this consumer's
            try:
                deliveries = await self._deliveries(await self._next(own_first=own_first))
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                self._joined = False
                deliveries = await self._deliveries(await self._next(own_first=True))
            self._settled = True
            return deliveries

    async def acknowledge(self, sources: Sequence[FactSource]) -> None:
        """Acknowledge and delete, one script a partition, all in one round trip."""
        by_partition = defaultdict(list)
        for source in sources:
            by_partition[source.partition].append(source.entry_id)
        async with reaching(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for partition, ids in by_partition.items():
                pipeline.eval(_ACKNOWLEDGE, 1, keys.stream(partition), GROUP, *ids)
            await pipeline.execute()
        self._held.difference_update(sources)

    async def give_back(self, facts: Sequence[UsageFact]) -> int:
        """Acknowledge each and, if that acknowledged it now, return its units; a level holds none."""
        async with reaching(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            for fact in facts:
                at = fact.source
                meter = keys.meter(at.partition, fact.tenant_id, fact.account_id, fact.feature_key)
                counter = f"{meter}:{fact.period_start}"
                apart = (counter + keys.APART,) if fact.trial else ()
                touched = (keys.stream(at.partition), keys.returned(at.partition), meter, counter, *apart)
                told = return_announcement(fact.tenant_id, fact.account_id, fact.feature_key)
                announcement = (keys.CHANGES_CHANNEL, told)
                pipeline.eval(_GIVE_BACK, len(touched), *touched, GROUP, at.entry_id, *announcement, *_units(fact))
            returned = await pipeline.execute()
        self._held.difference_update(fact.source for fact in facts)
        return sum(returned)

    async def lag(self) -> StreamLag:
        """What waits in all partitions; entries leave when they are acknowledged, so all that is there waits."""
        async with reaching(self._redis), self._redis.pipeline(transaction=False) as pipeline:
            reached = await within_reach(self._redis, self._partitions)
            for partition in reached:
                pipeline.xlen(keys.stream(partition))
                pipeline.xrange(keys.stream(partition), count=1)
            replies = await pipeline.execute()
        oldest = [_added_time(first[0][0]) for first in replies[1::2] if first]
        unseen = len(self._partitions) - len(reached)  # may hold something: nothing is told to be empty
        return StreamLag(entries=sum(replies[0::2]) + unseen, oldest_time=min(oldest, default=None))

    async def close(self) -> None:
        """Leave the groups that were joined, unless entries are still held; does not close the client."""
        if self._joined:
            async with reaching(self._redis):
                await self._retire(self._consumer)

    async def _join(self) -> None:
        """Create what groups are missing; from then on this consumer looks for its own entries first."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for partition in await within_reach(self._redis, self._partitions):
                pipeline.xgroup_create(keys.stream(partition), GROUP, id="0", mkstream=True)
            for reply in await pipeline.execute(raise_on_error=False):
                if isinstance(reply, Exception) and not str(reply).startswith("BUSYGROUP"):
                    raise reply
        await self._retire("")
        self._joined = True

    async def _retire(self, consumer: str) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for partition in await within_reach(self._redis, self._partitions):
                pipeline.eval(_RETIRE, 1, keys.stream(partition), GROUP, consumer, str(_FORGET_AFTER_MS))
            await pipeline.execute()

    async def _next(self, *, own_first: bool) -> _Entries:
        if not self._joined:
            await self._join()
        if own_first and (own := await self._read_group("0")):
            return own
        self._held.clear()
        if (now := self._clock()) >= self._next_claim:
            if claimed := await self._claim():
                return claimed
            self._next_claim = now + self._claim_after * _MICROSECONDS_PER_MS // 2
        return await self._read_group(">", wait_ms=_WAIT_MS)

    async def _read_group(self, after: str, *, wait_ms: int | None = None) -> _Entries:
        reached = await within_reach(self._redis, self._partitions)
        streams = {keys.stream(partition): partition for partition in reached}
        reply: Any = await self._redis.xreadgroup(
            GROUP, self._consumer, dict.fromkeys(streams, after), count=self._per_partition, block=wait_ms
        )
        return [(streams[key.decode()], entry_id, fields) for key, entries in reply for entry_id, fields in entries]

    async def _claim(self) -> _Entries:
        """Take over what consumers hold that have been silent for too long."""
        reached = await within_reach(self._redis, self._partitions)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for partition in reached:
                pipeline.xautoclaim(
                    keys.stream(partition), GROUP, self._consumer, self._claim_after, count=self._per_partition
                )
            replies = await pipeline.execute()
        return [
            (partition, entry_id, fields)
            for partition, reply in zip(reached, replies, strict=True)
            for entry_id, fields in reply[1]
        ]

    async def _deliveries(self, entries: _Entries) -> Sequence[Delivery]:
        if not entries:
            return ()
        touched = sorted({partition for partition, _, _ in entries})
        async with self._redis.pipeline(transaction=False) as pipeline:
            for partition in touched:
                pipeline.get(keys.epoch(partition))
            values: list[Any] = await pipeline.execute()
        epochs = {p: (value or b"").decode().removeprefix("!") for p, value in zip(touched, values, strict=True)}
        deliveries = read_entries(
            [
                (FactSource(partition=p, epoch=epochs[p], entry_id=entry_id.decode()), fields)
                for p, entry_id, fields in entries
            ]
        )
        self._held.update(delivery.source for delivery in deliveries)
        return deliveries


def _units(fact: UsageFact) -> list[str]:
    """What a fact took from the fields of its period's counter; levels and measurements took nothing."""
    if fact.kind not in {FactKind.CONSUME, FactKind.REFUND}:
        return []
    fields = ["u", str(fact.quantity)]
    for pot in fact.pots:
        match pot.kind:
            case PotKind.INCLUDED:
                fields += ["i", str(pot.quantity)]
            case PotKind.OVERAGE:
                fields += ["o", str(pot.quantity)]
            case PotKind.GRANT:
                fields += [f"g:{pot.grant_id}", str(pot.quantity)]
    return fields


def _added_time(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0]) * _MICROSECONDS_PER_MS

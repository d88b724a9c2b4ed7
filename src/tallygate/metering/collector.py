"""Moves facts from the stream into the ledger: delivered at least once, recorded exactly once.

Knows the two kinds of duplicate and what a crash between any two steps leaves behind. Knows neither Redis nor SQL.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallygate.domain.errors import UnavailableError
from tallygate.domain.event import FactKind, FactSource, UsageFact
from tallygate.metering.ports import (
    BatchRefusedError,
    Clock,
    Delivery,
    FactStream,
    Identity,
    Ledger,
    Recorded,
    Sleep,
)
from tallygate.records.resting import rest

_log = logging.getLogger(__name__)

CONFLICT = "this identity was recorded with another payload"
REFUSED = "the ledger refuses it"
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorLimits:
    """How large a transaction may grow, and how long to wait: after a small batch, and after failures (first, most)."""

    batch: int = 500
    linger_seconds: float = 0.05
    first_backoff_seconds: float = 0.1
    most_backoff_seconds: float = 5.0
    lag_seconds: float = 1.0


@dataclass(slots=True, kw_only=True)
class CollectorStats:
    """What a collector did since it was made, for metrics; the lag is as of its last look, -1 before the first.

    At `emptied_time` it last saw that nothing waited anywhere (0: never).
    """

    collected: int = 0
    redelivered: int = 0
    late_replays: int = 0
    recounted: int = 0
    quarantined: int = 0
    failures: int = 0
    lag_entries: int = -1
    lag_seconds: float = -1.0
    emptied_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A batch told apart: new facts, redeliveries, late replays, and what nobody can bill.

    What is `recounted` repeats an effect whose count was lost: it is an event already, and now its units count again.
    """

    fresh: list[UsageFact] = field(default_factory=list)
    redelivered: list[FactSource] = field(default_factory=list)
    late: list[UsageFact] = field(default_factory=list)
    recounted: list[FactSource] = field(default_factory=list)
    broken: list[Delivery] = field(default_factory=list)


def identity_of(fact: UsageFact) -> Identity:
    """What makes this effect itself, however often it is admitted or delivered."""
    return (fact.tenant_id, fact.account_id, fact.feature_key, fact.request_id)


def sort_out(deliveries: Iterable[Delivery], known: Mapping[Identity, Recorded]) -> Sorted:
    """Tell a batch apart by what the ledger holds and by what comes before in the batch itself."""
    result = Sorted()
    seen = dict(known)
    for delivery in deliveries:
        fact = delivery.fact
        if fact is None:
            result.broken.append(delivery)
            continue
        identity = identity_of(fact)
        first = seen.get(identity)
        if first is None:
            seen[identity] = _recorded(fact)
            result.fresh.append(fact)
        elif _is_same_entry(first, fact):
            result.redelivered.append(fact.source)
        elif first.payload_hash != fact.payload_hash:
            result.broken.append(replace(delivery, problem=CONFLICT))
        elif first.forgotten:
            result.recounted.append(fact.source)
        else:
            result.late.append(fact)
    return result


def _recorded(fact: UsageFact) -> Recorded:
    return Recorded(source=fact.source, recorded_time=fact.recorded_time, payload_hash=fact.payload_hash)


def _is_same_entry(first: Recorded, fact: UsageFact) -> bool:
    """Whether this is the entry that was recorded, delivered again.

    An entry keeps its id and its recorded time, but may meet another epoch on its second delivery: the epoch is read
    beside the stream, and a rebuild changes it while the entry waits.
    """
    one, other = first.source, fact.source
    return (one.partition, one.entry_id, first.recorded_time) == (other.partition, other.entry_id, fact.recorded_time)


class Collector:
    """One worker of the collector; any number may run at once, each with a stream under its own consumer name.

    `run` until `stop`; `collect` does one round and raises what the stream or the ledger raise.
    """

    __slots__ = (
        "_between", "_clock", "_hurried", "_ledger", "_limits", "_next_look", "_sleep", "_stopping", "_stream", "stats",
        "uncounted",
    )  # fmt: skip

    def __init__(
        self,
        stream: FactStream,
        ledger: Ledger,
        *,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        limits: CollectorLimits | None = None,
    ) -> None:
        self._stream = stream
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._limits = limits or CollectorLimits()
        self._next_look = 0
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()
        self._between = asyncio.Event()
        self._between.set()
        self.uncounted: Callable[[Sequence[UsageFact]], None] | None = None
        """Told of facts whose counters may not say what events do: recorded after their counts may have been lost, or
        levels that came as late replays. It must not block.
        """
        self.stats = CollectorStats()

    def stop(self) -> None:
        """Let `run` finish what it has read, and return; what the ledger then refuses stays in the stream."""
        self._stopping.set()

    def hurry(self) -> None:
        """Let `run` not wait any longer: what it could not reach may be there again."""
        self._hurried.set()

    async def run(self) -> None:
        """Collect until `stop`, through every outage of stream or ledger."""
        backoff = self._limits.first_backoff_seconds
        while not self._stopping.is_set():
            try:
                await self._look()
                count = await self.collect()
            except UnavailableError as error:
                self._failed(error)
                await self._pause(backoff)
                backoff = min(backoff * 2, self._limits.most_backoff_seconds)
            else:
                backoff = self._limits.first_backoff_seconds
                if 0 < count < self._limits.batch:
                    await self._pause(self._limits.linger_seconds)

    async def drain(self) -> int:
        """Collect until nothing is left to read; returns how many entries were handled."""
        total = 0
        while count := await self.collect():
            total += count
        return total

    async def collect(self) -> int:
        """Read once and bring what was read into the ledger; returns how many entries that were.

        Nothing is acknowledged before its transaction has committed. A round that fails in between is read again.
        """
        self._between.clear()
        try:
            deliveries = await self._stream.read()
            for start in range(0, len(deliveries), self._limits.batch):
                for batch, found in await self._record(deliveries[start : start + self._limits.batch]):
                    await self._settle(batch, found)
        finally:
            self._between.set()
        return len(deliveries)

    async def between_rounds(self) -> None:
        """Wait until whatever has been read by now is in the ledger, or given up."""
        await self._between.wait()

    async def _settle(self, batch: Sequence[Delivery], found: Sorted) -> None:
        """Take committed entries out of the stream; after a crash before this they come again, as redeliveries."""
        late = {fact.source for fact in found.late}
        await self._stream.acknowledge([d.source for d in batch if d.source not in late])
        self.stats.redelivered += len(found.redelivered)
        self.stats.recounted += len(found.recounted)
        if found.late:
            self.stats.late_replays += await self._stream.give_back(found.late)
            # What stood before a level is in no entry.
            levels = [fact for fact in found.late if fact.kind is FactKind.LEVEL]
            if levels and self.uncounted is not None:
                self.uncounted(levels)

    async def _record(self, batch: Sequence[Delivery]) -> list[tuple[Sequence[Delivery], Sorted]]:
        """Commit a batch, through every outage of the ledger; the parts in which it went, as they were sorted out."""
        backoff = self._limits.first_backoff_seconds
        while True:
            try:
                return [(batch, await self._commit(batch))]
            except BatchRefusedError as error:
                return await self._isolate(batch, error)
            except UnavailableError as error:
                if self._stopping.is_set():
                    raise
                self._failed(error)
            await self._look()
            await self._pause(backoff)
            backoff = min(backoff * 2, self._limits.most_backoff_seconds)

    async def _isolate(
        self, batch: Sequence[Delivery], error: BatchRefusedError
    ) -> list[tuple[Sequence[Delivery], Sorted]]:
        """Find what the ledger refuses by halving, so that one entry never holds up the others."""
        if len(batch) > 1:
            middle = len(batch) // 2
            return await self._record(batch[:middle]) + await self._record(batch[middle:])
        if batch[0].fact is None:
            raise error
        return await self._record([replace(batch[0], fact=None, problem=REFUSED)])

    async def _commit(self, batch: Sequence[Delivery]) -> Sorted:
        facts = [delivery.fact for delivery in batch if delivery.fact is not None]
        async with self._ledger.transaction() as transaction:
            await transaction.lock({fact.tenant_id for fact in facts})
            found = sort_out(batch, await transaction.known({identity_of(fact) for fact in facts}))
            stray = await transaction.append(found.fresh)
            quarantined = await transaction.quarantine(found.broken)
        self.stats.collected += len(found.fresh)
        if stray and self.uncounted is not None:
            self.uncounted(stray)
        self.stats.quarantined += quarantined
        for delivery in found.broken if quarantined else ():
            at = delivery.source
            _log.error(
                "quarantined the event at partition %d, entry %s: %s", at.partition, at.entry_id, delivery.problem
            )
        return found

    async def _look(self) -> None:
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + round(self._limits.lag_seconds * _MICROSECONDS)
        lag = await self._stream.lag()
        self.stats.lag_entries = lag.entries
        if not lag.entries:
            self.stats.emptied_time = now
        self.stats.lag_seconds = 0.0 if lag.oldest_time is None else max(0, now - lag.oldest_time) / _MICROSECONDS

    def _failed(self, error: UnavailableError) -> None:
        self.stats.failures += 1
        _log.warning("the collector waits: %s: %s", error, error.__cause__)

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until `stop` or `hurry`."""
        await rest(self._sleep, seconds, self._stopping, self._hurried)
        self._hurried.clear()

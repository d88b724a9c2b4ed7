"""Makes counters anew that the store has lost, of the facts that were collected: partition by partition.

What a partition had counted is in SQL or still in its stream, because one step counts and appends. So first the stream
is drained while nothing is counted, then counters are written, and only with their last write the partition counts.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tallygate.domain.errors import StoreUnavailableError, TallygateError, UnavailableError
from tallygate.domain.tenant_clock import TenantClock
from tallygate.metering.ports import Clock, Sleep
from tallygate.metering.recounting import AccountId, Effect, Facts, MeterId, Recounted, recount, with_closed
from tallygate.records.epochs import EpochLedger, PartitionEpoch, PartitionState, behind, entry_order
from tallygate.records.rebuilds import Rebuild, RebuildStats, Standing

_T = TypeVar("_T")
_LOOK_SECONDS = 0.05
_DRAIN_SECONDS = 10.0
_DRAIN_LOOK_SECONDS = 0.05
_ACCOUNTS = 500
_HANDS = 4
_EFFECTS = 5_000
_MOST_ACCOUNTS = 200_000
_MICROSECONDS_PER_MS = 1_000
_log = logging.getLogger(__name__)


class TurnLostError(UnavailableError):
    """This partition's counters are rebuilt by another worker, or were lost again meanwhile."""


class CountedFacts(Protocol):
    """The facts of all tenants, added up as counters need them; StoreUnavailableError when they cannot be read."""

    def accounts(self) -> AsyncIterator[Sequence[AccountId]]:
        """Every account that there is, in pages."""
        ...

    async def clocks(self) -> Mapping[str, TenantClock]:
        """Each tenant's clock."""
        ...

    async def facts(self, accounts: Collection[AccountId], *, until: str = "") -> Facts:
        """What their facts come to; of all, or of those up to this entry, all accounts being at home in one stream."""
        ...

    async def effects(self, accounts: Collection[AccountId], since: int) -> Sequence[Effect]:
        """Their effects that the store took since this instant of its own, and resets of any time."""
        ...


class Restoring(Protocol):
    """One partition in the hands of one worker, in which nothing is counted meanwhile.

    Raises TurnLostError once it is not in these hands any more: what a late write would replace may count again.
    """

    async def waiting(self) -> int:
        """How many facts of it are not collected."""
        ...

    async def write(
        self, meters: Collection[Recounted], clocks: Mapping[str, TenantClock], effects: Collection[Effect]
    ) -> None:
        """Replace the counters of these meters, and remember these effects."""
        ...

    async def finish(self, rebuild: Rebuild) -> None:
        """Let it count again, and keep for operators what was restored."""
        ...


class CounterStore(Protocol):
    """Where counters live."""

    @property
    def replay_window(self) -> int:
        """For how long an effect is remembered, in microseconds."""
        ...

    def home_of(self, account: AccountId) -> int:
        """The partition that an account's counters live in."""
        ...

    def turns(
        self, partitions: Sequence[PartitionEpoch], after: Mapping[int, str]
    ) -> AbstractAsyncContextManager[Mapping[int, Restoring]]:
        """Take partitions into these hands, each stream going on behind its entry; those in others' are left out."""
        ...


ApartOf = Callable[[Collection[tuple[MeterId, int]]], Awaitable[Collection[tuple[MeterId, int]]]]
"""Of these trials, by their start, those with which another usage period begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilder:
    """Rebuilds whatever the keeper of the epochs finds lost; any number of workers may do so at once."""

    ledger: EpochLedger
    facts: CountedFacts
    store: CounterStore
    apart: ApartOf
    standing: Standing
    clock: Clock
    sleep: Sleep
    recorded: Callable[[], Awaitable[None]]
    """Waits until whatever this process has read of the streams by now is in SQL."""
    stats: RebuildStats = field(default_factory=RebuildStats)

    async def run(self, sleep: Sleep) -> None:
        """Until cancelled: rebuild what is lost as soon as that is known, whatever fails."""
        while True:
            if self.standing.lost:
                try:
                    await self.rebuild()
                except TallygateError as error:
                    self.stats.failures += 1
                    _log.warning("counters cannot be rebuilt, will retry: %s", error)
            await sleep(_LOOK_SECONDS)

    async def rebuild(self) -> Sequence[Rebuild]:
        """Rebuild all that waits for it and that nobody else has in hand; returns what was restored."""
        noticed = self.clock()
        await self.recorded()
        waiting = {p.partition for p in await self.ledger.load() if p.state is PartitionState.REBUILDING}
        done: list[Rebuild] = []
        while waiting:
            homes = await self._homes(waiting)
            clocks = await self.facts.clocks()  # after the accounts: every tenant of theirs has one
            done += await self._partitions(homes, clocks, noticed)
            waiting -= homes.keys()
        if done:
            self.stats.add(done)
            _log.warning(
                "counters of %d partitions were rebuilt in %.1f s: %d accounts, %d units, %d request ids; of what was "
                "admitted in the %.3f s before the loss was noticed, what was not collected is lost",
                len(done), self.stats.seconds, sum(each.accounts for each in done), sum(each.units for each in done),
                sum(each.effects for each in done), self.stats.unknown_seconds,
            )  # fmt: skip
        return done

    async def _homes(self, waiting: Collection[int]) -> Mapping[int, Sequence[AccountId]]:
        """The accounts at home in these partitions, in one reading: of as many of them as memory has room for."""
        homes: dict[int, list[AccountId]] = {number: [] for number in sorted(waiting)}
        count = 0
        async for page in self.facts.accounts():
            for account in page:
                home = homes.get(self.store.home_of(account))
                if home is not None:
                    home.append(account)
                    count += 1
            while count > _MOST_ACCOUNTS and len(homes) > 1:
                count -= len(homes.popitem()[1])
        return homes

    async def _partitions(
        self, homes: Mapping[int, Sequence[AccountId]], clocks: Mapping[str, TenantClock], noticed: int
    ) -> Sequence[Rebuild]:
        """A few at a time: while one waits for a disk, others get on. What is done stays done if another fails.

        Those in which nobody is at home are done together, in as many round trips as one.
        """
        hands = asyncio.Semaphore(_HANDS)

        async def some(numbers: Sequence[int]) -> Sequence[Rebuild]:
            async with hands:
                return await self._together({number: homes[number] for number in numbers}, clocks, noticed)

        empty = [number for number, accounts in homes.items() if not accounts]
        groups = [[number] for number, accounts in homes.items() if accounts] + ([empty] if empty else [])
        tasks = [asyncio.ensure_future(some(group)) for group in groups]
        try:
            return [rebuilt for group in await asyncio.gather(*tasks) for rebuilt in group]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _together(
        self, homes: Mapping[int, Sequence[AccountId]], clocks: Mapping[str, TenantClock], noticed: int
    ) -> Sequence[Rebuild]:
        """Rebuild these partitions in each other's round trips, and note together those that are done."""
        began = self.clock()
        waiting = await self._waiting(homes)
        if not waiting:
            return ()
        last = {number: partition.last_entry_id for number, partition in waiting.items()}
        after = behind(last, await self.ledger.losses())

        async def one(number: int, turn: Restoring) -> Rebuild | None:
            try:
                await self._drained(turn, number)
                counted = await self._restore(turn, homes[number], clocks)
                unknown = self._unknown(waiting[number], noticed)
                rebuild = counted.report(number, began, self.clock(), unknown)
                await turn.finish(rebuild)
            except TurnLostError as error:
                _log.warning("partition %d will be rebuilt anew: %s", number, error)
                return None
            return rebuild

        async with self.store.turns(list(waiting.values()), after) as turns:
            still = await self._waiting(turns)
            mine = {number: turn for number, turn in turns.items() if still.get(number) == waiting[number]}
            outcomes = await asyncio.gather(*(one(*each) for each in mine.items()), return_exceptions=True)
            done = [outcome for outcome in outcomes if isinstance(outcome, Rebuild)]
            if done:
                await self.ledger.settle_rebuilt(*(waiting[rebuild.partition] for rebuild in done))
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        return done

    async def _waiting(self, numbers: Collection[int]) -> Mapping[int, PartitionEpoch]:
        """Those of these partitions that still wait for their counters, as SQL has them now."""
        found = await self.ledger.load()
        return {p.partition: p for p in found if p.partition in numbers and p.state is PartitionState.REBUILDING}

    async def _drained(self, turn: Restoring, number: int) -> None:
        """Wait until all that was counted is in SQL; entries leave the stream only after that."""
        for _ in range(round(_DRAIN_SECONDS / _DRAIN_LOOK_SECONDS)):
            if not await turn.waiting():
                return
            await self.sleep(_DRAIN_LOOK_SECONDS)
        raise StoreUnavailableError(store="events", waits=f"to be collected in partition {number}")

    async def _restore(
        self, turn: Restoring, accounts: Sequence[AccountId], clocks: Mapping[str, TenantClock]
    ) -> "_Counted":
        counted = _Counted()
        now = self.clock()
        times = {tenant_id: clock.at(now) for tenant_id, clock in clocks.items()}
        for batch in _batches(accounts, _ACCOUNTS):
            facts = await self.facts.facts(batch)
            trials = facts.trials()
            meters = recount(facts, apart=await self.apart(trials) if trials else (), now=times)
            effects = with_closed(await self.facts.effects(batch, now - self.store.replay_window), meters)
            await turn.write(meters.values(), clocks, effects[:_EFFECTS])
            for more in _batches(effects[_EFFECTS:], _EFFECTS):
                await turn.write((), clocks, more)
            counted.add(meters, effects)
            await asyncio.sleep(0)  # calls in this process come between
        return counted

    def _unknown(self, partition: PartitionEpoch, noticed: int) -> int | None:
        """How long before the loss was noticed all was collected for certain."""
        last = entry_order(partition.last_entry_id)[0] * _MICROSECONDS_PER_MS
        known = max(last, self.standing.collected_time)
        return max(0, noticed - known) if known else None


@dataclass(slots=True, kw_only=True)
class _Counted:
    """What a partition's rebuild has restored so far."""

    accounts: set[AccountId] = field(default_factory=set)
    counters: int = 0
    units: int = 0
    effects: int = 0

    def add(self, meters: Mapping[MeterId, Recounted], effects: Sequence[Effect]) -> None:
        self.accounts.update(meter[:2] for meter in meters)
        for each in meters.values():
            self.counters += len(each.state.counters)
            for counter in each.state.counters.values():
                self.units += counter.included + counter.overage + sum(counter.grants.values())
        self.effects += len(effects)

    def report(self, number: int, began: int, ended: int, unknown: int | None) -> Rebuild:
        return Rebuild(
            partition=number,
            began_time=began,
            ended_time=ended,
            accounts=len(self.accounts),
            counters=self.counters,
            units=self.units,
            effects=self.effects,
            unknown=unknown,
        )


def _batches(items: Sequence[_T], size: int) -> Sequence[Sequence[_T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]

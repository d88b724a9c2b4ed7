"""Keeps each partition's epoch: minted in SQL, shown in Redis, so that lost counters are never taken for zero usage.

A server that nobody has vouched for yet, after its restart or a failover, is looked at before anybody counts on it:
where a stream ends before the last entry that SQL has collected from it, the server is older than SQL, and so are its
counters.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from tallygate.domain.errors import ConflictError, StoreUnavailableError, TallygateError
from tallygate.records.rebuilds import Standing

REBUILDING = "!"
"""Stands before an epoch in Redis while the partition's counters are not whole."""

REBUILT = "+"
"""Stands behind the epoch of a partition whose counters were made anew: shown with their last write, never before."""

CHECK_SECONDS = 1.0

_NOWHERE: Mapping[int, str] = MappingProxyType({})

_log = logging.getLogger(__name__)


class PartitionState(StrEnum):
    """Whether a partition was never used, counts, or waits for its counters."""

    FRESH = "fresh"
    ACTIVE = "active"
    REBUILDING = "rebuilding"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionEpoch:
    """A partition's epoch as SQL knows it."""

    partition: int
    epoch: str
    state: PartitionState
    last_entry_id: str = "0-0"

    @property
    def rebuilt(self) -> "PartitionEpoch":
        """The same with its counters made anew."""
        return replace(self, epoch=self.epoch + REBUILT, state=PartitionState.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a server holds: by partition, the last entry id that its stream ever gave out.

    `entry_id` is what one would be now. `connection` numbers the connection over which it was seen: whoever is vouched
    for is who was looked at.
    """

    connection: int
    entry_id: str
    ends: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Counts of a partition's entries that Redis has lost: those after one entry, up to another."""

    partition: int
    after_entry_id: str
    until_entry_id: str

    def covers(self, partition: int, entry_id: str) -> bool:
        """Whether the count of this entry was lost."""
        place = entry_order(entry_id)
        inside = entry_order(self.after_entry_id) < place <= entry_order(self.until_entry_id)
        return partition == self.partition and inside


def entry_order(entry_id: str) -> tuple[int, int]:
    """An entry id as what it is ordered by."""
    milliseconds, number = entry_id.split("-")
    return int(milliseconds), int(number)


class ForeignStoreError(ConflictError):
    """This Redis holds another installation's counters; give this one a Redis of its own, or that one's database."""


class EpochLedger(Protocol):
    """Where epochs are minted and kept."""

    async def load(self) -> Sequence[PartitionEpoch]:
        """Every partition, in order."""
        ...

    async def save(self, *partitions: PartitionEpoch, losses: Sequence[Loss] = ()) -> None:
        """Note epochs and states of partitions, and what their counters have lost: all of it, or nothing."""
        ...

    async def losses(self) -> Sequence[Loss]:
        """What was ever lost and not made anew, the oldest first."""
        ...

    async def settle_rebuilt(self, *partitions: PartitionEpoch) -> None:
        """Note that each of these counts again, with all that SQL holds, unless its epoch is another by now."""
        ...


class EpochBoard(Protocol):
    """Where scripts see the epochs."""

    def within_reach(self, partitions: Sequence[int]) -> Sequence[int]:
        """Those of these partitions that can be asked about now, where they are on several servers."""
        ...

    async def read(self, partitions: Sequence[int]) -> Mapping[int, str]:
        """The epochs shown; partitions without one are left out."""
        ...

    async def show(self, epochs: Mapping[int, str], *, after: Mapping[int, str] = _NOWHERE) -> None:
        """Show epochs, replacing what was shown; a partition's stream goes on behind this entry id, if it has one."""
        ...

    async def look(self, partitions: Sequence[int], *, anyway: bool = False) -> Look | None:
        """What this server holds; None where somebody has vouched for it, unless it is wanted `anyway`."""
        ...

    async def vouch(self, look: Look, token: str) -> None:
        """Show that the server that was looked at was found whole, or its losses noted.

        Raises:
            StoreUnavailableError: it may be another one by now.
        """
        ...


class ExpiryWatch(Protocol):
    """Whether Redis let go of what it was to keep, because its clock ran ahead."""

    async def outran(self) -> bool:
        """Whether its clock passed, since it was last set, an instant that nobody else's has reached."""
        ...

    async def set(self) -> None:
        """Watch from here on."""
        ...


async def _at_once() -> None:
    """Nobody in this process reads streams."""


def _never() -> int:
    """Nobody in this process has seen the streams empty."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeeper:
    """Settles ledger and board: after it, every partition counts, or says that it cannot."""

    ledger: EpochLedger
    board: EpochBoard
    new_epoch: Callable[[], str]
    recorded: Callable[[], Awaitable[None]] = _at_once
    """Waits until whatever this process has read of the streams by now is in SQL."""
    emptied: Callable[[], int] = _never
    """When this process last saw that no entry waited in any stream."""
    expiry: ExpiryWatch | None = None
    """Without one nobody notices that counters expired before their time."""
    standing: Standing = field(default_factory=Standing)
    """As of when it was last settled."""

    async def settle(self) -> Sequence[int]:
        """Bring both to agreement; returns the partitions whose counters are not whole.

        A partition whose server is gone, while those of others are not, waits until it is back.

        Raises:
            ForeignStoreError: a fresh installation finds counters that are not its own.
        """
        partitions = await self._load()
        emptied = self.emptied()
        numbers = [partition.partition for partition in partitions]
        look = await self.board.look(numbers)
        outran = self.expiry is not None and await self.expiry.outran()
        if look is not None:
            partitions, look = await self._compared(look)
        shown = await self.board.read(numbers)
        if all(p.state is PartitionState.FRESH for p in partitions):
            await self._begin(partitions, shown)
            lost: list[int] = []
        else:
            lost = await self._settle_each(partitions, shown, look, outran=outran)
        if self.expiry is not None:
            await self.expiry.set()
        self.standing.lost = list(lost)
        if not lost:  # streams that nobody had emptied by mistake were seen empty then
            self.standing.collected_time = emptied
        if look is not None:
            await self.board.vouch(look, self.new_epoch())
        fresh = [p.partition for p in partitions if p.state is PartitionState.ACTIVE and p.partition in lost]
        if fresh:
            _log.error("the counters of %d partitions are lost: hard limits answer UNAVAILABLE: %s", len(fresh), fresh)
        return lost

    async def accept_loss(self) -> Sequence[int]:
        """Count on from what Redis holds, in partitions whose counters are not whole: an operator's decision."""
        accepted = {p.partition: p for p in await self.ledger.load() if p.state is PartitionState.REBUILDING}
        after = behind(dict.fromkeys(accepted, "0-0"), await self.ledger.losses())
        # What is counted from now on is told from what was lost by its place behind it, whatever the clock says.
        await self.board.show({number: REBUILDING + p.epoch for number, p in accepted.items()}, after=after)
        # Noted before it is shown: a keeper that looks in between then shows the epoch by itself.
        await self._note(accepted.values(), PartitionState.ACTIVE)
        await self.board.show({number: p.epoch for number, p in accepted.items()})
        return list(accepted)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Until cancelled: settle every second, whatever fails."""
        while True:
            try:
                await self.settle()
            except TallygateError as error:
                _log.warning("epochs cannot be settled, will retry: %s", error)
            await sleep(CHECK_SECONDS)

    async def _begin(self, partitions: Sequence[PartitionEpoch], shown: Mapping[int, str]) -> None:
        mine = {partition.partition: partition.epoch for partition in partitions}
        if any(mine[number] != epoch for number, epoch in shown.items()):
            raise ForeignStoreError
        await self.board.show(mine)
        await self._note(partitions, PartitionState.ACTIVE)

    async def _load(self) -> Sequence[PartitionEpoch]:
        loaded = await self.ledger.load()
        reached = set(self.board.within_reach([partition.partition for partition in loaded]))
        if not reached:
            raise StoreUnavailableError(store="redis")
        return [partition for partition in loaded if partition.partition in reached]

    async def _compared(self, look: Look) -> tuple[Sequence[PartitionEpoch], Look]:
        """What SQL knows, and a look that is as new: one that comes out older than SQL is taken again.

        Somebody may count on this server already, where nobody ever vouched for one. What was read from the one before
        is in SQL first: it is what this one is compared with.
        """
        await self.recorded()
        partitions = [partition for partition in await self._load() if partition.partition in look.ends]
        if any(is_older(look, partition) for partition in partitions):
            again = await self.board.look([partition.partition for partition in partitions], anyway=True)
            look = again or look
        return partitions, look

    async def _settle_each(
        self, partitions: Sequence[PartitionEpoch], shown: Mapping[int, str], look: Look | None, *, outran: bool
    ) -> list[int]:
        """Settle all in as many steps as one takes; those whose counters are not whole."""
        found = _Findings()
        for partition in partitions:
            if outran and partition.state is PartitionState.ACTIVE:
                found.gone.append(partition)
            else:
                found.sort(partition, shown.get(partition.partition), look)
        await self._show(found.begun)
        await self._note(found.begun, PartitionState.ACTIVE)
        await self._show(found.accepted)
        if found.rebuilt:
            await self.ledger.settle_rebuilt(*found.rebuilt)
        if look is not None and found.older:
            await self.ledger.save(*found.older, losses=[_loss(partition, look) for partition in found.older])
        await self._show(found.hidden, mark=REBUILDING)
        if found.gone:
            await self._lose(found.gone, look)
        whole = {partition.partition for partition in found.whole}
        return [partition.partition for partition in partitions if partition.partition not in whole]

    async def _lose(self, gone: Sequence[PartitionEpoch], look: Look | None) -> None:
        seen = look or await self.board.look([partition.partition for partition in gone], anyway=True)
        if seen is None:
            raise StoreUnavailableError(store="redis")
        lost = [replace(each, epoch=self.new_epoch(), state=PartitionState.REBUILDING) for each in gone]
        await self.ledger.save(*lost, losses=[_loss(partition, seen) for partition in gone])
        await self._show(lost, mark=REBUILDING)

    async def _show(self, partitions: Sequence[PartitionEpoch], *, mark: str = "") -> None:
        if partitions:
            await self.board.show({partition.partition: mark + partition.epoch for partition in partitions})

    async def _note(self, partitions: Collection[PartitionEpoch], state: PartitionState) -> None:
        if partitions:
            await self.ledger.save(*(replace(partition, state=state) for partition in partitions))


@dataclass(frozen=True, slots=True)
class _Findings:
    """What a look found of each partition, by what is to be done about it: a step for all, never one for each."""

    begun: list[PartitionEpoch] = field(default_factory=list)
    """Of a first start that died half-way."""
    accepted: list[PartitionEpoch] = field(default_factory=list)
    """Their loss was accepted."""
    rebuilt: list[PartitionEpoch] = field(default_factory=list)
    """By a worker that will note it now, or died before."""
    older: list[PartitionEpoch] = field(default_factory=list)
    """They wait for their counters, and have lost more."""
    hidden: list[PartitionEpoch] = field(default_factory=list)
    """They wait for their counters, and do not say so."""
    gone: list[PartitionEpoch] = field(default_factory=list)
    """Their counters are lost, which nobody has noted."""
    whole: list[PartitionEpoch] = field(default_factory=list)

    def sort(self, partition: PartitionEpoch, shown: str | None, look: Look | None) -> None:
        older = look is not None and is_older(look, partition)
        match partition.state:
            case PartitionState.FRESH:
                self._count(partition, self.begun)
            case PartitionState.ACTIVE if shown == partition.epoch and not older:
                self._count(partition)
            case PartitionState.ACTIVE if shown == REBUILDING + partition.epoch and not older:
                self._count(partition, self.accepted)
            case PartitionState.ACTIVE:
                self.gone.append(partition)
            case PartitionState.REBUILDING:
                self._sort_waiting(partition, shown, older=older)

    def _sort_waiting(self, partition: PartitionEpoch, shown: str | None, *, older: bool) -> None:
        if shown == partition.rebuilt.epoch and not older:
            self._count(partition, self.rebuilt)
            return
        if older:
            self.older.append(partition)
        if shown not in {partition.epoch, REBUILDING + partition.epoch}:
            self.hidden.append(partition)

    def _count(self, partition: PartitionEpoch, *places: list[PartitionEpoch]) -> None:
        for place in (self.whole, *places):
            place.append(partition)


def behind(after: Mapping[int, str], losses: Iterable[Loss]) -> dict[int, str]:
    """Behind which entries streams of partitions go on: these, or where what was lost of one ends, if that is later."""
    found = dict(after)
    for loss in losses:
        if loss.partition in found:
            found[loss.partition] = max(found[loss.partition], loss.until_entry_id, key=entry_order)
    return found


def hidden(shown: Mapping[int, str], partitions: Iterable[int]) -> list[int]:
    """Those of partitions in which callers are refused, by the epochs that are shown."""
    return [number for number in partitions if shown.get(number, REBUILDING).startswith(REBUILDING)]


def is_older(look: Look, partition: PartitionEpoch) -> bool:
    """Whether the server's stream ends before what SQL has collected from it."""
    return entry_order(look.ends[partition.partition]) < entry_order(partition.last_entry_id)


def _loss(partition: PartitionEpoch, look: Look) -> Loss:
    """Whatever was counted between what the server still knows and now."""
    until = max(look.entry_id, partition.last_entry_id, key=entry_order)
    number = partition.partition
    return Loss(partition=number, after_entry_id=look.ends[number], until_entry_id=until)

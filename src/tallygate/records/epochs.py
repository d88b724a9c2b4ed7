"""Keeps each partition's epoch: minted in SQL, shown in Redis, so that lost counters are never taken for zero usage."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallygate.domain.errors import ConflictError, TallygateError

REBUILDING = "!"
"""Stands before an epoch in Redis while the partition's counters are not whole."""

CHECK_SECONDS = 1.0

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


class ForeignStoreError(ConflictError):
    """This Redis holds another installation's counters; give this one a Redis of its own, or that one's database."""


class EpochLedger(Protocol):
    """Where epochs are minted and kept."""

    async def load(self) -> Sequence[PartitionEpoch]:
        """Every partition, in order."""
        ...

    async def save(self, partition: PartitionEpoch) -> None:
        """Note a partition's epoch and state."""
        ...


class EpochBoard(Protocol):
    """Where scripts see the epochs."""

    async def read(self, partitions: Sequence[int]) -> Mapping[int, str]:
        """The epochs shown; partitions without one are left out."""
        ...

    async def show(self, epochs: Mapping[int, str]) -> None:
        """Show epochs, replacing what was shown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeeper:
    """Settles ledger and board: after it, every partition counts, or says that it cannot."""

    ledger: EpochLedger
    board: EpochBoard
    new_epoch: Callable[[], str]

    async def settle(self) -> Sequence[int]:
        """Bring both to agreement; returns the partitions whose counters are not whole.

        Raises:
            ForeignStoreError: a fresh installation finds counters that are not its own.
        """
        partitions = await self.ledger.load()
        shown = await self.board.read([partition.partition for partition in partitions])
        if all(p.state is PartitionState.FRESH for p in partitions):
            await self._begin(partitions, shown)
            return []
        lost: list[int] = []
        for partition in partitions:
            settled = await self._settle_one(partition, shown.get(partition.partition))
            if settled is not PartitionState.ACTIVE:
                lost.append(partition.partition)
        fresh = [p.partition for p in partitions if p.state is PartitionState.ACTIVE and p.partition in lost]
        if fresh:
            _log.error("the counters of %d partitions are lost: hard limits answer UNAVAILABLE: %s", len(fresh), fresh)
        return lost

    async def accept_loss(self) -> Sequence[int]:
        """Count on from what Redis holds, in partitions whose counters are not whole: an operator's decision."""
        accepted = [p for p in await self.ledger.load() if p.state is PartitionState.REBUILDING]
        for partition in accepted:  # noted first: a keeper that looks in between then shows the epoch by itself
            await self._note(partition, PartitionState.ACTIVE)
            await self.board.show({partition.partition: partition.epoch})
        return [partition.partition for partition in accepted]

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
        for partition in partitions:
            await self._note(partition, PartitionState.ACTIVE)

    async def _settle_one(self, partition: PartitionEpoch, shown: str | None) -> PartitionState:
        match partition.state:
            case PartitionState.FRESH:  # a first start that died half-way
                await self.board.show({partition.partition: partition.epoch})
                await self._note(partition, PartitionState.ACTIVE)
                return PartitionState.ACTIVE
            case PartitionState.ACTIVE if shown == partition.epoch:
                return PartitionState.ACTIVE
            case PartitionState.ACTIVE if shown == REBUILDING + partition.epoch:  # its loss was accepted
                await self.board.show({partition.partition: partition.epoch})
                return PartitionState.ACTIVE
            case PartitionState.ACTIVE:
                renewed = PartitionEpoch(
                    partition=partition.partition, epoch=self.new_epoch(), state=PartitionState.REBUILDING
                )
                await self.ledger.save(renewed)
                await self.board.show({partition.partition: REBUILDING + renewed.epoch})
            case PartitionState.REBUILDING:
                if shown not in {partition.epoch, REBUILDING + partition.epoch}:
                    await self.board.show({partition.partition: REBUILDING + partition.epoch})
        return PartitionState.REBUILDING

    async def _note(self, partition: PartitionEpoch, state: PartitionState) -> None:
        await self.ledger.save(PartitionEpoch(partition=partition.partition, epoch=partition.epoch, state=state))

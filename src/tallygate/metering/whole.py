"""Which partitions hold all that was counted: asked once for many accounts, and again where that may have changed."""

from dataclasses import dataclass, field

from tallygate.records.epochs import EpochLedger


@dataclass(slots=True)
class WholePartitions:
    """What the ledger said of each partition when it was last asked: its epoch, and whether counts of it are lost.

    A loss is noted in one step with a new epoch, before anybody sees that one, or while the partition counts nothing.
    So what was learned of a partition holds for as long as it shows the epoch that was learned with it.
    """

    ledger: EpochLedger
    _epochs: dict[int, str] = field(default_factory=dict)
    _lossy: set[int] = field(default_factory=set)

    async def learn(self) -> None:
        """Ask the ledger: for the epochs first, so that a loss which comes in between is never missed."""
        epochs = {each.partition: each.epoch for each in await self.ledger.load()}
        lossy = {loss.partition for loss in await self.ledger.losses()}
        self._epochs, self._lossy = epochs, lossy

    def lacks(self, partition: int) -> bool:
        """Whether counts of this partition were lost, as far as was learned."""
        return partition in self._lossy

    async def is_whole(self, partition: int, epoch: str) -> bool:
        """Whether a partition that shows this epoch holds all that was counted; what is not known of it is asked."""
        if self._epochs.get(partition) != epoch:
            await self.learn()
        return self._epochs.get(partition) == epoch and partition not in self._lossy

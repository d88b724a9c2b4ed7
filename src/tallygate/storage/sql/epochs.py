"""Epochs as SQL keeps them, beside the partitions."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.records.epochs import PartitionEpoch
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import PartitionRow
from tallygate.storage.sql.partitions import load_partitions
from tallygate.storage.sql.scope import table_of

_partitions = table_of(PartitionRow)


class SqlEpochs:
    """`EpochLedger` over the partitions' table."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self) -> Sequence[PartitionEpoch]:
        """Every partition, in order."""
        return [
            PartitionEpoch(partition=row.partition, epoch=row.epoch, state=row.state)
            for row in await load_partitions(self._engine)
        ]

    async def save(self, partition: PartitionEpoch) -> None:
        """Note a partition's epoch and state."""
        values = {"epoch": partition.epoch, "state": partition.state.value}
        statement = update(_partitions).where(_partitions.c.partition == partition.partition).values(values)
        with translated():
            async with connected(self._engine, {WRITE: True}) as connection:
                await connection.execute(statement)
                await connection.commit()

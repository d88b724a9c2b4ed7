"""Epochs as SQL keeps them, beside the partitions."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallygate.records.epochs import Loss, PartitionEpoch, PartitionState
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.partition_models import LossRow, PartitionRow
from tallygate.storage.sql.partitions import load_partitions
from tallygate.storage.sql.scope import table_of

_partitions = table_of(PartitionRow)
_losses = table_of(LossRow)


class SqlEpochs:
    """`EpochLedger` over the partitions' table."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self) -> Sequence[PartitionEpoch]:
        """Every partition, in order."""
        return [
            PartitionEpoch(partition=row.partition, epoch=row.epoch, state=row.state, last_entry_id=row.last_entry_id)
            for row in await load_partitions(self._engine)
        ]

    async def losses(self) -> Sequence[Loss]:
        """What was ever lost and not made anew."""
        with translated():
            async with connected(self._engine, {}) as connection:
                return await read_losses(connection)

    async def save(self, partition: PartitionEpoch, loss: Loss | None = None) -> None:
        """Note a partition's epoch and state, and what its counters have lost."""
        values = {"epoch": partition.epoch, "state": partition.state.value}
        statement = update(_partitions).where(_partitions.c.partition == partition.partition).values(values)
        with translated():
            async with connected(self._engine, {WRITE: True}) as connection:
                await connection.execute(statement)
                if loss is not None:
                    await connection.execute(insert(_losses), asdict(loss))
                await connection.commit()

    async def settle_rebuilt(self, partition: PartitionEpoch) -> None:
        """Note that a partition counts again, whose losses are none any more.

        An epoch that was minted meanwhile stays: somebody has found these counters lost again.
        """
        after = partition.rebuilt
        mine = _partitions.c.partition == partition.partition, _partitions.c.epoch == partition.epoch
        waits = _partitions.c.state == PartitionState.REBUILDING.value
        statement = update(_partitions).where(*mine, waits).values(epoch=after.epoch, state=after.state.value)
        with translated():
            async with connected(self._engine, {WRITE: True}) as connection:
                changed = (await connection.execute(statement)).rowcount
                if changed:
                    await connection.execute(delete(_losses).where(_losses.c.partition == partition.partition))
                await connection.commit()


async def read_losses(connection: AsyncConnection) -> Sequence[Loss]:
    """What was ever lost and not made anew, in a transaction that has begun."""
    rows = (await connection.execute(select(_losses).order_by(_losses.c.number))).all()
    return [
        Loss(partition=row.partition, after_entry_id=row.after_entry_id, until_entry_id=row.until_entry_id)
        for row in rows
    ]

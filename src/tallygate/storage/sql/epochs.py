"""Epochs as SQL keeps them, beside the partitions."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, delete, insert, select, update
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

    async def save(self, *partitions: PartitionEpoch, losses: Sequence[Loss] = ()) -> None:
        """Note epochs and states of partitions, and what their counters have lost: all of it, or nothing."""
        mine = _partitions.c.partition == bindparam("number")
        statement = update(_partitions).where(mine).values(epoch=bindparam("now"), state=bindparam("then"))
        rows = [{"number": p.partition, "now": p.epoch, "then": p.state.value} for p in _in_order(partitions)]
        with translated():
            async with connected(self._engine, {WRITE: True}) as connection:
                await connection.execute(statement, rows)
                if losses:
                    await connection.execute(insert(_losses), [asdict(loss) for loss in losses])
                await connection.commit()

    async def settle_rebuilt(self, *partitions: PartitionEpoch) -> None:
        """Note that these partitions count again, whose losses are none any more.

        An epoch that was minted meanwhile stays: somebody has found those counters lost again.
        """
        mine = _partitions.c.partition == bindparam("number"), _partitions.c.epoch == bindparam("was")
        waits = _partitions.c.state == PartitionState.REBUILDING.value
        statement = update(_partitions).where(*mine, waits)
        statement = statement.values(epoch=bindparam("now"), state=PartitionState.ACTIVE.value)
        rows = [{"number": p.partition, "was": p.epoch, "now": p.rebuilt.epoch} for p in _in_order(partitions)]
        settled = select(_partitions.c.partition).where(_partitions.c.epoch.in_([each["now"] for each in rows]))
        with translated():
            async with connected(self._engine, {WRITE: True}) as connection:
                await connection.execute(statement, rows)
                await connection.execute(delete(_losses).where(_losses.c.partition.in_(settled)))
                await connection.commit()


def _in_order(partitions: Collection[PartitionEpoch]) -> Sequence[PartitionEpoch]:
    """As everybody locks them, so that nobody waits for who waits for them."""
    return sorted(partitions, key=lambda each: each.partition)


async def read_losses(connection: AsyncConnection) -> Sequence[Loss]:
    """What was ever lost and not made anew, in a transaction that has begun."""
    rows = (await connection.execute(select(_losses).order_by(_losses.c.number))).all()
    return [
        Loss(partition=row.partition, after_entry_id=row.after_entry_id, until_entry_id=row.until_entry_id)
        for row in rows
    ]

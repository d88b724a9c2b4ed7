"""The partitions of this installation: their epochs, and whether their counters are whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.errors import InvalidFieldError
from tallygate.records.epochs import PartitionState
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.partition_models import PartitionRow
from tallygate.storage.sql.scope import table_of

_partitions = table_of(PartitionRow)
_columns = (_partitions.c.partition, _partitions.c.epoch, _partitions.c.state, _partitions.c.last_entry_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition as SQL knows it; `last_entry_id` is the newest entry of its stream that was collected."""

    partition: int
    epoch: str
    state: PartitionState
    last_entry_id: str


async def seed_partitions(engine: AsyncEngine, count: int, new_epoch: Callable[[], str]) -> Sequence[Partition]:
    """The installation's partitions, made on its first start; their number is fixed from then on.

    Raises:
        InvalidFieldError: the installation has another number of partitions.
    """
    with translated():
        async with connected(engine, {WRITE: True}) as connection:
            if connection.dialect.name == "postgresql":
                await connection.exec_driver_sql("LOCK TABLE partitions IN EXCLUSIVE MODE")
            rows = (await connection.execute(select(*_columns).order_by(_partitions.c.partition))).all()
            if not rows:
                fixed = {"state": PartitionState.FRESH.value, "last_entry_id": "0-0", "lease_owner": ""}
                seeds = [{"partition": number, "epoch": new_epoch(), **fixed} for number in range(count)]
                await connection.execute(insert(_partitions), seeds)
                await connection.commit()
    if rows and len(rows) != count:
        raise InvalidFieldError(field="partitions", expected=f"{len(rows)}, as this installation began", got=count)
    return await load_partitions(engine)


async def load_partitions(engine: AsyncEngine) -> Sequence[Partition]:
    """The installation's partitions, in order."""
    with translated():
        async with connected(engine, {}) as connection:
            rows = (await connection.execute(select(*_columns).order_by(_partitions.c.partition))).all()
    return [
        Partition(
            partition=row.partition,
            epoch=row.epoch,
            state=PartitionState(row.state),
            last_entry_id=row.last_entry_id,
        )
        for row in rows
    ]

"""The outbox over SQL: committed changes that wait to be published."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.records.values import ChangeKind, OutboxEntry
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import OutboxRow
from tallygate.storage.sql.scope import table_of

_outbox = table_of(OutboxRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOutbox:
    """Entries of all tenants; one is deleted only after it was published."""

    engine: AsyncEngine

    async def tenants(self) -> Sequence[str]:
        """The tenants that have some."""
        with translated():
            async with connected(self.engine, {}) as connection:
                return list((await connection.execute(select(_outbox.c.tenant_id).distinct())).scalars())

    async def pending(self, tenant_id: str, *, limit: int) -> Sequence[OutboxEntry]:
        """The tenant's oldest entries, in the order of their versions."""
        order = _outbox.c.version, _outbox.c.entry_id
        query = select(_outbox).where(_outbox.c.tenant_id == tenant_id).order_by(*order).limit(limit)
        with translated():
            async with connected(self.engine, {}) as connection:
                rows = (await connection.execute(query)).all()
        return [
            OutboxEntry(entry_id=row.entry_id, version=row.version, kind=ChangeKind(row.kind), key=row.key)
            for row in rows
        ]

    async def delete(self, tenant_id: str, entry_ids: Sequence[int]) -> None:
        """Forget entries that were published."""
        where = _outbox.c.tenant_id == tenant_id, _outbox.c.entry_id.in_(entry_ids)
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                await connection.execute(delete(_outbox).where(*where))
                await connection.commit()

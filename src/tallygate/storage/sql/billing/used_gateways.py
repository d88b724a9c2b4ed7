"""Which gateways live tenants use: what doctor asks whether they are known there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing.payments import Gateway
from tallygate.storage.sql.billing.payment_tables import payment_gateways
from tallygate.storage.sql.engine import connected
from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import TenantRow
from tallygate.storage.sql.scope import table_of

_tenants = table_of(TenantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUsedGateways:
    """Reads them, over all tenants but test ones."""

    engine: AsyncEngine

    async def first(self, limit: int) -> Sequence[tuple[str, Gateway]]:
        """Tenants and a gateway of theirs, at most so many. Raises StoreUnavailableError."""
        own = payment_gateways.c
        live = select(_tenants.c.tenant_id).where(_tenants.c.test.is_(False))
        query = select(payment_gateways).where(own.tenant_id.in_(live)).order_by(own.tenant_id, own.name).limit(limit)
        with translated():
            async with connected(self.engine, {}) as connection:
                rows = (await connection.execute(query)).all()
        return [
            (
                row.tenant_id,
                Gateway(
                    name=row.name,
                    create_time=row.create_time,
                    credentials=row.credentials,
                    secrets=tuple(row.secrets.split()),
                ),
            )
            for row in rows
        ]

"""Events that the gateways of one tenant told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, insert, select

from tallygate.records.gateway_events import Effect, EventQuery, ToldEvent
from tallygate.storage.sql.billing.payment_tables import gateway_events
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope, columns_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlGatewayEvents:
    """Keeps them."""

    scope: Scope

    async def is_known(self, gateway: str, event_id: str) -> bool:
        """Whether an event came before."""
        own = gateway_events.c
        where = own.tenant_id == self.scope.tenant_id, own.gateway == gateway, own.event_id == event_id
        return bool(await self.scope.rows(select(own.event_id).where(*where)))

    async def add(self, event: ToldEvent) -> None:
        """Keep one; the same again fails the transaction."""
        row = {**asdict(event), "effect": event.effect.value, "tenant_id": self.scope.tenant_id}
        await self.scope.connection.execute(insert(gateway_events), [row])

    async def list(self, wanted: EventQuery) -> Sequence[ToldEvent]:
        """Those asked for, newest first."""
        own = gateway_events.c
        query = select(gateway_events).where(own.tenant_id == self.scope.tenant_id)
        asked = ((own.gateway, wanted.gateway), (own.effect, wanted.effect), (own.subject, wanted.subject))
        for column, value in asked:
            if value:
                query = query.where(column == str(value))
        query = newest_first(
            query,
            own.create_time,
            own.gateway,
            own.event_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [_event(row) for row in await self.scope.rows(query)]


def _event(row: Row[Any]) -> ToldEvent:
    return ToldEvent(**columns_of(row, "effect"), effect=Effect(row.effect))

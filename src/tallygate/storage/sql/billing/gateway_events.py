"""Events that the gateways of one tenant told."""

from dataclasses import asdict, dataclass

from sqlalchemy import insert, select

from tallygate.records.gateway_events import ToldEvent
from tallygate.storage.sql.billing.payment_tables import gateway_events
from tallygate.storage.sql.scope import Scope


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

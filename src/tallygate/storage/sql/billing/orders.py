"""Orders and claims over SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from tallygate.domain.billing.claims import Claim
from tallygate.domain.billing.orders import Order
from tallygate.records.orders import OrderQuery
from tallygate.storage.documents import ORDER
from tallygate.storage.sql.billing.order_tables import claims, orders, replaced_claims
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOrderRepository:
    """Orders of one tenant."""

    scope: Scope

    async def get(self, order_id: str) -> Order | None:
        """One order."""
        rows = await self.scope.rows(select(orders.c.doc).where(*self._named(order_id)))
        return ORDER.validate_python(rows[0].doc) if rows else None

    async def put(self, order: Order) -> None:
        """Add or replace one."""
        row = {
            "account_id": order.account_id,
            "state": order.state.value,
            "create_time": order.create_time,
            "doc": ORDER.dump_python(order, mode="json", exclude_defaults=True),
        }
        if not await self.scope.execute(update(orders).where(*self._named(order.order_id)).values(**row)):
            whole = {"tenant_id": self.scope.tenant_id, "order_id": order.order_id, **row}
            await self.scope.connection.execute(insert(orders), [whole])
        self.scope.changed(order.account_id)

    async def list(self, wanted: OrderQuery) -> Sequence[Order]:
        """Those asked for, newest first."""
        query = select(orders.c.doc).where(orders.c.tenant_id == self.scope.tenant_id)
        if wanted.account_id:
            query = query.where(orders.c.account_id == wanted.account_id)
        if wanted.state is not None:
            query = query.where(orders.c.state == wanted.state.value)
        newest = newest_first(
            query,
            orders.c.create_time,
            orders.c.order_id,
            tenant_id=self.scope.tenant_id,
            before=wanted.before,
            limit=wanted.limit,
        )
        return [ORDER.validate_python(row.doc) for row in await self.scope.rows(newest)]

    def _named(self, order_id: str) -> tuple[Any, Any]:
        return orders.c.tenant_id == self.scope.tenant_id, orders.c.order_id == order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlClaimRepository:
    """Claims of one tenant."""

    scope: Scope

    async def get(self, code_hash: str) -> Claim | None:
        """The one of a code."""
        rows = await self.scope.rows(select(claims).where(*self._named(code_hash)))
        if not rows:
            return None
        return Claim(**{name: getattr(rows[0], name) for name in _CLAIM})

    async def put(self, claim: Claim) -> None:
        """Add or replace one."""
        row = {name: getattr(claim, name) for name in _CLAIM if name != "code_hash"}
        if not await self.scope.execute(update(claims).where(*self._named(claim.code_hash)).values(**row)):
            whole = {"tenant_id": self.scope.tenant_id, "code_hash": claim.code_hash, **row}
            await self.scope.connection.execute(insert(claims), [whole])

    async def of_item(self, order_id: str, item: int) -> Claim | None:
        """The one of an order's item."""
        own = claims.c.tenant_id == self.scope.tenant_id, claims.c.order_id == order_id, claims.c.item == item
        rows = await self.scope.rows(select(claims.c.code_hash).where(*own))
        return await self.get(rows[0].code_hash) if rows else None

    async def replace(self, claim: Claim, code_hash: str, *, now: int) -> None:
        """Let another code stand for one, and remember the one before."""
        replaced = {"code_hash": claim.code_hash, "order_id": claim.order_id, "item": claim.item, "replace_time": now}
        await self.scope.connection.execute(insert(replaced_claims), [{"tenant_id": self.scope.tenant_id, **replaced}])
        await self.scope.execute(update(claims).where(*self._named(claim.code_hash)).values(code_hash=code_hash))

    async def was_replaced(self, code_hash: str) -> bool:
        """Whether a code stood for one before another took its place."""
        column = replaced_claims.c
        own = column.tenant_id == self.scope.tenant_id, column.code_hash == code_hash
        return bool(await self.scope.rows(select(column.item).where(*own)))

    def _named(self, code_hash: str) -> tuple[Any, Any]:
        return claims.c.tenant_id == self.scope.tenant_id, claims.c.code_hash == code_hash


_CLAIM = ("code_hash", "order_id", "item", "email", "create_time", "account_id", "subscription_id", "redeem_time")

"""What the built-in fake gateway gave back: in transactions of its own, as another house's would be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tallygate.domain.billing.payments import AttemptState
from tallygate.records.payments import FakeRefund
from tallygate.storage.sql.billing.payment_tables import fake_charges, fake_refunds
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFakeRefunds:
    """What was asked back of the fake gateway, by tenant and key."""

    engine: AsyncEngine

    async def get(self, tenant_id: str, key: str) -> FakeRefund | None:
        """What it did when it was asked with a key."""
        with translated():
            async with connected(self.engine, {}) as connection:
                return await _known(connection, tenant_id, key)

    async def add(self, refund: FakeRefund) -> FakeRefund:
        """Note what it does, once a key; FAILED where its charge did not take so much, or gave it back already."""
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                left = await _left(connection, refund)
                known = await _known(connection, refund.tenant_id, refund.key)
                if known is not None:
                    return known
                done = refund if refund.amount <= left else replace(refund, state=AttemptState.FAILED)
                await connection.execute(insert(fake_refunds), [{**asdict(done), "state": done.state.value}])
                await connection.commit()
        return done

    async def settle(self, refund: FakeRefund, state: AttemptState) -> None:
        """What was pending is decided."""
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                where = _place(refund.tenant_id, refund.key)
                await connection.execute(update(fake_refunds).where(*where).values(state=state.value))
                await connection.commit()

    async def succeeded(self, tenant_id: str, *, start: int, end: int) -> Sequence[FakeRefund]:
        """What was given back of what was asked for from an instant on, before another."""
        own = fake_refunds.c
        query = select(fake_refunds).where(own.tenant_id == tenant_id, own.state == AttemptState.SUCCEEDED.value)
        query = query.where(own.create_time >= start, own.create_time < end)
        with translated():
            async with connected(self.engine, {}) as connection:
                rows = (await connection.execute(query.order_by(own.refund_id))).mappings().all()
        return [_refund(row) for row in rows]


async def _left(connection: AsyncConnection, refund: FakeRefund) -> int:
    """What is left of a charge, whose row is locked: of two refunds at once the second sees the first."""
    of = fake_charges.c.tenant_id == refund.tenant_id, fake_charges.c.key == refund.charge_key
    charge = (await connection.execute(select(fake_charges).where(*of).with_for_update())).mappings().first()
    if charge is None or charge["state"] != AttemptState.SUCCEEDED.value or charge["currency"] != refund.currency:
        return 0
    own = fake_refunds.c
    back = select(func.coalesce(func.sum(own.amount), 0)).where(
        own.tenant_id == refund.tenant_id, own.charge_key == refund.charge_key, own.state != AttemptState.FAILED.value
    )
    return int(charge["amount"]) - int((await connection.execute(back)).scalar_one())


async def _known(connection: AsyncConnection, tenant_id: str, key: str) -> FakeRefund | None:
    query = select(fake_refunds).where(*_place(tenant_id, key))
    row = (await connection.execute(query)).mappings().first()
    return _refund(row) if row is not None else None


def _refund(row: Mapping[Any, Any]) -> FakeRefund:
    return FakeRefund(**{**row, "state": AttemptState(row["state"])})


def _place(tenant_id: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return fake_refunds.c.tenant_id == tenant_id, fake_refunds.c.key == key

"""The books of the built-in fake gateway: in transactions of its own, as another house's would be."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.domain.billing.payments import AttemptState
from tallygate.records.payments import FakeCharge
from tallygate.storage.sql.billing.payment_tables import fake_charges
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFakeCharges:
    """What was asked of the fake gateway, by tenant and key."""

    engine: AsyncEngine

    async def get(self, tenant_id: str, key: str) -> FakeCharge | None:
        """What it did when it was asked with a key."""
        with translated():
            async with connected(self.engine, {}) as connection:
                row = (await connection.execute(select(fake_charges).where(*_place(tenant_id, key)))).mappings().first()
        return FakeCharge(**{**row, "state": AttemptState(row["state"])}) if row is not None else None

    async def add(self, charge: FakeCharge) -> bool:
        """Note what it does; False where it was asked with this key before."""
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                try:
                    await connection.execute(insert(fake_charges), [_row(charge)])
                except IntegrityError:
                    return False
                await connection.commit()
        return True

    async def settle(self, charge: FakeCharge, state: AttemptState) -> None:
        """What was pending is decided."""
        with translated():
            async with connected(self.engine, {WRITE: True}) as connection:
                where = _place(charge.tenant_id, charge.key)
                await connection.execute(update(fake_charges).where(*where).values(state=state.value))
                await connection.commit()

    async def succeeded(self, tenant_id: str, *, start: int, end: int) -> Sequence[FakeCharge]:
        """Charges that took money from an instant on, before another."""
        own = fake_charges.c
        query = select(fake_charges).where(own.tenant_id == tenant_id, own.state == AttemptState.SUCCEEDED.value)
        query = query.where(own.create_time >= start, own.create_time < end)
        with translated():
            async with connected(self.engine, {}) as connection:
                rows = (await connection.execute(query.order_by(own.charge_id))).mappings().all()
        return [FakeCharge(**{**row, "state": AttemptState(row["state"])}) for row in rows]

    async def count(self, tenant_id: str, account_id: str, token: str) -> int:
        """How often an account's token was asked for money."""
        own = fake_charges.c
        query = select(func.count()).where(own.tenant_id == tenant_id, own.account_id == account_id, own.token == token)
        with translated():
            async with connected(self.engine, {}) as connection:
                return int((await connection.execute(query)).scalar_one())


def _place(tenant_id: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return fake_charges.c.tenant_id == tenant_id, fake_charges.c.key == key


def _row(charge: FakeCharge) -> dict[str, Any]:
    return {**asdict(charge), "state": charge.state.value}

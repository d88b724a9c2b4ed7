"""Sealing anew what another master key sealed, or none: after it the old key can be taken away. Loads SQL."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Table, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.app.errors import UnusableSettingError
from tallygate.app.installation import opened
from tallygate.app.key_files import read_sealing
from tallygate.billing.gateways import credentials_place, token_place
from tallygate.records.sealing import Sealing
from tallygate.settings import Settings
from tallygate.storage.sql.billing.payment_tables import payment_attempts, payment_gateways, payment_methods
from tallygate.storage.sql.engine import WRITE, connected
from tallygate.storage.sql.failures import translated

_AT_ONCE = 200
_SEALED: tuple[tuple[Table, str, str, str, Callable[[str, str], Sequence[str]]], ...] = (
    (payment_gateways, "name", "name", "credentials", credentials_place),
    (payment_methods, "method_id", "gateway", "token", token_place),
    (payment_attempts, "attempt_id", "gateway", "token", token_place),
)
"""What is sealed: the table, what names a row in its tenant, the gateway's column, the sealed one, and its place."""


async def reseal(settings: Settings) -> int:
    """Seal everything with the first master key; returns how much was sealed otherwise. It may run beside servers.

    Raises:
        UnusableSettingError: there is no master key.
        MasterKeyWrongError: something was sealed with a key that the file does not have.
    """
    sealing = read_sealing(settings)
    if not sealing.can_seal:
        problem = "there is no key to seal with: name a file, as `openssl rand -base64 32` fills one"
        raise UnusableSettingError(problem, key="billing.master_key_file")
    async with opened(settings) as engine:
        return sum([await _resealed(engine, sealing, *what) for what in _SEALED])


async def _resealed(
    engine: AsyncEngine,
    sealing: Sealing,
    table: Table,
    name: str,
    gateway: str,
    column: str,
    place: Any,  # noqa: ANN401
) -> int:
    own, done = table.c, 0
    key: tuple[Column[Any], Column[Any]] = (own.tenant_id, own[name])
    after = ("", "")
    while True:
        query = select(*key, own[gateway].label("at"), own[column].label("sealed")).where(tuple_(*key) > after)
        with translated():
            async with connected(engine, {WRITE: True}) as connection:
                rows = (await connection.execute(query.order_by(*key).limit(_AT_ONCE))).all()
                for row in rows:
                    if not row.sealed or sealing.is_current(row.sealed):
                        continue
                    where = place(row[0], row.at)
                    text = sealing.open(row.sealed, place=where) if sealing.is_sealed(row.sealed) else row.sealed
                    same = own.tenant_id == row[0], own[name] == row[1], own[column] == row.sealed
                    change = update(table).where(*same).values({column: sealing.seal(text, place=where)})
                    await connection.execute(change)
                    done += 1
                await connection.commit()
        if len(rows) < _AT_ONCE:
            return done
        after = (rows[-1][0], rows[-1][1])

"""Accounts' own prices; an end is a row of its own that names what it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, insert, select

from tallygate.domain.billing.timeline import FOREVER, PriceOverride
from tallygate.storage.documents import PRICE
from tallygate.storage.sql.billing.tables import price_overrides
from tallygate.storage.sql.scope import Scope

_ROWS = price_overrides.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPriceOverrides:
    """Own prices of one tenant's accounts."""

    scope: Scope

    async def add(self, account_id: str, override: PriceOverride) -> None:
        """Add one, and let billing look at its account."""
        await self._insert(account_id, override, ends="")

    async def end(self, account_id: str, override: PriceOverride, *, end_id: str) -> None:
        """Note under an id of its own that one ends at its `end_time`."""
        await self._insert(account_id, replace(override, override_id=end_id), ends=override.override_id)

    async def of(self, account_id: str) -> Sequence[PriceOverride]:
        """All of an account, by creation, each with the end that it has by now."""
        return await self.scope.of_one(price_overrides_of, account_id)

    async def _insert(self, account_id: str, override: PriceOverride, *, ends: str) -> None:
        row = {
            "tenant_id": self.scope.tenant_id,
            "account_id": account_id,
            "override_id": override.override_id,
            "ends": ends,
            "bundle": override.bundle,
            "price_key": override.price_key,
            "price": PRICE.dump_python(override.price, mode="json", exclude_defaults=True),
            "start_time": override.start_time,
            "end_time": None if override.end_time == FOREVER else override.end_time,
            "create_time": self.scope.now,
            "actor_id": self.scope.author.key_id,
        }
        await self.scope.connection.execute(insert(price_overrides), [row])
        self.scope.changes.charged[account_id] = None


async def price_overrides_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[PriceOverride]]:
    """All of accounts, by creation, each with the earliest end that was given to it."""
    query = select(price_overrides).where(_ROWS.tenant_id == scope.tenant_id, _ROWS.account_id.in_(account_ids))
    rows = await scope.rows(query.order_by(_ROWS.account_id, _ROWS.create_time, _ROWS.override_id))
    ends: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.ends:
            place = row.account_id, row.ends
            ends[place] = min(ends.get(place, FOREVER), row.end_time)
    found: dict[str, list[PriceOverride]] = {account_id: [] for account_id in account_ids}
    for row in rows:
        if not row.ends:
            override = _override(row)
            end = min(override.end_time, ends.get((row.account_id, row.override_id), FOREVER))
            found[row.account_id].append(replace(override, end_time=end))
    return found


def _override(row: Row[Any]) -> PriceOverride:
    return PriceOverride(
        override_id=row.override_id,
        bundle=row.bundle,
        price_key=row.price_key,
        price=PRICE.validate_python(row.price),
        start_time=row.start_time,
        end_time=FOREVER if row.end_time is None else row.end_time,
    )

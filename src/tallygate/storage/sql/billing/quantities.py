"""How many seats and users accounts had, and since when: noted in the transaction that changed them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, insert, select

from tallygate.domain.account import ChangeProration
from tallygate.domain.billing.timeline import QuantityChange
from tallygate.storage.sql.billing.tables import quantity_changes
from tallygate.storage.sql.models import AccountUserRow, SeatRow
from tallygate.storage.sql.scope import Scope, table_of

_users, _seats = table_of(AccountUserRow), table_of(SeatRow)
_CHANGES = quantity_changes.c
_ACCOUNTS_AT_ONCE = 1_000

Place = tuple[str, str]
"""An account, and a seat feature of it, or its users where that is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQuantities:
    """The history of one tenant's seats and users."""

    scope: Scope

    async def of(self, account_id: str) -> Sequence[QuantityChange]:
        """Every change of an account, by source and time."""
        return await self.scope.of_one(quantities_of, account_id)

    async def note(self, account_id: str, proration: ChangeProration) -> bool:
        """Note what this transaction has changed of an account so far, and how that is charged; whether it did."""
        mine = [place for place in self.scope.changes.quantities if place[0] == account_id]
        self.scope.changed(account_id)
        return await _note(self.scope, mine, proration)


async def quantities_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[QuantityChange]]:
    """Every change of accounts, by source and time."""
    query = select(quantity_changes).where(_CHANGES.tenant_id == scope.tenant_id, _CHANGES.account_id.in_(account_ids))
    found: dict[str, list[QuantityChange]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query.order_by(_CHANGES.account_id, _CHANGES.source, _CHANGES.change_id)):
        found[row.account_id].append(
            QuantityChange(
                source=row.source,
                change_time=row.change_time,
                quantity=row.quantity,
                proration=ChangeProration(row.proration),
            )
        )
    return found


async def note_quantities(scope: Scope) -> None:
    """Note how many seats and users the accounts of this transaction have by now, where that is not what they had."""
    await _note(scope, list(scope.changes.quantities), ChangeProration.PRORATE)


async def _note(scope: Scope, places: Sequence[Place], proration: ChangeProration) -> bool:
    noted = False
    for first in range(0, len(places), _ACCOUNTS_AT_ONCE):
        some = places[first : first + _ACCOUNTS_AT_ONCE]
        counted = await _counted(scope, some)
        last = await _last(scope, sorted({account_id for account_id, _ in some}))
        rows = [{**row, "proration": proration.value} for row in _changed(scope, some, counted, last)]
        if rows:
            await scope.connection.execute(insert(quantity_changes), rows)
            noted = True
    return noted


def _changed(
    scope: Scope, places: Sequence[Place], counted: dict[Place, int], last: dict[Place, tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    for account_id, source in places:
        number, before = last.get((account_id, source), (0, 0))
        quantity = counted.get((account_id, source), 0)
        if quantity != before:
            yield {
                "tenant_id": scope.tenant_id,
                "account_id": account_id,
                "source": source,
                "change_id": number + 1,
                "change_time": scope.now,
                "quantity": quantity,
            }


async def _counted(scope: Scope, places: Sequence[Place]) -> dict[Place, int]:
    """How many there are now, of what may have changed."""
    many = func.count().label("many")
    found: dict[Place, int] = {}
    if with_users := sorted({account_id for account_id, source in places if not source}):
        users = select(_users.c.account_id, many).where(scope.own(AccountUserRow), _users.c.account_id.in_(with_users))
        rows = await scope.rows(users.group_by(_users.c.account_id))
        found |= {(row.account_id, ""): int(row.many) for row in rows}
    if with_seats := sorted({account_id for account_id, source in places if source}):
        seats = select(_seats.c.account_id, _seats.c.feature_key, many).where(
            scope.own(SeatRow), _seats.c.account_id.in_(with_seats)
        )
        rows = await scope.rows(seats.group_by(_seats.c.account_id, _seats.c.feature_key))
        found |= {(row.account_id, row.feature_key): int(row.many) for row in rows}
    return found


async def _last(scope: Scope, accounts: Sequence[str]) -> dict[Place, tuple[int, int]]:
    """The newest change of each source: its number, and the quantity after it."""
    own = _CHANGES.tenant_id == scope.tenant_id, _CHANGES.account_id.in_(accounts)
    newest = (
        select(_CHANGES.account_id, _CHANGES.source, func.max(_CHANGES.change_id).label("newest"))
        .where(*own)
        .group_by(_CHANGES.account_id, _CHANGES.source)
        .subquery()
    )
    same = and_(
        newest.c.account_id == _CHANGES.account_id,
        newest.c.source == _CHANGES.source,
        newest.c.newest == _CHANGES.change_id,
    )
    query = select(_CHANGES.account_id, _CHANGES.source, _CHANGES.change_id, _CHANGES.quantity).join(newest, same)
    rows = await scope.rows(query.where(*own))
    return {(row.account_id, row.source): (row.change_id, row.quantity) for row in rows}

"""What live subscriptions hold that their tenant's catalogue has not: for who looks at an installation from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from tallygate.storage.sql.failures import translated
from tallygate.storage.sql.models import (
    CatalogItemRow,
    SubscriptionAddOnRow,
    SubscriptionRow,
    SubscriptionTermRow,
    TenantRow,
)
from tallygate.storage.sql.scope import table_of

_tenants, _items = table_of(TenantRow).c, table_of(CatalogItemRow).c
_subscriptions = table_of(SubscriptionRow)
_terms, _add_ons = table_of(SubscriptionTermRow), table_of(SubscriptionAddOnRow)
_HELD = (
    ("plan", _terms, _terms.c.plan_key, _terms.c.plan_version),
    ("add_on", _add_ons, _add_ons.c.add_on_key, _add_ons.c.version),
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Missing:
    """A version of a plan (else of an add-on: `kind`) that an account holds, now or later, and that is not there."""

    tenant_id: str
    account_id: str
    kind: str
    key: str
    version: int


async def missing_items(engine: AsyncEngine, *, now: int) -> Sequence[Missing]:
    """Every one of all tenants but test ones, in order; `now` is real time, in microseconds.

    Raises:
        StoreUnavailableError: the database cannot be reached.
    """
    found: list[Missing] = []
    with translated():
        async with engine.connect() as connection:
            for kind, held, key, version in _HELD:
                columns = held.c.tenant_id, _subscriptions.c.account_id, key.label("key"), version.label("version")
                query = _held(select(*columns), held, now).where(~_published(kind, held, key, version)).distinct()
                rows = (await connection.execute(query)).mappings()
                found += [Missing(kind=kind, **row) for row in rows]
    return sorted(found)


def _held(query: Select[Any], held: Any, now: int) -> Select[Any]:  # noqa: ANN401 - either of two tables
    """What live subscriptions of real tenants hold, now or later."""
    own = _subscriptions.c
    same = and_(held.c.tenant_id == own.tenant_id, held.c.subscription_id == own.subscription_id)
    goes_on = [or_(ends.is_(None), ends > now) for ends in (own.end_time, held.c.end_time)]
    real = held.c.tenant_id.in_(select(_tenants.tenant_id).where(_tenants.test.is_(False)))
    return query.join_from(held, _subscriptions, same).where(own.live, *goes_on, real)


def _published(kind: str, held: Any, key: Any, version: Any) -> Any:  # noqa: ANN401 - either table, and its columns
    same = _items.tenant_id == held.c.tenant_id, _items.key == key, _items.version == version
    return select(_items.key).where(_items.kind == kind, *same).exists()

"""Discounts by agreement, and referrals, over SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, Table, and_, insert, select, update

from tallygate.domain.billing.discounts import DiscountGrant
from tallygate.domain.billing.referrals import Referral
from tallygate.storage.documents import DISCOUNT_TERMS
from tallygate.storage.sql.billing.discount_tables import discount_grants, referrals
from tallygate.storage.sql.scope import Scope

_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDiscountRepository:
    """Discounts and referrals of one tenant."""

    scope: Scope

    async def put(self, grant: DiscountGrant) -> None:
        """Add a discount, or replace it."""
        row = {
            "account_id": grant.account_id,
            "label": grant.text,
            "terms": DISCOUNT_TERMS.dump_python(grant.terms, mode="json", exclude_defaults=True),
            "start_time": grant.start_time,
            "end_time": grant.end_time,
            "create_time": grant.create_time,
        }
        await self._upsert(discount_grants, {"discount_id": grant.discount_id}, row)
        self.scope.changed(grant.account_id)

    async def get(self, discount_id: str) -> DiscountGrant | None:
        """One discount."""
        own = discount_grants.c.tenant_id == self.scope.tenant_id, discount_grants.c.discount_id == discount_id
        rows = await self.scope.rows(select(discount_grants).where(*own))
        return _grant(rows[0]) if rows else None

    async def of(self, account_id: str) -> Sequence[DiscountGrant]:
        """All discounts of an account, oldest first."""
        return await self.scope.of_one(discounts_of, account_id)

    async def referral(self, referee_id: str) -> Referral | None:
        """Who brought an account."""
        own = referrals.c.tenant_id == self.scope.tenant_id, referrals.c.referee_id == referee_id
        rows = await self.scope.rows(select(referrals).where(*own))
        return _referral(rows[0]) if rows else None

    async def put_referral(self, referral: Referral) -> None:
        """Note who did, or what came of it."""
        row = asdict(referral)
        await self._upsert(referrals, {"referee_id": row.pop("referee_id")}, row)

    async def referrals(self, referrer_id: str) -> Sequence[Referral]:
        """Whom an account brought, oldest first."""
        own = referrals.c.tenant_id == self.scope.tenant_id, referrals.c.referrer_id == referrer_id
        query = select(referrals).where(*own).order_by(referrals.c.create_time, referrals.c.referee_id).limit(_MOST)
        return [_referral(row) for row in await self.scope.rows(query)]

    async def _upsert(self, table: Table, key: Mapping[str, str], row: Mapping[str, Any]) -> None:
        whole = {"tenant_id": self.scope.tenant_id, **key}
        own = and_(*(table.c[name] == value for name, value in whole.items()))
        if not await self.scope.execute(update(table).where(own).values(**row)):
            await self.scope.connection.execute(insert(table), [{**whole, **row}])


async def discounts_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[DiscountGrant]]:
    """All discounts of accounts, oldest first."""
    own = discount_grants.c
    query = (
        select(discount_grants)
        .where(own.tenant_id == scope.tenant_id, own.account_id.in_(account_ids))
        .order_by(own.account_id, own.create_time, own.discount_id)
    )
    found: dict[str, list[DiscountGrant]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query):
        found[row.account_id].append(_grant(row))
    return found


def _grant(row: Row[Any]) -> DiscountGrant:
    return DiscountGrant(
        discount_id=row.discount_id,
        account_id=row.account_id,
        text=row.label,
        terms=DISCOUNT_TERMS.validate_python(row.terms),
        start_time=row.start_time,
        end_time=row.end_time,
        create_time=row.create_time,
    )


def _referral(row: Row[Any]) -> Referral:
    return Referral(**{name: getattr(row, name) for name in Referral.__dataclass_fields__})

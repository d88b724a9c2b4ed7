"""Coupons over SQL; what was redeemed and what was taken off never changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, exists, func, insert, or_, select, update

from tallygate.domain.billing.discounts import Coupon, Redemption
from tallygate.storage.documents import DISCOUNT_TERMS
from tallygate.storage.sql.billing.coupon_tables import coupon_redemptions, coupon_uses, coupons
from tallygate.storage.sql.billing.discount_tables import coupon_returns
from tallygate.storage.sql.newest import newest_first
from tallygate.storage.sql.scope import Scope

_COUPONS, _REDEEMED, _USES = coupons.c, coupon_redemptions.c, coupon_uses.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlCouponRepository:
    """Coupons of one tenant."""

    scope: Scope

    async def add(self, coupon: Coupon) -> None:
        """Add one."""
        row = {
            "tenant_id": self.scope.tenant_id,
            "code": coupon.code,
            "label": coupon.text,
            "terms": DISCOUNT_TERMS.dump_python(coupon.terms, mode="json", exclude_defaults=True),
            "start_time": coupon.start_time,
            "end_time": coupon.end_time,
            "max_uses": coupon.max_uses,
            "per_account": coupon.per_account,
            "archived": coupon.archived,
            "used": coupon.used,
            "create_time": coupon.create_time,
            "provider": coupon.provider,
        }
        await self.scope.connection.execute(insert(coupons), [row])

    async def get(self, code: str) -> Coupon | None:
        """The one of this folded code."""
        rows = await self.scope.rows(
            select(coupons).where(_COUPONS.tenant_id == self.scope.tenant_id, _COUPONS.code == code)
        )
        return _coupon(rows[0]) if rows else None

    async def list(self, *, before: tuple[int, str] | None, limit: int) -> Sequence[Coupon]:
        """Coupons, newest first."""
        query = select(coupons).where(_COUPONS.tenant_id == self.scope.tenant_id)
        tenant_id, key = self.scope.tenant_id, _COUPONS.code
        newest = newest_first(query, _COUPONS.create_time, key, tenant_id=tenant_id, before=before, limit=limit)
        return [_coupon(row) for row in await self.scope.rows(newest)]

    async def archive(self, code: str) -> None:
        """Let nobody redeem it from now on."""
        own = and_(_COUPONS.tenant_id == self.scope.tenant_id, _COUPONS.code == code)
        await self.scope.execute(update(coupons).where(own).values(archived=True))

    async def use(self, code: str) -> bool:
        """Count one more redemption, unless all are used: told by the row itself, whoever else writes."""
        own = and_(_COUPONS.tenant_id == self.scope.tenant_id, _COUPONS.code == code)
        left = or_(_COUPONS.max_uses.is_(None), _COUPONS.used < _COUPONS.max_uses)
        return bool(await self.scope.execute(update(coupons).where(own, left).values(used=_COUPONS.used + 1)))

    async def redeem(self, redemption: Redemption) -> None:
        """Note that an account redeemed one."""
        row = {
            "tenant_id": self.scope.tenant_id,
            "redemption_id": redemption.redemption_id,
            "code": redemption.code,
            "account_id": redemption.account_id,
            "subscription_id": redemption.subscription_id,
            "redeem_time": redemption.redeem_time,
            "terms": DISCOUNT_TERMS.dump_python(redemption.terms, mode="json", exclude_defaults=True),
            "actor_id": self.scope.author.key_id,
            "order_id": redemption.order_id,
        }
        await self.scope.connection.execute(insert(coupon_redemptions), [row])
        self.scope.changed(redemption.account_id)

    async def redeemed_by(self, account_id: str) -> Sequence[Redemption]:
        """All that an account redeemed, oldest first."""
        return await self.scope.of_one(redemptions_of, account_id)

    async def give_back(self, redemption_ids: Collection[str], *, now: int) -> None:
        """What was redeemed never was: each may be redeemed once more."""
        own = {"tenant_id": self.scope.tenant_id, "return_time": now}
        for redemption_id in sorted(redemption_ids):
            await self.scope.connection.execute(insert(coupon_returns), [{**own, "redemption_id": redemption_id}])
            named = and_(_REDEEMED.tenant_id == self.scope.tenant_id, _REDEEMED.redemption_id == redemption_id)
            (row,) = await self.scope.rows(select(coupon_redemptions).where(named))
            code = and_(_COUPONS.tenant_id == self.scope.tenant_id, _COUPONS.code == row.code, _COUPONS.used > 0)
            await self.scope.execute(update(coupons).where(code).values(used=_COUPONS.used - 1))
            self.scope.changed(row.account_id)

    async def note_uses(self, account_id: str, invoice_id: str, redemption_ids: Collection[str]) -> None:
        """Note which redemptions a document took off."""
        own = {"tenant_id": self.scope.tenant_id, "invoice_id": invoice_id}
        rows = [{**own, "redemption_id": redemption_id} for redemption_id in sorted(redemption_ids)]
        if rows:
            await self.scope.connection.execute(insert(coupon_uses), rows)
            self.scope.changed(account_id)


async def redemptions_of(scope: Scope, account_ids: Sequence[str]) -> Mapping[str, Sequence[Redemption]]:
    """All that accounts redeemed, oldest first, each with how many documents it took from."""
    same = and_(_USES.tenant_id == _REDEEMED.tenant_id, _USES.redemption_id == _REDEEMED.redemption_id)
    uses = select(func.count()).where(same).scalar_subquery()
    back = coupon_returns.c
    given_back = and_(back.tenant_id == _REDEEMED.tenant_id, back.redemption_id == _REDEEMED.redemption_id)
    query = (
        select(coupon_redemptions, uses.label("uses"))
        .where(
            _REDEEMED.tenant_id == scope.tenant_id, _REDEEMED.account_id.in_(account_ids), ~exists().where(given_back)
        )
        .order_by(_REDEEMED.account_id, _REDEEMED.redeem_time, _REDEEMED.redemption_id)
    )
    found: dict[str, list[Redemption]] = {account_id: [] for account_id in account_ids}
    for row in await scope.rows(query):
        found[row.account_id].append(_redemption(row))
    return found


def _coupon(row: Row[Any]) -> Coupon:
    return Coupon(
        code=row.code,
        text=row.label,
        terms=DISCOUNT_TERMS.validate_python(row.terms),
        start_time=row.start_time,
        end_time=row.end_time,
        max_uses=row.max_uses,
        per_account=row.per_account,
        archived=row.archived,
        used=row.used,
        create_time=row.create_time,
        provider=row.provider or "",
    )


def _redemption(row: Row[Any]) -> Redemption:
    return Redemption(
        redemption_id=row.redemption_id,
        code=row.code,
        account_id=row.account_id,
        subscription_id=row.subscription_id,
        redeem_time=row.redeem_time,
        terms=DISCOUNT_TERMS.validate_python(row.terms),
        order_id=row.order_id or "",
        uses=row.uses,
    )

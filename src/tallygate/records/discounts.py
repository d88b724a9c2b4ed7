"""What is kept of coupons: what they say, who redeemed them, and what they took from."""

from collections.abc import Collection, Sequence
from typing import Protocol

from tallygate.domain.billing.discounts import Coupon, DiscountGrant, Redemption
from tallygate.domain.billing.referrals import Referral


class CouponRepository(Protocol):
    """Coupons of one tenant."""

    async def add(self, coupon: Coupon) -> None:
        """Add one; there is none of its code."""
        ...

    async def get(self, code: str) -> Coupon | None:
        """The one of this folded code."""
        ...

    async def list(self, *, before: tuple[int, str] | None, limit: int) -> Sequence[Coupon]:
        """Coupons, newest first, those behind an instant of creation and code."""
        ...

    async def archive(self, code: str) -> None:
        """Let nobody redeem it from now on."""
        ...

    async def use(self, code: str) -> bool:
        """Count one more redemption, unless all that it allows are used."""
        ...

    async def redeem(self, redemption: Redemption) -> None:
        """Note that an account redeemed one."""
        ...

    async def redeemed_by(self, account_id: str) -> Sequence[Redemption]:
        """All that an account redeemed, oldest first, each with how many documents it took from."""
        ...

    async def note_uses(self, account_id: str, invoice_id: str, redemption_ids: Collection[str]) -> None:
        """Note which redemptions a document took off."""
        ...

    async def give_back(self, redemption_ids: Collection[str], *, now: int) -> None:
        """What was redeemed never was: each may be redeemed once more."""
        ...


class DiscountRepository(Protocol):
    """Discounts by agreement, and referrals, of one tenant."""

    async def put(self, grant: DiscountGrant) -> None:
        """Add a discount, or replace it."""
        ...

    async def get(self, discount_id: str) -> DiscountGrant | None:
        """One discount."""
        ...

    async def of(self, account_id: str) -> Sequence[DiscountGrant]:
        """All discounts of an account, oldest first."""
        ...

    async def referral(self, referee_id: str) -> Referral | None:
        """Who brought an account."""
        ...

    async def put_referral(self, referral: Referral) -> None:
        """Note who did, or what came of it."""
        ...

    async def referrals(self, referrer_id: str) -> Sequence[Referral]:
        """Whom an account brought, oldest first, at most 1,000."""
        ...

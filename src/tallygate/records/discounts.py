"""What is kept of coupons: what they say, who redeemed them, and what they took from."""

from collections.abc import Collection, Sequence
from typing import Protocol

from tallygate.domain.billing.discounts import Coupon, Redemption


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

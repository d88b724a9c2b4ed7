"""What is off an account's documents: by agreement first, then coupons in the order in which they were redeemed."""

from tallygate.domain.billing.discounts import Redemption
from tallygate.records.ports import BillingWork


async def reductions_of(work: BillingWork, account_id: str) -> tuple[Redemption, ...]:
    """All that was agreed with an account and that it redeemed, in the order in which it is taken off."""
    granted = [grant.reduction for grant in await work.discounts.of(account_id)]
    return (*granted, *(await work.coupons.redeemed_by(account_id)))

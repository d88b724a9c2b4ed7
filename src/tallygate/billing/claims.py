"""Claims: minted with the order that sold them, redeemed once, for nothing."""

from dataclasses import dataclass, replace

from tallygate.billing.desk import SubscriptionDesk
from tallygate.billing.purchases import subscribe_paid
from tallygate.domain.billing.claims import Claim, hash_of, mint_code
from tallygate.domain.billing.orders import Order, OrderState
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.order_errors import (
    ClaimNotFoundError,
    ClaimRedeemedError,
    ClaimReplacedError,
    OrderClosedError,
    OrderNotFoundError,
)
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork, NewId

_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """Who redeemed a claim, of which order, and the subscription that it became."""

    order_id: str
    account_id: str
    subscription_id: str


async def mint_claim(work: BillingWork, order: Order, index: int, entropy: bytes, *, now: int) -> str:
    """Make the claim of an item, and its code, which nobody is shown again."""
    code = mint_code(entropy)
    await work.claims.put(
        Claim(
            code_hash=hash_of(code),
            order_id=order.order_id,
            item=index,
            email=order.items[index].email,
            create_time=now,
        )
    )
    return code


async def replace_code(work: BillingWork, order_id: str, item: int, entropy: bytes, *, now: int) -> tuple[Order, str]:
    """Give an item's claim another code, which nobody is shown again, and its order; the one before is refused.

    Raises:
        OrderNotFoundError: there is no such order.
        OrderClosedError: it was not completed, or not paid in time.
        InvalidFieldError: the item has no claim.
        ClaimRedeemedError: it was redeemed.
    """
    order = await work.orders.get(order_id)
    if order is None:
        raise OrderNotFoundError(order_id=order_id)
    if order.state in {OrderState.OPEN, OrderState.EXPIRED}:
        raise OrderClosedError(order_id=order_id, state=order.state.value)
    claim = await work.claims.of_item(order_id, item)
    if claim is None:
        raise InvalidFieldError(field="item", expected="an item that was bought for an e-mail", got=item)
    if claim.redeem_time is not None:
        raise ClaimRedeemedError(order_id=order_id, account_id=claim.account_id)
    code = mint_code(entropy)
    await work.claims.replace(claim, hash_of(code), now=now)
    return order, code


async def redeem_claim(
    work: BillingWork, code: str, account_id: str, desk: SubscriptionDesk, *, now: int, new_id: NewId
) -> Redeemed:
    """Give an account what was bought for the holder of a code; the same account again is answered the same.

    Raises:
        AccountNotFoundError: there is no such account.
        ClaimNotFoundError: nothing is to be had for this code.
        ClaimRedeemedError: another account had it.
        ClaimReplacedError: another code took the place of this one.
        TallygateError: the account cannot have it now.
    """
    await known_account(work, account_id)
    claim = await work.claims.get(hash_of(code))
    if claim is None and await work.claims.was_replaced(hash_of(code)):
        raise ClaimReplacedError(code=f"{code[:_SHOWN]}...")
    order = await work.orders.get(claim.order_id) if claim is not None else None
    ordered = order.items[claim.item].subscription if claim is not None and order is not None else None
    if claim is None or order is None or ordered is None or order.state is OrderState.EXPIRED:
        raise ClaimNotFoundError(code=f"{code[:_SHOWN]}...")
    if claim.redeem_time is not None:
        if claim.account_id != account_id:
            raise ClaimRedeemedError(code=f"{code[:_SHOWN]}...")
        return Redeemed(order_id=claim.order_id, account_id=account_id, subscription_id=claim.subscription_id)
    number = f"{claim.order_id}/{claim.item}"
    named = await subscribe_paid(work, account_id, ordered, desk, number=number, now=now, new_id=new_id)
    await work.claims.put(replace(claim, account_id=account_id, subscription_id=named, redeem_time=now))
    items = list(order.items)
    items[claim.item] = replace(items[claim.item], subscription_id=named)
    await work.orders.put(replace(order, items=tuple(items)))
    return Redeemed(order_id=claim.order_id, account_id=account_id, subscription_id=named)

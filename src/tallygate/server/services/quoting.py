"""What a plan would cost with all that the buyer named, and which of it costs least."""

from collections.abc import Sequence

from tallygate.billing.coupons import Redeemer, redeemable
from tallygate.billing.quotes import Less, Quote, quote
from tallygate.billing.suggesting import options_with, suggest
from tallygate.control_plane.advance import is_left_by_its_trial, proposed_advance
from tallygate.control_plane.bookings import check_seats
from tallygate.control_plane.subscriptions import new_subscription
from tallygate.domain.billing.advance import Option, advance_price, options
from tallygate.domain.billing.discounts import Redemption
from tallygate.records.lookup import account_record, known_account, plan_on_sale
from tallygate.records.ports import BillingWork
from tallygate.server.wire.quote import Asked, encode_quote
from tallygate_api.v1 import pricing_service_pb2 as wire


async def quote_with_options(work: BillingWork, asked: Asked, *, now: int) -> wire.QuoteResponse:
    """The quote that was asked for, the ways to pay, and the one that costs least.

    Raises:
        TallygateError: what is asked for cannot be had.
    """
    wanted, catalog = asked.subscription, await work.catalog.load()
    if wanted.account_id:
        await known_account(work, wanted.account_id)
    plan = plan_on_sale(catalog, wanted.plan_key, wanted.plan_version)
    await _check_given(work, asked, now)
    named, plan_keys = wanted.subscription_id, [wanted.plan_key]
    by = Redeemer(
        account_id=wanted.account_id, subscription_id=named, plan_keys=plan_keys, in_advance=bool(asked.length)
    )
    coupons = await redeemable(work, asked.codes, by, now=now)
    agreed = [grant.reduction for grant in await work.discounts.of(wanted.account_id)] if wanted.account_id else []
    found = await _priced(work, asked, asked.length, [*agreed, *coupons], now)
    price = advance_price(plan)
    currency = (price.currency if price is not None else "") or catalog.currency
    offered = await _offered(work, asked, options(plan, currency=catalog.currency), now)

    async def charged(length: int, redemptions: Sequence[Redemption]) -> int:
        documents = (await _priced(work, asked, length, [*agreed, *redemptions], now)).opening
        return sum(each.total for each in documents if each.currency == currency)

    suggestion = await suggest(offered, coupons, charged, currency=currency)
    return encode_quote(found, options_with(offered, coupons), suggestion, currency)


async def _check_given(work: BillingWork, asked: Asked, now: int) -> None:
    """What nobody may take is not quoted, as it is not sold."""
    account_id, subscription = asked.subscription.account_id, await new_subscription(work, asked.subscription, now=now)
    record = await account_record(work, account_id) if account_id else None
    check_seats(await work.catalog.load(), record, subscription, asked.quantities)


async def _priced(work: BillingWork, asked: Asked, length: int, coupons: Sequence[Redemption], now: int) -> Quote:
    subscription, own = await new_subscription(work, asked.subscription, now=now), []
    if length:
        account_id = asked.subscription.account_id
        subscription, advance = await proposed_advance(work, account_id, subscription, length, open_end=True)
        own = [advance]
    return await quote(
        work,
        subscription,
        buyer=asked.buyer,
        quantities=asked.quantities,
        usage=asked.usage,
        less=Less(own=own, redemptions=coupons),
        now=now,
    )


async def _offered(work: BillingWork, asked: Asked, found: Sequence[Option], now: int) -> Sequence[Option]:
    """The ways to pay that this subscription has: where another plan or nothing follows a trial, by the period."""
    subscription = await new_subscription(work, asked.subscription, now=now)
    return found[:1] if is_left_by_its_trial(subscription) else found

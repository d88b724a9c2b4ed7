"""Coupons: made once, redeemed with a subscription in its own transaction, never more often than they say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tallygate.domain.billing.discounts import (
    Coupon,
    DiscountTerms,
    DiscountType,
    Redemption,
    folded,
    takes_all,
)
from tallygate.domain.currency import decimals_of
from tallygate.domain.discount_errors import (
    CouponExhaustedError,
    CouponExpiredError,
    CouponNotApplicableError,
    CouponNotFoundError,
)
from tallygate.domain.errors import ConflictError, InvalidFieldError
from tallygate.domain.instants import rfc3339
from tallygate.domain.prices import exact
from tallygate.records.fields import check_id, check_label
from tallygate.records.lookup import feature_of, plan_on_sale
from tallygate.records.paging import FIRST_PAGE, Page, PageRequest, newest_of
from tallygate.records.ports import BillingWork, NewId

USUAL_TIME = 30 * 86_400_000_000
"""How long a coupon may be redeemed where nothing else is said, in microseconds."""
_HUNDRED, _MOST_DIGITS, _MOST_CODES = 100, 15, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCoupon:
    """A coupon to create; without times it may be redeemed for 30 days from now."""

    code: str
    text: str
    terms: DiscountTerms
    start_time: int | None = None
    end_time: int | None = None
    max_uses: int | None = None
    per_account: int | None = 1
    provider: str = ""


async def create_coupon(work: BillingWork, request: CreateCoupon, *, now: int) -> Coupon:
    """Create a coupon; the same once more changes nothing.

    Raises:
        InvalidFieldError: a field is wrong.
        PlanNotFoundError, FeatureNotFoundError: it names one that there is not.
        ConflictError: another coupon has this code.
    """
    code = folded(request.code)
    check_id("coupon.code", code)
    if any(character.isspace() for character in code):
        raise InvalidFieldError(field="coupon.code", expected="no spaces", got=code)
    check_label("coupon.text", request.text)
    if request.terms.type is DiscountType.AMOUNT and not request.terms.currency:
        own = (await work.tenants.get()).currency
        request = replace(request, terms=replace(request.terms, currency=own))
    await check_terms(work, request.terms, path="coupon")
    known = await work.coupons.get(code)
    start = request.start_time if request.start_time is not None else (known.start_time if known else now)
    end = request.end_time if request.end_time is not None else (known.end_time if known else start + USUAL_TIME)
    if end <= start:
        raise InvalidFieldError(field="coupon.end_time", expected=f"later than {rfc3339(start)}", got=rfc3339(end))
    for name in ("max_uses", "per_account"):
        most = getattr(request, name)
        if most is not None and most < 1:
            raise InvalidFieldError(field=f"coupon.{name}", expected="1 or more, or none", got=most)
    coupon = Coupon(
        code=code,
        text=request.text,
        terms=request.terms,
        start_time=start,
        end_time=end,
        max_uses=request.max_uses,
        per_account=request.per_account,
        create_time=now,
        provider=request.provider,
    )
    if known is None:
        await work.coupons.add(coupon)
        return coupon
    if replace(known, used=0, archived=False, create_time=now) != coupon:
        raise ConflictError(code=code)
    return known


async def get_coupon(work: BillingWork, code: str) -> Coupon:
    """One coupon.

    Raises:
        CouponNotFoundError: there is none of this code.
    """
    coupon = await work.coupons.get(folded(code))
    if coupon is None:
        raise CouponNotFoundError(code=folded(code))
    return coupon


async def archive_coupon(work: BillingWork, code: str) -> Coupon:
    """Let nobody redeem a coupon any more; what was redeemed stays."""
    coupon = await get_coupon(work, code)
    await work.coupons.archive(coupon.code)
    return replace(coupon, archived=True)


async def list_coupons(work: BillingWork, page: PageRequest = FIRST_PAGE) -> Page[Coupon]:
    """Coupons, newest first."""
    return await newest_of(
        page,
        lambda before, limit: work.coupons.list(before=before, limit=limit),
        lambda coupon: (coupon.create_time, coupon.code),
    )


async def check_coupon(
    work: BillingWork, code: str, *, account_id: str, plan_keys: Collection[str], now: int
) -> Coupon:
    """The coupon, if it may be redeemed now for one of these plans (none: any), by an account where one is named.

    Raises:
        CouponNotFoundError: there is none of this code, or it is archived.
        CouponExpiredError: its time is over.
        CouponNotApplicableError: its time has not come, or it is for other plans, or another provider's.
        CouponExhaustedError: it was redeemed as often as it says.
    """
    coupon = await get_coupon(work, code)
    if coupon.archived:
        raise CouponNotFoundError(code=coupon.code)
    if now >= coupon.end_time:
        raise CouponExpiredError(code=coupon.code, end_time=rfc3339(coupon.end_time))
    if now < coupon.start_time:
        raise CouponNotApplicableError(code=coupon.code, expected=f"not before {rfc3339(coupon.start_time)}")
    await _check_plans(work, coupon, plan_keys)
    await _check_uses(work, coupon, account_id)
    return coupon


async def _check_plans(work: BillingWork, coupon: Coupon, plan_keys: Collection[str]) -> None:
    own = await _plans_of(work, coupon)
    if plan_keys and not own.intersection(plan_keys):
        owner = coupon.provider or "the tenant"
        raise CouponNotApplicableError(code=coupon.code, expected=f"a plan of {owner}, whose coupon it is")
    if coupon.terms.plans and plan_keys and not set(coupon.terms.plans).intersection(plan_keys):
        raise CouponNotApplicableError(code=coupon.code, expected=f"one of {', '.join(coupon.terms.plans)}")


async def _check_uses(work: BillingWork, coupon: Coupon, account_id: str) -> None:
    if coupon.max_uses is not None and coupon.used >= coupon.max_uses:
        raise CouponExhaustedError(code=coupon.code, max_uses=coupon.max_uses)
    if account_id and coupon.per_account is not None:
        own = [each for each in await work.coupons.redeemed_by(account_id) if each.code == coupon.code]
        if len(own) >= coupon.per_account:
            raise CouponExhaustedError(code=coupon.code, per_account=coupon.per_account)


async def _plans_of(work: BillingWork, coupon: Coupon) -> frozenset[str]:
    """The plans of a coupon's owner."""
    catalog = await work.catalog.load()
    return frozenset(key for key in catalog.plans if (plan := catalog.plan(key)) and plan.provider == coupon.provider)


async def _scoped(work: BillingWork, coupon: Coupon) -> DiscountTerms:
    """What a coupon takes off: of its owner's plans alone, where others sell beside it."""
    own = await _plans_of(work, coupon)
    if coupon.terms.plans or own == frozenset((await work.catalog.load()).plans):
        return coupon.terms
    return replace(coupon.terms, plans=tuple(sorted(own)))


def check_codes(codes: Sequence[str]) -> list[str]:
    """Codes to redeem together, folded.

    Raises:
        InvalidFieldError: a code comes twice, or there are too many.
    """
    wanted = [folded(code) for code in codes]
    if len(set(wanted)) < len(wanted) or len(wanted) > _MOST_CODES:
        raise InvalidFieldError(field="coupon_codes", expected=f"at most {_MOST_CODES} codes, each once")
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemer:
    """Who redeems coupons, for which subscription and with which order (empty: for none), and for which plans.

    With an order they are for what it sells outright as well. `in_advance`: several periods are paid at once.
    """

    account_id: str
    subscription_id: str
    plan_keys: Collection[str]
    order_id: str = ""
    in_advance: bool = False


async def redeemable(work: BillingWork, codes: Sequence[str], by: Redeemer, *, now: int) -> list[Redemption]:
    """Coupons as if they were redeemed; nothing is written.

    Raises:
        InvalidFieldError: a code comes twice, or there are too many.
        CouponNotFoundError, CouponExpiredError, CouponNotApplicableError, CouponExhaustedError: see `check_coupon`.
    """
    found = []
    for code in check_codes(codes):
        coupon = await check_coupon(work, code, account_id=by.account_id, plan_keys=by.plan_keys, now=now)
        if by.in_advance and takes_all(coupon.terms):
            expected = "what is paid by its period: it takes all off, and nothing would be paid in advance"
            raise CouponNotApplicableError(code=code, expected=expected)
        found.append(
            Redemption(
                redemption_id=f"quoted/{code}",
                code=code,
                account_id=by.account_id,
                subscription_id=by.subscription_id,
                redeem_time=now,
                terms=await _scoped(work, coupon),
                order_id=by.order_id,
            )
        )
    return found


async def redeem(work: BillingWork, codes: Sequence[str], by: Redeemer, *, now: int, new_id: NewId) -> None:
    """Redeem coupons in the transaction of what they are for: all of them, or that is not made.

    Raises:
        InvalidFieldError: a code comes twice, or there are too many.
        CouponNotFoundError, CouponExpiredError, CouponNotApplicableError, CouponExhaustedError: see `check_coupon`.
    """
    for redemption in await redeemable(work, codes, by, now=now):
        if not await work.coupons.use(redemption.code):
            raise CouponExhaustedError(code=redemption.code)
        await work.coupons.redeem(replace(redemption, redemption_id=f"red_{new_id()}"))


async def check_terms(work: BillingWork, terms: DiscountTerms, *, path: str) -> None:
    """Check what is to be taken off, and off what; `path` is where it stands in the request.

    Raises:
        InvalidFieldError: a field is wrong.
        PlanNotFoundError, FeatureNotFoundError: it names one that there is not.
    """
    value = exact(terms.value)
    if terms.type is DiscountType.PERCENTAGE:
        if not 0 < value <= _HUNDRED:
            raise InvalidFieldError(field=f"{path}.percent_off", expected="more than 0, at most 100", got=terms.value)
    else:
        currency = (await work.tenants.get()).currency
        if terms.currency != currency:
            expected = f"the tenant's currency, {currency}"
            raise InvalidFieldError(field=f"{path}.amount_off.currency_code", expected=expected, got=terms.currency)
        if not value > 0 or (value * 10 ** decimals_of(currency)).denominator != 1 or value >= 10**_MOST_DIGITS:
            decimals = decimals_of(currency)
            expected = f"more than 0, with at most {decimals} decimals" if decimals else "more than 0, without decimals"
            raise InvalidFieldError(field=f"{path}.amount_off", expected=expected, got=terms.value)
    if terms.invoices is not None and terms.invoices < 1:
        raise InvalidFieldError(field=f"{path}.invoices", expected="1 or more", got=terms.invoices)
    catalog = await work.catalog.load()
    for plan_key in terms.plans:
        plan_on_sale(catalog, plan_key, None)
    for feature_key in terms.features:
        feature_of(catalog, feature_key)

"""DiscountService: coupons."""

from tallygate.billing.coupons import archive_coupon, check_coupon, create_coupon, list_coupons
from tallygate.domain.billing.advance import advance_price, options
from tallygate.domain.billing.discounts import Coupon, takes_all
from tallygate.domain.fields import checked_page
from tallygate.records.lookup import known_account, plan_on_sale
from tallygate.records.paging import PageRequest
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.agreement_methods import AgreementMethods
from tallygate.server.wire.coupon import decode_coupon, encode_coupon, encode_option
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import discount_service_pb2 as wire

_USUAL_PAGE, _LARGEST_PAGE = 25, 100


class DiscountServicer(AgreementMethods):
    """Serves DiscountService."""

    async def CreateCoupon(self, request: wire.CreateCouponRequest, call: Call) -> wire.CreateCouponResponse:  # noqa: N802 - the wire's name
        """Create a coupon."""
        wanted = decode_coupon(request)
        written = await self._work.write(call, lambda work, now: create_coupon(work, wanted, now=now))
        return wire.CreateCouponResponse(coupon=encode_coupon(written.value))

    async def ListCoupons(self, request: wire.ListCouponsRequest, call: Call) -> wire.ListCouponsResponse:  # noqa: N802 - the wire's name
        """Coupons, newest first."""
        size = checked_page(request.page_size, usual=_USUAL_PAGE, most=_LARGEST_PAGE)
        page = PageRequest(page_size=size, page_token=request.page_token)
        found = await self._work.read(call, lambda work, _: list_coupons(work, page))
        coupons = [encode_coupon(coupon) for coupon in found.items]
        return wire.ListCouponsResponse(coupons=coupons, next_page_token=found.next_page_token)

    async def ArchiveCoupon(self, request: wire.ArchiveCouponRequest, call: Call) -> wire.ArchiveCouponResponse:  # noqa: N802 - the wire's name
        """Let nobody redeem one any more."""
        code = identifier(request.code, "code")
        written = await self._work.write(call, lambda work, _: archive_coupon(work, code))
        return wire.ArchiveCouponResponse(coupon=encode_coupon(written.value))

    async def ListPaymentOptions(  # noqa: N802 - the wire's name
        self, request: wire.ListPaymentOptionsRequest, call: Call
    ) -> wire.ListPaymentOptionsResponse:
        """The ways to pay a plan."""
        plan_key = identifier(request.plan_key, "plan_key")
        code = optional_identifier(request.coupon_code, "coupon_code")

        async def found(work: BillingWork, now: int) -> wire.ListPaymentOptionsResponse:
            catalog = await work.catalog.load()
            plan = plan_on_sale(catalog, plan_key, None)
            offered = options(plan, currency=catalog.currency)
            if code:
                coupon = await check_coupon(work, code, account_id="", plan_keys=[plan_key], now=now)
                offered = offered[:1] if takes_all(coupon.terms) else offered
            price = advance_price(plan)
            currency = (price.currency if price is not None else "") or catalog.currency
            return wire.ListPaymentOptionsResponse(options=[encode_option(one, currency) for one in offered])

        return await self._work.read(call, found)

    async def CheckCoupon(self, request: wire.CheckCouponRequest, call: Call) -> wire.CheckCouponResponse:  # noqa: N802 - the wire's name
        """Whether a coupon may be redeemed."""
        code = identifier(request.code, "code")
        account_id = optional_identifier(request.account_id, "account_id")
        plan_key = optional_identifier(request.plan_key, "plan_key")

        async def checked(work: BillingWork, now: int) -> Coupon:
            if account_id:
                await known_account(work, account_id)
            plans = [plan_key] if plan_key else []
            return await check_coupon(work, code, account_id=account_id, plan_keys=plans, now=now)

        return wire.CheckCouponResponse(coupon=encode_coupon(await self._work.read(call, checked)))

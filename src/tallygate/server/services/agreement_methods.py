"""The methods of DiscountService about what is off by agreement, and what is given for a referral."""

from collections.abc import Sequence

from tallygate.billing.agreements import create_referral, end_discount, grant_discount
from tallygate.domain.billing.discounts import DiscountGrant
from tallygate.domain.billing.referrals import Referral
from tallygate.records.lookup import known_account
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.coupon import decode_grant, encode_grant, encode_referral
from tallygate.server.wire.fee import decode_whole_money
from tallygate.server.wire.scalars import identifier
from tallygate_api.v1 import discount_service_pb2 as wire


class AgreementMethods:
    """Agree, end and list discounts; note and list referrals."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GrantDiscount(self, request: wire.GrantDiscountRequest, call: Call) -> wire.GrantDiscountResponse:  # noqa: N802 - the wire's name
        """Take something off for an account."""
        grant, start = decode_grant(request.discount, self._work.new_id())
        written = await self._work.write(call, lambda work, now: grant_discount(work, grant, start=start, now=now))
        return wire.GrantDiscountResponse(discount=encode_grant(written.value))

    async def EndDiscount(self, request: wire.EndDiscountRequest, call: Call) -> wire.EndDiscountResponse:  # noqa: N802 - the wire's name
        """Let a discount end."""
        account_id = identifier(request.account_id, "account_id")
        named = identifier(request.discount_id, "discount_id")
        written = await self._work.write(call, lambda work, now: end_discount(work, account_id, named, now=now))
        return wire.EndDiscountResponse(discount=encode_grant(written.value))

    async def ListDiscounts(self, request: wire.ListDiscountsRequest, call: Call) -> wire.ListDiscountsResponse:  # noqa: N802 - the wire's name
        """What was agreed with an account."""
        account_id = identifier(request.account_id, "account_id")

        async def load(work: BillingWork, _now: int) -> Sequence[DiscountGrant]:
            await known_account(work, account_id)
            return await work.discounts.of(account_id)

        return wire.ListDiscountsResponse(discounts=[encode_grant(each) for each in await self._work.read(call, load)])

    async def CreateReferral(self, request: wire.CreateReferralRequest, call: Call) -> wire.CreateReferralResponse:  # noqa: N802 - the wire's name
        """Note who referred an account."""
        referrer = identifier(request.referrer_account_id, "referrer_account_id")
        referee = identifier(request.referee_account_id, "referee_account_id")

        async def create(work: BillingWork, now: int) -> Referral:
            own = (await work.tenants.get()).currency
            amount, currency = decode_whole_money(request.amount, "amount", usual=own)
            wanted = Referral(
                referee_id=referee, referrer_id=referrer, currency=currency, amount=amount, create_time=now
            )
            return await create_referral(work, wanted, now=now)

        written = await self._work.write(call, create)
        return wire.CreateReferralResponse(referral=encode_referral(written.value))

    async def ListReferrals(self, request: wire.ListReferralsRequest, call: Call) -> wire.ListReferralsResponse:  # noqa: N802 - the wire's name
        """Whom an account referred."""
        account_id = identifier(request.account_id, "account_id")

        async def load(work: BillingWork, _now: int) -> Sequence[Referral]:
            await known_account(work, account_id)
            return await work.discounts.referrals(account_id)

        found = await self._work.read(call, load)
        return wire.ListReferralsResponse(referrals=[encode_referral(each) for each in found])

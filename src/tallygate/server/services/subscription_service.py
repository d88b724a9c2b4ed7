"""SubscriptionService: who holds which plan, since when and until when."""

from collections.abc import Iterable
from typing import Protocol

from tallygate.billing.attempts import Moment
from tallygate.billing.change_invoices import invoice_change
from tallygate.billing.coupons import Redeemer, redeem
from tallygate.billing.paying_out import PaidOut, pay_out_end
from tallygate.control_plane.advance import pay_in_advance
from tallygate.control_plane.booking_changes import proposed_booking
from tallygate.control_plane.pauses import proposed_pause, proposed_resumption
from tallygate.control_plane.proposals import Proposal, When, proposed_add_on, proposed_plan
from tallygate.control_plane.renewals import RenewSubscription
from tallygate.control_plane.subscription_changes import (
    cancel_subscription,
    extend_subscription,
    extend_trial,
    make,
    renew_subscription,
    set_state,
)
from tallygate.control_plane.subscriptions import (
    create_subscription,
)
from tallygate.domain.billing.refunds import Refund
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.fields import check_text
from tallygate.records.ports import BillingWork
from tallygate.records.transactions import UseCase, Written
from tallygate.records.values import StoredSubscription
from tallygate.server.calls.method import Call
from tallygate.server.services.held_methods import HeldMethods
from tallygate.server.services.showing import shown
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import (
    identifier,
    optional_instant,
    quantity,
)
from tallygate.server.wire.subscription import (
    STATE,
    decode_booking,
    decode_cancel,
    decode_change_plan,
    decode_create,
    decode_invoice_now,
    decode_pause,
    decode_set_add_on,
)
from tallygate_api.v1 import invoice_pb2, subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire

_Change = (
    wire.CreateSubscriptionRequest
    | wire.ExtendTrialRequest
    | wire.CancelSubscriptionRequest
    | wire.ExtendSubscriptionRequest
    | wire.RenewSubscriptionRequest
    | wire.SetSubscriptionStateRequest
    | wire.PauseSubscriptionRequest
    | wire.ResumeSubscriptionRequest
)
_Charged = tuple[subscription_pb2.Subscription, list[invoice_pb2.Invoice]]
"""A subscription after a change, and the documents that were issued for it at once."""


class Refunds(Protocol):
    """What asks gateways for money back."""

    async def send(self, tenant_id: str, parts: Iterable[Refund]) -> list[Refund]:
        """Give back what was begun."""
        ...


class SubscriptionServicer(HeldMethods):
    """Serves SubscriptionService."""

    def __init__(self, work: TenantWork, refunds: Refunds) -> None:
        super().__init__(work)
        self._refunds = refunds

    async def CreateSubscription(  # noqa: N802 - the wire's name
        self, request: wire.CreateSubscriptionRequest, call: Call
    ) -> wire.CreateSubscriptionResponse:
        """Subscribe an account, with its trial and add-ons, in one step."""
        wanted, new_id, codes = decode_create(request), self._work.new_id, list(request.coupon_codes)

        async def create(work: BillingWork, now: int) -> StoredSubscription:
            held = await create_subscription(work, wanted, now=now, new_id=new_id)
            if request.advance_length:
                length = quantity(request.advance_length, "advance_length", at_least=1)
                held = await pay_in_advance(work, held, length, open_end=wanted.end_time is None)
            plan_key, named = held.subscription.terms[0].plan_key, held.subscription.subscription_id
            by = Redeemer(
                account_id=held.account_id,
                subscription_id=named,
                plan_keys=[plan_key],
                in_advance=bool(request.advance_length),
            )
            await redeem(work, codes, by, now=now, new_id=new_id)
            return held

        subscription, version = await self._change(call, request, create)
        return wire.CreateSubscriptionResponse(subscription=subscription, view_version=version)

    async def ChangePlan(self, request: wire.ChangePlanRequest, call: Call) -> wire.ChangePlanResponse:  # noqa: N802 - the wire's name
        """Change the plan, or its version."""
        change = decode_change_plan(request)
        written = await self._charge(call, request, lambda work, now: proposed_plan(work, change, now=now))
        subscription, invoices = written.value
        return wire.ChangePlanResponse(subscription=subscription, view_version=written.view_version, invoices=invoices)

    async def SetAddOn(self, request: wire.SetAddOnRequest, call: Call) -> wire.SetAddOnResponse:  # noqa: N802 - the wire's name
        """Hold an add-on in some quantity from now on."""
        change = decode_set_add_on(request)
        written = await self._charge(call, request, lambda work, now: proposed_add_on(work, change, now=now))
        subscription, invoices = written.value
        return wire.SetAddOnResponse(subscription=subscription, view_version=written.view_version, invoices=invoices)

    async def BookQuantity(  # noqa: N802 - the wire's name
        self, request: wire.BookQuantityRequest, call: Call
    ) -> wire.BookQuantityResponse:
        """Book seats or users from now on."""
        change = decode_booking(request)
        written = await self._charge(call, request, lambda work, now: proposed_booking(work, change, now=now))
        subscription, invoices = written.value
        return wire.BookQuantityResponse(
            subscription=subscription, view_version=written.view_version, invoices=invoices
        )

    async def ExtendTrial(self, request: wire.ExtendTrialRequest, call: Call) -> wire.ExtendTrialResponse:  # noqa: N802 - the wire's name
        """Move the end of a trial."""
        account_id = identifier(request.account_id, "account_id")
        end = optional_instant(request, "trial_end_time")
        if end is None:
            raise InvalidFieldError(field="trial_end_time", expected="the trial's new end")
        subscription, version = await self._change(
            call, request, lambda work, now: extend_trial(work, account_id, end, now=now)
        )
        return wire.ExtendTrialResponse(subscription=subscription, view_version=version)

    async def CancelSubscription(  # noqa: N802 - the wire's name
        self, request: wire.CancelSubscriptionRequest, call: Call
    ) -> wire.CancelSubscriptionResponse:
        """Give the subscription an end."""
        change = decode_cancel(request)
        if request.refund:
            return await self._cancel_with_refund(call, request)
        subscription, version = await self._change(
            call, request, lambda work, now: cancel_subscription(work, change, now=now)
        )
        return wire.CancelSubscriptionResponse(subscription=subscription, view_version=version)

    async def _cancel_with_refund(
        self, call: Call, request: wire.CancelSubscriptionRequest
    ) -> wire.CancelSubscriptionResponse:
        """End it now, and pay back what that credits: gateways are asked when it is committed."""
        change = decode_cancel(request)
        if change.when is not When.NOW:
            raise InvalidFieldError(field="refund", expected="an end now: CHANGE_WHEN_NOW")

        async def cancel(work: BillingWork, now: int) -> tuple[subscription_pb2.Subscription, PaidOut]:
            held = await cancel_subscription(work, change, now=now)
            paid_out = await pay_out_end(work, change.account_id, Moment(now=now, real=self._work.clock()))
            return await shown(work, held, now), paid_out

        written = await self._work.write(call, cancel, reason=check_text("reason", request.reason))
        subscription, paid_out = written.value
        await self._refunds.send(call.tenant_id, paid_out.parts)
        return wire.CancelSubscriptionResponse(
            subscription=subscription,
            view_version=written.view_version,
            invoices=[encode_invoice(invoice) for invoice in paid_out.invoices],
        )

    async def ExtendSubscription(  # noqa: N802 - the wire's name
        self, request: wire.ExtendSubscriptionRequest, call: Call
    ) -> wire.ExtendSubscriptionResponse:
        """Move the end of a subscription."""
        account_id, end = identifier(request.account_id, "account_id"), optional_instant(request, "end_time")
        if request.WhichOneof("end") is None:
            raise InvalidFieldError(field="end", expected="end_time, or without_end")
        if end is None and not request.without_end:
            raise InvalidFieldError(field="without_end", expected="true, or an end_time instead")
        subscription, version = await self._change(
            call, request, lambda work, now: extend_subscription(work, account_id, end, now=now)
        )
        return wire.ExtendSubscriptionResponse(subscription=subscription, view_version=version)

    async def RenewSubscription(  # noqa: N802 - the wire's name
        self, request: wire.RenewSubscriptionRequest, call: Call
    ) -> wire.RenewSubscriptionResponse:
        """Extend a subscription by another period."""
        renewal = RenewSubscription(
            account_id=identifier(request.account_id, "account_id"),
            approved=request.approved,
            end_time=optional_instant(request, "end_time"),
        )
        subscription, version = await self._change(
            call, request, lambda work, now: renew_subscription(work, renewal, now=now)
        )
        return wire.RenewSubscriptionResponse(subscription=subscription, view_version=version)

    async def SetSubscriptionState(  # noqa: N802 - the wire's name
        self, request: wire.SetSubscriptionStateRequest, call: Call
    ) -> wire.SetSubscriptionStateResponse:
        """Set the state that billing decides on."""
        account_id = identifier(request.account_id, "account_id")
        state = STATE.decode(request.state, "state")
        subscription, version = await self._change(
            call, request, lambda work, now: set_state(work, account_id, state, now=now)
        )
        return wire.SetSubscriptionStateResponse(subscription=subscription, view_version=version)

    async def PauseSubscription(  # noqa: N802 - the wire's name
        self, request: wire.PauseSubscriptionRequest, call: Call
    ) -> wire.PauseSubscriptionResponse:
        """Stop for a while."""
        wanted = decode_pause(request)

        async def pause(work: BillingWork, now: int) -> StoredSubscription:
            return await make(work, await proposed_pause(work, wanted, now=now))

        subscription, version = await self._change(call, request, pause)
        return wire.PauseSubscriptionResponse(subscription=subscription, view_version=version)

    async def ResumeSubscription(  # noqa: N802 - the wire's name
        self, request: wire.ResumeSubscriptionRequest, call: Call
    ) -> wire.ResumeSubscriptionResponse:
        """Go on."""
        account_id = identifier(request.account_id, "account_id")

        async def resume(work: BillingWork, now: int) -> StoredSubscription:
            return await make(work, await proposed_resumption(work, account_id, now=now))

        subscription, version = await self._change(call, request, resume)
        return wire.ResumeSubscriptionResponse(subscription=subscription, view_version=version)

    async def _charge(
        self,
        call: Call,
        request: wire.ChangePlanRequest | wire.SetAddOnRequest | wire.BookQuantityRequest,
        propose: UseCase[Proposal],
    ) -> Written[_Charged]:
        """Make a change, and issue its invoice in the same transaction where it is wanted at once."""
        at_once = decode_invoice_now(request.invoice)

        async def charged(work: BillingWork, now: int) -> _Charged:
            proposal = await propose(work, now)
            held = await make(work, proposal)
            wanted = at_once and proposal.change_time <= now
            issued = await invoice_change(work, held.account_id, now=now) if wanted else ()
            return await shown(work, held, now), [encode_invoice(invoice) for invoice in issued]

        return await self._work.write(call, charged, reason=check_text("reason", request.reason))

    async def _change(
        self, call: Call, request: _Change, use_case: UseCase[StoredSubscription]
    ) -> tuple[subscription_pb2.Subscription, int]:
        """Run a change, and show the subscription as it reads after it."""

        async def changed(work: BillingWork, now: int) -> subscription_pb2.Subscription:
            return await shown(work, await use_case(work, now), now)

        written = await self._work.write(call, changed, reason=check_text("reason", request.reason))
        return written.value, written.view_version

"""SubscriptionService: who holds which plan, since when and until when."""

from tallygate.control_plane.ports import NewId, UnitOfWork
from tallygate.control_plane.subscription_changes import (
    CancelSubscription,
    ChangePlan,
    ExtendSubscription,
    SetAddOn,
    When,
    cancel_subscription,
    change_plan,
    extend_subscription,
    set_add_on,
    set_state,
)
from tallygate.control_plane.subscription_terms import DAY, with_trial_until
from tallygate.control_plane.subscriptions import (
    CreateSubscription,
    create_subscription,
    get_subscription,
    list_subscriptions,
)
from tallygate.control_plane.transactions import UseCase
from tallygate.domain.account import Subscription, SubscriptionState
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.calls import Call
from tallygate.server.codec import (
    identifier,
    optional_identifier,
    optional_instant,
    optional_quantity,
)
from tallygate.server.codec_subscription import STATE, decode_when, encode_subscription
from tallygate.server.tenant_work import TenantWork, page_request
from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire

_SETTABLE = {
    SubscriptionState.INCOMPLETE,
    SubscriptionState.ACTIVE,
    SubscriptionState.PAST_DUE,
    SubscriptionState.SUSPENDED,
}


class SubscriptionServicer:
    """Serves SubscriptionService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def CreateSubscription(  # noqa: N802 - the wire's name
        self, request: wire.CreateSubscriptionRequest, call: Call
    ) -> wire.CreateSubscriptionResponse:
        """Subscribe an account, with its trial and add-ons, in one step."""
        account_id = identifier(request.account_id, "account_id")

        async def create(work: UnitOfWork, now: int) -> Subscription:
            return await _create(work, request, now=now, new_id=self._work.new_id)

        subscription, version = await self._change(call, account_id, create)
        return wire.CreateSubscriptionResponse(subscription=subscription, view_version=version)

    async def GetSubscription(  # noqa: N802 - the wire's name
        self, request: wire.GetSubscriptionRequest, call: Call
    ) -> wire.GetSubscriptionResponse:
        """The live subscription, or the one named."""
        account_id = identifier(request.account_id, "account_id")
        named = optional_identifier(request.subscription_id, "subscription_id")

        async def load(work: UnitOfWork, now: int) -> subscription_pb2.Subscription:
            found = await get_subscription(work, account_id, named, now=now)
            return encode_subscription(found, account_id, await work.catalog.load(), now)

        return wire.GetSubscriptionResponse(subscription=await self._work.read(call, load))

    async def ListSubscriptions(  # noqa: N802 - the wire's name
        self, request: wire.ListSubscriptionsRequest, call: Call
    ) -> wire.ListSubscriptionsResponse:
        """An account's subscriptions; a page may be shorter where it passes over what is not asked for."""
        account_id = identifier(request.account_id, "account_id")
        page = page_request(request.page_size, request.page_token)

        async def load(work: UnitOfWork, now: int) -> wire.ListSubscriptionsResponse:
            catalog = await work.catalog.load()
            found = await list_subscriptions(work, account_id, page, now=now)
            shown = [encode_subscription(each, account_id, catalog, now) for each in found.items]
            wanted = [
                each for each in shown if request.plan_key in {"", each.plan_key} and request.state in {0, each.state}
            ]
            return wire.ListSubscriptionsResponse(subscriptions=wanted, next_page_token=found.next_page_token)

        return await self._work.read(call, load)

    async def ChangePlan(self, request: wire.ChangePlanRequest, call: Call) -> wire.ChangePlanResponse:  # noqa: N802 - the wire's name
        """Change the plan, or its version."""
        change = ChangePlan(
            account_id=identifier(request.account_id, "account_id"),
            plan_key=identifier(request.plan_key, "plan_key"),
            plan_version=optional_quantity(request, "plan_version", at_least=1),
            when=decode_when(request.when, When.NOW),
        )
        subscription, version = await self._change(
            call, change.account_id, lambda work, now: change_plan(work, change, now=now)
        )
        return wire.ChangePlanResponse(subscription=subscription, view_version=version)

    async def SetAddOn(self, request: wire.SetAddOnRequest, call: Call) -> wire.SetAddOnResponse:  # noqa: N802 - the wire's name
        """Hold an add-on in some quantity from now on."""
        held = optional_quantity(request, "quantity", at_least=0)
        change = SetAddOn(
            account_id=identifier(request.account_id, "account_id"),
            add_on_key=identifier(request.add_on_key, "add_on_key"),
            quantity=1 if held is None else held,
        )
        subscription, version = await self._change(
            call, change.account_id, lambda work, now: set_add_on(work, change, now=now)
        )
        return wire.SetAddOnResponse(subscription=subscription, view_version=version)

    async def ExtendTrial(self, request: wire.ExtendTrialRequest, call: Call) -> wire.ExtendTrialResponse:  # noqa: N802 - the wire's name
        """Move the end of a trial."""
        account_id = identifier(request.account_id, "account_id")
        end = optional_instant(request, "trial_end_time")
        if end is None:
            raise InvalidFieldError(field="trial_end_time", expected="the trial's new end")
        change = ExtendSubscription(account_id=account_id, trial_end_time=end)
        subscription, version = await self._change(
            call, account_id, lambda work, now: extend_subscription(work, change, now=now)
        )
        return wire.ExtendTrialResponse(subscription=subscription, view_version=version)

    async def CancelSubscription(  # noqa: N802 - the wire's name
        self, request: wire.CancelSubscriptionRequest, call: Call
    ) -> wire.CancelSubscriptionResponse:
        """Give the subscription an end."""
        end = optional_instant(request, "end_time")
        change = CancelSubscription(
            account_id=identifier(request.account_id, "account_id"),
            when=decode_when(request.when, When.PERIOD_END) if end is None else When.AT,
            at_time=end,
        )
        subscription, version = await self._change(
            call, change.account_id, lambda work, now: cancel_subscription(work, change, now=now)
        )
        return wire.CancelSubscriptionResponse(subscription=subscription, view_version=version)

    async def ExtendSubscription(  # noqa: N802 - the wire's name
        self, request: wire.ExtendSubscriptionRequest, call: Call
    ) -> wire.ExtendSubscriptionResponse:
        """Move the end of a subscription."""
        change = ExtendSubscription(
            account_id=identifier(request.account_id, "account_id"), end_time=optional_instant(request, "end_time")
        )
        subscription, version = await self._change(
            call, change.account_id, lambda work, now: extend_subscription(work, change, now=now)
        )
        return wire.ExtendSubscriptionResponse(subscription=subscription, view_version=version)

    async def SetSubscriptionState(  # noqa: N802 - the wire's name
        self, request: wire.SetSubscriptionStateRequest, call: Call
    ) -> wire.SetSubscriptionStateResponse:
        """Set the state that billing decides on."""
        account_id = identifier(request.account_id, "account_id")
        state = STATE.decode(request.state, "state")
        if state not in _SETTABLE:
            raise InvalidFieldError(field="state", expected="INCOMPLETE, ACTIVE, PAST_DUE or SUSPENDED", got=state)
        subscription, version = await self._change(
            call, account_id, lambda work, now: set_state(work, account_id, state, now=now)
        )
        return wire.SetSubscriptionStateResponse(subscription=subscription, view_version=version)

    async def _change(
        self, call: Call, account_id: str, use_case: UseCase[Subscription]
    ) -> tuple[subscription_pb2.Subscription, int]:
        """Run a change, and show the subscription as it reads after it."""

        async def changed(work: UnitOfWork, now: int) -> subscription_pb2.Subscription:
            subscription = await use_case(work, now)
            return encode_subscription(subscription, account_id, await work.catalog.load(), now)

        written = await self._work.write(call, changed)
        return written.value, written.view_version


async def _create(
    work: UnitOfWork, request: wire.CreateSubscriptionRequest, *, now: int, new_id: NewId
) -> Subscription:
    plan_key = identifier(request.plan_key, "plan_key")
    version = optional_quantity(request, "plan_version", at_least=1)
    days = optional_quantity(request, "trial_days", at_least=0)
    plan = (await work.catalog.load()).plan(plan_key, version)
    wanted = CreateSubscription(
        account_id=request.account_id,
        plan_key=plan_key,
        plan_version=version,
        trial=plan is not None and plan.trial is not None if days is None else days > 0,
        start_time=optional_instant(request, "start_time"),
        end_time=optional_instant(request, "end_time"),
    )
    created = await create_subscription(work, wanted, now=now, new_id=new_id)
    if days:
        created = with_trial_until(created, created.start_time + days * DAY)
        await work.subscriptions.put(request.account_id, created)
    for selection in request.add_ons:
        held = optional_quantity(selection, "quantity", at_least=1)
        add_on_key = identifier(selection.add_on_key, "add_ons.add_on_key")
        add_on = SetAddOn(account_id=request.account_id, add_on_key=add_on_key, quantity=held or 1)
        created = await set_add_on(work, add_on, now=max(now, created.start_time))
    return created

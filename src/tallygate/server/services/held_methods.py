"""The methods of SubscriptionService that only read: what is held, what ends, and what was changed."""

from tallygate.control_plane.subscription_changes import (
    list_changes,
)
from tallygate.control_plane.subscriptions import (
    days_left,
    get_subscription,
    list_ending,
    list_subscriptions,
)
from tallygate.domain.fields import checked_page
from tallygate.records.paging import PageRequest
from tallygate.records.ports import UnitOfWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, page_request
from tallygate.server.wire.scalars import (
    identifier,
    optional_identifier,
    optional_instant,
)
from tallygate.server.wire.subscription import (
    STATE,
    encode_change,
    encode_subscription,
)
from tallygate_api.v1 import subscription_pb2
from tallygate_api.v1 import subscription_service_pb2 as wire

_USUAL_PAGE, _LARGEST_PAGE = 25, 100


class HeldMethods:
    """Show and list subscriptions and their changes."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def GetSubscription(  # noqa: N802 - the wire's name
        self, request: wire.GetSubscriptionRequest, call: Call
    ) -> wire.GetSubscriptionResponse:
        """The live subscription, or the one named."""
        account_id = identifier(request.account_id, "account_id")
        named = optional_identifier(request.subscription_id, "subscription_id")

        async def load(work: UnitOfWork, now: int) -> subscription_pb2.Subscription:
            found = await get_subscription(work, account_id, named, now=now)
            return encode_subscription(found, await work.catalog.load(), now)

        return wire.GetSubscriptionResponse(subscription=await self._work.read(call, load))

    async def ListSubscriptions(  # noqa: N802 - the wire's name
        self, request: wire.ListSubscriptionsRequest, call: Call
    ) -> wire.ListSubscriptionsResponse:
        """Subscriptions of one account or of all, newest first."""
        account_id = optional_identifier(request.account_id, "account_id")
        plan_key = optional_identifier(request.plan_key, "plan_key")
        state = STATE.decode(request.state, "state") if request.state else None
        page = page_request(request.page_size, request.page_token)

        async def load(work: UnitOfWork, now: int) -> wire.ListSubscriptionsResponse:
            catalog = await work.catalog.load()
            found = await list_subscriptions(work, account_id, page, plan_key=plan_key, state=state, now=now)
            read = [encode_subscription(each, catalog, now) for each in found.items]
            return wire.ListSubscriptionsResponse(subscriptions=read, next_page_token=found.next_page_token)

        return await self._work.read(call, load)

    async def ListEndingSubscriptions(  # noqa: N802 - the wire's name
        self, request: wire.ListEndingSubscriptionsRequest, call: Call
    ) -> wire.ListEndingSubscriptionsResponse:
        """Subscriptions that end by themselves, soonest first."""
        until, page = optional_instant(request, "end_before_time"), page_request(request.page_size, request.page_token)
        plan_key = optional_identifier(request.plan_key, "plan_key")

        async def load(work: UnitOfWork, now: int) -> wire.ListEndingSubscriptionsResponse:
            catalog = await work.catalog.load()
            found = await list_ending(work, page, until=until, plan_key=plan_key, now=now)
            read = [
                wire.EndingSubscription(
                    subscription=encode_subscription(each, catalog, now), days_left=days_left(each, now)
                )
                for each in found.items
            ]
            return wire.ListEndingSubscriptionsResponse(subscriptions=read, next_page_token=found.next_page_token)

        return await self._work.read(call, load)

    async def ListChanges(self, request: wire.ListChangesRequest, call: Call) -> wire.ListChangesResponse:  # noqa: N802 - the wire's name
        """Who changed an account's subscriptions, newest first."""
        account_id = identifier(request.account_id, "account_id")
        size = checked_page(request.page_size, usual=_USUAL_PAGE, most=_LARGEST_PAGE)
        page = PageRequest(page_size=size, page_token=request.page_token)

        async def load(work: UnitOfWork, _now: int) -> wire.ListChangesResponse:
            found, catalog = await list_changes(work, account_id, page), await work.catalog.load()
            changes = [encode_change(change, catalog) for change in found.items]
            return wire.ListChangesResponse(changes=changes, next_page_token=found.next_page_token)

        return await self._work.read(call, load)

"""ProductService: apps that charge for usage, and how apps are listed."""

from tallygate.control_plane.products import approve_usage_plan, get_listing, pricing_page, request_usage_plan
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.catalog import decode_catalog
from tallygate.server.wire.product import APPROVAL, CYCLE, encode_listing
from tallygate.server.wire.scalars import identifier
from tallygate_api.v1 import product_service_pb2 as wire


class ProductServicer:
    """Serves ProductService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def RequestUsagePlan(  # noqa: N802 - the wire's name
        self, request: wire.RequestUsagePlanRequest, call: Call
    ) -> wire.RequestUsagePlanResponse:
        """Ask that an app may charge for usage."""
        key = identifier(request.product_key, "product_key")
        written = await self._work.write(call, lambda work, _: request_usage_plan(work, key))
        return wire.RequestUsagePlanResponse(approval=APPROVAL.encode(written.value.approval))

    async def ApproveUsagePlan(  # noqa: N802 - the wire's name
        self, request: wire.ApproveUsagePlanRequest, call: Call
    ) -> wire.ApproveUsagePlanResponse:
        """Let an app charge for usage."""
        key = identifier(request.product_key, "product_key")
        written = await self._work.write(call, lambda work, _: approve_usage_plan(work, key))
        return wire.ApproveUsagePlanResponse(approval=APPROVAL.encode(written.value.approval))

    async def GetListing(self, request: wire.GetListingRequest, call: Call) -> wire.GetListingResponse:  # noqa: N802 - the wire's name
        """An app as it is listed, or would be."""
        key = identifier(request.product_key, "product_key")
        document = decode_catalog(request.catalog) if request.HasField("catalog") else None
        found = await self._work.read(
            call, lambda work, now: get_listing(work, key, request.currency, document=document, now=now)
        )
        return wire.GetListingResponse(listing=encode_listing(found))

    async def GetPricingPage(  # noqa: N802 - the wire's name
        self, request: wire.GetPricingPageRequest, call: Call
    ) -> wire.GetPricingPageResponse:
        """Where an app shows its own prices."""
        key = identifier(request.product_key, "product_key")
        cycle = CYCLE.decode(request.billing_cycle, "billing_cycle")
        url = await self._work.read(call, lambda work, _: pricing_page(work, key, cycle))
        return wire.GetPricingPageResponse(url=url, billing_cycle=CYCLE.encode(cycle))

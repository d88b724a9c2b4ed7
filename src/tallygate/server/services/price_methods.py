"""The methods of BillingService about accounts' own prices."""

from tallygate.control_plane.price_overrides import (
    SetPriceOverride,
    end_price_override,
    list_price_overrides,
    set_price_override,
)
from tallygate.domain.billing.timeline import FOREVER, PriceOverride
from tallygate.domain.errors import InvalidFieldError
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.price import decode_price, encode_price
from tallygate.server.wire.scalars import identifier, optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import billing_service_pb2 as wire

_PLANS, _ADD_ONS = "plans/", "add_ons/"


class PriceMethods:
    """Set, end and list accounts' own prices."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def SetPriceOverride(  # noqa: N802 - the wire's name
        self, request: wire.SetPriceOverrideRequest, call: Call
    ) -> wire.SetPriceOverrideResponse:
        """Give an account a price of its own."""
        account_id = identifier(request.account_id, "account_id")
        if not request.HasField("price"):
            raise InvalidFieldError(field="price", expected="the account's own price, with its key")
        wanted = SetPriceOverride(
            account_id=account_id,
            override_id=optional_identifier(request.override_id, "override_id"),
            plan_key=optional_identifier(request.plan_key, "plan_key"),
            add_on_key=optional_identifier(request.add_on_key, "add_on_key"),
            price=decode_price(request.price, "price"),
            start_time=optional_instant(request, "start_time"),
            end_time=optional_instant(request, "end_time"),
        )
        new_id = self._work.new_id
        written = await self._work.write(
            call, lambda work, now: set_price_override(work, wanted, now=now, new_id=new_id)
        )
        return wire.SetPriceOverrideResponse(price_override=_encode(wanted.account_id, written.value))

    async def EndPriceOverride(  # noqa: N802 - the wire's name
        self, request: wire.EndPriceOverrideRequest, call: Call
    ) -> wire.EndPriceOverrideResponse:
        """End one."""
        account_id = identifier(request.account_id, "account_id")
        override_id = identifier(request.override_id, "override_id")
        end, new_id = optional_instant(request, "end_time"), self._work.new_id
        written = await self._work.write(
            call, lambda work, now: end_price_override(work, account_id, override_id, end, now=now, new_id=new_id)
        )
        return wire.EndPriceOverrideResponse(price_override=_encode(account_id, written.value))

    async def ListPriceOverrides(  # noqa: N802 - the wire's name
        self, request: wire.ListPriceOverridesRequest, call: Call
    ) -> wire.ListPriceOverridesResponse:
        """Those of an account, newest first."""
        account_id = identifier(request.account_id, "account_id")
        page = document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_price_overrides(work, account_id, page))
        return wire.ListPriceOverridesResponse(
            price_overrides=[_encode(account_id, one) for one in found.items], next_page_token=found.next_page_token
        )


def _encode(account_id: str, override: PriceOverride) -> wire.PriceOverride:
    of_plan = override.bundle.startswith(_PLANS)
    return wire.PriceOverride(
        override_id=override.override_id,
        account_id=account_id,
        plan_key=override.bundle.removeprefix(_PLANS) if of_plan else "",
        add_on_key="" if of_plan else override.bundle.removeprefix(_ADD_ONS),
        price=encode_price(override.price),
        start_time=timestamp(override.start_time),
        end_time=timestamp(None if override.end_time == FOREVER else override.end_time),
    )

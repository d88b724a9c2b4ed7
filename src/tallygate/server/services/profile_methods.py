"""The methods of BillingService about who accounts and the seller are on documents."""

from tallygate.billing.profiles import get_profile, set_profile
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.party import decode_profile, encode_profile
from tallygate.server.wire.scalars import optional_identifier
from tallygate_api.v1 import billing_service_pb2 as wire


class ProfileMethods:
    """Set and show billing profiles."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def SetBillingProfile(  # noqa: N802 - the wire's name
        self, request: wire.SetBillingProfileRequest, call: Call
    ) -> wire.SetBillingProfileResponse:
        """Say who somebody is."""
        wanted = decode_profile(request)
        written = await self._work.write(call, lambda work, now: set_profile(work, wanted, now=now))
        return wire.SetBillingProfileResponse(profile=encode_profile(written.value))

    async def GetBillingProfile(  # noqa: N802 - the wire's name
        self, request: wire.GetBillingProfileRequest, call: Call
    ) -> wire.GetBillingProfileResponse:
        """Show who somebody is."""
        account_id = optional_identifier(request.account_id, "account_id")
        found = await self._work.read(call, lambda work, _: get_profile(work, account_id))
        return wire.GetBillingProfileResponse(profile=None if found is None else encode_profile(found))

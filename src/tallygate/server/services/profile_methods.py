"""The methods of BillingService about who accounts and the seller are on documents."""

from tallygate.billing.profiles import get_profile, set_profile
from tallygate.billing.tax_ids import TaxIds, WantedCheck
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.party import decode_profile, encode_check, encode_profile
from tallygate.server.wire.scalars import optional_identifier
from tallygate_api.v1 import billing_service_pb2 as wire


class ProfileMethods:
    """Set and show billing profiles, and verify tax ids."""

    def __init__(self, work: TenantWork, tax_ids: TaxIds) -> None:
        self._work = work
        self._tax_ids = tax_ids

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

    async def VerifyTaxId(self, request: wire.VerifyTaxIdRequest, call: Call) -> wire.VerifyTaxIdResponse:  # noqa: N802 - the wire's name
        """Find out whether a tax id is held by somebody."""
        wanted = WantedCheck(
            account_id=optional_identifier(request.account_id, "account_id"),
            tax_id=request.tax_id,
            confirmed_by=request.confirmed_by,
            reference=request.reference,
            key_id=call.key.key_id,
        )
        found = await self._tax_ids.verify(call.tenant_id, wanted)
        return wire.VerifyTaxIdResponse(check=encode_check(found.check), profile=encode_profile(found.profile))

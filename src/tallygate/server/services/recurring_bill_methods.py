"""PartnerService's methods of bills that come again."""

from tallygate.billing.partners.recurring import cancel_recurring, submit_recurring
from tallygate.domain.billing.recurring_bills import RecurringBill
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.recurring_bill import decode_recurring, decode_recurring_state, encode_recurring
from tallygate.server.wire.scalars import identifier, optional_identifier
from tallygate_api.v1 import partner_service_pb2 as wire


class RecurringBillMethods:
    """Serves those."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def SubmitRecurringBill(  # noqa: N802 - the wire's name
        self, request: wire.SubmitRecurringBillRequest, call: Call
    ) -> wire.SubmitRecurringBillResponse:
        """Submit one."""

        async def submitted(work: BillingWork, now: int) -> RecurringBill:
            wanted = decode_recurring(request.bill, (await work.tenants.get()).currency)
            return await submit_recurring(work, wanted, now=now, new_id=self._work.new_id)

        written = await self._work.write(call, submitted)
        return wire.SubmitRecurringBillResponse(bill=encode_recurring(written.value))

    async def CancelRecurringBill(  # noqa: N802 - the wire's name
        self, request: wire.CancelRecurringBillRequest, call: Call
    ) -> wire.CancelRecurringBillResponse:
        """Cancel one."""
        provider = identifier(request.provider, "provider")
        name = identifier(request.recurring_bill_id, "recurring_bill_id")
        written = await self._work.write(call, lambda work, now: cancel_recurring(work, provider, name, now=now))
        return wire.CancelRecurringBillResponse(bill=encode_recurring(written.value))

    async def ListRecurringBills(  # noqa: N802 - the wire's name
        self, request: wire.ListRecurringBillsRequest, call: Call
    ) -> wire.ListRecurringBillsResponse:
        """Those that there are."""
        provider = optional_identifier(request.provider, "provider")
        account_id = optional_identifier(request.account_id, "account_id")
        state = decode_recurring_state(request)
        found = await self._work.read(
            call, lambda work, _: work.recurring_bills.list(provider=provider, account_id=account_id)
        )
        bills = [encode_recurring(bill) for bill in found if state in {None, bill.state}]
        return wire.ListRecurringBillsResponse(bills=bills)

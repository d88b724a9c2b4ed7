"""PartnerService: shares, bills of providers, and what everybody has of what was paid."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from tallygate.billing.partners.bills import cancel_bill, list_bills, submit_bill
from tallygate.billing.partners.statements import Run, run_of, shared_invoices, statements
from tallygate.billing.partners.terms import set_share
from tallygate.billing.partners.timeline import timeline
from tallygate.domain.billing.bills import Bill
from tallygate.domain.billing.sharing import ShareTerms, in_force
from tallygate.records.partners import BillQuery
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.recurring_bill_methods import RecurringBillMethods
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.partner import (
    decode_bill,
    decode_fixed,
    decode_percent,
    decode_rounding,
    decode_share,
    decode_state,
    encode_bill,
    encode_entry,
    encode_share,
    encode_shared,
    encode_statement,
)
from tallygate.server.wire.scalars import identifier, optional_identifier, timestamp
from tallygate_api.v1 import partner_service_pb2 as wire

T = TypeVar("T")


class PartnerServicer(RecurringBillMethods):
    """Serves PartnerService; runs are on `commission_day` of each month."""

    def __init__(self, work: TenantWork, *, commission_day: int) -> None:
        RecurringBillMethods.__init__(self, work)
        self._day = commission_day

    async def SetShare(self, request: wire.SetShareRequest, call: Call) -> wire.SetShareResponse:  # noqa: N802 - the wire's name
        """Agree a share."""
        share = request.share
        wanted = decode_share(share)
        rounding = decode_rounding(share)
        proposed, accepted = (decode_percent(share, f"{name}_percent") for name in ("proposed", "accepted"))

        async def agreed(work: BillingWork, now: int) -> tuple[ShareTerms, str]:
            currency = (await work.tenants.get()).currency
            fixed = decode_fixed(share, currency)
            named = replace(wanted, fixed=fixed or 0, rounding=rounding or wanted.rounding)
            made = await set_share(
                work, named, proposed=proposed, accepted=accepted, fixed=fixed, rounding=rounding, now=now
            )
            return made, currency

        written = await self._work.write(call, agreed)
        return wire.SetShareResponse(share=encode_share(*written.value))

    async def ListShares(self, _: wire.ListSharesRequest, call: Call) -> wire.ListSharesResponse:  # noqa: N802 - the wire's name
        """The shares that stand now."""

        async def held(work: BillingWork, now: int) -> wire.ListSharesResponse:
            currency = (await work.tenants.get()).currency
            found = in_force(await work.share_terms.history(), at=now)
            return wire.ListSharesResponse(shares=[encode_share(found[key], currency) for key in sorted(found)])

        return await self._work.read(call, held)

    async def SubmitBill(self, request: wire.SubmitBillRequest, call: Call) -> wire.SubmitBillResponse:  # noqa: N802 - the wire's name
        """Submit a provider's bill."""

        async def submitted(work: BillingWork, now: int) -> Bill:
            bill = decode_bill(request.bill, (await work.tenants.get()).currency)
            return await submit_bill(work, bill, now=now, new_id=self._work.new_id)

        written = await self._work.write(call, submitted)
        return wire.SubmitBillResponse(bill=encode_bill(written.value))

    async def CancelBill(self, request: wire.CancelBillRequest, call: Call) -> wire.CancelBillResponse:  # noqa: N802 - the wire's name
        """Cancel a bill that is not invoiced."""
        provider, bill_id = identifier(request.provider, "provider"), identifier(request.bill_id, "bill_id")
        written = await self._work.write(call, lambda work, now: cancel_bill(work, provider, bill_id, now=now))
        return wire.CancelBillResponse(bill=encode_bill(written.value))

    async def ListBills(self, request: wire.ListBillsRequest, call: Call) -> wire.ListBillsResponse:  # noqa: N802 - the wire's name
        """Bills, newest first."""
        page = document_page(request.page_size, request.page_token)
        wanted = BillQuery(
            limit=0,
            provider=optional_identifier(request.provider, "provider"),
            account_id=optional_identifier(request.account_id, "account_id"),
            state=decode_state(request),
        )
        found = await self._work.read(call, lambda work, _: list_bills(work, wanted, page))
        return wire.ListBillsResponse(
            bills=[encode_bill(bill) for bill in found.items], next_page_token=found.next_page_token
        )

    async def ListStatements(self, request: wire.ListStatementsRequest, call: Call) -> wire.ListStatementsResponse:  # noqa: N802 - the wire's name
        """What partners have of a run."""

        async def told(work: BillingWork, run: Run, now: int) -> wire.ListStatementsResponse:
            return wire.ListStatementsResponse(
                statements=[encode_statement(one) for one in await statements(work, run)],
                run_date=run.day.isoformat(),
                start_time=timestamp(run.start),
                end_time=timestamp(run.end),
                final=run.end <= now,
            )

        return await self._of_run(request.run_date, call, told)

    async def ListSharedInvoices(  # noqa: N802 - the wire's name
        self, request: wire.ListSharedInvoicesRequest, call: Call
    ) -> wire.ListSharedInvoicesResponse:
        """The documents behind the statements of a run."""
        page = document_page(request.page_size, request.page_token)

        async def told(work: BillingWork, run: Run, _: int) -> wire.ListSharedInvoicesResponse:
            found = await shared_invoices(work, run, page)
            return wire.ListSharedInvoicesResponse(
                invoices=[encode_shared(one) for one in found.items], next_page_token=found.next_page_token
            )

        return await self._of_run(request.run_date, call, told)

    async def GetBillingTimeline(  # noqa: N802 - the wire's name
        self, request: wire.GetBillingTimelineRequest, call: Call
    ) -> wire.GetBillingTimelineResponse:
        """The steps of a month's billing."""
        month = request.month
        found = await self._work.read(call, lambda work, now: timeline(work, month, commission_day=self._day, now=now))
        return wire.GetBillingTimelineResponse(entries=map(encode_entry, found))

    async def _of_run(self, text: str, call: Call, tell: Callable[[BillingWork, Run, int], Awaitable[T]]) -> T:
        """What is told of the run that a request names."""

        async def told(work: BillingWork, now: int) -> T:
            zone = (await work.catalog.load()).time_zone
            return await tell(work, run_of(text, day=self._day, zone=zone, now=now), now)

        return await self._work.read(call, told)

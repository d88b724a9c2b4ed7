"""BillingService: invoices whose time has come, fees, and what comes next."""

from collections.abc import Awaitable, Callable

from tallygate.billing.due_order import Run
from tallygate.billing.fees import create_fee, offset_fee
from tallygate.billing.giving import give_credit
from tallygate.billing.previews import preview_invoice, uninvoiced_items
from tallygate.billing.tax_ids import TaxIds
from tallygate.billing.unrated import list_unrated
from tallygate.billing.wallets import get_wallet
from tallygate.domain.billing.fees import Fee
from tallygate.domain.billing.wallet import WalletEntry
from tallygate.domain.billing_terms import BillingPolicy
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.price_methods import PriceMethods
from tallygate.server.services.profile_methods import ProfileMethods
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.fee import decode_fee, encode_fee
from tallygate.server.wire.invoice import encode_invoice, encode_line
from tallygate.server.wire.scalars import identifier, optional_identifier, timestamp
from tallygate.server.wire.unrated import encode_unrated
from tallygate.server.wire.wallet import decode_credit, encode_entry, encode_wallet
from tallygate_api.v1 import billing_service_pb2 as wire

RunBilling = Callable[[str, str], Awaitable[Run]]
"""Issues all that is due of a tenant, or of one account of it."""


class BillingServicer(PriceMethods, ProfileMethods):
    """Serves BillingService."""

    def __init__(self, work: TenantWork, run: RunBilling, tax_ids: TaxIds) -> None:
        ProfileMethods.__init__(self, work, tax_ids)
        self._run = run

    async def RunBilling(self, request: wire.RunBillingRequest, call: Call) -> wire.RunBillingResponse:  # noqa: N802 - the wire's name
        """Issue what is due."""
        run = await self._run(call.tenant_id, optional_identifier(request.account_id, "account_id"))
        return wire.RunBillingResponse(
            invoices=[encode_invoice(invoice) for invoice in run.invoices],
            more=run.more,
            failures=[
                wire.BillingFailure(kind=one.job.kind, subject=one.job.subject, problem=one.problem)
                for one in run.failed
            ],
        )

    async def CreateFee(self, request: wire.CreateFeeRequest, call: Call) -> wire.CreateFeeResponse:  # noqa: N802 - the wire's name
        """Charge a fee."""

        async def create(work: BillingWork, now: int) -> wire.Fee:
            wanted = decode_fee(request, (await work.tenants.get()).currency)
            return await _shown(work, await create_fee(work, wanted, now=now, new_id=self._work.new_id))

        return wire.CreateFeeResponse(fee=(await self._work.write(call, create)).value)

    async def OffsetFee(self, request: wire.OffsetFeeRequest, call: Call) -> wire.OffsetFeeResponse:  # noqa: N802 - the wire's name
        """Take a fee back."""
        fee_id = identifier(request.fee_id, "fee_id")
        offset_id = optional_identifier(request.offset_id, "offset_id")

        async def offset(work: BillingWork, now: int) -> wire.Fee:
            new_id = self._work.new_id
            fee = await offset_fee(work, fee_id, text=request.text, offset_id=offset_id, now=now, new_id=new_id)
            return await _shown(work, fee)

        return wire.OffsetFeeResponse(fee=(await self._work.write(call, offset)).value)

    async def ListUninvoicedItems(  # noqa: N802 - the wire's name
        self, request: wire.ListUninvoicedItemsRequest, call: Call
    ) -> wire.ListUninvoicedItemsResponse:
        """What is owed and not invoiced."""
        account_id = identifier(request.account_id, "account_id")
        page = document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, now: uninvoiced_items(work, account_id, page, now=now))
        return wire.ListUninvoicedItemsResponse(
            lines=[encode_line(line) for line in found.items], next_page_token=found.next_page_token
        )

    async def ListUnratedFacts(  # noqa: N802 - the wire's name
        self, request: wire.ListUnratedFactsRequest, call: Call
    ) -> wire.ListUnratedFactsResponse:
        """What no invoice charges."""
        account_id = optional_identifier(request.account_id, "account_id")
        page = document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_unrated(work, account_id, page))
        return wire.ListUnratedFactsResponse(
            facts=[encode_unrated(one) for one in found.items], next_page_token=found.next_page_token
        )

    async def PreviewInvoice(self, request: wire.PreviewInvoiceRequest, call: Call) -> wire.PreviewInvoiceResponse:  # noqa: N802 - the wire's name
        """The next invoice."""
        account_id = identifier(request.account_id, "account_id")
        preview = await self._work.read(call, lambda work, now: preview_invoice(work, account_id, now=now))
        return wire.PreviewInvoiceResponse(
            invoices=[encode_invoice(invoice) for invoice in preview.invoices], cut_time=timestamp(preview.cut_time)
        )

    async def AddWalletCredit(  # noqa: N802 - the wire's name
        self, request: wire.AddWalletCreditRequest, call: Call
    ) -> wire.AddWalletCreditResponse:
        """Give an account money."""

        async def give(work: BillingWork, now: int) -> WalletEntry:
            wanted = decode_credit(request, (await work.tenants.get()).currency)
            return await give_credit(work, wanted, now=now, new_id=self._work.new_id)

        return wire.AddWalletCreditResponse(entry=encode_entry((await self._work.write(call, give)).value))

    async def GetWallet(self, request: wire.GetWalletRequest, call: Call) -> wire.GetWalletResponse:  # noqa: N802 - the wire's name
        """An account's wallet."""
        account_id = identifier(request.account_id, "account_id")
        page = document_page(request.page_size, request.page_token)
        return encode_wallet(await self._work.read(call, lambda work, _: get_wallet(work, account_id, page)))


async def _shown(work: BillingWork, fee: Fee) -> wire.Fee:
    policy = (await work.catalog.load()).billing or BillingPolicy()
    return encode_fee(fee, policy.rounding.amounts)

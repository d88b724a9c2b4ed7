"""LedgerService: what was posted, and what it sums to."""

from tallygate.billing.ledger import audit_ledger, close_books, list_transfers, trial_balance
from tallygate.domain.billing.ledger_export import ledger_text
from tallygate.domain.errors import InvalidFieldError
from tallygate.domain.fields import checked_page
from tallygate.records.ledger import TransferQuery
from tallygate.records.paging import PageRequest
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.tenant_work import TenantWork
from tallygate.server.wire.ledger import encode_balance, encode_difference, encode_transfer
from tallygate.server.wire.scalars import optional_identifier, optional_instant, timestamp
from tallygate_api.v1 import ledger_service_pb2 as wire

_USUAL_PAGE, _LARGEST_PAGE = 25, 100
_EXPORTED = 1_000


class LedgerServicer:
    """Serves LedgerService."""

    def __init__(self, work: TenantWork) -> None:
        self._work = work

    async def ListTransfers(self, request: wire.ListTransfersRequest, call: Call) -> wire.ListTransfersResponse:  # noqa: N802 - the wire's name
        """Transfers, newest first."""
        size = checked_page(request.page_size, usual=_USUAL_PAGE, most=_LARGEST_PAGE)
        page = PageRequest(page_size=size, page_token=request.page_token)
        wanted = TransferQuery(
            limit=size,
            account_id=optional_identifier(request.account_id, "account_id"),
            ledger_account=request.ledger_account,
            start=optional_instant(request, "start_time"),
            end=optional_instant(request, "end_time"),
        )
        found = await self._work.read(call, lambda work, _: list_transfers(work, _checked(wanted), page))
        return wire.ListTransfersResponse(
            transfers=[encode_transfer(one) for one in found.items], next_page_token=found.next_page_token
        )

    async def GetTrialBalance(self, request: wire.GetTrialBalanceRequest, call: Call) -> wire.GetTrialBalanceResponse:  # noqa: N802 - the wire's name
        """What ledger accounts stand at."""
        at, account_id = optional_instant(request, "at_time"), optional_identifier(request.account_id, "account_id")

        async def balance(work: BillingWork, now: int) -> wire.GetTrialBalanceResponse:
            instant = now if at is None else at
            found = await trial_balance(work, at=instant, account_id=account_id)
            return wire.GetTrialBalanceResponse(
                balances=[encode_balance(one) for one in found],
                at_time=timestamp(instant),
                books_closed_time=timestamp((await work.tenants.get()).books_closed_time),
            )

        return await self._work.read(call, balance)

    async def CloseBooks(self, request: wire.CloseBooksRequest, call: Call) -> wire.CloseBooksResponse:  # noqa: N802 - the wire's name
        """Close the books."""
        time = optional_instant(request, "closed_time")
        if time is None:
            raise InvalidFieldError(field="closed_time", expected="an instant that is not after now")
        written = await self._work.write(call, lambda work, now: close_books(work, time, now=now))
        return wire.CloseBooksResponse(closed_time=timestamp(written.value))

    async def ExportLedger(self, request: wire.ExportLedgerRequest, call: Call) -> wire.ExportLedgerResponse:  # noqa: N802 - the wire's name
        """Transfers as text."""
        size = checked_page(request.page_size, usual=_EXPORTED, most=_EXPORTED)
        page = PageRequest(page_size=size, page_token=request.page_token)
        wanted = TransferQuery(
            limit=size,
            account_id=optional_identifier(request.account_id, "account_id"),
            start=optional_instant(request, "start_time"),
            end=optional_instant(request, "end_time"),
            oldest_first=True,
        )
        found = await self._work.read(call, lambda work, _: list_transfers(work, _checked(wanted), page))
        return wire.ExportLedgerResponse(text=ledger_text(found.items), next_page_token=found.next_page_token)

    async def AuditLedger(self, _: wire.AuditLedgerRequest, call: Call) -> wire.AuditLedgerResponse:  # noqa: N802 - the wire's name
        """Differences between the ledger and what it mirrors."""
        found = await self._work.read(call, lambda work, _: audit_ledger(work))
        return wire.AuditLedgerResponse(differences=[encode_difference(one) for one in found])


def _checked(wanted: TransferQuery) -> TransferQuery:
    if wanted.start is not None and wanted.end is not None and wanted.end <= wanted.start:
        raise InvalidFieldError(field="end_time", expected="an instant after start_time")
    return wanted

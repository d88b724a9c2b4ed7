"""BillingService: invoices whose time has come, now."""

from collections.abc import Awaitable, Callable

from tallygate.billing.running import Run
from tallygate.server.calls.method import Call
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.scalars import optional_identifier
from tallygate_api.v1 import billing_service_pb2 as wire

RunBilling = Callable[[str, str], Awaitable[Run]]
"""Issues all that is due of a tenant, or of one account of it."""


class BillingServicer:
    """Serves BillingService."""

    def __init__(self, run: RunBilling) -> None:
        self._run = run

    async def RunBilling(self, request: wire.RunBillingRequest, call: Call) -> wire.RunBillingResponse:  # noqa: N802 - the wire's name
        """Issue what is due."""
        run = await self._run(call.tenant_id, optional_identifier(request.account_id, "account_id"))
        return wire.RunBillingResponse(invoices=[encode_invoice(invoice) for invoice in run.invoices], more=run.more)

"""PaymentService: how accounts pay, and what they paid."""

from dataclasses import replace

from tallygate.billing.disputes import list_disputes, record_dispute
from tallygate.billing.gateway_events import list_events
from tallygate.billing.invoices import get_invoice
from tallygate.billing.methods import (
    SetGateway,
    attach_method,
    detach_method,
    gateway_of,
    list_methods,
    set_collection,
    set_default_method,
    set_gateway,
)
from tallygate.billing.payments import get_collection, list_attempts, list_payments, record_offline
from tallygate.billing.ports import SetupRequest
from tallygate.billing.refunds import list_refunds
from tallygate.control_plane.trial_conversion import follow_methods
from tallygate.domain.billing.disputes import Dispute
from tallygate.domain.billing.payments import Method, Payment
from tallygate.domain.errors import InvalidFieldError
from tallygate.records.payments import MoneyQuery
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.calls.self_service import own_name
from tallygate.server.services.own_names import attempt_named, method_named, own_method
from tallygate.server.services.payment_ports import Payments, Refunds, Settlements
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.billing_terms import COLLECTION
from tallygate.server.wire.payment import (
    decode_dispute,
    decode_events,
    decode_method,
    decode_offline,
    decode_refund,
    decode_top_up,
    encode_attempt,
    encode_collected,
    encode_dispute,
    encode_event,
    encode_gateway,
    encode_method,
    encode_payment,
    encode_reconciled,
    encode_refund,
    encode_refunded,
    encode_setup,
    return_url,
)
from tallygate.server.wire.scalars import identifier, optional_identifier, optional_instant
from tallygate_api.v1 import payment_service_pb2 as wire


class PaymentServicer:
    """Serves PaymentService."""

    def __init__(self, work: TenantWork, payments: Payments, refunds: Refunds, settlements: Settlements) -> None:
        self._work = work
        self._payments = payments
        self._refunds = refunds
        self._settlements = settlements

    async def SetGateway(self, request: wire.SetGatewayRequest, call: Call) -> wire.SetGatewayResponse:  # noqa: N802 - the wire's name
        """Use a gateway."""
        gateways = self._payments.gateways
        if request.name not in gateways.adapters:
            raise InvalidFieldError(field="name", expected=f"one of {', '.join(sorted(gateways.adapters))}")
        wanted = SetGateway(name=request.name, secrets=dict(request.credentials))
        made = await self._work.write(call, lambda work, now: set_gateway(work, wanted, gateways=gateways, now=now))
        return wire.SetGatewayResponse(gateway=encode_gateway(made.value, call.tenant_id))

    async def ListGateways(self, _request: wire.ListGatewaysRequest, call: Call) -> wire.ListGatewaysResponse:  # noqa: N802 - the wire's name
        """The gateways that are used."""
        found = await self._work.read(call, lambda work, _: work.payments.gateways())
        return wire.ListGatewaysResponse(gateways=[encode_gateway(gateway, call.tenant_id) for gateway in found])

    async def AttachMethod(self, request: wire.AttachMethodRequest, call: Call) -> wire.AttachMethodResponse:  # noqa: N802 - the wire's name
        """Attach a method; its gateway is asked outside of any transaction."""
        wanted = decode_method(request)
        gateway = await self._work.read(call, lambda work, _: gateway_of(work, wanted.account_id, wanted.gateway))
        card = await self._payments.describe(call.tenant_id, gateway.name, wanted.token)
        new_id, gateways = self._work.new_id, self._payments.gateways

        async def attach(work: BillingWork, now: int) -> Method:
            named = replace(wanted, method_id=await method_named(work, call, wanted.method_id))
            made = await attach_method(work, named, card, gateways=gateways, now=now, new_id=new_id)
            return await _followed(work, made, "AttachMethod", now)

        made = await self._work.write(call, attach)
        return wire.AttachMethodResponse(method=encode_method(made.value))

    async def BeginSetup(self, request: wire.BeginSetupRequest, call: Call) -> wire.BeginSetupResponse:  # noqa: N802 - the wire's name
        """Prepare for a method; its gateway is asked outside of any transaction."""
        account_id, setup_id = identifier(request.account_id, "account_id"), request.setup_id
        if setup_id and call.key.account_id:
            setup_id = own_name(call.key.account_id, setup_id)
        wanted = SetupRequest(
            tenant_id=call.tenant_id,
            key=optional_identifier(setup_id, "setup_id") or f"setup_{self._work.new_id()}",
            account_id=account_id,
            return_url=return_url(request.return_url),
        )
        named = optional_identifier(request.gateway, "gateway")
        gateway = await self._work.read(call, lambda work, _: gateway_of(work, account_id, named))
        return encode_setup(wanted, gateway.name, await self._payments.begin_setup(gateway.name, wanted))

    async def ListMethods(self, request: wire.ListMethodsRequest, call: Call) -> wire.ListMethodsResponse:  # noqa: N802 - the wire's name
        """An account's methods."""
        account_id = identifier(request.account_id, "account_id")
        found = await self._work.read(call, lambda work, _: list_methods(work, account_id))
        return wire.ListMethodsResponse(methods=[encode_method(method) for method in found])

    async def SetDefaultMethod(  # noqa: N802 - the wire's name
        self, request: wire.SetDefaultMethodRequest, call: Call
    ) -> wire.SetDefaultMethodResponse:
        """Pay by a method from now on."""
        account_id, method_id = _named(request.account_id, request.method_id)

        async def prefer(work: BillingWork, now: int) -> Method:
            named = await own_method(work, call, method_id)
            made = await set_default_method(work, account_id, named, now=now)
            return await _followed(work, made, "SetDefaultMethod", now)

        made = await self._work.write(call, prefer)
        return wire.SetDefaultMethodResponse(method=encode_method(made.value))

    async def DetachMethod(self, request: wire.DetachMethodRequest, call: Call) -> wire.DetachMethodResponse:  # noqa: N802 - the wire's name
        """Use a method no more."""
        account_id, method_id = _named(request.account_id, request.method_id)

        async def detach(work: BillingWork, now: int) -> Method:
            gone = await detach_method(work, account_id, await own_method(work, call, method_id), now=now)
            return await _followed(work, gone, "DetachMethod", now)

        gone = await self._work.write(call, detach)
        return wire.DetachMethodResponse(method=encode_method(gone.value))

    async def Pay(self, request: wire.PayRequest, call: Call) -> wire.PayResponse:  # noqa: N802 - the wire's name
        """Charge an invoice."""
        invoice_id = identifier(request.invoice_id, "invoice_id")
        attempt_id = optional_identifier(request.attempt_id, "attempt_id")
        method_id = optional_identifier(request.method_id, "method_id")
        if call.key.account_id:

            async def named(work: BillingWork, _now: int) -> tuple[str, str]:
                await get_invoice(work, invoice_id, own_of=call.key.account_id)
                return await attempt_named(work, call, attempt_id), await own_method(work, call, method_id)

            attempt_id, method_id = await self._work.read(call, named)
        attempt = await self._payments.pay(call.tenant_id, invoice_id, attempt_id=attempt_id, method_id=method_id)
        return wire.PayResponse(attempt=encode_attempt(attempt))

    async def TopUp(self, request: wire.TopUpRequest, call: Call) -> wire.TopUpResponse:  # noqa: N802 - the wire's name
        """Take money for a wallet."""

        async def currency(work: BillingWork, _now: int) -> str:
            return (await work.tenants.get()).currency

        wanted = decode_top_up(request, await self._work.read(call, currency))
        return wire.TopUpResponse(attempt=encode_attempt(await self._payments.top_up(call.tenant_id, wanted)))

    async def RecordOffline(self, request: wire.RecordOfflineRequest, call: Call) -> wire.RecordOfflineResponse:  # noqa: N802 - the wire's name
        """Record money that came past every gateway."""

        async def record(work: BillingWork, now: int) -> Payment:
            wanted = decode_offline(request, (await work.tenants.get()).currency)
            return await record_offline(work, wanted, now=now, new_id=self._work.new_id)

        return wire.RecordOfflineResponse(payment=encode_payment((await self._work.write(call, record)).value))

    async def Reconcile(self, request: wire.ReconcileRequest, call: Call) -> wire.ReconcileResponse:  # noqa: N802 - the wire's name
        """What a gateway took beside the books."""
        gateway = identifier(request.gateway, "gateway")
        start, end = optional_instant(request, "start_time"), optional_instant(request, "end_time")
        if start is None:
            raise InvalidFieldError(field="start_time", expected="an instant")
        if end is not None and end <= start:
            raise InvalidFieldError(field="end_time", expected="an instant after start_time")
        found = await self._settlements.reconcile(call.tenant_id, gateway, start=start, end=end)
        return encode_reconciled(found)

    async def ListGatewayEvents(  # noqa: N802 - the wire's name
        self, request: wire.ListGatewayEventsRequest, call: Call
    ) -> wire.ListGatewayEventsResponse:
        """What gateways told."""
        wanted, page = decode_events(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_events(work, wanted, page))
        events = [encode_event(event) for event in found.items]
        return wire.ListGatewayEventsResponse(events=events, next_page_token=found.next_page_token)

    async def RefundLine(self, request: wire.RefundLineRequest, call: Call) -> wire.RefundLineResponse:  # noqa: N802 - the wire's name
        """Give back what was paid for a line."""
        name = identifier(request.invoice_id, "invoice_id")
        invoice = await self._work.read(call, lambda work, _: get_invoice(work, name))
        return encode_refunded(await self._refunds.refund(call.tenant_id, decode_refund(request, invoice.currency)))

    async def ListRefunds(self, request: wire.ListRefundsRequest, call: Call) -> wire.ListRefundsResponse:  # noqa: N802 - the wire's name
        """Money that went back."""
        wanted, page = _query(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_refunds(work, wanted, page))
        refunds = [encode_refund(refund) for refund in found.items]
        return wire.ListRefundsResponse(refunds=refunds, next_page_token=found.next_page_token)

    async def RecordDispute(self, request: wire.RecordDisputeRequest, call: Call) -> wire.RecordDisputeResponse:  # noqa: N802 - the wire's name
        """Note a dispute of a payment."""
        payment_id = identifier(request.payment_id, "payment_id")

        async def record(work: BillingWork, now: int) -> Dispute:
            known = await work.payments.payment(payment_id)
            currency = known.currency if known is not None else (await work.tenants.get()).currency
            return await record_dispute(work, decode_dispute(request, currency), now=now)

        return wire.RecordDisputeResponse(dispute=encode_dispute((await self._work.write(call, record)).value))

    async def ListDisputes(self, request: wire.ListDisputesRequest, call: Call) -> wire.ListDisputesResponse:  # noqa: N802 - the wire's name
        """What payers had taken back."""
        wanted, page = _query(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_disputes(work, wanted, page))
        disputes = [encode_dispute(dispute) for dispute in found.items]
        return wire.ListDisputesResponse(disputes=disputes, next_page_token=found.next_page_token)

    async def ListPayments(self, request: wire.ListPaymentsRequest, call: Call) -> wire.ListPaymentsResponse:  # noqa: N802 - the wire's name
        """Money that came."""
        wanted, page = _query(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_payments(work, wanted, page))
        payments = [encode_payment(payment) for payment in found.items]
        return wire.ListPaymentsResponse(payments=payments, next_page_token=found.next_page_token)

    async def ListAttempts(self, request: wire.ListAttemptsRequest, call: Call) -> wire.ListAttemptsResponse:  # noqa: N802 - the wire's name
        """What was tried."""
        wanted, page = _query(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_attempts(work, wanted, page))
        attempts = [encode_attempt(attempt) for attempt in found.items]
        return wire.ListAttemptsResponse(attempts=attempts, next_page_token=found.next_page_token)

    async def SetCollection(self, request: wire.SetCollectionRequest, call: Call) -> wire.SetCollectionResponse:  # noqa: N802 - the wire's name
        """Whether an account's invoices are charged by themselves."""
        account_id = identifier(request.account_id, "account_id")
        collection = COLLECTION.decode(request.collect, "collect") if request.collect else None
        await self._work.write(call, lambda work, now: set_collection(work, account_id, collection, now=now))
        return wire.SetCollectionResponse(collect=request.collect)

    async def GetCollection(self, request: wire.GetCollectionRequest, call: Call) -> wire.GetCollectionResponse:  # noqa: N802 - the wire's name
        """How an account is collected, and what it did not pay."""
        account_id = identifier(request.account_id, "account_id")
        return encode_collected(
            await self._work.read(call, lambda work, now: get_collection(work, account_id, now=now))
        )


def _named(account_id: str, method_id: str) -> tuple[str, str]:
    return identifier(account_id, "account_id"), identifier(method_id, "method_id")


def _query(
    request: wire.ListPaymentsRequest | wire.ListAttemptsRequest | wire.ListDisputesRequest | wire.ListRefundsRequest,
) -> MoneyQuery:
    return MoneyQuery(
        limit=0,
        account_id=optional_identifier(request.account_id, "account_id"),
        invoice_id=optional_identifier(request.invoice_id, "invoice_id"),
    )


async def _followed(work: BillingWork, changed: Method, method: str, now: int) -> Method:
    """In the transaction of a change of methods what hangs on them: how a trial that converts given one will end."""
    await follow_methods(work, changed.account_id, method=method, now=now)
    return changed

"""OrderService: baskets that are put together, priced and completed once."""

from collections.abc import Callable
from dataclasses import replace

from tallygate.billing.claims import redeem_claim, replace_code
from tallygate.billing.desk import SubscriptionDesk
from tallygate.billing.orders import Acceptance, Minting, Quoted, complete_order, create_order, get_order, list_orders
from tallygate.domain.billing.claims import ENTROPY_BYTES
from tallygate.domain.billing.orders import OrderState
from tallygate.records.ports import BillingWork
from tallygate.server.calls.method import Call
from tallygate.server.services.own_names import order_named, own_order
from tallygate.server.services.tenant_work import TenantWork, document_page
from tallygate.server.wire.fee import decode_whole_money
from tallygate.server.wire.invoice import encode_invoice
from tallygate.server.wire.order import decode_order, decode_query, encode_claims, encode_order
from tallygate.server.wire.scalars import identifier, quantity
from tallygate_api.v1 import order_service_pb2 as wire


class OrderServicer:
    """Serves OrderService."""

    def __init__(self, work: TenantWork, desk: SubscriptionDesk, *, entropy: Callable[[int], bytes]) -> None:
        self._work = work
        self._desk = desk
        self._minting = Minting(new_id=work.new_id, entropy=entropy)

    async def CreateOrder(self, request: wire.CreateOrderRequest, call: Call) -> wire.CreateOrderResponse:  # noqa: N802 - the wire's name
        """Put an order together."""
        wanted = decode_order(request, self._work.new_id())

        async def create(work: BillingWork, now: int) -> Quoted:
            named = await order_named(work, call, wanted.order_id) if request.order_id else wanted.order_id
            return await create_order(work, replace(wanted, order_id=named), self._desk, now=now)

        written = await self._work.write(call, create)
        documents = [encode_invoice(each) for each in written.value.documents]
        return wire.CreateOrderResponse(order=encode_order(written.value.order), quote=documents)

    async def CompleteOrder(self, request: wire.CompleteOrderRequest, call: Call) -> wire.CompleteOrderResponse:  # noqa: N802 - the wire's name
        """Sell what an order holds."""
        order_id = identifier(request.order_id, "order_id")

        async def complete(work: BillingWork, now: int) -> wire.CompleteOrderResponse:
            total = None
            if request.HasField("accepted_total"):
                usual = (await work.tenants.get()).currency
                total = decode_whole_money(request.accepted_total, "accepted_total", usual=usual)
            accepted = Acceptance(terms_version=request.terms_version, actor_id=call.key.key_id, total=total)
            named = await own_order(work, call, order_id)
            found = await complete_order(work, named, accepted, self._desk, self._minting, now=now)
            invoices = [encode_invoice(each) for each in found.documents]
            claims = encode_claims(found.order, found.claims)
            return wire.CompleteOrderResponse(order=encode_order(found.order), invoices=invoices, claims=claims)

        written = await self._work.write(call, complete)
        written.value.view_version = written.view_version
        return written.value

    async def GetOrder(self, request: wire.GetOrderRequest, call: Call) -> wire.GetOrderResponse:  # noqa: N802 - the wire's name
        """One order."""
        order_id = identifier(request.order_id, "order_id")

        async def load(work: BillingWork, now: int) -> Quoted:
            return await get_order(work, await own_order(work, call, order_id), self._desk, now=now)

        found = await self._work.read(call, load)
        documents = [encode_invoice(each) for each in found.documents]
        is_open = found.order.state is OrderState.OPEN
        return wire.GetOrderResponse(
            order=encode_order(found.order),
            quote=documents if is_open else (),
            invoices=() if is_open else documents,
            obstacle=found.obstacle,
        )

    async def ListOrders(self, request: wire.ListOrdersRequest, call: Call) -> wire.ListOrdersResponse:  # noqa: N802 - the wire's name
        """Orders, newest first."""
        wanted, page = decode_query(request), document_page(request.page_size, request.page_token)
        found = await self._work.read(call, lambda work, _: list_orders(work, wanted, page))
        orders = [encode_order(order) for order in found.items]
        return wire.ListOrdersResponse(orders=orders, next_page_token=found.next_page_token)

    async def RedeemClaim(self, request: wire.RedeemClaimRequest, call: Call) -> wire.RedeemClaimResponse:  # noqa: N802 - the wire's name
        """Give an account what was bought for whoever has a code."""
        code, account_id = identifier(request.code, "code"), identifier(request.account_id, "account_id")
        new_id = self._work.new_id
        written = await self._work.write(
            call, lambda work, now: redeem_claim(work, code, account_id, self._desk, now=now, new_id=new_id)
        )
        found = written.value
        return wire.RedeemClaimResponse(
            order_id=found.order_id,
            account_id=found.account_id,
            subscription_id=found.subscription_id,
            view_version=written.view_version,
        )

    async def ReplaceClaimCode(  # noqa: N802 - the wire's name
        self, request: wire.ReplaceClaimCodeRequest, call: Call
    ) -> wire.ReplaceClaimCodeResponse:
        """Give a claim another code."""
        order_id = identifier(request.order_id, "order_id")
        item = quantity(request.item, "item", at_least=0)
        entropy = self._minting.entropy(ENTROPY_BYTES)
        written = await self._work.write(call, lambda work, now: replace_code(work, order_id, item, entropy, now=now))
        order, code = written.value
        (claim,) = encode_claims(order, {item: code})
        return wire.ReplaceClaimCodeResponse(claim=claim)
